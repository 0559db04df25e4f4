//! A ledger of some length: the last page of a search touches as much as the first, and a report reads its period alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod explain;

use common::{Database, LANES};
use explain::as_the_store;
use tokio_postgres::Client;

const PLAYERS: u32 = 200;
const ROUNDS: u32 = 60;
const FILL: &str = include_str!("../examples/bench/long_ledger.sql");

async fn filled(name: &str) -> (Database, Client) {
    let database = Database::new(name).await;
    let client = database.client().await;
    let fill = FILL
        .replace("$players", &PLAYERS.to_string())
        .replace("$rounds", &ROUNDS.to_string())
        .replace("$lanes", &LANES.to_string());
    for statement in fill.split(";\n") {
        client.batch_execute(statement).await.unwrap();
    }
    (database, client)
}

/// What a question really touches with these parameters: the plan with its counts, and the pages of the whole.
async fn touched(client: &Client, sql: &str, params: &str) -> (String, u64) {
    client
        .batch_execute(&format!("PREPARE question AS {sql}"))
        .await
        .unwrap();
    let explain = format!(
        "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE question({params})"
    );
    // Once to fill what is cached of the catalogue.
    client.query(&explain, &[]).await.unwrap();
    let rows = client.query(&explain, &[]).await.unwrap();
    client.batch_execute("DEALLOCATE question").await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let buffers = lines
        .iter()
        .find(|line| line.contains("Buffers: "))
        .unwrap();
    let numbers = buffers
        .split(['=', ' '])
        .filter_map(|part| part.parse::<u64>().ok());
    (lines.join("\n"), numbers.sum())
}

async fn id_at(client: &Client, share: &str) -> String {
    let sql = format!(
        "SELECT id::text FROM ledger ORDER BY id DESC OFFSET (SELECT (count(*) * {share})::int8 FROM ledger) LIMIT 1"
    );
    client.query_one(&sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_page_touches_as_little_however_deep_it_lies() {
    let (_database, client) = filled("deep").await;
    as_the_store(&client).await;
    let nil = "'00000000-0000-0000-0000-000000000000'";
    let deep = format!("'{}'", id_at(&client, "0.99").await);
    let newest = "'ffffffff-ffff-ffff-ffff-ffffffffffff'".to_owned();
    let transactions = include_str!("../queries/search_newest.sql");
    let floor = include_str!("../queries/search_floor.sql");
    let rounds = include_str!("../queries/rounds_newest.sql");
    let nulls = "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL";
    let six = "NULL, NULL, NULL, NULL, NULL, NULL";
    for (sql, params) in [
        (transactions, format!("{nil}, {nulls}, 50")),
        (floor, format!("{nil}, 50")),
        (rounds, format!("{nil}, {six}, 20")),
    ] {
        let (first_plan, first) = touched(&client, sql, &format!("{newest}, {params}")).await;
        let (deep_plan, deep) = touched(&client, sql, &format!("{deep}, {params}")).await;
        for plan in [&first_plan, &deep_plan] {
            assert!(
                !plan.contains("Seq Scan") && !plan.contains("Sort Method: external"),
                "{plan}"
            );
        }
        // The same to a few pages: an index has its depth.
        assert!(
            deep <= first + first / 4 + 8 && first < 2_000,
            "{first} {first_plan}\n{deep} {deep_plan}"
        );
    }
    // A page that finds nothing ends where it was told to.
    let (plan, pages) = touched(
        &client,
        transactions,
        &format!(
            "{newest}, '{}', 'nobody', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 50",
            id_at(&client, "0.01").await
        ),
    )
    .await;
    let looked_at = f64::from(PLAYERS * (1 + 2 * ROUNDS)) * 0.01;
    assert!(
        plan.contains("Rows Removed by Filter: 24") && looked_at < 243.0,
        "{plan}"
    );
    assert!(pages < 500, "{pages} {plan}");
    // One player, deep in his history.
    let of_player = include_str!("../queries/search_of_player.sql");
    let (first_plan, first) = touched(
        &client,
        of_player,
        &format!("'player-7', 1000, 1, {nulls}, 10"),
    )
    .await;
    let (deep_plan, deep) = touched(
        &client,
        of_player,
        &format!("'player-7', 15, 1, {nulls}, 10"),
    )
    .await;
    assert!(
        deep <= first + first / 4 + 8 && first < 200,
        "{first_plan}\n{deep_plan}"
    );
}

#[tokio::test]
async fn a_report_reads_its_period_alone_and_a_list_of_all_sorts_nothing() {
    let (_database, client) = filled("period").await;
    client
        .batch_execute("SET plan_cache_mode = force_custom_plan")
        .await
        .unwrap();
    let moment = async |text: &str| -> String {
        let sql = format!("SELECT ({text})::text FROM ledger");
        client.query_one(&sql, &[]).await.unwrap().get(0)
    };
    // The ledger goes on for two minutes; of it the last second, and what lies in the margin of its ids.
    let from = moment("max(created_at) - interval '1 second'").await;
    let to = moment("max(created_at) + interval '1 second'").await;
    let ids = format!(
        "'{}', 'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        id_at(&client, "0.02").await
    );
    let revenue = include_str!("../queries/reports/revenue.sql");
    let params =
        format!("'{from}', '{to}', {ids}, true, true, true, 0, false, false, NULL, NULL, NULL");
    let (plan, _) = touched(&client, revenue, &params).await;
    assert!(
        plan.contains("ledger_by_id") && !plan.contains("Seq Scan on ledger"),
        "{plan}"
    );
    // Every transaction, as it comes.
    client
        .batch_execute("SET enable_sort = off; SET enable_seqscan = off")
        .await
        .unwrap();
    let list = include_str!("../queries/reports/transactions.sql");
    let all = "'-infinity', 'infinity', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'";
    let nulls = "NULL, NULL, NULL, NULL, NULL, NULL, NULL";
    let (plan, _) = touched(&client, list, &format!("{all}, {nulls}, false")).await;
    assert!(plan.contains("Index Scan using ledger_by_id"), "{plan}");
    for gathered in ["Sort", "Materialize", "Hash Join", "Bitmap"] {
        assert!(!plan.contains(gathered), "{gathered} in {plan}");
    }
    assert!(
        plan.contains(&format!("actual rows={}", PLAYERS * (1 + 2 * ROUNDS))),
        "{plan}"
    );
}
