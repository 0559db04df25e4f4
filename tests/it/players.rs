//! Players: who they are, what they may do, and what they have.

use serde_json::{Value, json};

use crate::support::{
    client::Client, eventually, ledger::Ledger, player::Player, sandbox::shared, stream::Stream,
    unique,
};

async fn status(client: &Client, player: &str, status: &str) -> Value {
    let body = json!({ "status": status, "reason": "a test" });
    let path = format!("/v1/players/{player}/status");
    client.post(&path, &body).await.ok().json
}

async fn events(client: &Client, player: &str, kind: &str) -> Vec<Value> {
    let path = format!("/v1/events?player={player}&type={kind}&limit=200");
    let page = client.get(&path).await.ok();
    page.json["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_player_is_what_the_operator_tells_of_him() {
    let client = shared().await;
    let id = unique("told");
    let told = json!({
        "id": id, "currency": "EUR", "country": "SE", "language": "sv", "labels": { "vip": "gold" }, "test": true,
    });
    let made = client.post("/v1/players", &told).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for (field, value) in [
        ("country", json!("SE")),
        ("language", json!("sv")),
        ("labels", json!({ "vip": "gold" })),
        ("test", json!(true)),
        ("status", json!("active")),
    ] {
        assert_eq!(made.json[field], value, "{field}");
    }
    let registered = events(&client, &id, "player.registered").await;
    assert_eq!(registered.len(), 1);
    assert_eq!(registered[0]["seq"], 1);
    assert_eq!(
        registered[0]["data"],
        json!({ "country": "SE", "language": "sv", "test": true })
    );
    // Once more, with another currency: nobody new.
    let more = json!({ "id": id, "currency": "USD" });
    assert_eq!(client.post("/v1/players", &more).await.status, 200);
    assert_eq!(events(&client, &id, "player.registered").await.len(), 1);
    for (field, value) in [
        ("country", json!("DE")),
        ("language", json!("de")),
        ("labels", json!({})),
        ("test", json!(false)),
    ] {
        let mut other = json!({ "id": id, "currency": "EUR" });
        other[field] = value;
        client
            .post("/v1/players", &other)
            .await
            .refused(409, "player_exists");
    }
    let path = format!("/v1/players/{id}");
    let changed = client
        .patch(
            &path,
            &json!({ "country": null, "labels": { "vip": "silver" } }),
        )
        .await
        .ok();
    assert_eq!(changed.json["country"], Value::Null);
    assert_eq!(changed.json["language"], "sv");
    assert_eq!(changed.json["labels"], json!({ "vip": "silver" }));
    assert_eq!(client.get(&path).await.ok().json, changed.json);
}

#[tokio::test]
async fn what_cannot_be_told_of_a_player_is_refused_and_changes_nothing() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let path = format!("/v1/players/{}", player.id);
    let before = client.get(&path).await.ok().json;
    let many: serde_json::Map<_, _> = (0..17).map(|n| (format!("l{n}"), json!("x"))).collect();
    for wrong in [
        json!({}),
        json!({ "country": "Sweden" }),
        // Not in ISO 3166-1: no game's list of countries could name it.
        json!({ "country": "UK" }),
        json!({ "country": "se" }),
        json!({ "language": "swedish" }),
        json!({ "labels": { "": "x" } }),
        json!({ "labels": { "a b": "x" } }),
        json!({ "labels": { "a": "" } }),
        json!({ "labels": many }),
    ] {
        client.patch(&path, &wrong).await.refused(422, "malformed");
    }
    let nobody = unique("nobody");
    for country in ["UK", "XX", "Sweden", ""] {
        let new = json!({ "id": nobody, "currency": "EUR", "country": country });
        client
            .post("/v1/players", &new)
            .await
            .refused(422, "malformed");
        let list = format!("/v1/players?country={country}");
        client.get(&list).await.refused(422, "malformed");
    }
    client
        .get(&format!("/v1/players/{nobody}"))
        .await
        .refused(404, "unknown_player");
    client
        .patch(&path, &json!({ "test": true }))
        .await
        .refused(422, "unknown_field");
    client
        .patch("/v1/players/nobody", &json!({ "country": "SE" }))
        .await
        .refused(404, "unknown_player");
    for wrong in [
        json!({ "status": "sleeping", "reason": "x" }),
        json!({ "status": "blocked", "reason": " " }),
        json!({ "status": "blocked" }),
    ] {
        client
            .post(&format!("{path}/status"), &wrong)
            .await
            .refused(422, "malformed");
    }
    assert_eq!(client.get(&path).await.ok().json, before);
}

#[tokio::test]
async fn players_are_listed_a_page_at_a_time() {
    let client = shared().await;
    let prefix = unique("paged");
    for number in 0..5 {
        let country = if number % 2 == 0 { "NO" } else { "FI" };
        let new =
            json!({ "id": format!("{prefix}-{number}"), "currency": "EUR", "country": country });
        client.post("/v1/players", &new).await.ok();
    }
    let all = async |query: &str| {
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/v1/players?prefix={prefix}-&limit=2{query}{after}");
            let page = client.get(&path).await.ok();
            for row in page.json["data"].as_array().unwrap() {
                let id = row["id"].as_str().unwrap();
                found.push(id.rsplit('-').next().unwrap().to_owned());
            }
            match page.json["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return found,
            }
        }
    };
    assert_eq!(all("").await, ["0", "1", "2", "3", "4"]);
    assert_eq!(all("&country=NO").await, ["0", "2", "4"]);
    assert!(all("&test=true").await.is_empty());
    status(&client, &format!("{prefix}-3"), "closed").await;
    assert_eq!(all("&status=closed").await, ["3"]);
    let newest = client.get("/v1/players?limit=1").await.ok();
    assert_eq!(newest.json["data"].as_array().unwrap().len(), 1);
    assert!(newest.json["next"].is_string());
}

#[tokio::test]
async fn a_block_closes_everything_but_what_is_owed_to_the_player() {
    let client = shared().await;
    for blocked in ["blocked", "closed"] {
        let player = Player::with(&client, "10.00").await;
        client.callback("bet", &player.bet("b1", "1.00")).await.ok();
        let mut stream = Stream::open(&client, &player.token, "").await.unwrap();
        let view = status(&client, &player.id, blocked).await;
        assert_eq!(view["status"], blocked);
        assert_eq!(view["wallets"][0]["cash"], "9.00");
        assert_eq!(stream.closed().await, 4102, "session_expired");
        assert!(Stream::open(&client, &player.token, "").await.is_err());
        let body = json!({ "player": player.id, "currency": "EUR" });
        let deposit = json!({ "amount": "1.00", "currency": "EUR", "reference": unique("d") });
        for (path, body) in [
            ("/v1/sessions".to_owned(), &body),
            ("/v1/games/dice/launch".to_owned(), &body),
            (format!("/v1/players/{}/deposits", player.id), &deposit),
        ] {
            client
                .post(&path, body)
                .await
                .refused(403, "player_blocked");
        }
        client
            .callback("bet", &player.bet("b2", "1.00"))
            .await
            .refused(403, "player_blocked");
        client
            .callback("win", &player.win("w1", "b1", "5.00"))
            .await
            .ok();
        client
            .callback("close_round", &player.close("b1"))
            .await
            .ok();
        assert_eq!(player.cash(&client).await, "14.00");
        status(&client, &player.id, "active").await;
        // He comes in anew: the sessions of before stay over.
        client
            .callback("bet", &player.bet("b3", "1.00"))
            .await
            .refused(403, "session_expired");
        player.log_in(&client).await;
        let told = events(&client, &player.id, "player.status_changed").await;
        let told: Vec<_> = told.iter().map(|event| &event["data"]).collect();
        assert_eq!(told.len(), 2);
        assert_eq!(
            (&told[0]["from"], &told[0]["status"]),
            (&json!("active"), &json!(blocked))
        );
        assert_eq!(told[0]["reason"], "a test");
        assert!(told[0]["by"]["person"].is_string() && told[0]["by"]["key"].is_string());
        Ledger::open(&client.at.postgres)
            .await
            .audited_cash(&player.id)
            .await;
    }
}

#[tokio::test]
async fn a_block_of_bets_stops_bets_and_launches_alone() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    status(&client, &player.id, "bets_blocked").await;
    client
        .callback("bet", &player.bet("b1", "1.00"))
        .await
        .refused(403, "player_blocked");
    let body = json!({ "player": player.id, "currency": "EUR" });
    client
        .post("/v1/games/dice/launch", &body)
        .await
        .refused(403, "player_blocked");
    player.deposit(&client, "5.00").await;
    player.log_in(&client).await;
    Stream::open(&client, &player.token, "").await.unwrap();
    status(&client, &player.id, "active").await;
    client.callback("bet", &player.bet("b1", "1.00")).await.ok();
}

#[tokio::test]
async fn a_wallet_tells_each_kind_of_money_apart() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    client.callback("bet", &player.bet("b1", "4.00")).await.ok();
    let ledger = Ledger::open(&client.at.postgres).await;
    // What the bonus engine and withdrawals will have: the fields are the ledger's accounts.
    let accounts = "INSERT INTO balance (player_id, currency, account, amount)
        SELECT $1, 'EUR', a.account, a.amount FROM (VALUES
            ('BONUS(g1)', 2000000), ('BONUS(g2)', 500000), ('WINNINGS(g1)', 1000000), ('WITHDRAWAL_HOLD', 3000000),
            ('RECEIVABLE', -250000)) AS a (account, amount)";
    ledger.alter_player(accounts, &player.id).await;
    let path = format!("/v1/players/{}/wallets", player.id);
    let wallets = eventually("the wallet is read anew", async || {
        let found = client.get(&path).await.ok().json;
        (found["data"][0]["bonus"] != "0.00").then_some(found)
    })
    .await;
    assert_eq!(
        wallets["data"][0],
        json!({
            "currency": "EUR", "cash": "6.00", "bonus": "2.50", "restricted_winnings": "1.00", "total": "9.50",
            "withdrawable": "5.75", "withdrawal_hold": "3.00", "held_in_rounds": "4.00", "owed": "0.25",
        })
    );
    ledger
        .alter_player(
            "DELETE FROM balance WHERE player_id = $1 AND account <> 'CASH'",
            &player.id,
        )
        .await;
    let opened = client.post(&path, &json!({ "currency": "BTC" })).await.ok();
    assert_eq!(opened.json["data"].as_array().unwrap().len(), 2);
    client
        .post(&path, &json!({ "currency": "XXX" }))
        .await
        .refused(422, "currency_mismatch");
}
