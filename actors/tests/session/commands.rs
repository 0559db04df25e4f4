//! What a client may ask for, one at a time, while its events go on.

use std::{sync::atomic::Ordering, time::Duration};

use pitboss_actors::session::StreamLimits;
use pitboss_wallet::{SessionId, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::world::{INCARNATION, Options, eventually, serve};

#[actix_web::test]
async fn balance_and_launch_are_answered_with_the_clients_own_id() {
    let server = serve(Options::default());
    server.world.emit();
    let mut client = server.client("").await;
    client.expect_snapshot(1).await;
    let answer = client.ask(&json!({ "type": "balance", "id": "a" })).await;
    assert_eq!(
        answer,
        json!({
            "type": "balance", "id": "a", "seq": 1,
            "wallets": [{
                "currency": "EUR", "cash": "12.50", "bonus": "0.00", "total": "12.50",
                "held_in_rounds": "0.00", "owed": "0.00", "restricted_winnings": "0.00",
                "withdrawable": "12.50", "withdrawal_hold": "0.00",
            }],
        })
    );
    // In the currency of his session, unless he names one.
    let launch = json!({ "type": "launch", "game": "dice", "id": 2 });
    let answer = client.ask(&launch).await;
    assert_eq!(
        answer,
        json!({
            "type": "launched", "id": 2, "seq": 1, "url": "http://x/dice?for=anna&in=EUR&login=ses_00000000000000000000000000000001", "token": "t",
            "session": SessionId(Uuid::from_u128(9)), "expires_at": Timestamp::from_micros(0),
        })
    );
    let launch = json!({ "type": "launch", "game": "dice", "currency": "JPY" });
    let url = client.ask(&launch).await["url"].clone();
    assert_eq!(
        url,
        "http://x/dice?for=anna&in=JPY&login=ses_00000000000000000000000000000001"
    );
    let launch = json!({ "type": "launch", "game": "chess", "id": [3] });
    let answer = client.ask(&launch).await;
    assert_eq!(
        (&answer["code"], &answer["id"]),
        (&json!("unknown_game"), &json!([3]))
    );
    let answer = client
        .ask(&json!({ "type": "launch", "game": "dice", "currency": "XXX" }))
        .await;
    assert_eq!(answer["code"], "bad_command");
}

#[actix_web::test]
async fn a_slow_command_holds_up_later_commands_and_no_event() {
    let server = serve(Options {
        limits: StreamLimits {
            max_commands_waiting: 2,
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    client
        .send(json!({ "type": "launch", "game": "slow", "id": 1 }).to_string())
        .await;
    eventually(|| server.world.launches.load(Ordering::SeqCst) == 1).await;
    server.world.emit();
    client.expect_events(1..=1).await;
    for id in 2..=4 {
        client
            .send(json!({ "type": "ping", "id": id }).to_string())
            .await;
    }
    let busy = client.text().await;
    assert_eq!(busy, json!({ "type": "error", "code": "busy", "id": 4 }));
    server.world.launch.notify_one();
    for (kind, id) in [("launched", 1), ("pong", 2), ("pong", 3)] {
        let answer = client.text().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!(kind), &json!(id)));
    }
    assert_eq!(client.ask(&json!({ "type": "ping" })).await["type"], "pong");
}

#[actix_web::test]
async fn a_command_without_an_answer_is_given_up() {
    let server = serve(Options {
        limits: StreamLimits {
            port_timeout: Duration::from_millis(100),
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    let answer = client
        .ask(&json!({ "type": "launch", "game": "never", "id": 1 }))
        .await;
    assert_eq!(
        (&answer["code"], &answer["id"]),
        (&json!("retry"), &json!(1))
    );
    assert_eq!(client.ask(&json!({ "type": "ping" })).await["type"], "pong");
}

#[actix_web::test]
async fn an_open_socket_can_resume_all_or_nothing() {
    let server = serve(Options {
        limits: StreamLimits {
            resume_max: 10,
            replay_page: 3,
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    for _ in 0..12 {
        server.world.emit();
    }
    client.expect_events(1..=12).await;
    let epoch = INCARNATION.to_string();
    let resume =
        |after: i64| json!({ "type": "resume", "after": after, "epoch": epoch, "id": after });
    let answer = client.ask(&resume(2)).await;
    assert_eq!(
        answer,
        json!({ "type": "resumed", "id": 2, "seq": 12, "epoch": epoch, "recovered": true })
    );
    client.expect_events(3..=12).await;
    // One too many, the future, another database: a snapshot, and nothing twice.
    let other = "01980000-0000-7000-8000-0000000000ff";
    for command in [
        resume(1),
        resume(13),
        resume(-1),
        json!({ "type": "resume", "after": 12, "epoch": other }),
        json!({ "type": "resume", "after": 12, "epoch": "nonsense" }),
    ] {
        client.send(command.to_string()).await;
        let snapshot = client.expect_snapshot(12).await;
        assert_eq!(snapshot["recovered"], false, "{command}");
        assert_eq!(
            snapshot["id"],
            command.get("id").cloned().unwrap_or_default()
        );
    }
    // The ledger's oldest events are gone by now.
    server.world.keep_after(8);
    client.send(resume(7).to_string()).await;
    client.expect_snapshot(12).await;
    assert_eq!(client.ask(&resume(8)).await["recovered"], true);
    client.expect_events(9..=12).await;
    server.world.emit();
    client.expect_events(13..=13).await;
}

#[actix_web::test]
async fn a_renewed_token_lets_the_socket_live_longer() {
    let server = serve(Options {
        lifetime: Some(Duration::from_secs(60)),
        limits: StreamLimits {
            heartbeat: Duration::from_millis(50),
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    let answer = client
        .ask(&json!({ "type": "authenticate", "token": "anna 3600", "id": 1 }))
        .await;
    assert_eq!(
        (&answer["type"], &answer["id"]),
        (&json!("authenticated"), &json!(1))
    );
    assert!(answer["expires_at"].is_string(), "{answer}");
    // Past the first session's end, and noticed with a heartbeat.
    server
        .world
        .clock_offset_us
        .store(120_000_000, Ordering::SeqCst);
    for _ in 0..3 {
        while !matches!(
            client.frame().await,
            tokio_tungstenite::tungstenite::Message::Ping(_)
        ) {}
    }
    server.world.emit();
    client.expect_events(1..=1).await;
    server
        .world
        .clock_offset_us
        .store(3_800_000_000, Ordering::SeqCst);
    assert_eq!(client.closed().await, (4102, "session_expired".to_owned()));
}

#[actix_web::test]
async fn a_keep_alive_is_of_the_login_that_the_socket_is_under() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    let keep_alive = json!({ "type": "keep_alive", "id": 1 });
    let answer = client.ask(&keep_alive).await;
    let expected = json!({
        "type": "kept_alive", "id": 1, "seq": 0, "expires_at": "1970-01-01T00:01:00Z",
    });
    assert_eq!(answer, expected);
    client
        .ask(&json!({ "type": "authenticate", "token": "anna 60" }))
        .await;
    let answer = client.ask(&keep_alive).await;
    assert_eq!(answer["code"], "session_expired");
}

#[actix_web::test]
async fn any_other_token_changes_nothing_and_too_many_close() {
    let server = serve(Options {
        limits: StreamLimits {
            max_refused_tokens: 2,
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    let token = |token: &str| json!({ "type": "authenticate", "token": token, "id": 1 });
    let before = server.sessions.logins();
    // One that could not be looked at counts for nothing.
    for _ in 0..5 {
        assert_eq!(client.ask(&token("away")).await["code"], "retry");
    }
    for wrong in ["nobody", "ben 60"] {
        let answer = client.ask(&token(wrong)).await;
        assert_eq!(
            (&answer["code"], &answer["id"]),
            (&json!("unauthorized"), &json!(1))
        );
    }
    assert_eq!(server.sessions.logins(), before);
    // A good one begins the count anew.
    assert_eq!(client.ask(&token("anna 60")).await["type"], "authenticated");
    assert_ne!(server.sessions.logins(), before);
    for _ in 0..2 {
        assert_eq!(client.ask(&token("ben 60")).await["code"], "unauthorized");
    }
    client.send(token("ben 60").to_string()).await;
    assert_eq!(client.closed().await, (4104, "unauthorized".to_owned()));
}
