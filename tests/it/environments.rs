//! INV-12: sandbox data is never reached with a live key, nor the other way round.

use reqwest::Method;
use serde_json::json;

use crate::support::{
    bus::Bus,
    casino::Casino,
    client::{send, signature, unix_now},
    player::Player,
    stream::Stream,
};

#[tokio::test]
async fn one_process_serves_both_environments_and_nothing_crosses() {
    let casino = Casino::start("both", &["sandbox", "live"]).await;
    let node = casino.serve("").await;
    let (sandbox, live) = (
        casino.client(&node, "sandbox"),
        casino.client(&node, "live"),
    );
    let mut sandbox_bus = Bus::listen(&sandbox.at.nats).await;
    let mut live_bus = Bus::listen(&live.at.nats).await;
    assert!(
        sandbox.at.operator_key.starts_with("sk_test_")
            && live.at.operator_key.starts_with("sk_live_")
    );

    let mut tester = Player::with(&sandbox, "100.00").await;
    let gambler = Player::with(&live, "7.00").await;
    assert!(tester.token.starts_with("pst_test_") && gambler.token.starts_with("pst_live_"));

    // Each key sees its own players alone, by whatever path.
    for (client, other) in [(&live, &tester), (&sandbox, &gambler)] {
        for path in ["", "/wallets"] {
            client
                .get(&format!("/v1/players/{}{path}", other.id))
                .await
                .refused(404, "unknown_player");
        }
        client
            .get(&format!("/v1/transactions?player={}", other.id))
            .await
            .refused(404, "unknown_player");
        let login = json!({ "player": other.id, "currency": "EUR" });
        client
            .post("/v1/sessions", &login)
            .await
            .refused(404, "unknown_player");
        client
            .callback("bet", &other.bet("b", "1.00"))
            .await
            .refused(404, "unknown_player");
    }
    // Another prefix makes no key of the other world of it.
    for key in [
        sandbox.at.operator_key.replace("test", "live"),
        live.at.operator_key.replace("live", "test"),
    ] {
        send(sandbox.http(Method::GET, "/v1/games").bearer_auth(key))
            .await
            .refused(401, "unauthorized");
    }
    let crossed = tester.token.replace("test", "live");
    assert_eq!(
        Stream::open(&live, &crossed, "").await.err().unwrap(),
        (401, "unauthorized".to_owned())
    );

    // One world's secret signs nothing in the other, and its launch token opens nothing there.
    let path = live.callback_path("balance");
    let body = json!({ "player": gambler.id, "currency": "EUR" }).to_string();
    let signed = signature(
        &sandbox.at.providers[0].secret,
        unix_now(),
        &path,
        body.as_bytes(),
    );
    let request = live
        .http(Method::POST, &path)
        .header("Pitboss-Signature", signed)
        .body(body);
    send(request).await.refused(401, "bad_signature");
    let launched = tester.launched(&sandbox).await;
    let token = launched.text_at("/token");
    tester.session = launched.text_at("/session");
    live.callback("authenticate", &json!({ "token": token }))
        .await
        .refused(403, "session_invalid");
    let token = token.replace("test", "live");
    live.callback("authenticate", &json!({ "token": token }))
        .await
        .refused(403, "session_invalid");

    // The same names are two players.
    let twin = json!({ "id": tester.id, "currency": "EUR" });
    live.post("/v1/players", &twin).await.ok();
    live.callback("bet", &tester.bet("b", "1.00"))
        .await
        .refused(403, "session_invalid");
    assert_eq!(tester.cash(&sandbox).await, "100.00");
    assert_eq!(tester.cash(&live).await, "0.00");

    // And the streams and the buses show one world each.
    sandbox.callback("bet", &tester.bet("s", "1.00")).await.ok();
    live.callback("bet", &gambler.bet("l", "1.00")).await.ok();
    let mut stream = Stream::open(&live, &gambler.token, "?after=0")
        .await
        .unwrap();
    for event in stream.events(6).await {
        assert_eq!(
            (&event["environment"], &event["player"]),
            (&json!("live"), &json!(gambler.id))
        );
    }
    let tests = sandbox_bus.until(&tester.id, 6).await;
    let lives = live_bus.until(&gambler.id, 6).await;
    assert!(
        tests
            .iter()
            .all(|heard| heard.event["environment"] == "sandbox")
    );
    assert!(
        lives
            .iter()
            .all(|heard| heard.event["environment"] == "live")
    );
    assert!(
        sandbox_bus
            .so_far()
            .await
            .iter()
            .all(|heard| heard.event["environment"] == "sandbox")
    );
    assert!(
        live_bus
            .so_far()
            .await
            .iter()
            .all(|heard| heard.event["environment"] == "live")
    );
}

#[tokio::test]
async fn an_environment_that_is_not_served_knows_nobody() {
    let casino = Casino::start("live-only", &["live"]).await;
    let node = casino.serve("").await;
    let live = casino.client(&node, "live");
    let player = Player::with(&live, "7.00").await;
    let path = "/callbacks/sandbox/acme/bet";
    let body = player.bet("b", "1.00").to_string();
    let signed = signature(
        &live.at.providers[0].secret,
        unix_now(),
        path,
        body.as_bytes(),
    );
    let request = live
        .http(Method::POST, path)
        .header("Pitboss-Signature", signed)
        .body(body);
    send(request).await.refused(404, "unknown_provider");
    let key = format!("sk_test_{}", "A".repeat(43));
    send(live.http(Method::GET, "/v1/games").bearer_auth(key))
        .await
        .refused(401, "unauthorized");
    assert_eq!(
        live.callback("bet", &player.bet("b", "1.00"))
            .await
            .ok()
            .cash(),
        "6.00"
    );
}
