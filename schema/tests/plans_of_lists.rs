//! Plans of lists and searches: each reads an index in its order, from its cursor on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod explain;

use common::Database;
use explain::*;

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
async fn lists_of_payments_are_read_in_the_order_of_an_index() {
    let database = Database::new("plan_payments").await;
    for (sql, parameters, index, columns) in [
        (
            include_str!("../queries/payments_newest.sql"),
            6,
            "payment_by_id",
            &["kind"][..],
        ),
        (
            include_str!("../queries/payments_of_player.sql"),
            6,
            "payment_pkey",
            &["player_id"],
        ),
        (
            include_str!("../queries/payments_by_state.sql"),
            6,
            "payment_by_state",
            &["kind", "state"],
        ),
        (
            include_str!("../queries/payments_by_reference.sql"),
            6,
            "payment_by_reference",
            &["kind", "reference"],
        ),
        (
            include_str!("../queries/payments_due.sql"),
            2,
            "payment_due",
            &[],
        ),
        (
            include_str!("../queries/payment_by_id.sql"),
            2,
            "payment_by_id",
            &["kind"],
        ),
    ] {
        let plan = plan_of_list(&database, sql, parameters).await;
        check(&plan, &[(index, columns)]);
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
