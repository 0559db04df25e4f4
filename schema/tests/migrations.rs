//! Installing and upgrading: from every version to the next, on data, and what may go wrong on the way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use common::{Database, LANES};
use pitboss_actors::ports::{Committed, Ledger};
use pitboss_schema::{SCHEMA_VERSION, Store, StoreError, StoreOptions, audit};
use pitboss_wallet::{PlayerId, TransactionScope};
use play::{Player, history::lenient};
use refinery::Target;
use tokio_postgres::Client;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// What the first version wrote.
const V1: &str = include_str!("fixtures/v1.sql");

fn versions() -> Vec<i32> {
    let runner = embedded::migrations::runner();
    let migrations = runner.get_migrations().iter();
    let mut versions: Vec<i32> = migrations.map(|migration| migration.version()).collect();
    versions.sort_unstable();
    versions
}

/// As the program of that version did it.
async fn migrate_to(client: &mut Client, version: i32) {
    let runner = embedded::migrations::runner().set_target(Target::Version(version));
    runner.run_async(client).await.unwrap();
}

fn opened(database: &Database) -> Store {
    Store::connect(&database.url, StoreOptions::default()).unwrap()
}

async fn text(client: &Client, sql: &str) -> String {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// The tables with their columns, of this moment.
async fn columns(client: &Client) -> Vec<(String, String)> {
    let sql = "SELECT c.table_name::text, string_agg(quote_ident(c.column_name), ', ' ORDER BY c.ordinal_position) \
               FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
               WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' \
                   AND c.table_name <> 'refinery_schema_history' \
               GROUP BY c.table_name ORDER BY c.table_name";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// All that is in these columns.
async fn content(client: &Client, tables: &[(String, String)]) -> Vec<String> {
    let mut content = Vec::new();
    for (table, columns) in tables {
        let sql = format!(
            "SELECT coalesce(string_agg(r::text, E'\\n' ORDER BY r::text), '') FROM (SELECT {columns} FROM {table}) r"
        );
        content.push(format!("{table}:\n{}", text(client, &sql).await));
    }
    content
}

/// Everything that a migration may make.
async fn relations(client: &Client) -> String {
    let sql = "SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM ( \
                   SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                   UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace \
                   UNION ALL SELECT typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace \
                   UNION ALL SELECT attrelid::regclass || '.' || attname FROM pg_attribute \
                       JOIN pg_class ON pg_class.oid = attrelid AND relnamespace = 'public'::regnamespace \
               ) made";
    text(client, sql).await
}

#[tokio::test]
async fn the_data_of_the_first_version_survives_every_migration_and_plays_on() {
    let database = Database::empty("upgrade", StoreOptions::default()).await;
    let mut client = database.client().await;
    let versions = versions();
    migrate_to(&mut client, versions[0]).await;
    client.batch_execute(V1).await.unwrap();
    let tables = columns(&client).await;
    let written = content(&client, &tables).await;
    assert!(
        written.iter().all(|table| table.lines().count() > 1),
        "{written:#?}"
    );
    for version in &versions[1..] {
        let error = opened(&database).check_installed().await.unwrap_err();
        assert!(
            error.to_string().contains("run `pitboss migrate`"),
            "{error}"
        );
        migrate_to(&mut client, *version).await;
        let now = content(&client, &tables).await;
        for (before, now) in written.iter().zip(&now) {
            assert_eq!(before, now, "changed by V{version}");
        }
    }
    let incarnation = text(&client, "SELECT incarnation::text FROM install").await;
    let store = opened(&database);
    let install = store.migrate(LANES).await.unwrap();
    assert_eq!(install.incarnation.to_string(), incarnation);
    let report = audit::audit(&store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");

    for (name, scope) in [
        ("alice", TransactionScope::Player),
        ("bob", TransactionScope::Provider),
    ] {
        let id = |text: &str| format!("{name} {text}");
        let mut player = Player::returning(&store, name, lenient(scope)).await;
        assert_eq!(player.state.wallets.len(), 2);
        assert_eq!(player.state.rounds.len(), 4, "{:#?}", player.state.rounds);
        let newest = player.state.last_event;
        // What was settled then is settled now: a repeat, and a bet whose rollback came first.
        for old in ["b-1", "ghost"] {
            let decision = player.decide_bet(&id(old), 100).await;
            let writer = store.writer().await.unwrap();
            let answers = writer.commit(&[decision]).await.unwrap();
            assert_eq!(answers, [Committed::Stale], "{old}");
        }
        // New play, in a round of then too, and a correction of then.
        player.bet("new", 5).await;
        player.run(&player.bet_in("more", "r-3", 5)).await;
        player.take_back("back", &id("w-1"), None).await;
        let events = store.events(&player.state.id, 0, i64::MAX, 1_000).await;
        let seqs: Vec<i64> = events.unwrap().iter().map(|event| event.seq).collect();
        let all: Vec<i64> = (1..=player.state.last_event).collect();
        assert_eq!(seqs, all);
        assert!(player.state.last_event > newest);
        let played = player.state.clone();
        player.reload().await;
        assert_eq!(player.state.wallets, played.wallets);
    }
    let report = audit::audit(&store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
}

#[tokio::test]
async fn a_database_is_migrated_once_however_many_try() {
    let database = Database::empty("migrate", StoreOptions::default()).await;
    let store = &database.store;
    let missing = store.check_installed().await.unwrap_err();
    assert!(matches!(missing, StoreError::NotInstalled), "{missing}");
    let others = [opened(&database), opened(&database)];
    let (one, two, three) = tokio::join!(
        store.migrate(LANES),
        others[0].migrate(LANES),
        others[1].migrate(LANES)
    );
    let installed = one.unwrap();
    assert_eq!([installed, installed], [two.unwrap(), three.unwrap()]);

    // Once more: nothing is written.
    let client = database.client().await;
    let all = "SELECT string_agg(h::text, ' ' ORDER BY version) || (SELECT i::text FROM install i) \
               FROM refinery_schema_history h";
    let before = text(&client, all).await;
    assert_eq!(opened(&database).migrate(LANES).await.unwrap(), installed);
    assert_eq!(text(&client, all).await, before);

    let error = store.migrate(LANES + 1).await.unwrap_err();
    assert!(
        error.to_string().contains("installed with 4 lanes"),
        "{error}"
    );
}

#[tokio::test]
async fn an_upgrade_with_data_is_made_once_however_many_try() {
    let database = Database::empty("upgraded", StoreOptions::default()).await;
    let mut client = database.client().await;
    migrate_to(&mut client, versions()[0]).await;
    client.batch_execute(V1).await.unwrap();
    let stores = [opened(&database), opened(&database)];
    let (one, two) = tokio::join!(stores[0].migrate(LANES), stores[1].migrate(LANES));
    assert_eq!(one.unwrap(), two.unwrap());
    let alice = PlayerId::new("alice").unwrap();
    assert!(stores[0].load(&alice).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_and_left_alone() {
    let database = Database::new("newer").await;
    let client = database.client().await;
    client
        .batch_execute("INSERT INTO refinery_schema_history (version, name) VALUES (999, 'future')")
        .await
        .unwrap();
    let before = relations(&client).await;
    let other = opened(&database);
    for error in [
        other.check_installed().await.unwrap_err(),
        other.migrate(LANES).await.unwrap_err(),
        audit::audit(&other, |_| {}).await.unwrap_err(),
    ] {
        assert!(
            matches!(error, StoreError::SchemaVersion { found: 999, needed } if needed == SCHEMA_VERSION),
            "{error}"
        );
        assert!(error.to_string().contains("newer pitboss"), "{error}");
    }
    assert_eq!(relations(&client).await, before);
}

#[tokio::test]
async fn a_migration_that_is_cut_short_leaves_nothing_and_is_made_again() {
    let database = Database::empty("cut_short", StoreOptions::default()).await;
    let mut client = database.client().await;
    // The history alone.
    migrate_to(&mut client, 0).await;
    client
        .batch_execute(
            "CREATE SCHEMA fault;
             CREATE FUNCTION fault.crash() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$",
        )
        .await
        .unwrap();
    let mut done = Vec::new();
    for version in versions() {
        // The last thing of a migration is its line in the history: everything else is done by then.
        client
            .batch_execute(
                "CREATE TRIGGER crash BEFORE INSERT ON refinery_schema_history
                     FOR EACH ROW EXECUTE FUNCTION fault.crash()",
            )
            .await
            .unwrap();
        let before = relations(&client).await;
        let error = opened(&database).migrate(LANES).await.unwrap_err();
        assert!(matches!(error, StoreError::Migration(_)), "{error}");
        assert_eq!(relations(&client).await, before, "V{version}");
        client
            .batch_execute("DROP TRIGGER crash ON refinery_schema_history")
            .await
            .unwrap();
        migrate_to(&mut client, version).await;
        done.push(version.to_string());
        let history =
            "SELECT string_agg(version::text, ' ' ORDER BY version) FROM refinery_schema_history";
        assert_eq!(text(&client, history).await, done.join(" "));
        if version == versions()[0] {
            client.batch_execute(V1).await.unwrap();
        }
    }
    let store = opened(&database);
    store.migrate(LANES).await.unwrap();
    assert!(audit::audit(&store, |_| {}).await.unwrap().is_clean());
}

#[tokio::test]
async fn an_installation_that_is_cut_short_before_its_lanes_is_finished() {
    let database = Database::empty("no_lanes", StoreOptions::default()).await;
    let mut client = database.client().await;
    migrate_to(&mut client, SCHEMA_VERSION).await;
    let error = opened(&database).check_installed().await.unwrap_err();
    assert!(matches!(error, StoreError::NotInstalled), "{error}");
    let install = opened(&database).migrate(LANES).await.unwrap();
    assert_eq!(install.lanes, LANES);
}
