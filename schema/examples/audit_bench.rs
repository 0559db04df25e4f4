//! Measures the audit: time, memory of this process and of Postgres, and what is sorted on disk.
//!
//! `cargo run --release -p pitboss-schema --example audit_bench [players] [rounds per player] [address]`
//!
//! A round has two transactions. Without the address of an empty database it starts a Postgres of its own.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use pitboss_schema::{
    Store, StoreOptions,
    audit::{Progress, Report, audit, audit_player},
};
use pitboss_services::{Postgres, PostgresOptions, ScratchDir};
use pitboss_wallet::PlayerId;
use tokio_postgres::{Client, NoTls};

type Failure = Box<dyn Error + Send + Sync>;

const LANES: u16 = 16;
const FILL: &str = include_str!("audit_bench.sql");

/// A line of `/proc/<pid>/status`, in KiB.
fn status(pid: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}

async fn connect(url: &str) -> Result<Client, Failure> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Keeps the largest private memory of the audit's own Postgres process.
async fn watch(client: Client, peak: Arc<AtomicU64>) {
    let pids = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pitboss maintenance'";
    loop {
        for row in client.query(pids, &[]).await.unwrap_or_default() {
            let pid: i32 = row.get(0);
            peak.fetch_max(status(&pid.to_string(), "RssAnon"), Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

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
    let number = |at, default: u32| match std::env::args().nth(at) {
        Some(text) => text.parse::<u32>(),
        None => Ok(default),
    };
    let (players, rounds) = (number(1, 10_000)?, number(2, 50)?);
    let scratch = ScratchDir::new("audit-bench")?;
    let mut own = None;
    let url = match std::env::args().nth(3) {
        Some(url) => url,
        None => {
            let postgres = Postgres::start(PostgresOptions::new(scratch.join("postgres"))).await?;
            postgres.create_database("bench").await?;
            let url = postgres.url("bench");
            own = Some(postgres);
            url
        }
    };
    let store = Store::connect(&url, StoreOptions::default())?;
    store.migrate(LANES).await?;
    let client = connect(&url).await?;
    let start = Instant::now();
    let fill = FILL
        .replace("$players", &players.to_string())
        .replace("$rounds", &rounds.to_string())
        .replace("$lanes", &LANES.to_string());
    for statement in fill.split(";\n") {
        client.batch_execute(statement).await?;
    }
    let transactions = u64::from(players) * (1 + 2 * u64::from(rounds));
    let filled = start.elapsed().as_secs_f64();
    println!("{players} players, {transactions} transactions, written in {filled:.0} s");

    let spilled = "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()";
    let spilled_before: i64 = client.query_one(spilled, &[]).await?.get(0);
    let resident_before = status("self", "VmRSS");
    let peak = Arc::new(AtomicU64::new(0));
    let watcher = tokio::spawn(watch(connect(&url).await?, peak.clone()));
    let start = Instant::now();
    let mut stopwatch = Stopwatch { running: None };
    let report = audit(&store, |progress| stopwatch.tell(Some(progress))).await?;
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
    let report = audit_player(&store, &player, |_| {}).await?;
    let took = start.elapsed().as_secs_f64() * 1_000.0;
    let said = report.as_ref().map_or("not there", verdict);
    println!(
        "one player of {} transactions: {took:.0} ms, {said}",
        1 + 2 * rounds
    );
    if let Some(mut postgres) = own {
        postgres.stop().await;
    }
    Ok(())
}
