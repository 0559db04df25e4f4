//! When a session ends, and what its client is told.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use pitboss_actors::session::{CloseCode, SessionLimits, StreamLimits};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::Message;

use crate::world::{Options, in_time, serve};

#[actix_web::test]
async fn an_expired_session_is_closed_at_that_moment() {
    let lifetime = Duration::from_millis(300);
    let server = serve(Options {
        lifetime: Some(lifetime),
        ..Options::default()
    });
    let started = Instant::now();
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    assert_eq!(client.closed().await, (4102, "session_expired".to_owned()));
    assert!(started.elapsed() >= lifetime, "{:?}", started.elapsed());
    assert!(!CloseCode::SessionExpired.may_reconnect());
}

#[actix_web::test]
async fn a_wall_clock_that_is_set_forward_is_noticed_with_the_next_heartbeat() {
    let server = serve(Options {
        lifetime: Some(Duration::from_secs(3600)),
        limits: StreamLimits {
            heartbeat: Duration::from_millis(50),
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    server
        .world
        .clock_offset_us
        .store(3_601_000_000, Ordering::SeqCst);
    assert_eq!(client.closed().await.0, 4102);
}

#[actix_web::test]
async fn a_client_that_answers_pings_stays_and_one_that_does_not_is_idle() {
    let server = serve(Options {
        limits: StreamLimits {
            heartbeat: Duration::from_millis(100),
            idle_timeout: Duration::from_millis(1500),
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    // Reading is what makes this client answer.
    let mut lively = server.client("").await;
    let mut silent = server.client("?player=ben").await;
    lively.expect_snapshot(0).await;
    let started = Instant::now();
    let mut pings = 0;
    while started.elapsed() < Duration::from_millis(2500) {
        match lively.frame().await {
            Message::Ping(_) => pings += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(pings >= 5, "{pings}");
    // As bytes: a client of the library would answer pings now, to a connection that is closed.
    let mut bytes = Vec::new();
    in_time(silent.0.get_mut().read_to_end(&mut bytes))
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (_, hint) = text.rsplit_once("idle;retry_ms=").expect("a close frame");
    assert!(hint.parse::<u32>().unwrap() >= 1000, "{hint}");
    assert_eq!(server.sessions.total(), 1);
}

#[actix_web::test]
async fn the_oldest_session_of_a_player_is_told_that_it_was_replaced() {
    let mut options = Options::default();
    options.sessions.max_sessions_per_player = 2;
    let server = serve(options);
    let mut first = server.client("").await;
    first.expect_snapshot(0).await;
    let mut second = server.client("").await;
    second.expect_snapshot(0).await;
    let mut third = server.client("").await;
    third.expect_snapshot(0).await;
    assert_eq!(first.closed().await, (4103, "replaced".to_owned()));
    server.world.emit();
    second.expect_events(1..=1).await;
    third.expect_events(1..=1).await;
}

#[actix_web::test]
async fn a_full_server_answers_503_and_a_later_client_finds_room() {
    let server = serve(Options {
        sessions: SessionLimits {
            max_sessions: 1,
            max_sessions_per_player: 5,
        },
        ..Options::default()
    });
    let first = server.client("").await;
    let url = format!("ws://{}/v1/stream", server.address);
    let stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let refused = in_time(tokio_tungstenite::client_async(url, stream)).await;
    match refused.unwrap_err() {
        tokio_tungstenite::tungstenite::Error::Http(response) => {
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()["retry-after"], "1");
        }
        other => panic!("{other}"),
    }
    drop(first);
    server.wait_until_empty().await;
    server.client("").await.expect_snapshot(0).await;
}

#[actix_web::test]
async fn a_drain_tells_every_client_to_reconnect() {
    let server = serve(Options::default());
    let mut clients = Vec::new();
    for player in 0..20 {
        let mut client = server.client(&format!("?player=p{player}")).await;
        client.expect_snapshot(0).await;
        clients.push(client);
    }
    assert_eq!(server.sessions.total(), 20);
    server.sessions.close_all(CloseCode::GoingAway);
    for client in &mut clients {
        client.expect_close(4000, "going_away").await;
    }
    server.wait_until_empty().await;
}
