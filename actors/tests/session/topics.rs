//! What a client subscribed to, and where it stands meanwhile.

use pitboss_actors::session::StreamLimits;
use pitboss_wallet::EventType;
use serde_json::{Value, json};

use crate::world::{Client, INCARNATION, Options, World, serve};

/// A bet in a round of its own: three events, of which two are the game's.
fn play(world: &World) {
    world.emit_kind(EventType::RoundOpened);
    world.emit();
    world.emit_kind(EventType::RoundClosed);
}

/// Pings until this position is passed.
async fn passes(client: &mut Client, seq: i64) {
    loop {
        let pong = client.ask(&json!({ "type": "ping" })).await;
        assert_eq!(pong["type"], "pong");
        let passed = pong["seq"].as_i64().unwrap();
        assert!(passed <= seq, "{pong}");
        if passed == seq {
            return;
        }
    }
}

fn talkative() -> Options {
    Options {
        limits: StreamLimits {
            max_frames_per_s: 100_000,
            replay_page: 7,
            ..StreamLimits::default()
        },
        ..Options::default()
    }
}

async fn subscribed(client: &mut Client, command: &str, names: Value) -> Value {
    client
        .ask(&json!({ "type": command, "types": names, "id": 1 }))
        .await
}

#[actix_web::test]
async fn only_what_was_asked_for_is_sent_and_a_pong_tells_the_position() {
    let server = serve(talkative());
    let mut client = server.client("?types=wallet.*,game.launched").await;
    client.expect_snapshot(0).await;
    for _ in 0..50 {
        play(&server.world);
    }
    for round in 0..50 {
        client.expect_events(3 * round + 2..=3 * round + 2).await;
    }
    passes(&mut client, 150).await;
    server.world.emit_kind(EventType::Launched);
    assert_eq!(client.text().await["type"], "game.launched");
}

#[actix_web::test]
async fn a_filtering_client_resumes_from_a_pong_with_its_filter() {
    let server = serve(talkative());
    let mut client = server.client("?types=game.*").await;
    client.expect_snapshot(0).await;
    server.world.emit();
    server.world.emit();
    passes(&mut client, 2).await;
    drop(client);
    for _ in 0..10 {
        play(&server.world);
    }
    let query = format!("?types=game.*&after=2&epoch={INCARNATION}");
    let mut client = server.client(&query).await;
    let resumed = client.text().await;
    assert_eq!(
        (&resumed["recovered"], &resumed["seq"]),
        (&json!(true), &json!(32))
    );
    for round in 0..10 {
        for (seq, name) in [(3, "game.round_opened"), (5, "game.round_closed")] {
            let event = client.text().await;
            assert_eq!(
                (&event["type"], &event["seq"]),
                (&json!(name), &json!(3 * round + seq))
            );
        }
    }
    passes(&mut client, 32).await;
}

#[actix_web::test]
async fn topics_are_added_and_taken_away_on_an_open_socket() {
    let server = serve(talkative());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    let answer = subscribed(&mut client, "unsubscribe", json!(["*"])).await;
    assert_eq!(
        answer,
        json!({ "type": "subscribed", "id": 1, "seq": 0, "types": [] })
    );
    play(&server.world);
    passes(&mut client, 3).await;
    let answer = subscribed(
        &mut client,
        "subscribe",
        json!(["game.*", "wallet.win_credited"]),
    )
    .await;
    let (types, seq) = (json!(["wallet.win_credited", "game.*"]), json!(3));
    assert_eq!((&answer["types"], &answer["seq"]), (&types, &seq));
    play(&server.world);
    server.world.emit_kind(EventType::WinCredited);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(client.text().await["seq"].as_i64().unwrap());
    }
    assert_eq!(seen, [4, 6, 7]);
    let answer = subscribed(&mut client, "unsubscribe", json!(["game.round_opened"])).await;
    assert_eq!(answer["seq"], 7);
    play(&server.world);
    assert_eq!(client.text().await["seq"], 10);
}

#[actix_web::test]
async fn what_nobody_knows_is_refused_by_name_and_changes_nothing() {
    let server = serve(Options::default());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    for command in ["subscribe", "unsubscribe"] {
        let answer = subscribed(&mut client, command, json!(["wallet.*", "slots.*"])).await;
        assert_eq!(
            (&answer["code"], &answer["id"]),
            (&json!("unknown_type"), &json!(1))
        );
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.contains("slots.*"), "{detail}");
    }
    play(&server.world);
    for seq in 1..=3 {
        assert_eq!(client.text().await["seq"], seq);
    }
}

/// What waits when the topics change is chosen by the new ones: from the answer's `seq` on, everything.
#[actix_web::test]
async fn a_change_while_events_keep_coming_has_no_gap_and_no_repeat() {
    let server = serve(talkative());
    let mut client = server.client("").await;
    client.expect_snapshot(0).await;
    let world = server.world.clone();
    let events = std::thread::spawn(move || {
        for _ in 0..700 {
            play(&world);
            std::thread::sleep(std::time::Duration::from_micros(100));
        }
    });
    // What is wanted between two answers.
    let mut bets = true;
    let mut position = 0;
    for change in 0..40 {
        let command = if bets { "unsubscribe" } else { "subscribe" };
        let command = json!({ "type": command, "types": ["wallet.*"], "id": change });
        client.send(command.to_string()).await;
        position = check_up_to_the_answer(&mut client, position, bets).await;
        bets = !bets;
    }
    events.join().unwrap();
    client.send(json!({ "type": "ping" }).to_string()).await;
    while position < 2100 {
        position = check_up_to_the_answer(&mut client, position, bets).await;
        client.send(json!({ "type": "ping" }).to_string()).await;
    }
    assert_eq!(position, 2100);
}

/// Reads events, which must be all that are wanted after `position`, until an answer; its position.
async fn check_up_to_the_answer(client: &mut Client, mut position: i64, bets: bool) -> i64 {
    // The second of each three is a bet.
    let wanted = |seq: i64| bets || seq % 3 != 2;
    loop {
        let message = client.text().await;
        let seq = message["seq"].as_i64().unwrap();
        let is_answer = ["subscribed", "pong"].contains(&message["type"].as_str().unwrap());
        let until = if is_answer { seq + 1 } else { seq };
        let missed: Vec<i64> = (position + 1..until).filter(|seq| wanted(*seq)).collect();
        assert!(missed.is_empty(), "{missed:?} before {message}");
        if is_answer {
            return seq;
        }
        assert!(seq > position && wanted(seq), "{message} after {position}");
        position = seq;
    }
}

#[actix_web::test]
async fn balances_come_after_the_events_that_changed_them_if_asked_for() {
    let server = serve(Options::default());
    let mut client = server.client("?types=wallet.*,balance").await;
    client.expect_snapshot(0).await;
    server.world.emit();
    client.expect_events(1..=1).await;
    let balance = client.text().await;
    assert_eq!(
        balance,
        json!({
            "type": "balance", "seq": 1,
            "wallets": [{ "currency": "EUR", "cash": "1.00", "bonus": "0.00", "total": "1.00" }],
        })
    );
    // Of another server's commits too, which come from the ledger.
    server.world.commit();
    server.world.commit_kind(EventType::RoundOpened);
    let seq = server.world.emit();
    client.expect_events(2..=2).await;
    client.expect_events(4..=4).await;
    let balance = client.text().await;
    assert_eq!(
        (&balance["seq"], &balance["wallets"][0]["cash"]),
        (&json!(seq), &json!("4.00"))
    );
    // Nothing of the wallet: no balance.
    server.world.emit_kind(EventType::RoundOpened);
    assert_eq!(client.ask(&json!({ "type": "ping" })).await["type"], "pong");
}

#[actix_web::test]
async fn of_many_balances_at_once_the_newest_is_told() {
    let server = serve(Options::default());
    let mut only = server.client("?types=balance").await;
    let mut both = server.client("?types=wallet.*,balance").await;
    only.expect_snapshot(0).await;
    both.expect_snapshot(0).await;
    server.world.emit_together(20);
    assert_eq!(only.text().await["seq"], 20);
    // Money events are never put together.
    both.expect_events(1..=20).await;
    let balance = both.text().await;
    assert_eq!(
        (&balance["type"], &balance["seq"]),
        (&json!("balance"), &json!(20))
    );
}
