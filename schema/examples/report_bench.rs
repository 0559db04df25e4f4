//! Measures reports and searches of a long ledger: time, memory of this process and of Postgres.
//!
//! `cargo run --release -p pitboss-schema --example report_bench [players] [rounds per player] [address]`
//!
//! A round has two transactions. Without the address of an empty database it starts a Postgres of its own.

mod bench;

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bench::{Failure, LongLedger, connect, status, watch};
use futures_util::{Stream, StreamExt};
use pitboss_schema::{
    RoundSearch, StoreError, TransactionSearch,
    reports::{By, Period, ReportLimits, Reports, Wanted},
};
use pitboss_wallet::{Kind, PlayerId, Timestamp};
use uuid::Uuid;

/// Pages that are read of each kind; the median counts.
const PAGES: usize = 51;

/// Reads a report to its end and tells what it took.
async fn read<T>(
    what: &str,
    peak: &AtomicU64,
    rows: impl Stream<Item = Result<T, StoreError>>,
) -> Result<(), Failure> {
    peak.store(0, Ordering::Relaxed);
    let before = status("self", "VmRSS");
    let start = Instant::now();
    let mut rows = pin!(rows);
    let (mut count, mut resident) = (0_u64, 0);
    while let Some(row) = rows.next().await {
        row?;
        count += 1;
        if count % 10_000 == 0 {
            resident = resident.max(status("self", "VmRSS"));
        }
    }
    println!(
        "{:>8.2} s  {what}: {count} lines; this process {} KiB more, its Postgres process {} MiB",
        start.elapsed().as_secs_f64(),
        resident.saturating_sub(before),
        peak.load(Ordering::Relaxed) / 1024,
    );
    Ok(())
}

/// The median time of a page, in microseconds.
async fn page<T>(mut ask: impl AsyncFnMut() -> Result<T, StoreError>) -> Result<u128, Failure> {
    let mut times = Vec::new();
    for _ in 0..PAGES {
        let start = Instant::now();
        ask().await?;
        times.push(start.elapsed().as_micros());
    }
    times.sort_unstable();
    Ok(times[PAGES / 2])
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let ledger = LongLedger::from_arguments("report-bench").await?;
    let (store, client) = (&ledger.store, &ledger.client);
    // In the middle of a player's transactions.
    let half = i64::from(ledger.rounds) + 1;
    let peak = Arc::new(AtomicU64::new(0));
    let watcher = tokio::spawn(watch(
        connect(&ledger.url).await?,
        "pitboss report",
        peak.clone(),
    ));
    let limits = ReportLimits {
        concurrent: 1,
        timeout: Duration::from_secs(600),
        work_mem_mb: 32,
    };
    let reports = Reports::new(store.clone(), limits);
    let period = Period {
        from: Timestamp::from_micros(0),
        to: Timestamp::from_micros(4_000_000_000_000_000),
        test_players: false,
        provider: None,
        game: None,
        currency: None,
    };
    let begin = async || match reports.begin().await {
        Ok(report) => report.ok_or(StoreError::Connection("busy".to_owned())),
        Err(error) => Err(error),
    };
    let by = By {
        provider: true,
        game: true,
        day: true,
        ..By::default()
    };
    let of_players = By {
        player: true,
        ..By::default()
    };
    read(
        "revenue by provider, game, day",
        &peak,
        begin().await?.revenue(&period, by),
    )
    .await?;
    read(
        "play of players",
        &peak,
        begin().await?.revenue(&period, of_players),
    )
    .await?;
    read(
        "liability now",
        &peak,
        begin().await?.liability(None, false),
    )
    .await?;
    let then = Some(Timestamp::from_micros(0));
    read(
        "liability before all of it",
        &peak,
        begin().await?.liability(then, false),
    )
    .await?;
    let all = Wanted::default();
    read(
        "every transaction",
        &peak,
        begin().await?.transactions(&period, &all),
    )
    .await?;
    watcher.abort();

    let none = TransactionSearch::default();
    let wins = TransactionSearch {
        kind: Some(Kind::Win),
        from: Some(period.from),
        ..TransactionSearch::default()
    };
    let deepest = "SELECT id FROM ledger ORDER BY id OFFSET 100 LIMIT 1";
    let deepest: Uuid = client.query_one(deepest, &[]).await?.get(0);
    let player = PlayerId::new("player-7")?;
    let first = page(async || store.search_transactions(&none, None, 50, 5000).await).await?;
    let deep = page(async || {
        store
            .search_transactions(&none, Some(deepest), 50, 5000)
            .await
    })
    .await?;
    println!("a page of transactions: {first} us, the deepest {deep} us");
    let first = page(async || store.search_transactions(&wins, None, 50, 5000).await).await?;
    let deep = page(async || {
        store
            .search_transactions(&wins, Some(deepest), 50, 5000)
            .await
    })
    .await?;
    println!("a page of wins: {first} us, the deepest {deep} us");
    let first = page(async || store.search_player(&player, &none, None, 50, 5000).await).await?;
    let deep = page(async || {
        store
            .search_player(&player, &none, Some(half), 50, 5000)
            .await
    })
    .await?;
    println!("a page of one player: {first} us, the deepest {deep} us");
    let rounds = RoundSearch::default();
    let first = page(async || store.search_rounds(&rounds, None, 50, 5000).await).await?;
    let deep = page(async || store.search_rounds(&rounds, Some(deepest), 50, 5000).await).await?;
    println!("a page of rounds: {first} us, the deepest {deep} us");
    ledger.stop().await;
    Ok(())
}
