//! What goes wrong before and around a dialect is still told in the dialect: one that knows no status but 200 never
//! meets another, and the native one has those of the documents.

use futures_util::future::join_all;
use pitboss_providers::simulate::{Sent, Told};
use pitboss_services::ScratchDir;
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    account::patch,
    casino::Casino,
    client::{Answer, Client, send},
    eventually,
    sandbox::{Sandbox, shared},
    simulated::{Simulated, bet, win},
};

const SYNTAX: &str = "RS_ERROR_WRONG_SYNTAX";
const SIGNATURE: &str = "RS_ERROR_INVALID_SIGNATURE";
const PARTNER: &str = "RS_ERROR_INVALID_PARTNER";
const TIMEOUT: &str = "RS_ERROR_TIMEOUT";

/// Hub88's own error, and nothing of ours.
#[track_caller]
fn is_told(answer: &Answer, status: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json["status"], status, "{}", answer.text);
    for ours in ["/docs/errors", "retryable", "detail", "request_id"] {
        assert!(!answer.text.contains(ours), "{}", answer.text);
    }
}

async fn ask(client: &Client, method: Method, path: &str, sent: &Sent) -> Answer {
    let mut request = client.http(method, path).body(sent.body.clone());
    for (name, value) in &sent.headers {
        request = request.header(name, value);
    }
    send(request).await
}

#[tokio::test]
async fn whatever_is_sent_below_an_account_is_answered_in_its_dialect() {
    let client = shared().await;
    let hub = Simulated::make(&client, "hub88", json!({})).await;
    let native = Simulated::make(&client, "native", json!({})).await;
    let signed = hub.sent(&bet("b", "1.00"));
    let unsigned = Sent {
        headers: Vec::new(),
        ..signed.clone()
    };
    let large = Sent {
        body: vec![b' '; 20_000],
        ..signed.clone()
    };
    // Paths that no dialect has, and the account itself.
    for path in [
        "",
        "/",
        "/transaction",
        "/transaction/",
        "/transaction/bet/",
        "/transaction/bet/x",
        "/bet",
        "/%ff",
        "/%00",
        "/a%2Fb",
        "//transaction/bet",
        "/.well-known/x",
    ] {
        let hubs = format!("{}{path}", hub.path());
        is_told(&ask(&client, Method::POST, &hubs, &signed).await, SYNTAX);
        is_told(
            &ask(&client, Method::POST, &hubs, &unsigned).await,
            SIGNATURE,
        );
        is_told(&ask(&client, Method::POST, &hubs, &large).await, SYNTAX);
        let natives = format!("{}{path}", native.path());
        let refused = ask(&client, Method::POST, &natives, &unsigned).await;
        refused.refused(401, "bad_signature");
        let refused = ask(&client, Method::POST, &natives, &large).await;
        refused.refused(413, "body_too_large");
    }
    // Methods.
    let path = format!("{}/transaction/bet", hub.path());
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        is_told(&ask(&client, method, &path, &signed).await, SYNTAX);
    }
    let head = ask(&client, Method::HEAD, &path, &signed).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let mut sent = native.sent(&bet("b", "1.00"));
    sent.method = "PUT";
    let refused = native.send(&sent).await.refused(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), "POST");
    // Signatures that are none, and bodies that are none.
    for value in ["", "x", "AAAA", "\u{20ac}"] {
        let mut sent = signed.clone();
        sent.headers[0].1 = value.to_owned();
        is_told(&hub.send(&sent).await, SIGNATURE);
    }
    let twice = hub.request(&signed).header(&signed.headers[0].0, "AAAA");
    is_told(&send(twice).await, SIGNATURE);
    for body in [&b""[..], b"{", b"\xff", b"[]"] {
        let sent = Sent {
            body: body.to_vec(),
            ..signed.clone()
        };
        is_told(&hub.send(&sent).await, SIGNATURE);
    }
    // Nobody's: no dialect is known, and the answer is ours.
    for path in [
        "/callbacks/sandbox/nobody/transaction/bet",
        "/callbacks/sandbox/nobody",
        "/callbacks/live/x/bet",
    ] {
        let refused = ask(&client, Method::POST, path, &signed).await;
        refused.refused(404, "unknown_provider");
    }
    assert_eq!(
        (hub.cash().await, native.cash().await),
        ("100.00".to_owned(), "100.00".to_owned())
    );
    // The request itself was in order.
    assert_eq!(
        hub.read(&bet("b", "1.00"), &hub.send(&signed).await).code,
        Told::OK
    );
    assert_eq!(hub.cash().await, "99.00");
}

#[tokio::test]
async fn an_account_that_is_off_or_elsewhere_is_told_in_its_dialect() {
    let client = shared().await;
    let hub = Simulated::make(&client, "hub88", json!({})).await;
    let path = format!("/v1/providers/{}", hub.id);
    let change = async |body| patch(&client, &path, &body).await.ok();
    is_told(&hub.play(&bet("b", "10.00")).await.0, "RS_OK");

    change(json!({ "allowed_addresses": ["192.0.2.0/24"] })).await;
    is_told(&hub.play(&bet("far", "1.00")).await.0, PARTNER);
    is_told(&hub.play(&win("far", "b", "1.00")).await.0, PARTNER);
    change(json!({ "allowed_addresses": [], "status": "disabled" })).await;
    is_told(
        &hub.play(&bet("off", "1.00")).await.0,
        "RS_ERROR_INVALID_GAME",
    );
    is_told(&hub.play(&win("w", "b", "5.00")).await.0, "RS_OK");
    change(json!({ "status": "disabled" })).await;
    // Its round is settled first.
    let void = format!("/v1/providers/{}", hub.id);
    patch(&client, &void, &json!({ "status": "closed" }))
        .await
        .refused(409, "provider_in_use");
    let mut last = win("last", "b", "0");
    if let pitboss_providers::simulate::Move::Win { closes, .. } = &mut last {
        *closes = true;
    }
    is_told(&hub.play(&last).await.0, "RS_OK");
    change(json!({ "status": "closed" })).await;
    is_told(&hub.play(&win("w", "b", "5.00")).await.0, PARTNER);
    is_told(&hub.play(&bet("b", "10.00")).await.0, PARTNER);
    assert_eq!(hub.cash().await, "95.00");
}

#[tokio::test]
async fn what_is_too_much_or_too_slow_is_told_as_not_known_and_is_accepted_later() {
    let scratch = ScratchDir::new("front-door").unwrap();
    let config = scratch.join("small.toml");
    let settings =
        "[players]\nper_player_max = 2\nin_flight_max = 8\n[server]\nbody_timeout_ms = 300\n";
    std::fs::write(&config, settings).unwrap();
    let options = ["--config", config.to_str().unwrap()];
    let sandbox = Sandbox::start(&scratch.join("data"), &options).await;
    let hub = Simulated::make(&sandbox.client(), "hub88", json!({})).await;
    let bets: Vec<_> = (0..60)
        .map(|index| bet(&format!("b{index}"), "1.00"))
        .collect();
    let answers = join_all(bets.iter().map(|made| hub.play(made))).await;
    let mut busy = 0;
    for (answer, told) in &answers {
        if told.code != Told::OK {
            busy += 1;
            is_told(answer, TIMEOUT);
        }
    }
    assert!(busy > 0, "sixty at once with room for two");
    for made in &bets {
        eventually("there is room again", async || {
            (hub.play(made).await.1.code == Told::OK).then_some(())
        })
        .await;
    }
    assert_eq!(hub.cash().await, "40.00");

    // A body whose end does not come.
    let sent = hub.sent(&bet("slow", "1.00"));
    let address = hub.client.at.api.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {}{} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{{",
        hub.path(),
        sent.path
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut told = String::new();
    // The server ends the connection: the rest of the body is nobody's.
    socket.read_to_string(&mut told).await.unwrap();
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    assert!(told.contains(TIMEOUT), "{told}");
    assert_eq!(hub.cash().await, "40.00");
}

#[tokio::test]
async fn a_lost_database_is_told_as_not_known_and_the_repeat_moves_the_money_once() {
    let mut casino = Casino::start("front-door-lost", &["sandbox"]).await;
    let mut node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let hub = Simulated::make(&client, "hub88", json!({})).await;
    assert_eq!(hub.play(&bet("before", "1.00")).await.1.code, Told::OK);
    casino.postgres.kill_immediate().await;
    for made in [
        bet("during", "1.00"),
        win("w", "before", "2.00"),
        bet("before", "1.00"),
    ] {
        is_told(&hub.play(&made).await.0, TIMEOUT);
    }
    casino.postgres.restart().await.unwrap();
    casino.wait_until_ready(&mut node).await;
    for made in [
        bet("during", "1.00"),
        win("w", "before", "2.00"),
        bet("before", "1.00"),
    ] {
        eventually("it is answered again", async || {
            (hub.play(&made).await.1.code == Told::OK).then_some(())
        })
        .await;
    }
    assert_eq!(hub.cash().await, "100.00");
    let audit = casino.audit().await;
    assert!(audit.status.success());
}
