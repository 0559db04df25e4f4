//! What goes out: everything once, in order.

use std::time::{Duration, Instant};

use pitboss_actors::session::{CloseCode, StreamLimits};
use serde_json::json;

use crate::world::{INCARNATION, Options, eventually, serve};

#[actix_web::test]
async fn a_snapshot_comes_first_and_then_every_event_in_order() {
    let server = serve(Options::default());
    server.world.emit();
    server.world.emit();

    let mut client = server.client("").await;
    let snapshot = client.expect_snapshot(2).await;
    assert_eq!(
        snapshot,
        json!({
            "type": "snapshot",
            "seq": 2,
            "epoch": INCARNATION.to_string(),
            "wallets": [{
                "currency": "EUR", "cash": "12.50", "bonus": "0.00", "total": "12.50",
                "held_in_rounds": "0.00", "owed": "0.00", "restricted_winnings": "0.00",
                "withdrawable": "12.50", "withdrawal_hold": "0.00",
            }],
            "open_rounds": [],
        })
    );
    for _ in 0..300 {
        server.world.emit();
    }
    client.expect_events(3..=302).await;
}

#[actix_web::test]
async fn a_resume_has_no_gap_and_no_repeat_while_events_keep_coming() {
    let server = serve(Options {
        limits: StreamLimits {
            replay_page: 7,
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    let world = server.world.clone();
    let events = std::thread::spawn(move || {
        for _ in 0..1500 {
            world.emit();
            std::thread::sleep(Duration::from_micros(200));
        }
    });
    let mut after = 0;
    while after < 900 {
        let mut client = server
            .client(&format!("?after={after}&epoch={INCARNATION}"))
            .await;
        let resumed = client.text().await;
        let seq = resumed["seq"].as_i64().unwrap();
        assert_eq!(
            resumed,
            json!({"type": "resumed", "seq": seq, "epoch": INCARNATION.to_string(), "recovered": true})
        );
        // Past what was missed, into what is live.
        let until = seq.max(after) + 20;
        client.expect_events(after + 1..=until).await;
        after = until;
    }
    events.join().unwrap();
    let mut client = server.client(&format!("?after={after}")).await;
    assert_eq!(client.text().await["recovered"], true);
    client.expect_events(after + 1..=1500).await;
}

#[actix_web::test]
async fn a_client_that_missed_nothing_resumes_without_events() {
    let server = serve(Options::default());
    server.world.emit();
    let mut client = server.client("?after=1").await;
    assert_eq!(client.text().await["type"], "resumed");
    server.world.emit();
    client.expect_events(2..=2).await;
}

#[actix_web::test]
async fn what_cannot_be_resumed_as_a_whole_starts_with_a_snapshot() {
    let server = serve(Options {
        limits: StreamLimits {
            resume_max: 10,
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    for _ in 0..20 {
        server.world.emit();
    }
    let other = "01980000-0000-7000-8000-0000000000ff";
    for query in [
        "?after=9".to_owned(),
        "?after=21".to_owned(),
        "?after=-1".to_owned(),
        format!("?after=20&epoch={other}"),
        "?after=20&epoch=nonsense".to_owned(),
    ] {
        let mut client = server.client(&query).await;
        let snapshot = client.expect_snapshot(20).await;
        assert_eq!(snapshot["recovered"], false, "{query}");
    }
    let mut client = server.client("?after=10").await;
    assert_eq!(client.text().await["recovered"], true);
    client.expect_events(11..=20).await;

    // The ledger's oldest events are gone by now.
    server.world.keep_after(12);
    let mut client = server.client("?after=11").await;
    assert_eq!(client.expect_snapshot(20).await["recovered"], false);
    server.world.emit();
    client.expect_events(21..=21).await;
}

#[actix_web::test]
async fn a_hole_is_filled_from_the_ledger_before_the_next_event() {
    let server = serve(Options {
        limits: StreamLimits {
            replay_page: 3,
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    server.world.emit();
    for _ in 0..10 {
        server.world.commit();
    }
    server.world.emit();
    server.world.emit();
    server.world.commit();
    server.world.emit();
    client.expect_events(1..=15).await;
}

#[actix_web::test]
async fn a_player_whose_actor_ended_is_subscribed_again_and_nothing_is_missed() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    for round in 0..3 {
        server.world.emit();
        let before = server.world.sinks();
        assert_eq!(before, 1);
        server.world.end_actor();
        // Committed while nobody pushes.
        server.world.commit();
        server.world.commit();
        eventually(|| server.world.sinks() == 1).await;
        server.world.emit();
        client.expect_events(4 * round + 1..=4 * round + 4).await;
    }
}

#[actix_web::test]
async fn what_was_committed_before_a_new_subscription_needs_no_later_event() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    server.world.commit();
    server.world.commit();
    server.world.end_actor();
    client.expect_events(1..=2).await;
}

#[actix_web::test]
async fn a_subscription_that_fails_is_tried_again() {
    let server = serve(Options::default());
    server.world.refuse_subscriptions(2);
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
}

#[actix_web::test]
async fn a_subscription_without_an_answer_is_given_up_and_its_sink_is_gone() {
    let server = serve(Options {
        limits: StreamLimits {
            port_timeout: Duration::from_millis(100),
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    server.world.leave_subscriptions_unanswered(1);
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    assert_eq!(server.world.sinks(), 2);
    server.world.emit();
    assert_eq!(server.world.sinks(), 1);
    server.world.emit();
    client.expect_events(1..=2).await;
}

#[actix_web::test]
async fn a_player_that_never_answers_does_not_hold_up_a_drain() {
    let server = serve(Options::default());
    server.world.leave_subscriptions_unanswered(usize::MAX);
    let mut client = server.client("").await;
    eventually(|| server.world.sinks() == 1).await;
    let asked = Instant::now();
    server.sessions.close_all(CloseCode::GoingAway);
    assert_eq!(client.closed().await.0, 4000);
    let took = asked.elapsed();
    assert!(took < StreamLimits::default().port_timeout, "{took:?}");
}

#[actix_web::test]
async fn a_player_that_cannot_be_reached_closes_the_session() {
    let server = serve(Options {
        limits: StreamLimits {
            subscribe_retries: 1,
            ..StreamLimits::default()
        },
        ..Options::default()
    });
    server.world.refuse_subscriptions(usize::MAX);
    let mut client = server.client("").await;
    client.expect_close(4003, "internal").await;
    server.wait_until_empty().await;
}

#[actix_web::test]
async fn a_ledger_that_cannot_fill_a_hole_closes_the_session() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    server.world.set_ledger_down(true);
    server.world.commit();
    server.world.emit();
    assert_eq!(client.closed().await.0, 4003);

    // It comes back with what it has, and is given the rest.
    server.world.set_ledger_down(false);
    let mut client = server.client("?after=0").await;
    assert_eq!(client.text().await["recovered"], true);
    client.expect_events(1..=2).await;
}
