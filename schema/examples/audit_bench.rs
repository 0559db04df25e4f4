//! Measures the audit: time, memory of this process and of Postgres, and what is sorted on disk.
//!
//! `cargo run --release -p pitboss-schema --example audit_bench [players] [rounds per player] [address]`
//!
//! A round has two transactions. Without the address of an empty database it starts a Postgres of its own.

mod bench;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bench::{Failure, LongLedger, connect, status, watch};
use pitboss_schema::audit::{Progress, Report, audit, audit_player};
use pitboss_wallet::PlayerId;

/// Tells of each check how long it took, once the next begins.
struct Stopwatch {
    running: Option<(&'static str, Instant)>,
}

impl Stopwatch {
    fn tell(&mut self, next: Option<Progress>) {
        if next
            .is_some_and(|progress| !progress.elapsed.is_zero() && progress.elapsed.as_secs() > 0)
        {
            return;
        }
        if let Some((what, start)) = self.running.take() {
            println!("{:>8.2} s  {what}", start.elapsed().as_secs_f64());
        }
        self.running = next.map(|progress| (progress.what, Instant::now()));
    }
}

fn verdict(report: &Report) -> &'static str {
    if report.is_clean() { "clean" } else { "BROKEN" }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let ledger = LongLedger::from_arguments("audit-bench").await?;
    let (store, client, rounds) = (&ledger.store, &ledger.client, ledger.rounds);
    let spilled = "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()";
    let spilled_before: i64 = client.query_one(spilled, &[]).await?.get(0);
    let resident_before = status("self", "VmRSS");
    let peak = Arc::new(AtomicU64::new(0));
    let watcher = tokio::spawn(watch(
        connect(&ledger.url).await?,
        "pitboss maintenance",
        peak.clone(),
    ));
    let start = Instant::now();
    let mut stopwatch = Stopwatch { running: None };
    let report = audit(store, |progress| stopwatch.tell(Some(progress))).await?;
    stopwatch.tell(None);
    let took = start.elapsed().as_secs_f64();
    watcher.abort();
    // The figures of a session are told when it ends.
    let spilled_after: i64 = client.query_one(spilled, &[]).await?.get(0);
    println!("audit: {took:.1} s, {}", verdict(&report));
    println!(
        "memory: this process {} MiB at most ({} MiB before), its Postgres process {} MiB, sorted on disk {} MiB",
        status("self", "VmHWM") / 1024,
        resident_before / 1024,
        peak.load(Ordering::Relaxed) / 1024,
        (spilled_after - spilled_before) / 1024 / 1024,
    );
    let player = PlayerId::new("player-1")?;
    let start = Instant::now();
    let report = audit_player(store, &player, |_| {}).await?;
    let took = start.elapsed().as_secs_f64() * 1_000.0;
    let said = report.as_ref().map_or("not there", verdict);
    println!(
        "one player of {} transactions: {took:.0} ms, {said}",
        1 + 2 * rounds
    );
    ledger.stop().await;
    Ok(())
}
