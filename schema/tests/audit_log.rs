//! The audit log: a gap-free chain, whoever writes; read in any order that it is listed in; told to subscribers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use common::Database;
use futures_util::future::join_all;
use pitboss_schema::{
    AuditAction, AuditActor, AuditEntry, AuditFilter, AuditNote, Copied, FeedPage, FeedPosition,
    LanePosition, OutboxRecord, StoreError,
    audit::{Report, audit},
};
use pitboss_wallet::{Environment, PlayerId, Timestamp};
use play::{Player, policy};
use serde_json::{Value, json};
use uuid::Uuid;

fn at(s: i64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).plus_seconds(s)
}

fn note(id: u128, action: AuditAction, actor: &str, subject: &str) -> AuditNote {
    AuditNote {
        id: Uuid::from_u128(id),
        at: at(i64::try_from(id).unwrap()),
        action,
        actor: AuditActor {
            kind: "operator",
            id: actor.into(),
            person: Some("Ann \"the\" é".into()),
            address: None,
        },
        subject: subject.into(),
        detail: json!({ "text": "100% \"quoted\", ünïcode\n" }),
    }
}

async fn log(database: &Database, filter: &AuditFilter) -> Vec<AuditEntry> {
    database
        .store
        .audit_entries(filter, None, 1000)
        .await
        .unwrap()
}

fn breaches(report: &Report) -> Vec<String> {
    let checks = report
        .checks
        .iter()
        .filter(|check| check.invariant == "LOG");
    checks.flat_map(|check| check.examples.clone()).collect()
}

#[tokio::test]
async fn many_who_write_at_once_make_one_chain_and_a_repeat_writes_nothing() {
    let database = Database::new("audit_chain").await;
    database
        .store
        .name_environment(Environment::Live)
        .await
        .unwrap();
    let writers = (0..40u128).map(|id| {
        let store = database.store.clone();
        async move {
            // Each of them twice.
            let note = note(id / 2, AuditAction::KeyCreated, "k", "key/x");
            store.note(&note).await.unwrap();
        }
    });
    join_all(writers).await;
    let all = log(&database, &AuditFilter::default()).await;
    let mut numbers: Vec<i64> = all.iter().map(|entry| entry.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    let report = audit(&database.store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
    let (number, hash) = database.store.audit_head().await.unwrap();
    assert_eq!(report.head, Some((number, hash.clone())));
    let newest = database.store.audit_entry(20).await.unwrap().unwrap();
    assert_eq!((number, hash), (20, newest.hash));
}

#[tokio::test]
async fn a_change_that_fails_leaves_no_entry_and_one_without_an_entry_is_none() {
    let database = Database::new("audit_fails").await;
    let store = &database.store;
    let key = |hash: u8| pitboss_schema::NewKey {
        id: Uuid::from_u128(hash.into()),
        prefix: "p".into(),
        hash: [hash; 32],
        name: "n".into(),
        person: "p".into(),
        issuers: vec![],
        scopes: vec![],
        allowed: vec![],
        rate: None,
        expires_at: None,
        created_at: at(0),
    };
    // An entry that the log cannot hold: the key is not made either.
    let impossible = note(1, AuditAction::KeyCreated, "nul \0", "key/x");
    assert!(
        store
            .create_operator_key(&key(1), 9, &impossible)
            .await
            .is_err()
    );
    assert!(store.operator_key(&[1; 32]).await.unwrap().is_none());
    // A key that the table cannot hold: nor an entry about it.
    let impossible = pitboss_schema::NewKey {
        name: "nul \0".into(),
        ..key(2)
    };
    let good = note(2, AuditAction::KeyCreated, "k", "key/x");
    assert!(
        store
            .create_operator_key(&impossible, 9, &good)
            .await
            .is_err()
    );
    assert!(log(&database, &AuditFilter::default()).await.is_empty());
    assert_eq!(store.audit_head().await.unwrap().0, 0);
}

#[tokio::test]
async fn the_list_is_filtered_and_goes_on_where_a_page_ended() {
    let database = Database::new("audit_list").await;
    let written = [
        note(1, AuditAction::KeyCreated, "ann", "key/a"),
        note(2, AuditAction::KeyRevoked, "ann", "key/b"),
        note(3, AuditAction::KeyCreated, "bob", "key/b"),
        note(4, AuditAction::AccessFailed, "ann", "key/a"),
    ];
    for note in &written {
        database.store.note(note).await.unwrap();
    }
    let numbers = async |filter: AuditFilter| {
        let found = log(&database, &filter).await;
        found.iter().map(|entry| entry.number).collect::<Vec<_>>()
    };
    let all = AuditFilter::default;
    let action = Some(AuditAction::KeyCreated);
    let (subject, actor) = (Some("key/b".to_owned()), Some("ann".to_owned()));
    assert_eq!(numbers(all()).await, [4, 3, 2, 1]);
    assert_eq!(numbers(AuditFilter { action, ..all() }).await, [3, 1]);
    assert_eq!(
        numbers(AuditFilter {
            subject: subject.clone(),
            ..all()
        })
        .await,
        [3, 2]
    );
    assert_eq!(
        numbers(AuditFilter {
            actor: actor.clone(),
            ..all()
        })
        .await,
        [4, 2, 1]
    );
    assert_eq!(
        numbers(AuditFilter {
            action,
            actor: actor.clone(),
            ..all()
        })
        .await,
        [1]
    );
    assert_eq!(
        numbers(AuditFilter {
            action,
            subject: subject.clone(),
            ..all()
        })
        .await,
        [3]
    );
    assert_eq!(
        numbers(AuditFilter {
            subject,
            actor,
            ..all()
        })
        .await,
        [2]
    );
    let (from, to) = (Some(at(2)), Some(at(4)));
    assert_eq!(numbers(AuditFilter { from, to, ..all() }).await, [3, 2]);
    let store = &database.store;
    let page = async |after| {
        let rows = store.audit_entries(&all(), after, 3).await.unwrap();
        rows.iter()
            .map(|entry| (entry.at, entry.number))
            .collect::<Vec<_>>()
    };
    let first = page(None).await;
    assert_eq!(page(first.last().copied()).await, [(at(1), 1)]);
    let entry = store.audit_entry(1).await.unwrap().unwrap();
    assert_eq!(entry.detail, written[0].detail.to_string());
    assert!(store.audit_entry(5).await.unwrap().is_none());
}

/// What somebody with the database in his hands may do.
async fn tamper(database: &Database, sql: &str) {
    let client = database.client().await;
    let sql = format!("ALTER TABLE audit_entry DISABLE TRIGGER append_only; {sql}");
    client.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn whatever_is_rewritten_is_found_from_where_it_begins() {
    for (name, sql, found) in [
        ("detail", "UPDATE audit_entry SET detail = '{}' WHERE number = 3", "audit entry 3 (key.created"),
        ("address", "UPDATE audit_entry SET address = '' WHERE number = 2", "audit entry 2 (key.created"),
        ("deleted", "DELETE FROM audit_entry WHERE number = 4", "audit entry 5 follows 3"),
        ("last", "DELETE FROM audit_entry WHERE number = 6", "the head of the audit log is entry 6, the newest that is there is 5"),
        ("first", "DELETE FROM audit_entry WHERE number = 1", "audit entry 2 follows 0"),
        (
            "hashed",
            "UPDATE audit_entry SET detail = '{}' WHERE number = 3; UPDATE audit_entry e SET hash = audit_hash(
             (SELECT hash FROM audit_entry WHERE number = 2), number, id, at, action, actor_kind, actor_id, person, address,
             subject, detail) WHERE number = 3",
            "audit entry 4 (key.created",
        ),
        (
            // A function that finds everything in order convinces nobody.
            "function",
            "UPDATE audit_entry SET detail = '{}' WHERE number = 3; CREATE OR REPLACE FUNCTION netstring(field text)
             RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''''::text'",
            "audit entry 3 (key.created",
        ),
    ] {
        let database = Database::new(&format!("tampered_{name}")).await;
        for id in 1..=6 {
            let note = note(id, AuditAction::KeyCreated, "k", "key/x");
            database.store.note(&note).await.unwrap();
        }
        let clean = audit(&database.store, |_| {}).await.unwrap();
        assert!(clean.is_clean(), "{clean:#?}");
        tamper(&database, sql).await;
        let report = audit(&database.store, |_| {}).await.unwrap();
        let breaches = breaches(&report);
        assert!(breaches[0].starts_with(found), "{name}: {breaches:#?}");
    }
}

#[tokio::test]
async fn entries_about_what_belongs_to_nobody_are_events_and_others_are_not() {
    let database = Database::new("audit_events").await;
    let store = &database.store;
    store.name_environment(Environment::Live).await.unwrap();
    let mut player = Player::seated(store, "alice", policy()).await;
    player.bet("b", 10).await;
    let start = store.feed_ends().await.unwrap().newest;
    for (id, action) in (100..).zip(AuditAction::ALL) {
        let note = note(id, *action, "k", "key/x");
        store.note(&note).await.unwrap();
        store.note(&note).await.unwrap();
    }
    let FeedPage::Read { events, .. } = store.feed(&start, 1000).await.unwrap() else {
        panic!("the feed begins later");
    };
    let told = (100..)
        .zip(AuditAction::ALL)
        .filter(|(_, action)| action.is_event());
    let expected: Vec<(Uuid, &str)> = told
        .map(|(id, action)| (Uuid::from_u128(id), action.as_str()))
        .collect();
    let found: Vec<(Uuid, &str)> = events.iter().map(|e| (e.id, e.kind.as_str())).collect();
    assert_eq!(found, expected);
    for (seq, event) in (1..).zip(&events) {
        let body: Value = serde_json::from_str(&event.body).unwrap();
        let entry = &log(&database, &AuditFilter::default()).await;
        let entry = entry.iter().find(|entry| entry.id == event.id).unwrap();
        let expected = json!({
            "id": event.id, "type": event.kind, "version": 1, "time": body["time"], "environment": "live",
            "player": null, "seq": seq, "transaction": null,
            "data": {
                "entry": entry.number,
                "actor": { "kind": "operator", "id": "k", "person": entry.person, "address": null },
                "subject": "key/x",
                "detail": { "text": "100% \"quoted\", ünïcode\n" },
            },
        });
        assert_eq!(body, expected);
        assert_eq!((event.player.as_str(), event.at), ("", entry.at));
    }
    let found = store.event_by_id(events[0].id).await.unwrap();
    assert!(found.is_none_or(|found| found.player.is_empty()));
    let report = audit(store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
    // Of nobody there is no feed of his own.
    assert!(PlayerId::new("").is_err());
}

#[tokio::test]
async fn a_database_is_of_one_world_for_ever() {
    let database = Database::new("one_world").await;
    let store = &database.store;
    store.name_environment(Environment::Sandbox).await.unwrap();
    store.name_environment(Environment::Sandbox).await.unwrap();
    let error = store.name_environment(Environment::Live).await.unwrap_err();
    assert!(
        matches!(error, StoreError::OtherEnvironment { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("environments.live.postgres_url"),
        "{error}"
    );
}

fn copy_of(record: &OutboxRecord) -> Option<AuditNote> {
    let mut note = note(0, AuditAction::LargeBet, "acme", &record.player);
    note.id = record.id;
    note.at = record.at;
    Some(note)
}

#[tokio::test]
async fn significant_events_are_noted_once_whoever_reads_and_wherever_he_ends() {
    let database = Database::new("significant").await;
    let store = &database.store;
    let mut alice = Player::seated(store, "alice", policy()).await;
    let mut bob = Player::seated(store, "bob", policy()).await;
    for n in 0..10 {
        alice.bet(&format!("b-{n}"), 1).await;
        bob.bet(&format!("b-{n}"), 1).await;
    }
    let kinds = ["wallet.bet_debited"];
    let none = store
        .copy_significant(&["no.such"], 0, copy_of)
        .await
        .unwrap();
    assert_eq!((none.rows, none.entries), (0, 0));
    // Several nodes at once, a few rows at a time.
    let readers = (0..4).map(|_| async {
        let mut rounds = 0;
        loop {
            let copied = store.copy_significant(&kinds, 3, copy_of).await.unwrap();
            rounds += 1;
            let position = database.client().await;
            let is_done = "SELECT r.lane_rows = (SELECT array_agg(l.seq ORDER BY l.id) FROM lane l) FROM event_reader r";
            let is_done = position.query_one(is_done, &[]).await.unwrap().get::<_, Option<bool>>(0);
            assert!(rounds < 1000 && copied.missed == 0);
            if is_done == Some(true) {
                break;
            }
        }
    });
    join_all(readers).await;
    let copied = log(&database, &AuditFilter::default()).await;
    assert_eq!(copied.len(), 20);
    assert_eq!(
        store.copy_significant(&kinds, 3, copy_of).await.unwrap(),
        Copied::default()
    );
    // A new event, and the position set back: what was noted before is not noted again.
    alice.bet("b-new", 1).await;
    let client = database.client().await;
    client
        .execute("UPDATE event_reader SET lane_rows = NULL", &[])
        .await
        .unwrap();
    let again = store.copy_significant(&kinds, 1000, copy_of).await.unwrap();
    assert_eq!((again.entries, again.left, again.missed), (1, 0, 0));
    assert!(audit(store, |_| {}).await.unwrap().is_clean());
}

#[tokio::test]
async fn trimming_waits_for_the_reader_and_what_it_missed_is_counted() {
    let database = Database::new("significant_trim").await;
    let store = &database.store;
    let mut alice = Player::seated(store, "alice", policy()).await;
    alice.bet("b", 1).await;
    let client = database.client().await;
    let waits = "SELECT count(*) FROM outbox_reader WHERE name = 'audit' AND position < (SELECT seq FROM lane WHERE id = lane)";
    store
        .copy_significant(&["wallet.bet_debited"], 1000, copy_of)
        .await
        .unwrap();
    assert_eq!(
        client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0),
        0
    );
    alice.bet("b2", 1).await;
    assert_eq!(
        client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0),
        1
    );
    let trim = "WITH gone AS (DELETE FROM outbox RETURNING lane, lane_seq, cardinality(ids) AS events)
        UPDATE lane_publisher p SET published = g.up_to, trimmed = g.up_to, trimmed_events = g.events
        FROM (SELECT lane, max(lane_seq) AS up_to, sum(events) AS events FROM gone GROUP BY lane) g WHERE p.lane = g.lane";
    client.execute(trim, &[]).await.unwrap();
    let copied = store
        .copy_significant(&["wallet.bet_debited"], 1000, copy_of)
        .await
        .unwrap();
    assert_eq!((copied.missed, copied.entries, copied.left), (1, 0, 0));
    let end = FeedPosition(vec![LanePosition::default(); usize::from(common::LANES)]);
    assert!(matches!(
        store.feed(&end, 10).await.unwrap(),
        FeedPage::Gone
    ));
}
