//! Searching transactions and rounds, and looking at one of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    client::unix_now,
    ledger::Ledger,
    player::{Player, with},
    sandbox::shared,
    unique,
};

fn texts(rows: &[Value], field: &str) -> Vec<String> {
    let text = |row: &Value| row[field].as_str().unwrap_or_default().to_owned();
    rows.iter().map(text).collect()
}

/// A time of a test's own beginning, as it is written in a query.
fn since() -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(unix_now() - 1).unwrap();
    at.format(&time::format_description::well_known::Rfc3339)
        .unwrap()
}

#[tokio::test]
async fn transactions_of_all_players_are_listed_newest_first_and_narrowed() {
    let client = shared().await;
    let from = since();
    let (one, two) = (
        Player::with(&client, "10.00").await,
        Player::with(&client, "10.00").await,
    );
    let name = unique("s");
    for (player, index) in [(&one, 0), (&two, 1), (&one, 2), (&two, 3)] {
        let id = format!("{name}-{index}");
        client.callback("bet", &player.bet(&id, "1.50")).await.ok();
        client
            .callback("win", &player.win(&id, &id, "0.25"))
            .await
            .ok();
    }
    client
        .callback("rollback", &two.rollback(&format!("{name}-r"), "never"))
        .await
        .ok();
    let of_ours = |rows: Vec<Value>| -> Vec<String> {
        let ids = texts(&rows, "provider_transaction_id");
        ids.into_iter().filter(|id| id.starts_with(&name)).collect()
    };
    let ids = |indexes: &[usize]| -> Vec<String> {
        indexes
            .iter()
            .map(|index| format!("{name}-{index}"))
            .collect()
    };
    // Everybody's, with other tests' among them: pages of three.
    let rows = client
        .all(&format!("/v1/transactions?from={from}&limit=3"))
        .await;
    let numbers = texts(&rows, "transaction_id");
    assert!(
        numbers.windows(2).all(|pair| pair[0] > pair[1]),
        "{numbers:?}"
    );
    let expected: Vec<String> = [3, 3, 2, 2, 1, 1, 0, 0]
        .map(|index| format!("{name}-{index}"))
        .into();
    let found: Vec<String> = of_ours(rows)
        .into_iter()
        .filter(|id| !id.ends_with("-r"))
        .collect();
    assert_eq!(found, expected);
    let narrowed = async |query: &str| {
        of_ours(
            client
                .all(&format!("/v1/transactions?from={from}&limit=2&{query}"))
                .await,
        )
    };
    assert_eq!(narrowed("kind=win").await, ids(&[3, 2, 1, 0]));
    assert_eq!(
        narrowed("kind=win&currency=EUR&min_amount=0.25&max_amount=0.25").await,
        ids(&[3, 2, 1, 0])
    );
    assert_eq!(
        narrowed("kind=win&currency=EUR&min_amount=0.26").await,
        ids(&[])
    );
    assert_eq!(
        narrowed("kind=bet&provider=demo&game=dice&state=applied").await,
        ids(&[3, 2, 1, 0])
    );
    assert_eq!(narrowed("kind=bet&game=slots-of-nobody").await, ids(&[]));
    assert_eq!(narrowed("provider=nobody").await, ids(&[]));
    assert_eq!(
        narrowed(&format!("kind=bet&player={}", one.id)).await,
        ids(&[2, 0])
    );
    assert_eq!(
        narrowed(&format!("kind=win&player={}&state=applied", two.id)).await,
        ids(&[3, 1])
    );
    // The rollback of nothing is a transaction too, and blocks the two keys that it may have meant.
    let tombs = client
        .all(&format!(
            "/v1/transactions?player={}&state=tombstone",
            two.id
        ))
        .await;
    assert_eq!(texts(&tombs, "provider_transaction_id"), ["never", "never"]);
    let past = format!("/v1/transactions?player={}&to=2020-01-01T00:00:00Z", one.id);
    assert!(client.all(&past).await.is_empty());
}

#[tokio::test]
async fn one_external_id_and_one_round_are_found_by_what_they_belong_to() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let id = &player.id;
    client.callback("bet", &player.bet("b", "2.00")).await.ok();
    client
        .callback("win", &player.win("b", "b", "1.00"))
        .await
        .ok();
    client.callback("bet", &player.bet("c", "1.00")).await.ok();
    client
        .callback("rollback", &player.rollback("rb", "c"))
        .await
        .ok();
    let found = client
        .all(&format!(
            "/v1/transactions?player={id}&provider=demo&provider_transaction_id=b"
        ))
        .await;
    assert_eq!(texts(&found, "kind"), ["win", "bet"]);
    let found = client
        .all(&format!(
            "/v1/transactions?player={id}&provider=demo&round=r-c&limit=1"
        ))
        .await;
    assert_eq!(texts(&found, "provider_transaction_id"), ["rb", "c"]);
    let found = client
        .all(&format!(
            "/v1/transactions?player={id}&provider=demo&round=r-b&kind=win"
        ))
        .await;
    assert_eq!(texts(&found, "kind"), ["win"]);
    assert!(
        client
            .all(&format!(
                "/v1/transactions?player={id}&provider=demo&round=never"
            ))
            .await
            .is_empty()
    );
    // A deposit's reference is one over all players.
    let deposit = &client
        .all(&format!("/v1/transactions?player={id}&kind=deposit"))
        .await[0];
    let reference = deposit["provider_transaction_id"].as_str().unwrap();
    let path = format!("/v1/transactions?provider=cashier&provider_transaction_id={reference}");
    assert_eq!(client.all(&path).await, std::slice::from_ref(deposit));
    let path =
        format!("/v1/transactions/lookup?provider=cashier&kind=deposit&external_id={reference}");
    let detail = client.get(&path).await.ok();
    assert_eq!(detail.json["transaction_id"], deposit["transaction_id"]);
}

#[tokio::test]
async fn a_search_that_would_look_at_everything_says_what_to_add() {
    let client = shared().await;
    for (query, named) in [
        ("transactions?kind=win", "from"),
        ("transactions?provider=demo", "player"),
        ("transactions?provider_transaction_id=b", "provider"),
        (
            "transactions?provider=demo&provider_transaction_id=b",
            "player",
        ),
        ("transactions?round=r", "player and provider"),
        ("transactions?round=r&player=p", "player and provider"),
        (
            "transactions/lookup?provider=demo&kind=bet&external_id=b",
            "player",
        ),
        ("rounds?state=open", "/v1/rounds/unfinished"),
        ("rounds?game=dice", "from"),
    ] {
        let answer = client.get(&format!("/v1/{query}")).await;
        let answer = answer.refused(422, "search_too_wide");
        assert!(
            answer.text_at("/detail").contains(named),
            "{query}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_transaction_is_shown_with_its_postings_its_reply_and_its_events() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let bet = with(&player.bet("b", "2.50"), "jackpot_contribution", "0.02");
    let answered = client.callback("bet", &bet).await.ok();
    client
        .callback("rollback", &player.rollback("rb", "b"))
        .await
        .ok();
    let id = answered.text_at("/transaction_id");
    let shown = client.get(&format!("/v1/transactions/{id}")).await.ok();
    assert_eq!(
        shown.json["transaction_id"],
        answered.json["transaction_id"]
    );
    assert_eq!(shown.json["player"], player.id);
    assert_eq!(
        shown.json["funding"],
        json!({ "cash": "2.50", "bonus": "0.00" })
    );
    assert_eq!(
        shown.json["postings"],
        json!([
            { "account": "CASH", "amount": "-2.50", "balance_after": "7.50" },
            { "account": "HOUSE:demo", "amount": "2.50", "balance_after": null },
        ])
    );
    assert_eq!(
        shown.json["reply"]["transaction"],
        answered.json["transaction_id"]
    );
    assert_eq!(shown.json["reply"]["units"], 2_500_000);
    assert_eq!(shown.json["refusal"], Value::Null);
    let fingerprint = shown.text_at("/fingerprint");
    assert!(fingerprint.len() == 32 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()));
    let events = shown.json["events"].as_array().unwrap();
    assert!(
        events
            .iter()
            .any(|event| event["event"]["type"] == "wallet.bet_debited"),
        "{}",
        shown.text
    );
    assert!(
        events
            .iter()
            .all(|event| event["event"]["transaction"] == id.as_str())
    );
    let round = shown.text_at("/round_id");
    assert_eq!(
        client.get(&format!("/v1/rounds/{round}")).await.ok().json["round"],
        "r-b"
    );
    let back = shown.text_at("/reversed_by");
    let back = client.get(&format!("/v1/transactions/{back}")).await.ok();
    assert_eq!(back.json["reverses"], id.as_str());
    let path = format!(
        "/v1/transactions/lookup?provider=demo&kind=bet&external_id=b&player={}",
        player.id
    );
    assert_eq!(client.get(&path).await.ok().json, shown.json);
    for nobody in ["tx_00000000000000000000000000000000", "tx_1", "nobody"] {
        client
            .get(&format!("/v1/transactions/{nobody}"))
            .await
            .refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_round_is_shown_with_all_that_happened_in_it() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    client.callback("bet", &player.bet("b", "2.00")).await.ok();
    let second = with(&player.bet("b2", "1.00"), "round", "r-b");
    client.callback("bet", &second).await.ok();
    client
        .callback("rollback", &player.rollback("rb", "b2"))
        .await
        .ok();
    let closing = with(&player.win("w", "b", "3.00"), "round_closed", true);
    client.callback("win", &closing).await.ok();
    client
        .callback("win", &player.win("late", "b", "0.50"))
        .await
        .ok();
    let rounds = client
        .all(&format!("/v1/rounds?player={}", player.id))
        .await;
    assert_eq!(rounds.len(), 1);
    let listed = &rounds[0];
    assert_eq!(
        (&listed["stake"], &listed["won"], &listed["held"]),
        (&json!("2.00"), &json!("3.50"), &json!("0.00"))
    );
    let id = listed["id"].as_str().unwrap();
    let shown = client.get(&format!("/v1/rounds/{id}")).await.ok();
    for (field, value) in listed.as_object().unwrap() {
        assert_eq!(&shown.json[field], value, "{field}");
    }
    let entries = shown.json["transactions"].as_array().unwrap();
    assert_eq!(
        texts(entries, "provider_transaction_id"),
        ["b", "b2", "rb", "w", "late"]
    );
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry["balance_before"]["cash"].as_str().unwrap(),
                entry["balance"]["cash"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("10.00", "8.00"),
            ("8.00", "7.00"),
            ("7.00", "8.00"),
            ("8.00", "11.00"),
            ("11.00", "11.50")
        ]
    );
    let late: Vec<_> = entries.iter().map(|entry| entry["late"] == true).collect();
    assert_eq!(late, [false, false, false, false, true]);
    assert_eq!(
        (&shown.json["voided"], &shown.json["transactions_left_out"]),
        (&Value::Null, &json!(false))
    );
    let sessions = shown.json["sessions"].as_array().unwrap();
    assert_eq!(texts(sessions, "session"), [player.session.as_str()]);

    let replay = client
        .get(&format!("/v1/rounds/{id}/replay"))
        .await
        .ok()
        .json;
    assert_eq!(
        (&replay["wagered_cash"], &replay["won_cash"]),
        (&json!("2.00"), &json!("3.50"))
    );
    assert_eq!(
        (
            &replay["balance_before"]["cash"],
            &replay["balance_after"]["cash"]
        ),
        (&json!("10.00"), &json!("11.50"))
    );
    assert_eq!(
        (&replay["status"], &replay["game_cycle"]),
        (&json!("closed"), &json!("r-b"))
    );
    assert_eq!(replay["outcome"], "finished: staked 2.00 EUR, won 3.50 EUR");
    assert_eq!(replay["steps"].as_array().unwrap().len(), 5);
    assert_eq!(
        (&replay["jackpots"], &replay["paytable"]),
        (&json!([]), &Value::Null)
    );
    client
        .get("/v1/rounds/rnd_x")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn rounds_of_all_players_are_listed_and_open_ones_by_age() {
    let client = shared().await;
    let from = since();
    let player = Player::with(&client, "10.00").await;
    for id in ["a", "b", "c"] {
        client.callback("bet", &player.bet(id, "1.25")).await.ok();
    }
    client
        .callback("close_round", &player.close("b"))
        .await
        .ok();
    let ours = |rows: Vec<Value>| -> Vec<String> {
        let rows: Vec<Value> = rows
            .into_iter()
            .filter(|row| row["player"] == player.id)
            .collect();
        texts(&rows, "round")
    };
    let listed = async |query: &str| {
        ours(
            client
                .all(&format!("/v1/rounds?from={from}&limit=2{query}"))
                .await,
        )
    };
    assert_eq!(listed("").await, ["r-c", "r-b", "r-a"]);
    assert_eq!(listed("&state=closed").await, ["r-b"]);
    assert_eq!(
        listed("&state=open&provider=demo&game=dice&currency=EUR").await,
        ["r-c", "r-a"]
    );
    assert_eq!(
        listed(&format!("&state=open&player={}", player.id)).await,
        ["r-c", "r-a"]
    );
    assert_eq!(listed("&currency=USD").await, [""; 0]);
    // Oldest first.
    let unfinished = client
        .all("/v1/rounds/unfinished?provider=demo&currency=EUR&limit=3")
        .await;
    assert_eq!(ours(unfinished.clone()), ["r-a", "r-c"]);
    // A fraction without its last noughts is in order without the Z alone.
    let opened = texts(&unfinished, "opened_at");
    let at = |text: &String| text.trim_end_matches('Z').to_owned();
    assert!(
        opened.windows(2).all(|pair| at(&pair[0]) <= at(&pair[1])),
        "{opened:?}"
    );
    assert!(
        unfinished
            .iter()
            .all(|round| round["held"] == round["stake"] && round["state"] == "open")
    );
    let ids: BTreeSet<String> = texts(&unfinished, "id").into_iter().collect();
    assert_eq!(ids.len(), unfinished.len());
    let aged = client
        .all("/v1/rounds/unfinished?older_than_s=86400&limit=3")
        .await;
    assert_eq!(ours(aged), [""; 0]);
    let page = client.get("/v1/rounds/unfinished?limit=1").await.ok();
    let totals = page.json["totals"].as_array().unwrap();
    assert!(
        totals
            .iter()
            .any(|total| total["age"] == "under_1h" && total["currency"] == "EUR"),
        "{}",
        page.text
    );
    let next = page.text_at("/next");
    let second = client
        .get(&format!("/v1/rounds/unfinished?limit=1&after={next}"))
        .await
        .ok();
    assert_eq!(second.json["totals"], Value::Null);
    // A round that waits since yesterday.
    let ledger = Ledger::open(&client.at.postgres).await;
    ledger
        .alter_player("UPDATE round SET opened_at = opened_at - interval '30 hours' WHERE player_id = $1 AND round_id = 'r-a'", &player.id)
        .await;
    let aged = client
        .all("/v1/rounds/unfinished?older_than_s=86400&limit=3")
        .await;
    assert_eq!(ours(aged), ["r-a"]);
}
