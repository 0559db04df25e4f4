//! Sessions and failed logins in the database: what an earlier version left, histories, locks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests make ids of their own"
)]

mod common;
mod play;

use common::Database;
use pitboss_actors::ports::{Housekeeping, Ledger};
use pitboss_schema::{AuditAction, AuditActor, AuditNote, LoginLock, Store, StoreOptions};
use pitboss_wallet::{
    Client, Command, Currency, OpenSession, PlayerId, Policy, SessionEnd, SessionId, Timestamp,
};
use play::Player;
use refinery::Target;
use uuid::Uuid;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Of the version before sessions slid: one that was ended, one whose time is over, and one that is live.
const BEFORE: &str = "
    INSERT INTO lane (id) VALUES (0);
    INSERT INTO player (id, lane, status, created_at, version, last_transaction, last_event)
    VALUES ('old', 0, 'active', now(), 0, 0, 0);
    INSERT INTO session (player_id, id, kind, currency, token_hash, expires_at, ended_at, created_at) VALUES
        ('old', '00000000-0000-0000-0000-000000000001', 'player', 'EUR', '\\x01', now() + interval '1 hour',
            now() - interval '1 hour', now() - interval '3 hours'),
        ('old', '00000000-0000-0000-0000-000000000002', 'player', 'EUR', '\\x02', now() - interval '1 hour',
            NULL, now() - interval '3 hours'),
        ('old', '00000000-0000-0000-0000-000000000003', 'player', 'EUR', '\\x03', now() + interval '1 hour',
            NULL, now() - interval '3 hours')";

fn session(id: u128) -> SessionId {
    SessionId(Uuid::from_u128(id))
}

#[tokio::test]
async fn sessions_of_before_keep_the_life_that_they_were_promised() {
    let database = Database::empty("sessions_before", StoreOptions::default()).await;
    let mut client = database.client().await;
    let runner = embedded::migrations::runner().set_target(Target::Version(6));
    runner.run_async(&mut client).await.unwrap();
    client.batch_execute(BEFORE).await.unwrap();
    let runner = embedded::migrations::runner();
    runner.run_async(&mut client).await.unwrap();

    let stored = async |id| database.store.session_row(session(id)).await.unwrap();
    let ended = stored(1).await.unwrap().session;
    assert_eq!(ended.end, Some(SessionEnd::Ended));
    let expired = stored(2).await.unwrap().session;
    assert_eq!(expired.end, Some(SessionEnd::Expired));
    assert_eq!(expired.ended_at, Some(expired.expires_at));
    let mut live = stored(3).await.unwrap().session;
    let promised = live.expires_at;
    assert_eq!((live.end, live.absolute_until), (None, promised));
    // Idle until the last moment, and active in it: neither takes anything away, nor adds anything.
    for seconds in [0, 1_800, 3_599] {
        live.touch(promised.plus_seconds(-seconds - 1));
        assert_eq!(live.expires_at, promised);
    }
    // Nothing is left for the sweeper to tell of, long after the fact.
    let now = promised.plus_seconds(-1);
    let due = database.store.players_with_due_sessions(now, 10).await;
    assert!(due.unwrap().is_empty());
    let old = PlayerId::new("old").unwrap();
    let loaded = database.store.load(&old).await.unwrap().unwrap();
    let ids: Vec<_> = loaded.sessions.iter().map(|one| one.id).collect();
    assert_eq!(ids, [session(3)]);
}

#[tokio::test]
async fn a_history_is_read_page_by_page_with_where_each_login_came_from() {
    let database = Database::new("session_history").await;
    let store = &database.store;
    let mut player = Player::seated(store, "alice", Policy::default()).await;
    let mut expected = vec![(player.session, None)];
    for place in 1..=3_u8 {
        let id = SessionId(Uuid::now_v7());
        let address = (place > 1).then(|| format!("192.0.2.{place}"));
        let open = OpenSession {
            session: id,
            currency: Currency::from_code("EUR").unwrap(),
            token_hash: [place; 32],
            expires_at: Timestamp::from_micros(4_000_000_086_400_000_000),
            client: Client {
                address: address.clone(),
                user_agent: Some("Browser".to_owned()),
            },
        };
        player.run(&Command::OpenSession(open)).await;
        expected.push((id, address));
    }
    expected.reverse();
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let page = store.sessions(&player.state.id, before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.session.id);
        read.extend(page.into_iter().map(|row| (row.session.id, row.address)));
    }
    assert_eq!(read, expected);
    let nobody = PlayerId::new("nobody").unwrap();
    assert!(store.sessions(&nobody, None, 2).await.unwrap().is_empty());
}

const LOCK: LoginLock = LoginLock {
    window_s: 60,
    failures_max: 3,
    lock_s: 600,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(4_000_000_000_000_000).plus_seconds(seconds)
}

async fn fail(store: &Store, player: &PlayerId, seconds: i64) -> Option<Timestamp> {
    fail_under(LOCK, store, player, seconds).await
}

async fn fail_under(
    lock: LoginLock,
    store: &Store,
    player: &PlayerId,
    seconds: i64,
) -> Option<Timestamp> {
    let note = AuditNote {
        id: Uuid::now_v7(),
        at: at(seconds),
        action: AuditAction::LoginFailed,
        actor: AuditActor {
            kind: "operator",
            id: "k".to_owned(),
            person: None,
            address: None,
        },
        subject: format!("player/{player}"),
        detail: serde_json::json!({}),
    };
    let locked = store.report_login_failure(player, lock, &note).await;
    locked.unwrap()
}

#[tokio::test]
async fn failures_within_a_window_lock_and_are_noted_until_they_do() {
    let database = Database::new("login_failures").await;
    let store = &database.store;
    let alice = PlayerId::new("alice").unwrap();
    // The first is too old by the time of the third.
    for seconds in [0, 30, 60, 61] {
        assert_eq!(fail(store, &alice, seconds).await, None, "{seconds}");
        if seconds == 60 {
            // At 61 s those of 30 and 60 count: one more would lock.
            store.forget_login_failures(&alice).await.unwrap();
            assert_eq!(store.login_failures(&alice).await.unwrap(), None);
        }
    }
    assert_eq!(fail(store, &alice, 62).await, None);
    assert_eq!(store.login_failures(&alice).await.unwrap(), Some(None));
    let until = Some(at(63 + 600));
    assert_eq!(fail(store, &alice, 63).await, until);
    // While it lasts nothing is counted, and nothing lengthens it.
    for seconds in [64, 662] {
        assert_eq!(fail(store, &alice, seconds).await, until);
    }
    assert_eq!(store.login_failures(&alice).await.unwrap(), Some(until));
    assert_eq!(fail(store, &alice, 663).await, None, "counted anew");
    let client = database.client().await;
    let noted = "SELECT count(*) FROM audit_entry WHERE action = 'player.login_failed'";
    let noted: i64 = client.query_one(noted, &[]).await.unwrap().get(0);
    assert_eq!(noted, 7);
    let bob = PlayerId::new("bob").unwrap();
    let once = LoginLock {
        failures_max: 1,
        ..LOCK
    };
    let locked = fail_under(once, store, &bob, 0).await;
    assert_eq!(locked, Some(at(600)), "the first of all may lock");
}
