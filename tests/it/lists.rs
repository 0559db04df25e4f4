//! Lists: newest first, page by page, of one player.

use serde_json::Value;

use crate::support::{client::Client, player::Player, sandbox::shared};

async fn pages(client: &Client, list: &str, player: &Player, limit: usize) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/{list}?player={}&limit={limit}{after}", player.id);
        let page = client.get(&path).await.ok();
        let data = page.json["data"].as_array().unwrap();
        assert!(data.len() <= limit, "{}", page.text);
        rows.extend(data.iter().cloned());
        match page.json["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return rows,
        }
    }
}

#[tokio::test]
async fn pages_of_any_size_show_every_transaction_once_newest_first() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    for index in 0..7 {
        client
            .callback("bet", &player.bet(&format!("b{index}"), "1.00"))
            .await
            .ok();
    }
    let expected: Vec<i64> = (1..=8).rev().collect();
    for limit in [1, 3, 4, 8, 50] {
        let rows = pages(&client, "transactions", &player, limit).await;
        let numbers: Vec<i64> = rows
            .iter()
            .map(|row| row["number"].as_i64().unwrap())
            .collect();
        assert_eq!(numbers, expected, "limit {limit}");
        let rounds = pages(&client, "rounds", &player, limit).await;
        let names: Vec<_> = rounds
            .iter()
            .map(|round| round["round"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            ["r-b6", "r-b5", "r-b4", "r-b3", "r-b2", "r-b1", "r-b0"],
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn a_transaction_shows_what_it_was_and_what_became_of_it() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let bet = client.callback("bet", &player.bet("b", "2.50")).await.ok();
    let rollback = client
        .callback("rollback", &player.rollback("rb", "b"))
        .await
        .ok();
    client
        .callback("rollback", &player.rollback("rb-2", "never"))
        .await
        .ok();
    let rows = pages(&client, "transactions", &player, 50).await;
    let of = |kind: &str, id: &str| {
        let found = rows
            .iter()
            .find(|row| row["kind"] == kind && row["provider_transaction_id"] == id);
        found.unwrap_or_else(|| panic!("no {kind} {id} in {rows:#?}"))
    };
    let shown = of("bet", "b");
    assert_eq!(shown["transaction_id"], bet.json["transaction_id"]);
    assert_eq!(
        (&shown["amount"], &shown["currency"]),
        (&"2.50".into(), &"EUR".into())
    );
    assert_eq!(
        (&shown["game"], &shown["round"]),
        (&"dice".into(), &"r-b".into())
    );
    assert_eq!(shown["balance"]["cash"], "97.50");
    assert_eq!(shown["reversed_by"], rollback.json["transaction_id"]);
    assert_eq!(of("rollback", "rb")["reverses"], bet.json["transaction_id"]);
    assert!(
        rows.iter().any(|row| row["state"] == "tombstone"),
        "{rows:#?}"
    );
}

#[tokio::test]
async fn a_list_takes_a_limit_and_a_position_and_nothing_else() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let id = &player.id;
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=-1",
        "after=x",
        "after=",
        "colour=red",
    ] {
        for list in ["transactions", "rounds"] {
            let answer = client.get(&format!("/v1/{list}?player={id}&{query}")).await;
            let is_known = !query.starts_with("colour");
            let code = if is_known {
                "malformed"
            } else {
                "unknown_field"
            };
            answer.refused(422, code);
        }
    }
}

#[tokio::test]
async fn the_games_are_listed_with_their_provider_and_rtp() {
    let client = shared().await;
    let games = client.get("/v1/games").await.ok();
    let games = games.json["data"].as_array().unwrap();
    for known in pitboss_games::catalogue() {
        let game = games.iter().find(|game| game["id"] == known.id).unwrap();
        assert_eq!(game["provider"], "demo");
        assert_eq!(game["rtp"], known.rtp.lowest().percent());
        assert_eq!(game["enabled"], true);
    }
}
