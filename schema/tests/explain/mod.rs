//! What Postgres would do with a query, on an empty database.

#![allow(dead_code, reason = "each test file uses its part")]

use tokio_postgres::Client;

use crate::common::Database;

/// From now on this session plans as the store's do.
pub async fn as_the_store(client: &Client) {
    client
        .batch_execute(
            "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
             SET plan_cache_mode = force_generic_plan",
        )
        .await
        .unwrap();
}

/// The generic plan of a statement, with the session settings of the store's writers.
pub async fn plan(database: &Database, sql: &str, parameters: usize) -> String {
    plan_with(database, "", sql, parameters).await
}

/// The same, with the settings of its pool.
pub async fn plan_of_list(database: &Database, sql: &str, parameters: usize) -> String {
    plan_with(database, "SET enable_bitmapscan = off", sql, parameters).await
}

pub async fn plan_with(database: &Database, more: &str, sql: &str, parameters: usize) -> String {
    let client = database.client().await;
    client.batch_execute(more).await.unwrap();
    as_the_store(&client).await;
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
pub fn check(plan: &str, indexes: &[(&str, &[&str])]) {
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

pub const KEY: (&str, &[&str]) = (
    "one_key_one_movement",
    &["player_id", "provider_id", "kind", "external_id"],
);
pub const PROVIDER_KEY: (&str, &[&str]) =
    ("provider_key_pkey", &["provider_id", "kind", "external_id"]);
pub const ROUND: (&str, &[&str]) = (
    "round_pkey",
    &["player_id", "provider_id", "scope_game", "round_id"],
);
/// A session by its whole key, or by its id, which is one session's alone: on empty tables both cost the same.
pub fn check_session(plan: &str) {
    let by_id = plan.contains("session_by_id ");
    let index: (&str, &[&str]) = if by_id {
        ("session_by_id", &["id"])
    } else {
        ("session_pkey", &["player_id", "id"])
    };
    check(plan, &[index]);
}

/// The entries of a round, by their numbers.
pub const ENTRIES: (&str, &[&str]) = ("ledger_pkey", &["player_id", "number"]);
pub const REVERSAL: (&str, &[&str]) = ("ledger_reversed_once", &["player_id", "reverses"]);
