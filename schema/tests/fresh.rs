//! The bridge has what was just committed from memory, and it is what the outbox has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "a test is a seam of its own")]

mod common;
mod play;

use std::time::Duration;

use common::{Database, LANES};
use pitboss_actors::ports::Outbox;
use pitboss_schema::{Store, StoreOptions};
use play::{Player, policy};
use uuid::Uuid;

/// A lane's events after a number: number, id, player, type and text.
async fn read(store: &Store, lane: u16, after: i64) -> Vec<(i64, Uuid, String, String, String)> {
    let events = Outbox::read(store, lane, after, 1_000).await.unwrap();
    let all = events.into_iter().map(|event| {
        let (player, subject) = (
            event.player.clone().unwrap().to_string(),
            event.subject.to_string(),
        );
        (
            event.lane_seq,
            event.id,
            player,
            subject,
            event.body.to_string(),
        )
    });
    all.collect()
}

async fn hold_lanes(store: &Store) {
    let hour = Duration::from_secs(3600);
    let held = store.claim(Uuid::now_v7(), hour).await.unwrap();
    assert_eq!(held.len(), usize::from(LANES));
}

#[tokio::test]
async fn what_was_just_committed_need_not_be_read_back() {
    let database = Database::new("fresh").await;
    let store = database.store.clone();
    let bridge = store.beside(StoreOptions::default()).unwrap();
    hold_lanes(&bridge).await;
    let mut alice = Player::seated(&store, "alice", policy()).await;
    alice.bet("b-1", 5).await;
    let lane = alice.state.lane;
    let elsewhere = Store::connect(&database.url, StoreOptions::default()).unwrap();
    let stored = read(&elsewhere, lane, 0).await;
    assert!(stored.len() > 4, "{stored:?}");
    let client = database.client().await;
    client.batch_execute("DELETE FROM outbox").await.unwrap();
    assert_eq!(read(&elsewhere, lane, 0).await, []);
    assert_eq!(read(&bridge, lane, 0).await, stored);
    let last = stored.last().unwrap().0;
    assert_eq!(read(&bridge, lane, last).await, []);
    assert_eq!(bridge.fresh_bytes(), 0, "nobody asks for it again");
}

#[tokio::test]
async fn beside_another_server_every_lane_is_read_whole() {
    let database = Database::new("fresh_beside").await;
    let (here, there) = (
        database.store.clone(),
        Store::connect(&database.url, StoreOptions::default()).unwrap(),
    );
    hold_lanes(&here).await;
    let mut players = Vec::new();
    for n in 0..6 {
        let store = if n % 2 == 0 { &here } else { &there };
        players.push(Player::seated(store, &format!("p{n}"), policy()).await);
    }
    let mut published = vec![0; usize::from(LANES)];
    for round in 0..12 {
        for (n, player) in players.iter_mut().enumerate() {
            // Now one server, now the other, now both.
            if round % 4 != n % 3 {
                player.bet(&format!("b-{round}"), 1).await;
            }
        }
        for (lane, published) in (0..LANES).zip(&mut published) {
            let events = read(&here, lane, *published).await;
            assert_eq!(events, read(&there, lane, *published).await);
            // What was not published is read again.
            if round % 3 == 0
                && let Some(last) = events.last()
            {
                *published = last.0;
            }
        }
    }
    assert!(published.iter().any(|published| *published > 20));
}
