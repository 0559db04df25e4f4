//! The operator's REST API: keys, players, deposits, sessions, and what is not there.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    client::{Client, send},
    ledger::Ledger,
    player::Player,
    sandbox::shared,
    unique,
};

#[tokio::test]
async fn without_a_valid_operator_key_nothing_opens() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let key = &client.at.operator_key;
    let live = key.replace("sk_test_", "sk_live_");
    let other = format!("sk_test_{}", "A".repeat(43));
    let schemes = [
        format!("Bearer {live}"),
        format!("Bearer {other}"),
        format!("Bearer {}", player.token),
        format!("Basic {key}"),
        "Bearer".into(),
        "Bearer ".into(),
        key.clone(),
        format!("Bearer {key}x"),
        "Bearer \u{ff}".into(),
    ];
    let id = &player.id;
    let requests = [
        (Method::GET, format!("/v1/players/{id}")),
        (Method::GET, format!("/v1/players/{id}/wallets")),
        (Method::GET, format!("/v1/transactions?player={id}")),
        (Method::GET, format!("/v1/rounds?player={id}")),
        (Method::GET, "/v1/transactions".into()),
        (Method::GET, "/v1/rounds/unfinished".into()),
        (Method::GET, "/v1/reports/liability".into()),
        (Method::GET, "/v1/games".into()),
        (Method::POST, "/v1/players".into()),
        (Method::POST, format!("/v1/players/{id}/deposits")),
        (Method::POST, "/v1/sessions".into()),
        (Method::POST, "/v1/games/dice/launch".into()),
    ];
    for (method, path) in requests {
        send(client.http(method.clone(), &path).body("{}"))
            .await
            .refused(401, "unauthorized");
        for scheme in &schemes {
            let request = client
                .http(method.clone(), &path)
                .header("Authorization", scheme)
                .body("{}");
            send(request).await.refused(401, "unauthorized");
        }
        // A key in the URL is no key.
        let join = if path.contains('?') { '&' } else { '?' };
        let in_url = format!("{path}{join}key={key}");
        send(client.http(method, &in_url).body("{}"))
            .await
            .refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn the_scheme_of_a_key_is_written_in_any_case() {
    let client = shared().await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let value = format!("{scheme} {}", client.at.operator_key);
        send(
            client
                .http(Method::GET, "/v1/games")
                .header("Authorization", value),
        )
        .await
        .ok();
    }
}

#[tokio::test]
async fn a_revoked_key_closes_within_seconds() {
    use sha2::{Digest, Sha256};
    let client = shared().await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let key = format!("sk_test_{:A<43}", unique("key").replace('-', "_"));
    let hash = Sha256::digest(key.as_bytes()).to_vec();
    let insert = "INSERT INTO operator_key (id, prefix, hash, name) VALUES (gen_random_uuid(), 'sk_test_x', $1, 'x')";
    ledger.0.execute(insert, &[&hash]).await.unwrap();
    let ask = async || send(client.http(Method::GET, "/v1/games").bearer_auth(&key)).await;
    ask().await.ok();
    ledger
        .0
        .execute(
            "UPDATE operator_key SET revoked_at = now() WHERE hash = $1",
            &[&hash],
        )
        .await
        .unwrap();
    let refused = crate::support::eventually("the key is revoked", async || {
        Some(ask().await).filter(|answer| answer.status != 200)
    });
    refused.await.refused(401, "unauthorized");
}

async fn create(client: &Client, body: Value) -> crate::support::client::Answer {
    client.post("/v1/players", &body).await
}

#[tokio::test]
async fn a_player_is_created_once_and_found_again() {
    let client = shared().await;
    let id = unique("player");
    let body = json!({ "id": id, "currency": "EUR", "country": "SE" });
    let created = create(&client, body.clone()).await.ok();
    assert_eq!(created.status, 201);
    assert_eq!(created.json["country"], "SE");
    assert_eq!(created.json["status"], "active");
    assert_eq!(created.json["wallets"][0]["total"], "0.00");
    assert_eq!(create(&client, body).await.ok().status, 200);
    let read = client.get(&format!("/v1/players/{id}")).await.ok();
    assert_eq!(read.json, created.json);
    let wallets = client.get(&format!("/v1/players/{id}/wallets")).await.ok();
    assert_eq!(wallets.json["data"], created.json["wallets"]);
}

#[tokio::test]
async fn a_player_of_another_country_is_another_player() {
    let client = shared().await;
    let id = unique("player");
    create(
        &client,
        json!({ "id": id, "currency": "EUR", "country": "SE" }),
    )
    .await
    .ok();
    let other = create(
        &client,
        json!({ "id": id, "currency": "EUR", "country": "DE" }),
    )
    .await;
    other.refused(409, "player_exists");
}

#[tokio::test]
async fn a_refused_player_opens_no_wallet() {
    let client = shared().await;
    let id = unique("player");
    create(
        &client,
        json!({ "id": id, "currency": "EUR", "country": "SE" }),
    )
    .await
    .ok();
    create(
        &client,
        json!({ "id": id, "currency": "USD", "country": "DE" }),
    )
    .await
    .refused(409, "player_exists");
    let wallets = client.get(&format!("/v1/players/{id}/wallets")).await.ok();
    assert_eq!(
        wallets.json["data"].as_array().unwrap().len(),
        1,
        "{}",
        wallets.text
    );
}

#[tokio::test]
async fn every_currency_has_its_own_wallet_and_digits() {
    let client = shared().await;
    let id = unique("player");
    for (currency, amount, shown) in [
        ("EUR", "1", "1.00"),
        ("JPY", "500", "500"),
        ("BTC", "0.00000001", "0.00000001"),
        ("ETH", "0.000000001", "0.000000001"),
        ("USDT", "1.5", "1.50"),
    ] {
        create(&client, json!({ "id": id, "currency": currency }))
            .await
            .ok();
        let body =
            json!({ "amount": amount, "currency": currency, "reference": unique("deposit") });
        let deposit = client
            .post(&format!("/v1/players/{id}/deposits"), &body)
            .await
            .ok();
        assert_eq!(deposit.cash(), shown, "{currency}");
    }
    let wallets = client.get(&format!("/v1/players/{id}/wallets")).await.ok();
    assert_eq!(wallets.json["data"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_deposit_is_once_per_reference_over_all_players() {
    let client = shared().await;
    let (player, other) = (
        Player::with(&client, "1.00").await,
        Player::with(&client, "1.00").await,
    );
    let ledger = Ledger::open(&client.at.postgres).await;
    let reference = unique("psp");
    let body = json!({ "amount": "10.00", "currency": "EUR", "reference": reference });
    let path = |player: &Player| format!("/v1/players/{}/deposits", player.id);
    let first = client.post(&path(&player), &body).await.ok();
    assert_eq!((first.status, first.cash().as_str()), (201, "11.00"));
    let again = client.post(&path(&player), &body).await.ok();
    assert_eq!(
        (again.status, again.json["replayed"].clone()),
        (200, json!(true))
    );
    assert_eq!(
        again.text_at("/transaction_id"),
        first.text_at("/transaction_id")
    );
    assert_eq!(again.cash(), "11.00");

    let changed = json!({ "amount": "10.01", "currency": "EUR", "reference": reference });
    client
        .post(&path(&player), &changed)
        .await
        .refused(409, "transaction_mismatch");
    let before = ledger.rows(&other.id).await;
    client
        .post(&path(&other), &body)
        .await
        .refused(409, "transaction_mismatch");
    assert_eq!(ledger.rows(&other.id).await, before);
    assert_eq!(ledger.audited_cash(&player.id).await, 11_000_000);
}

#[tokio::test]
async fn of_one_reference_for_ten_players_at_once_one_gets_the_money() {
    let client = shared().await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let mut players = Vec::new();
    for _ in 0..10 {
        players.push(Player::with(&client, "1.00").await);
    }
    let body = json!({ "amount": "10.00", "currency": "EUR", "reference": unique("psp") });
    let paths: Vec<String> = players
        .iter()
        .map(|player| format!("/v1/players/{}/deposits", player.id))
        .collect();
    let answers =
        futures_util::future::join_all(paths.iter().map(|path| client.post(path, &body))).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 201).count(),
        1
    );
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "transaction_mismatch");
    }
    let mut sum = 0;
    for player in &players {
        sum += ledger.audited_cash(&player.id).await;
    }
    assert_eq!(sum, 20_000_000);
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_by_name() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let id = &player.id;
    let ledger = Ledger::open(&client.at.postgres).await;
    let before = ledger.rows(id).await;
    let deposits = format!("/v1/players/{id}/deposits");
    let deposit = json!({ "amount": "1.00", "currency": "EUR", "reference": "r" });
    let login = json!({ "player": id, "currency": "EUR" });
    for (path, body, named) in [
        (
            "/v1/players",
            json!({ "id": id, "currency": "EUR", "colour": "red" }),
            "colour",
        ),
        (
            &deposits,
            crate::support::player::with(&deposit, "ammount", "1.00"),
            "ammount",
        ),
        (
            "/v1/sessions",
            crate::support::player::with(&login, "admin", true),
            "admin",
        ),
        (
            "/v1/games/dice/launch",
            crate::support::player::with(&login, "colour", "red"),
            "colour",
        ),
    ] {
        let answer = client.post(path, &body).await.refused(422, "unknown_field");
        assert!(answer.text_at("/detail").contains(named), "{}", answer.text);
    }
    for (field, value) in [
        ("amount", json!(1)),
        ("amount", json!("-1.00")),
        ("amount", json!("0")),
        ("amount", json!("1.0000001")),
        ("amount", json!("")),
        ("reference", json!("")),
        ("reference", json!(null)),
        ("reference", json!("x".repeat(256))),
    ] {
        let body = crate::support::player::with(&deposit, field, value);
        client
            .post(&deposits, &body)
            .await
            .refused(422, "malformed");
    }
    for body in [
        json!({ "id": "a b", "currency": "EUR" }),
        json!({ "id": unique("p"), "currency": "EUR", "country": "se" }),
        json!({ "currency": "EUR" }),
        json!([]),
        json!(null),
    ] {
        client
            .post("/v1/players", &body)
            .await
            .refused(422, "malformed");
    }
    assert_eq!(ledger.rows(id).await, before);
}

#[tokio::test]
async fn a_body_above_the_limit_is_too_large_here_too() {
    let client = shared().await;
    let body = json!({ "id": "x".repeat(20_000), "currency": "EUR" });
    client
        .post("/v1/players", &body)
        .await
        .refused(413, "body_too_large");
}

#[tokio::test]
async fn an_unknown_player_is_not_found_anywhere() {
    let client = shared().await;
    for id in [unique("nobody").as_str(), "%20", "a%2Fb", &"x".repeat(65)] {
        client
            .get(&format!("/v1/players/{id}"))
            .await
            .refused(404, "unknown_player");
        client
            .get(&format!("/v1/players/{id}/wallets"))
            .await
            .refused(404, "unknown_player");
        client
            .get(&format!("/v1/transactions?player={id}"))
            .await
            .refused(404, "unknown_player");
        client
            .get(&format!("/v1/rounds?player={id}"))
            .await
            .refused(404, "unknown_player");
        let deposit = json!({ "amount": "1.00", "currency": "EUR", "reference": unique("d") });
        client
            .post(&format!("/v1/players/{id}/deposits"), &deposit)
            .await
            .refused(404, "unknown_player");
    }
    let login = json!({ "player": unique("nobody"), "currency": "EUR" });
    client
        .post("/v1/sessions", &login)
        .await
        .refused(404, "unknown_player");
    client
        .post("/v1/games/dice/launch", &login)
        .await
        .refused(404, "unknown_player");
}

#[tokio::test]
async fn a_session_needs_a_wallet_in_its_currency() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let login = json!({ "player": player.id, "currency": "USD" });
    client
        .post("/v1/sessions", &login)
        .await
        .refused(422, "currency_mismatch");
    client
        .post("/v1/games/dice/launch", &login)
        .await
        .refused(422, "currency_mismatch");
}

#[tokio::test]
async fn what_is_not_there_is_404_and_what_takes_other_methods_is_405_and_names_them() {
    let client = shared().await;
    for path in [
        "/nothing",
        "/v1",
        "/v1/nothing",
        "/v1/players/x/y",
        "/v2/players",
        "/metrics",
        "/readyz",
        "/docs/nothing",
    ] {
        client.get(path).await.refused(404, "not_found");
    }
    for (method, path, allowed) in [
        (Method::PUT, "/v1/players", "POST, GET"),
        (Method::DELETE, "/v1/players/x", "GET, PATCH"),
        (Method::POST, "/v1/games", "GET"),
        (Method::PUT, "/v1/sessions", "POST"),
        (Method::GET, "/v1/games/dice/launch", "POST"),
        (Method::POST, "/v1/stream", "GET"),
    ] {
        let request = client
            .http(method, path)
            .bearer_auth(&client.at.operator_key);
        let answer = send(request).await.refused(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allowed, "{path}");
    }
}

#[tokio::test]
async fn every_error_code_is_explained_under_its_link() {
    let client = shared().await;
    let page = send(client.http(Method::GET, "/docs/errors")).await;
    assert_eq!(page.status, 200);
    for code in pitboss_providers::Code::ALL {
        assert!(
            page.text.contains(&format!("\n## {}\n", code.as_str())),
            "{}",
            code.as_str()
        );
    }
    for page in [
        "/docs",
        "/docs/callbacks",
        "/docs/stream",
        "/docs/rules",
        "/",
    ] {
        assert_eq!(
            send(client.http(Method::GET, page)).await.status,
            200,
            "{page}"
        );
    }
}
