//! The plans that Postgres makes while the tables are empty: it keeps them, and they must not get slower with
//! every row.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Database;

/// The generic plan of a statement, with the session settings of the store's writers.
async fn plan(database: &Database, sql: &str, parameters: usize) -> String {
    plan_with(database, "", sql, parameters).await
}

/// The same, with the settings of its pool.
async fn plan_of_list(database: &Database, sql: &str, parameters: usize) -> String {
    plan_with(database, "SET enable_bitmapscan = off", sql, parameters).await
}

async fn plan_with(database: &Database, more: &str, sql: &str, parameters: usize) -> String {
    let client = database.client().await;
    client.batch_execute(more).await.unwrap();
    client
        .batch_execute(
            "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
             SET plan_cache_mode = force_generic_plan",
        )
        .await
        .unwrap();
    client
        .batch_execute(&format!("PREPARE question AS {sql}"))
        .await
        .unwrap();
    let parameters = match parameters {
        0 => String::new(),
        _ => format!("({})", vec!["NULL"; parameters].join(", ")),
    };
    let rows = client
        .query(&format!("EXPLAIN EXECUTE question{parameters}"), &[])
        .await
        .unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    lines.join("\n")
}

/// Each index must be used, and wherever it is, with all of these columns: by the player alone it would read
/// all that he ever did.
fn check(plan: &str, indexes: &[(&str, &[&str])]) {
    for slow in ["Seq Scan", "Hash Join", "Merge Join"] {
        assert!(!plan.contains(slow), "{slow} in\n{plan}");
    }
    let lines: Vec<&str> = plan.lines().collect();
    for (index, columns) in indexes {
        let mut uses = 0;
        for (at, line) in lines.iter().enumerate() {
            let word = format!(" {index} ");
            if !line.contains("Index") || !line.contains(&word) {
                continue;
            }
            uses += 1;
            let condition = lines.get(at + 1).copied().unwrap_or_default();
            for column in *columns {
                let looked_up = format!("({column} = ");
                let is_used = condition.contains(&looked_up)
                    || condition.contains(&format!(": {looked_up}"))
                    || condition.contains(&format!("({column} = true)"))
                    || condition.contains(&format!("({column} <= "));
                assert!(is_used, "{index} without {column}: {condition}\n{plan}");
            }
        }
        assert!(uses > 0, "{index} is not in\n{plan}");
    }
}

const KEY: (&str, &[&str]) = (
    "one_key_one_movement",
    &["player_id", "provider_id", "kind", "external_id"],
);
const PROVIDER_KEY: (&str, &[&str]) =
    ("provider_key_pkey", &["provider_id", "kind", "external_id"]);
const ROUND: (&str, &[&str]) = (
    "round_pkey",
    &["player_id", "provider_id", "scope_game", "round_id"],
);
/// A session by its whole key, or by its id, which is one session's alone: on empty tables both cost the same.
fn check_session(plan: &str) {
    let by_id = plan.contains("session_by_id ");
    let index: (&str, &[&str]) = if by_id {
        ("session_by_id", &["id"])
    } else {
        ("session_pkey", &["player_id", "id"])
    };
    check(plan, &[index]);
}

/// The entries of a round, by their numbers.
const ENTRIES: (&str, &[&str]) = ("ledger_pkey", &["player_id", "number"]);
const REVERSAL: (&str, &[&str]) = ("ledger_reversed_once", &["player_id", "reverses"]);

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
    let indexes = [KEY, PROVIDER_KEY, ROUND, ENTRIES, REVERSAL, live];
    let plan = plan(&database, sql, 13).await;
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

#[tokio::test]
async fn lists_of_players_are_read_in_the_order_of_an_index() {
    let database = Database::new("plan_players").await;
    for (sql, index, columns) in [
        (
            include_str!("../queries/players_by_creation.sql"),
            "player_by_creation",
            &[][..],
        ),
        (
            include_str!("../queries/players_by_status.sql"),
            "player_by_status",
            &["status"],
        ),
        (
            include_str!("../queries/players_by_country.sql"),
            "player_by_country",
            &["country"],
        ),
        (
            include_str!("../queries/players_of_test.sql"),
            "player_of_test",
            &[],
        ),
        (
            include_str!("../queries/players_by_id.sql"),
            "player_pkey",
            &[],
        ),
    ] {
        let plan = plan_of_list(&database, sql, 10).await;
        // A key's column is cast to text for a comparison that the index makes all the same.
        let plan = plan.replace("((status)::text = ", "(status = ");
        check(
            &plan,
            &[(index, columns), ("player_profile_pkey", &["player_id"])],
        );
        assert!(!plan.contains("Sort"), "{plan}");
    }
}

#[tokio::test]
async fn lists_of_approvals_are_read_in_the_order_of_an_index() {
    let database = Database::new("plan_approvals").await;
    for (sql, parameters, index, columns) in [
        (
            include_str!("../queries/approvals_by_creation.sql"),
            6,
            "approval_by_creation",
            &[][..],
        ),
        (
            include_str!("../queries/approvals_by_state.sql"),
            6,
            "approval_by_state",
            &["state"],
        ),
        (
            include_str!("../queries/approvals_by_player.sql"),
            6,
            "approval_by_player",
            &["player_id"],
        ),
        (
            include_str!("../queries/approvals_due.sql"),
            2,
            "approval_due",
            &["expires_at"],
        ),
        (
            include_str!("../queries/approvals_unfinished.sql"),
            2,
            "approval_unfinished",
            &["decided_at"],
        ),
    ] {
        let plan = plan_of_list(&database, sql, parameters).await;
        check(&plan, &[(index, columns)]);
        assert!(!plan.contains("Sort"), "{plan}");
    }
}

#[tokio::test]
async fn a_statement_reads_a_range_of_numbers_and_nothing_else() {
    let database = Database::new("plan_statement").await;
    let lines = include_str!("../queries/statement_lines.sql");
    let plan_of_lines = plan(&database, lines, 5).await;
    check(&plan_of_lines, &[("ledger_pkey", &["player_id"])]);
    assert!(
        plan_of_lines.contains("(number >= $3) AND (number < $4)")
            && !plan_of_lines.contains("Sort"),
        "{plan_of_lines}"
    );
    let balances = include_str!("../queries/statement_balances.sql");
    let plan_of_balances = plan(&database, balances, 3).await;
    check(
        &plan_of_balances,
        &[
            ("balance_pkey", &["player_id", "currency"]),
            ("ledger_pkey", &["player_id"]),
            ("ledger_of_debts", &["player_id"]),
        ],
    );
    assert!(!plan_of_balances.contains("Sort"), "{plan_of_balances}");
}

#[tokio::test]
async fn trimming_reads_each_lane_from_its_oldest_row_on() {
    let database = Database::new("plan_trim").await;
    let sql = include_str!("../queries/trim_outbox.sql");
    let plan = plan(&database, sql, 4).await;
    // There are `webhooks.endpoints_max` rows of this one at most.
    let plan = plan.replace("Seq Scan on webhook w", "");
    // And as many of this one as the server has readers of its own.
    let plan = plan.replace("Seq Scan on event_reader r", "");
    check(&plan, &[("outbox_pkey", &["lane"]), ("lane_pkey", &["id"])]);
}

#[tokio::test]
async fn a_webhook_looks_for_what_is_due_among_what_waits_alone() {
    let database = Database::new("plan_webhooks").await;
    let waiting = [("webhook_message_due", &["webhook_id"][..])];
    for (sql, parameters) in [
        (include_str!("../queries/webhook_due.sql"), 3),
        (include_str!("../queries/webhook_next_due.sql"), 1),
    ] {
        let plan = plan(&database, sql, parameters).await;
        check(&plan, &waiting);
        assert!(plan.contains("is_dead = false"), "{plan}");
    }
    let pages = include_str!("../queries/webhook_dead.sql");
    check(
        &plan(&database, pages, 3).await,
        &[("webhook_message_pkey", &["webhook_id"])],
    );
}

#[tokio::test]
async fn the_log_of_callbacks_is_read_and_trimmed_in_the_order_of_time() {
    let database = Database::new("plan_callbacks").await;
    for (sql, parameters) in [
        (include_str!("../queries/callback_log_page.sql"), 11),
        (include_str!("../queries/callback_log_trim.sql"), 4),
    ] {
        let plan = plan(&database, sql, parameters).await;
        check(&plan, &[("callback_log_by_time", &["provider_id"])]);
        // What is kept of the page is sorted; the table never is.
        let reads = plan.matches("callback_log_by_time").count();
        let by_key = plan.matches("callback_log_pkey").count();
        assert!(
            reads > 0 && by_key == usize::from(parameters == 4),
            "{plan}"
        );
    }
    let entry = include_str!("../queries/callback_log_entry.sql");
    check(
        &plan(&database, entry, 2).await,
        &[("callback_log_pkey", &["number"])],
    );
    let accounts = include_str!("../queries/provider_list.sql");
    let plan = plan(&database, accounts, 2).await;
    assert!(
        plan.contains("provider_pkey") && !plan.contains("Sort"),
        "{plan}"
    );
}

#[tokio::test]
async fn the_audit_log_is_listed_in_the_order_of_an_index_for_each_filter() {
    let database = Database::new("plan_audit_log").await;
    for (sql, parameters, index, columns) in [
        (
            include_str!("../queries/audit_by_time.sql"),
            4,
            "audit_by_time",
            &[][..],
        ),
        (
            include_str!("../queries/audit_by_subject.sql"),
            7,
            "audit_by_subject",
            &["subject"],
        ),
        (
            include_str!("../queries/audit_by_actor.sql"),
            6,
            "audit_by_actor",
            &["actor_id"],
        ),
        (
            include_str!("../queries/audit_by_action.sql"),
            5,
            "audit_by_action",
            &["action"],
        ),
    ] {
        let plan = plan(&database, sql, parameters).await;
        check(&plan, &[(index, columns)]);
        assert!(!plan.contains("Sort"), "{plan}");
        assert!(plan.contains("ROW(at, number) < ROW("), "{plan}");
    }
    let page = include_str!("../queries/significant_page.sql");
    check(
        &plan(&database, page, 3).await,
        &[("outbox_pkey", &["lane"])],
    );
    let keys = include_str!("../queries/key_list.sql");
    check(
        &plan(&database, keys, 2).await,
        &[("operator_key_pkey", &[])],
    );
    let key = include_str!("../queries/operator_key.sql");
    let plan = plan(&database, key, 1).await;
    check(
        &plan,
        &[
            ("operator_key_hash_key", &["hash"]),
            ("operator_key_old_hash_key", &["old_hash"]),
        ],
    );
}

#[tokio::test]
async fn the_sweeper_reads_open_rounds_only() {
    let database = Database::new("plan_sweeper").await;
    let sql = include_str!("../queries/overdue_rounds.sql");
    let plan = plan(&database, sql, 2).await;
    assert!(!plan.contains("Seq Scan on round"), "{plan}");
    assert!(plan.contains("round_by_player"), "{plan}");
    assert!(plan.contains("(is_open = true)"), "{plan}");
}

#[tokio::test]
async fn sessions_whose_time_is_over_are_read_in_their_order_and_histories_too() {
    let database = Database::new("plan_due").await;
    let due = include_str!("../queries/due_sessions.sql");
    let plan_of_due = plan(&database, due, 2).await;
    check(&plan_of_due, &[("session_due", &["expires_at"])]);
    let history = include_str!("../queries/sessions_before.sql");
    let plan_of_history = plan(&database, history, 3).await;
    check(&plan_of_history, &[("session_pkey", &["player_id"])]);
    assert!(plan_of_history.contains("(id < "), "{plan_of_history}");
    for plan in [plan_of_history, plan_of_due] {
        assert_eq!(plan.matches("Sort Key: s.").count(), 0, "{plan}");
    }
    let lock = include_str!("../queries/login_lock.sql");
    check(
        &plan(&database, lock, 1).await,
        &[("login_failure_pkey", &["player_id"])],
    );
}

#[tokio::test]
async fn a_session_is_found_by_its_id_or_its_token_alone() {
    let database = Database::new("plan_session").await;
    let by_id = include_str!("../queries/session_by_id.sql");
    check(
        &plan(&database, by_id, 1).await,
        &[("session_by_id", &["id"])],
    );
    let by_token = include_str!("../queries/session_by_token.sql");
    check(
        &plan(&database, by_token, 1).await,
        &[("one_token_one_session", &["token_hash"])],
    );
}

#[tokio::test]
async fn what_changed_in_the_catalogue_is_found_by_its_number() {
    let database = Database::new("plan_games").await;
    let games = plan(&database, include_str!("../queries/games_changed.sql"), 1).await;
    assert!(games.contains("game_by_change"), "{games}");
    let sql = include_str!("../queries/game_blocks_changed.sql");
    let blocks = plan(&database, sql, 1).await;
    assert!(blocks.contains("game_block_by_change"), "{blocks}");
    for (sql, index) in [
        (include_str!("../queries/games_by_id.sql"), "game_pkey"),
        (
            include_str!("../queries/game_blocks_of_player.sql"),
            "player_id",
        ),
    ] {
        let plan = plan(&database, sql, 1).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{plan}");
    }
}

#[tokio::test]
async fn a_search_reads_an_index_from_its_cursor_on() {
    let database = Database::new("plan_search").await;
    let by_id = ("ledger_by_id", &["id"][..]);
    let by_number = ("ledger_pkey", &["player_id"][..]);
    let events = ("one_seq_one_event", &["player_id"][..]);
    let of_player = ("round_by_player", &["is_open", "player_id"][..]);
    type Indexes<'a> = &'a [(&'a str, &'a [&'a str])];
    let questions: &[(&str, usize, Indexes<'_>)] = &[
        (
            include_str!("../queries/search_of_player.sql"),
            13,
            &[by_number, REVERSAL],
        ),
        (
            include_str!("../queries/search_by_key.sql"),
            4,
            &[KEY, PROVIDER_KEY, REVERSAL],
        ),
        (
            include_str!("../queries/transaction_by_id.sql"),
            1,
            &[by_id, REVERSAL],
        ),
        (
            include_str!("../queries/transaction_events.sql"),
            3,
            &[events],
        ),
        (include_str!("../queries/round_events.sql"), 6, &[events]),
        (
            include_str!("../queries/rounds_of_player.sql"),
            12,
            &[of_player],
        ),
        (include_str!("../queries/round_by_key.sql"), 4, &[ROUND]),
        (
            include_str!("../queries/round_transactions.sql"),
            7,
            &[ROUND, KEY, REVERSAL, by_number],
        ),
        (
            include_str!("../queries/round_sessions.sql"),
            7,
            &[("session_pkey", &["player_id"])],
        ),
        (
            include_str!("../queries/search_player.sql"),
            3,
            &[("player_pkey", &["id"])],
        ),
        // What first_number_at and first_seq_at ask again and again.
        (
            "SELECT l.created_at < $2::timestamptz FROM ledger l WHERE l.player_id = $1::text AND l.number >= $3::int8 \
             AND l.number <= $3::int8 ORDER BY l.number LIMIT 1",
            3,
            &[ENTRIES],
        ),
        (
            "SELECT o.created_at < $2::timestamptz FROM outbox o WHERE o.player_id = $1::text AND o.last_seq >= $3::int8 \
             ORDER BY o.last_seq LIMIT 1",
            3,
            &[events],
        ),
    ];
    for (sql, parameters, indexes) in questions {
        check(&plan(&database, sql, *parameters).await, indexes);
    }
    // From one id down to another, in order: nothing is sorted, and nothing outside is looked at.
    for (sql, parameters) in [
        (include_str!("../queries/search_floor.sql"), 3),
        (include_str!("../queries/search_newest.sql"), 12),
        (include_str!("../queries/rounds_newest.sql"), 9),
    ] {
        let plan = plan(&database, sql, parameters).await;
        check(&plan, &[]);
        let scan = "Scan Backward using ledger_by_id on ledger l";
        assert!(plan.contains(scan), "{plan}");
        assert!(
            plan.contains("Index Cond: ((id < $1) AND (id >= $2))"),
            "{plan}"
        );
    }
}

#[tokio::test]
async fn unfinished_rounds_are_looked_for_among_open_ones() {
    let database = Database::new("plan_unfinished").await;
    for (sql, parameters) in [
        (include_str!("../queries/unfinished_rounds.sql"), 7),
        (include_str!("../queries/unfinished_ages.sql"), 5),
    ] {
        let plan = plan(&database, sql, parameters).await;
        assert!(!plan.contains("Seq Scan on round"), "{plan}");
        assert!(plan.contains("round_by_player"), "{plan}");
        assert!(plan.contains("(is_open = true)"), "{plan}");
    }
}
