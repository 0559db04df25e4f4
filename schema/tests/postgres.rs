//! What only Postgres can get wrong: plans, triggers, locks, lost connections, migrations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use std::{sync::Arc, time::Duration};

use common::{Database, LANES};
use pitboss_actors::ports::{CommitError, Committed, Ledger};
use pitboss_schema::{Created, Profile, Store, StoreOptions, audit};
use pitboss_wallet::{PlayerId, TransactionScope};
use play::{Player, policy};
use tokio_postgres::{Client, error::SqlState};

fn id(text: &str) -> PlayerId {
    PlayerId::new(text).unwrap()
}

#[tokio::test]
async fn what_happened_is_never_changed_on_whatever_path() {
    let database = Database::new("append_only").await;
    let mut wide = policy();
    wide.transaction_scope = TransactionScope::Provider;
    let mut player = Player::seated(&database.store, "alice", wide).await;
    player.bet("b-1", 5).await;
    let client = database.client().await;
    let content = async || {
        let sql = "SELECT (SELECT string_agg(l::text, ' ' ORDER BY number) FROM ledger l), \
                          (SELECT string_agg(k::text, ' ' ORDER BY k::text) FROM provider_key k), \
                          (SELECT string_agg(o::text, ' ' ORDER BY last_seq) FROM outbox o)";
        let row = client.query_one(sql, &[]).await.unwrap();
        [0, 1, 2].map(|column| row.get::<_, Option<String>>(column).unwrap())
    };
    let before = content().await;
    // Of each table a column, and a key that is taken.
    for (table, column, key) in [
        ("ledger", "external_id", "(player_id, number)"),
        (
            "provider_key",
            "player_id",
            "(provider_id, kind, external_id)",
        ),
        ("outbox", "player_id", "(lane, lane_seq)"),
    ] {
        let mut refused = vec![
            format!("UPDATE {table} SET {column} = 'x'"),
            // Not even what would change nothing.
            format!("UPDATE {table} SET {column} = {column} WHERE false"),
            format!("UPDATE {table} t SET {column} = 'x' FROM player p WHERE p.id = t.player_id"),
            format!(
                "INSERT INTO {table} SELECT * FROM {table} LIMIT 1
                     ON CONFLICT {key} DO UPDATE SET {column} = 'x'"
            ),
            format!("WITH u AS (UPDATE {table} SET {column} = 'x' RETURNING 1) SELECT * FROM u"),
            format!(
                "MERGE INTO {table} t USING player p ON p.id = t.player_id
                     WHEN MATCHED THEN UPDATE SET {column} = 'x'"
            ),
            format!(
                "DO $$ DECLARE at CURSOR FOR SELECT * FROM {table} FOR UPDATE;
                 BEGIN OPEN at; MOVE at; UPDATE {table} SET {column} = 'x' WHERE CURRENT OF at; END $$"
            ),
        ];
        // Old events may be dropped one day.
        if table != "outbox" {
            refused.extend([
                format!("DELETE FROM {table}"),
                format!("DELETE FROM {table} WHERE {column} = 'nobody'"),
                format!("DELETE FROM {table} t USING player p WHERE p.id = t.player_id"),
                format!("WITH d AS (DELETE FROM {table} RETURNING 1) SELECT * FROM d"),
                format!(
                    "MERGE INTO {table} t USING player p ON p.id = t.player_id WHEN MATCHED THEN DELETE"
                ),
                format!("TRUNCATE {table}"),
                format!("TRUNCATE {table} CASCADE"),
                format!("TRUNCATE install, {table}"),
            ]);
        }
        for sql in refused {
            let error = client.batch_execute(&sql).await.unwrap_err();
            let error = error.as_db_error().unwrap();
            assert_eq!(
                error.code(),
                &SqlState::RESTRICT_VIOLATION,
                "{sql}: {error}"
            );
            let message = error.message();
            assert!(message.contains("append-only"), "{sql}: {message}");
        }
    }
    // Views show, and take nothing.
    for view in ["posting", "event"] {
        let sql = format!("DELETE FROM {view}");
        assert!(client.batch_execute(&sql).await.is_err(), "{view}");
    }
    assert_eq!(content().await, before);
}

/// A copy of the bet's ledger row with other postings, as the database takes it.
async fn copy_of_a_bet(client: &Client, postings: &str) -> Result<(), String> {
    let sql = format!(
        "CREATE TEMP TABLE copy AS SELECT * FROM ledger WHERE kind = 'bet';
         UPDATE copy SET number = 100, id = gen_random_uuid(), external_id = 'copy', {postings};
         INSERT INTO ledger SELECT * FROM copy"
    );
    client.batch_execute("BEGIN").await.unwrap();
    let answer = client.batch_execute(&sql).await;
    client.batch_execute("ROLLBACK").await.unwrap();
    answer.map_err(|error| {
        let error = error.as_db_error().unwrap();
        error.constraint().unwrap_or(error.message()).to_owned()
    })
}

#[tokio::test]
async fn the_database_refuses_postings_that_break_an_invariant() {
    let database = Database::new("constraints").await;
    let mut player = Player::seated(&database.store, "alice", policy()).await;
    player.bet("b-1", 5).await;
    let client = database.client().await;
    let row = |accounts: &str, amounts: &str, after: &str| {
        format!(
            "accounts = '{{{accounts}}}', amounts = '{{{amounts}}}', balances_after = '{{{after}}}'"
        )
    };
    for good in [
        row("", "", ""),
        row("CASH,HOUSE:demo", "-5,5", "0,NULL"),
        row("RECEIVABLE,HOUSE:demo", "-5,5", "-5,NULL"),
        row("CASH,RECEIVABLE,HOUSE:demo", "-5,-5,10", "0,-5,NULL"),
    ] {
        assert_eq!(copy_of_a_bet(&client, &good).await, Ok(()), "{good}");
    }
    for (bad, constraint) in [
        (row("CASH,HOUSE:demo", "-5,4", "0,NULL"), "sums_to_zero"),
        (row("CASH,HOUSE:demo", "-5,NULL", "0,NULL"), "sums_to_zero"),
        (row("CASH", "0", "0"), "sums_to_zero"),
        (row("CASH,CASH,CASH", "1,2,3", "1,3,6"), "sums_to_zero"),
        (row("CASH,CASH,CASH", "1,NULL,-1", "1,3,6"), "sums_to_zero"),
        (row("CASH,HOUSE:demo", "-5,5", "-1,NULL"), "only_receivable_is_owed"),
        (row("HOUSE:demo,CASH", "-5,5", "NULL,-1"), "only_receivable_is_owed"),
        (row("CASH,RECEIVABLE,HOUSE:demo", "-5,-5,10", "-1,-5,NULL"), "only_receivable_is_owed"),
        (row("CASH,HOUSE:demo", "-5,5", "0"), "postings_are_whole"),
        (row("CASH", "-5,5", "0,NULL"), "postings_are_whole"),
        (
            "accounts = '{CASH,HOUSE:demo}', amounts = '[0:1]={-5,4}', balances_after = '{0,NULL}'".to_owned(),
            "sums_to_zero",
        ),
        (
            "accounts = '{CASH,HOUSE:demo}', amounts = '{-5,5}', balances_after = '[5:6]={-1,NULL}'".to_owned(),
            "only_receivable_is_owed",
        ),
        ("currency = NULL, amount = NULL".to_owned(), "currency_is_told"),
    ] {
        let answer = copy_of_a_bet(&client, &bad).await;
        assert_eq!(answer, Err(constraint.to_owned()), "{bad}");
    }
}

#[tokio::test]
async fn a_lost_connection_leaves_the_outcome_unknown_and_the_next_writer_works() {
    let database = Database::new("lost").await;
    let mut player = Player::seated(&database.store, "alice", policy()).await;
    let client = database.client().await;
    let decision = player.decide_bet("b-1", 5).await;
    // Somebody holds the player's row; meanwhile the writer's connection is cut.
    let mut holder = database.client().await;
    let lock = holder.transaction().await.unwrap();
    lock.batch_execute("SELECT * FROM player FOR UPDATE")
        .await
        .unwrap();
    let writer = database.store.writer().await.unwrap();
    let batch = [decision.clone()];
    let (answer, ()) = tokio::join!(writer.commit(&batch), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        client
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE application_name = 'pitboss writer' AND wait_event_type = 'Lock' \
                     AND datname = current_database()",
                &[],
            )
            .await
            .unwrap();
    });
    assert!(matches!(answer, Err(CommitError::Unknown(_))), "{answer:?}");
    lock.rollback().await.unwrap();
    // Nobody uses a broken writer again; if one does, nothing is written.
    let again = writer.commit(&batch).await;
    assert!(matches!(again, Err(CommitError::Failed(_))), "{again:?}");
    let writer = database.store.writer().await.unwrap();
    let answers = writer.commit(&batch).await.unwrap();
    assert_eq!(answers, [Committed::Durable]);
    player.applied(&decision).await;
}

#[tokio::test]
async fn a_row_that_is_held_for_long_fails_the_commit_and_not_its_outcome() {
    let options = StoreOptions {
        lock_timeout: Duration::from_millis(200),
        ..StoreOptions::default()
    };
    let database = Database::with("held", options).await;
    let player = Player::seated(&database.store, "alice", policy()).await;
    let decision = player.decide_bet("b-1", 5).await;
    let mut holder = database.client().await;
    let lock = holder.transaction().await.unwrap();
    lock.batch_execute("SELECT * FROM player FOR UPDATE")
        .await
        .unwrap();
    let writer = database.store.writer().await.unwrap();
    let batch = [decision];
    let answer = writer.commit(&batch).await;
    assert!(matches!(answer, Err(CommitError::Failed(_))), "{answer:?}");
    lock.rollback().await.unwrap();
    assert_eq!(writer.commit(&batch).await.unwrap(), [Committed::Durable]);
}

#[tokio::test]
async fn writers_that_cross_each_other_are_not_deadlocked_for_good() {
    let mut wide = policy();
    wide.transaction_scope = TransactionScope::Provider;
    let database = Database::new("crossing").await;
    let store = &database.store;
    let mut players = Vec::new();
    for n in 0..16 {
        players.push(Player::seated(store, &format!("p-{n}"), wide.clone()).await);
    }
    // Two nodes decide the same requests for the same players, in opposite orders.
    for turn in 0..20 {
        let mut batch = Vec::new();
        for (n, player) in players.iter().enumerate() {
            batch.push(player.decide_bet(&format!("t-{turn}-{n}"), 1).await);
        }
        let mut mirrored = Vec::new();
        for (n, player) in players.iter().enumerate().rev() {
            let other = format!("t-{turn}-{}", (n + 1) % players.len());
            mirrored.push(player.decide_bet(&other, 1).await);
        }
        let one = store.writer().await.unwrap();
        let two = store.writer().await.unwrap();
        let (first, second) = tokio::join!(one.commit(&batch), two.commit(&mirrored));
        let (first, second) = (first.unwrap(), second.unwrap());
        let count = |answers: &[Committed]| {
            let durable = answers.iter().filter(|a| **a == Committed::Durable);
            durable.count()
        };
        assert!(count(&first) + count(&second) >= players.len() / 2);
        for player in &mut players {
            player.reload().await;
        }
    }
    let report = audit::audit(store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_told_in_bounded_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://x@{}/x", listener.local_addr().unwrap());
    let options = StoreOptions {
        connect_timeout: Duration::from_millis(300),
        answer_timeout: Duration::from_millis(600),
        ..StoreOptions::default()
    };
    let store = Store::connect(&url, options).unwrap();
    let bounded = async {
        store.ping().await.unwrap_err();
        assert!(store.writer().await.is_err());
        store.load(&id("alice")).await.unwrap_err();
    };
    tokio::time::timeout(Duration::from_secs(5), bounded)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_player_is_created_once_on_the_lane_of_his_id() {
    let database = Database::new("players").await;
    let store = &database.store;
    let alice = id("alice");
    assert!(store.player(&alice).await.unwrap().is_none());
    let of = |country: &str| Profile {
        country: Some(country.to_owned()),
        ..Profile::default()
    };
    let made = store.create_player(&alice, &of("SE")).await.unwrap();
    assert_eq!(made, Created::Created);
    let again = store.create_player(&alice, &of("DE")).await.unwrap();
    assert_eq!(again, Created::Exists);
    let row = store.player(&alice).await.unwrap().unwrap();
    assert_eq!(row.country.as_deref(), Some("SE"));
    assert_eq!(row.lane, pitboss_schema::lane_of(&alice, LANES));
    let state = Arc::new(store.load(&alice).await.unwrap().unwrap());
    assert_eq!((state.version, state.lane), (0, row.lane));
}
