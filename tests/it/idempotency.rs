//! `Idempotency-Key`: the same key with the same body is the same answer, with another body it is a mistake.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{ledger::Ledger, player::Player, sandbox::shared, unique};

#[tokio::test]
async fn the_same_key_and_body_get_the_stored_answer_tokens_included() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let login = json!({ "player": player.id, "currency": "EUR" });
    for path in ["/v1/sessions", "/v1/games/dice/launch"] {
        let key = unique("key");
        let first = client.post_once(path, &key, &login).await.ok();
        assert_eq!(first.header("idempotency-replayed"), "");
        let rows = ledger.rows(&player.id).await;
        let again = client.post_once(path, &key, &login).await.ok();
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(ledger.rows(&player.id).await, rows);
        // Without the key it is a new session.
        assert_ne!(client.post(path, &login).await.ok().text, first.text);
    }
}

#[tokio::test]
async fn a_stored_answer_shows_no_token_in_the_database() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let key = unique("key");
    let login = json!({ "player": player.id, "currency": "EUR" });
    let token = client
        .post_once("/v1/sessions", &key, &login)
        .await
        .ok()
        .text_at("/token");
    let row = ledger
        .0
        .query_one("SELECT body FROM idempotency WHERE key = $1", &[&key])
        .await
        .unwrap();
    let body: Vec<u8> = row.get(0);
    assert!(
        !body
            .windows(10)
            .any(|part| token.as_bytes().starts_with(part))
    );
}

#[tokio::test]
async fn the_same_key_with_another_body_or_path_is_refused() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let path = format!("/v1/players/{}/deposits", player.id);
    let key = unique("key");
    let body = |amount: &str| json!({ "amount": amount, "currency": "EUR", "reference": key });
    client.post_once(&path, &key, &body("1.00")).await.ok();
    let rows = ledger.rows(&player.id).await;
    client
        .post_once(&path, &key, &body("2.00"))
        .await
        .refused(422, "idempotency_mismatch");
    let login = json!({ "player": player.id, "currency": "EUR" });
    client
        .post_once("/v1/sessions", &key, &login)
        .await
        .refused(422, "idempotency_mismatch");
    assert_eq!(ledger.rows(&player.id).await, rows);
    client.post_once(&path, &key, &body("1.00")).await.ok();
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let client = shared().await;
    let id = unique("player");
    let key = unique("key");
    let path = format!("/v1/players/{id}/deposits");
    let body = json!({ "amount": "1.00", "currency": "EUR", "reference": key });
    client
        .post_once(&path, &key, &body)
        .await
        .refused(404, "unknown_player");
    client
        .post("/v1/players", &json!({ "id": id, "currency": "EUR" }))
        .await
        .ok();
    assert_eq!(client.post_once(&path, &key, &body).await.ok().status, 201);
}

#[tokio::test]
async fn parallel_twins_get_one_answer() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let deposits = format!("/v1/players/{}/deposits", player.id);
    let login = json!({ "player": player.id, "currency": "EUR" });
    let deposit = json!({ "amount": "5.00", "currency": "EUR", "reference": unique("psp") });
    for (path, body) in [(deposits.as_str(), &deposit), ("/v1/sessions", &login)] {
        let key = unique("key");
        let answers = join_all((0..10).map(|_| client.post_once(path, &key, body))).await;
        let texts: std::collections::HashSet<_> =
            answers.into_iter().map(|answer| answer.ok().text).collect();
        assert_eq!(texts.len(), 1, "{path}: {texts:?}");
    }
    assert_eq!(ledger.audited_cash(&player.id).await, 6_000_000);
}

#[tokio::test]
async fn a_key_is_up_to_255_visible_characters() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let login = json!({ "player": player.id, "currency": "EUR" });
    client
        .post_once("/v1/sessions", &"k".repeat(255), &login)
        .await;
    client
        .post_once("/v1/sessions", &"k".repeat(256), &login)
        .await
        .refused(422, "malformed");
    client
        .post_once("/v1/sessions", "", &login)
        .await
        .refused(422, "malformed");
}
