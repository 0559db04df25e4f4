//! The outbox after its events are on the bus: what is trimmed, what is kept, and what the audit makes of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "a test is a seam of its own")]

mod common;
mod play;

use std::time::Duration;

use common::Database;
use pitboss_actors::ports::{Families, FoundStream, LaneLease, Ledger, Outbox, Retention};
use pitboss_schema::{FeedPosition, Health, LanePosition, Store, WebhookRow, audit};
use pitboss_wallet::Timestamp;
use play::{Player, policy};
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);
const KEEP: Retention = Retention {
    keep: HOUR,
    hold: Duration::from_secs(4 * 3600),
};

struct Scene {
    database: Database,
    owner: Uuid,
}

impl Scene {
    async fn begin(name: &str) -> Self {
        let (database, owner) = (Database::new(name).await, Uuid::now_v7());
        Self { database, owner }
    }

    async fn lane(&self, player: &Player) -> LaneLease {
        let outbox: &dyn Outbox = &self.database.store;
        let leases = outbox.claim(self.owner, HOUR).await.unwrap();
        let lane = player.state.lane;
        leases.into_iter().find(|lease| lease.lane == lane).unwrap()
    }

    /// Has everything of a player's lane on the bus, numbered up to `number` there.
    async fn publish(&self, player: &Player, number: i64) {
        let lease = self.lane(player).await;
        let acknowledged: Families = [("wallet".to_owned(), number)].into();
        let outbox: &dyn Outbox = &self.database.store;
        let moved = outbox.checkpoint(lease.lane, lease.epoch, lease.newest, &acknowledged);
        assert!(moved.await.unwrap());
    }

    /// Makes what is in the outbox so many hours old.
    async fn age(&self, hours: i32) {
        let sql = format!(
            "ALTER TABLE outbox DISABLE TRIGGER append_only;
             UPDATE outbox SET created_at = now() - interval '{hours} hours';
             ALTER TABLE outbox ENABLE TRIGGER append_only"
        );
        self.database
            .client()
            .await
            .batch_execute(&sql)
            .await
            .unwrap();
    }

    async fn trim(&self, limit: usize) -> (i64, bool) {
        let outbox: &dyn Outbox = &self.database.store;
        let trimmed = outbox.trim(self.owner, KEEP, limit).await.unwrap();
        (trimmed.decisions, trimmed.more)
    }

    async fn kept(&self, player: &Player) -> Vec<i64> {
        let events = self
            .database
            .store
            .events(&player.state.id, 0, i64::MAX, 100);
        events
            .await
            .unwrap()
            .iter()
            .map(|event| event.seq)
            .collect()
    }

    async fn breaches(&self) -> Vec<String> {
        let report = audit::audit(&self.database.store, |_| {}).await.unwrap();
        let broken = report.checks.into_iter().filter(|check| check.breaches > 0);
        broken.flat_map(|check| check.examples).collect()
    }
}

/// An endpoint that has had so many decisions of the player's lane, and none of the others.
async fn webhook(store: &Store, player: &Player, rows: i64) -> WebhookRow {
    let mut lanes = vec![LanePosition::default(); usize::from(common::LANES)];
    lanes[usize::from(player.state.lane)].rows = rows;
    let row = WebhookRow {
        id: Uuid::now_v7(),
        key_id: Uuid::now_v7(),
        url: "https://casino.example".into(),
        description: String::new(),
        types: Vec::new(),
        secret: Vec::new(),
        old_secret: None,
        disabled_by: None,
        position: FeedPosition(lanes),
        health: Health::default(),
        epoch: 0,
        created_at: Timestamp::from_micros(0),
        waiting: 0,
        dead: 0,
    };
    assert!(store.create_webhook(&row, 50).await.unwrap());
    row
}

#[tokio::test]
async fn what_is_on_the_bus_and_past_its_time_is_trimmed_and_nothing_else() {
    let scene = Scene::begin("trim").await;
    let mut alice = Player::seated(&scene.database.store, "alice", policy()).await;
    scene.age(2).await;
    scene.lane(&alice).await;
    assert_eq!(scene.trim(100).await, (0, false), "it is not on the bus");
    scene.publish(&alice, 3).await;
    let all = scene.kept(&alice).await;
    alice.bet("b-1", 5).await;
    assert_eq!(scene.trim(2).await, (2, true), "in bounded steps");
    assert_eq!(scene.trim(2).await, (1, false));
    assert_eq!(scene.trim(2).await, (0, false), "the bet is younger");
    let kept = scene.kept(&alice).await;
    assert_eq!(kept.first(), Some(&(all.last().unwrap() + 1)));
    assert_eq!(scene.breaches().await, [] as [&str; 0]);

    // Now all of it: a player without any event left is no breach, nor is what happens to him next.
    scene.publish(&alice, 5).await;
    scene.age(2).await;
    assert_eq!(scene.trim(100).await, (1, false));
    assert_eq!(scene.kept(&alice).await, [] as [i64; 0]);
    assert_eq!(scene.breaches().await, [] as [&str; 0]);
    alice.bet("b-2", 5).await;
    assert_eq!(scene.breaches().await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_lane_that_another_node_holds_is_left_to_it() {
    let scene = Scene::begin("trim_owner").await;
    let alice = Player::seated(&scene.database.store, "alice", policy()).await;
    scene.publish(&alice, 3).await;
    scene.age(2).await;
    let outbox: &dyn Outbox = &scene.database.store;
    let other = outbox.trim(Uuid::now_v7(), KEEP, 100).await.unwrap();
    assert_eq!(other.decisions, 0);
    assert_eq!(scene.trim(100).await, (3, false));
}

#[tokio::test]
async fn a_slow_reader_holds_trimming_back_but_not_for_ever() {
    let scene = Scene::begin("trim_reader").await;
    let alice = Player::seated(&scene.database.store, "alice", policy()).await;
    scene.publish(&alice, 3).await;
    let store = &scene.database.store;
    let mut slow = webhook(store, &alice, 1).await;
    webhook(store, &alice, 2).await;
    scene.age(2).await;
    assert_eq!(scene.trim(100).await, (1, false), "what both have read");
    slow.position.0[usize::from(alice.state.lane)].rows = 2;
    store.rewind_webhook(slow.id, &slow.position).await.unwrap();
    assert_eq!(scene.trim(100).await, (1, false), "he has gone on");
    assert_eq!(scene.trim(100).await, (0, false));
    scene.age(5).await;
    assert_eq!(
        scene.trim(100).await,
        (1, false),
        "what he has not, in the end"
    );
    assert_eq!(scene.breaches().await, [] as [&str; 0]);
}

#[tokio::test]
async fn who_is_disabled_or_has_no_position_in_a_lane_holds_nothing_back() {
    for (name, change) in [
        ("trim_disabled", "enabled = false, disabled_by = 'operator'"),
        ("trim_short", "lane_rows = '{}', lane_events = '{}'"),
        ("trim_null", "lane_rows = '{NULL, NULL, NULL, NULL}'"),
    ] {
        let scene = Scene::begin(name).await;
        let alice = Player::seated(&scene.database.store, "alice", policy()).await;
        scene.publish(&alice, 3).await;
        webhook(&scene.database.store, &alice, 1).await;
        scene.age(2).await;
        assert_eq!(scene.trim(100).await, (1, false), "it is enabled");
        let client = scene.database.client().await;
        let update = format!("UPDATE webhook SET {change}");
        client.batch_execute(&update).await.unwrap();
        assert_eq!(scene.trim(100).await, (2, false), "{name}");
    }
}

#[tokio::test]
async fn after_trimming_the_audit_still_finds_what_is_really_missing() {
    for (name, missing) in [
        ("gap_first", "min(lane_seq)"),
        ("gap_middle", "min(lane_seq) + 1"),
        ("gap_last", "max(lane_seq)"),
    ] {
        let scene = Scene::begin(name).await;
        let mut alice = Player::seated(&scene.database.store, "alice", policy()).await;
        scene.publish(&alice, 3).await;
        scene.age(2).await;
        assert_eq!(scene.trim(100).await, (3, false));
        for bet in ["b-1", "b-2", "b-3"] {
            alice.bet(bet, 5).await;
        }
        assert_eq!(scene.breaches().await, [] as [&str; 0]);
        let delete = format!("DELETE FROM outbox WHERE lane_seq = (SELECT {missing} FROM outbox)");
        scene
            .database
            .client()
            .await
            .batch_execute(&delete)
            .await
            .unwrap();
        let breaches = scene.breaches().await;
        let lane = breaches
            .iter()
            .any(|breach| breach.contains("decisions from"));
        let count = breaches
            .iter()
            .any(|breach| breach.contains("its players had"));
        assert!(lane && count, "{missing}: {breaches:#?}");
    }
}

#[tokio::test]
async fn a_stream_that_lost_its_end_is_set_back_to_a_savepoint_and_not_to_the_beginning() {
    let scene = Scene::begin("savepoint").await;
    let outbox: &dyn Outbox = &scene.database.store;
    let found = |newest| {
        [FoundStream {
            family: "wallet".into(),
            made_at: Some("monday".into()),
            newest,
        }]
    };
    let mut alice = Player::seated(&scene.database.store, "alice", policy()).await;
    outbox.settle(&found(0)).await.unwrap();
    scene.publish(&alice, 3).await;
    let saved = scene.lane(&alice).await.published;
    for bet in ["b-1", "b-2", "b-3"] {
        alice.bet(bet, 5).await;
    }
    // Less than a minute later: no savepoint of its own.
    scene.publish(&alice, 9).await;
    let settled = outbox.settle(&found(7)).await.unwrap();
    assert_eq!(
        (settled.lost, settled.set_back),
        (vec!["wallet".to_owned()], 3)
    );
    let lease = scene.lane(&alice).await;
    assert_eq!(lease.published, saved);
    assert_eq!(lease.acknowledged["wallet"], 7);
    // Behind even that: from the beginning.
    let settled = outbox.settle(&found(2)).await.unwrap();
    assert_eq!(settled.set_back, saved);
    assert_eq!(scene.lane(&alice).await.published, 0);
}
