//! The plans that Postgres makes while the tables are empty: it keeps them, and they must not get slower with
//! every row.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod explain;

use common::Database;
use explain::*;

#[tokio::test]
async fn the_commit_looks_everything_up_by_its_whole_key() {
    let database = Database::new("plan_commit").await;
    let sql = include_str!("../queries/commit_batch.sql");
    let plan = plan(&database, sql, 9).await;
    check_session(&plan);
    check(
        &plan,
        &[
            ("player_pkey", &["id"]),
            PROVIDER_KEY,
            ("balance_pkey", &["player_id", "currency", "account"]),
            ROUND,
            ("lane_pkey", &["id"]),
        ],
    );
}

#[tokio::test]
async fn the_commit_of_payments_looks_them_up_by_their_whole_key() {
    let database = Database::new("plan_payments").await;
    let bets = include_str!("../queries/commit_batch.sql");
    let payments = include_str!("../queries/commit_payments.sql");
    let sql = bets.replace("-- <payments>\n", payments);
    assert_ne!(sql, bets);
    let plan = plan(&database, &sql, 11).await;
    assert!(plan.contains("payment_pkey"), "{plan}");
    check_session(&plan);
}

#[tokio::test]
async fn what_is_taken_is_looked_up_by_its_whole_key() {
    let database = Database::new("plan_taken").await;
    let sql = include_str!("../queries/taken_entries.sql");
    let plan = plan(&database, sql, 5).await;
    check_session(&plan);
    check(
        &plan,
        &[
            KEY,
            REVERSAL,
            PROVIDER_KEY,
            ROUND,
            ("balance_pkey", &["player_id", "currency", "account"]),
            ("one_token_one_session", &["token_hash"]),
        ],
    );
}

#[tokio::test]
async fn the_load_of_a_player_does_not_grow_with_his_history() {
    let database = Database::new("plan_load").await;
    let sql = include_str!("../queries/load_player.sql");
    let plan = plan(&database, sql, 3).await;
    check(
        &plan,
        &[
            ("player_pkey", &["id"]),
            ("balance_pkey", &["player_id"]),
            ("round_by_player", &["is_open", "player_id"]),
            ENTRIES,
            REVERSAL,
            ("session_live", &["player_id"]),
        ],
    );
    assert!(
        !plan.contains("round_pkey"),
        "all rounds of a player:\n{plan}"
    );
}

#[tokio::test]
async fn facts_are_looked_up_by_their_whole_key() {
    let database = Database::new("plan_find").await;
    let sql = include_str!("../queries/find_facts.sql");
    let live = ("session_live", &["player_id"][..]);
    let payment = ("payment_pkey", &["player_id", "id"][..]);
    let indexes = [KEY, PROVIDER_KEY, ROUND, ENTRIES, REVERSAL, live, payment];
    let plan = plan(&database, sql, 15).await;
    check_session(&plan);
    check(&plan, &indexes);
}

#[tokio::test]
async fn lists_are_read_in_the_order_of_an_index() {
    let database = Database::new("plan_lists").await;
    let before = include_str!("../queries/transactions_before.sql");
    let ledger = [("ledger_pkey", &["player_id"][..]), REVERSAL];
    check(&plan(&database, before, 3).await, &ledger);
    let rounds = include_str!("../queries/rounds_before.sql");
    let plan_of_rounds = plan(&database, rounds, 5).await;
    check(
        &plan_of_rounds,
        &[("round_by_player", &["is_open", "player_id"])],
    );
    let events = include_str!("../queries/player_events.sql");
    check(
        &plan(&database, events, 4).await,
        &[("one_seq_one_event", &["player_id"])],
    );
    let outbox = include_str!("../queries/read_outbox.sql");
    check(
        &plan(&database, outbox, 3).await,
        &[("outbox_pkey", &["lane"])],
    );
    let moved = include_str!("../queries/moved_players.sql");
    check(
        &plan(&database, moved, 3).await,
        &[("outbox_pkey", &["lane"])],
    );
    let ended = include_str!("../queries/ended_sessions.sql");
    check_session(&plan(&database, ended, 3).await);
    let postings = "SELECT * FROM posting WHERE player_id = $1::text";
    check(&plan(&database, postings, 1).await, &[]);
    let events = "SELECT * FROM event WHERE player_id = $1::text";
    check(&plan(&database, events, 1).await, &[]);
}

/// Whether a line of a plan reads a table or an index of it, and by what: the next line that tells a condition.
fn reads<'a>(lines: &[&'a str]) -> Vec<(&'a str, Option<&'a str>)> {
    let of_a_plan = |line: &str| line.contains("->  ") || line.contains(" Scan ");
    let mut reads = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let is_scan = line.contains("Index Scan ")
            || line.contains("Index Only Scan ")
            || line.contains("Bitmap Index Scan ")
            || line.contains("Seq Scan ");
        if is_scan {
            let details = lines[at + 1..].iter().take_while(|line| !of_a_plan(line));
            let condition = details.copied().find(|line| line.contains("Index Cond: "));
            reads.push((*line, condition));
        }
    }
    reads
}

#[tokio::test]
async fn the_audit_of_one_player_reads_his_rows_alone() {
    let database = Database::new("plan_audit").await;
    let client = database.client().await;
    client
        .batch_execute(
            "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
             SET plan_cache_mode = force_custom_plan",
        )
        .await
        .unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries/audit");
    let mut asked = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let sql = std::fs::read_to_string(&file).unwrap();
        let more = if sql.contains("$3") {
            ", '{EUR}', '{6}'"
        } else {
            ""
        };
        client
            .batch_execute(&format!("DEALLOCATE ALL; PREPARE question AS {sql}"))
            .await
            .unwrap();
        let explain = format!("EXPLAIN EXECUTE question('alice'{more})");
        let rows = client.query(&explain, &[]).await.unwrap();
        let plan: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        let reads = reads(&plan);
        let shown = format!("{}\n{}", file.display(), plan.join("\n"));
        assert!(!reads.is_empty(), "{shown}");
        for (scan, condition) in reads {
            let condition = condition.unwrap_or_default();
            let by_player = condition.contains("player_id = ")
                // His own row, and his lane.
                || scan.contains("player_pkey") && condition.contains("(id = ")
                || scan.contains("lane_publisher_pkey") && condition.contains("(lane = ")
                // One row.
                || scan.contains("audit_head")
                // A key of his, looked up.
                || scan.contains("provider_key_pkey") && condition.contains("(external_id = ");
            assert!(by_player, "{scan}\n{condition}\nin {shown}");
        }
        asked += 1;
    }
    assert!(asked > 20);
}

#[tokio::test]
async fn the_feed_is_read_in_the_order_of_an_index_from_its_position_on() {
    let database = Database::new("plan_feed").await;
    let lane = [("outbox_pkey", &["lane"][..])];
    for (sql, parameters) in [
        (include_str!("../queries/feed_ends.sql"), 0),
        (include_str!("../queries/feed_page.sql"), 2),
        (include_str!("../queries/feed_moment.sql"), 1),
        (include_str!("../queries/feed_event.sql"), 3),
    ] {
        check(&plan(&database, sql, parameters).await, &lane);
    }
    let of_player = include_str!("../queries/feed_of_player.sql");
    check(
        &plan(&database, of_player, 3).await,
        &[
            ("player_pkey", &["id"]),
            ("one_seq_one_event", &["player_id"]),
        ],
    );
}
