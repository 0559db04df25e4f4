//! `loadtest baseline`: the textbook transaction, which the server is compared with.
//!
//! It is given every fair advantage: no HTTP, no signature, no idempotent answer, no double entry, no event
//! order, prepared statements, numeric keys, a database of its own, and the whole machine while it runs.

mod transaction;

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_postgres::{Client, Config};

use crate::{
    bets::quiet,
    cli::BaselineOptions,
    database::{self, checked},
    error::{Error, Result},
    process::{self, CpuUse},
    random::Random,
    runtime,
    stats::{Latency, Recorder, per_second, thousands},
    target::{Pids, Target},
};
use transaction::{Bet, Teller};

const DATABASE: &str = "pitboss_loadtest_baseline";
const SCHEMA: &str = include_str!("schema.sql");
const START_BALANCE: i64 = 1_000_000_000_000;

#[derive(Debug, Serialize)]
pub struct BaselineReport {
    pub settings: String,
    pub connections: u32,
    pub players: u32,
    pub pipelined: bool,
    pub warm_up_s: u64,
    pub duration_s: u64,
    pub committed_per_s: f64,
    pub committed_measured: u64,
    /// Those of the warm-up and the tail too.
    pub committed: u64,
    pub latency: Latency,
    pub cpu: Option<CpuUse>,
    /// The ledger has each commit once, and the wallets fell by their sum.
    pub agrees: bool,
}

impl fmt::Display for BaselineReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "textbook transactions, no HTTP ({})", self.settings)?;
        writeln!(
            f,
            "  load           {} connections, {} players{}",
            self.connections,
            thousands(self.players.into()),
            if self.pipelined { ", pipelined" } else { "" }
        )?;
        writeln!(
            f,
            "  committed      {:.0}/s ({} in {} s, after {} s of warm-up)",
            self.committed_per_s,
            thousands(self.committed_measured),
            self.duration_s,
            self.warm_up_s
        )?;
        writeln!(f, "  latency        {}", self.latency)?;
        if let Some(cpu) = &self.cpu {
            writeln!(
                f,
                "  processors     Postgres {:.2}, this driver {:.2}, the idle server {:.2} and NATS {:.2}",
                cpu.postgres, cpu.driver, cpu.server, cpu.nats
            )?;
        }
        writeln!(
            f,
            "  audit          {}: {} commits",
            if self.agrees { "passed" } else { "FAILED" },
            thousands(self.committed)
        )
    }
}

/// Blocks until it is done. The scratch database is dropped however it ends, short of kill -9; what that
/// leaves is dropped by the next run.
pub fn run(target: &Target, options: &BaselineOptions) -> Result<BaselineReport> {
    let config = database::config(&target.postgres)?;
    let runtime = runtime::threaded(options.threads)?;
    let result = runtime::interruptible(&runtime, measure(&config, target.pids, options));
    let dropped = runtime.block_on(async {
        let admin = database::connect(&config).await?;
        drop_scratch(&admin).await
    });
    let report = result?;
    dropped.map(|()| report)
}

async fn measure(config: &Config, pids: Pids, options: &BaselineOptions) -> Result<BaselineReport> {
    let admin = database::connect(config).await?;
    let settings = database::durability(&admin).await?;
    let mut scratch = config.clone();
    scratch.dbname(DATABASE);
    let check = create_scratch(&admin, &scratch, options.players).await?;
    quiet(&admin).await?;
    let mut tellers = Vec::new();
    for _ in 0..options.connections {
        let client = database::connect(&scratch).await?;
        tellers.push(checked(Teller::new(client).await, "preparing statements")?);
    }
    let start = Instant::now() + Duration::from_secs(options.warm_up_s);
    let plan = Arc::new(Plan {
        start,
        end: start + Duration::from_secs(options.duration_s),
        players: options.players,
        pipelined: options.pipelined,
    });
    let mut workers = JoinSet::new();
    for (number, teller) in tellers.into_iter().enumerate() {
        workers.spawn(work(teller, number, plan.clone()));
    }
    sleep_until(plan.start).await;
    let cpu_before = process::cpu(pids);
    sleep_until(plan.end).await;
    let cpu_after = process::cpu(pids);
    let mut sum = Counts::new()?;
    while let Some(worker) = workers.join_next().await {
        let counts = worker.map_err(|error| Error::given(format!("a worker ended: {error}")))??;
        sum.latency.add(&counts.latency)?;
        sum.measured += counts.measured;
        sum.committed += counts.committed;
        sum.units += counts.units;
    }
    let length = plan.end - plan.start;
    Ok(BaselineReport {
        settings,
        connections: options.connections,
        players: options.players,
        pipelined: options.pipelined,
        warm_up_s: options.warm_up_s,
        duration_s: options.duration_s,
        committed_per_s: per_second(sum.measured, length),
        committed_measured: sum.measured,
        committed: sum.committed,
        latency: sum.latency.summary(),
        cpu: Some(cpu_before.use_until(&cpu_after, length.as_secs_f64())),
        agrees: agrees(&check, &sum, options.players).await?,
    })
}

struct Plan {
    start: Instant,
    end: Instant,
    players: u32,
    pipelined: bool,
}

struct Counts {
    latency: Recorder,
    measured: u64,
    committed: u64,
    units: i64,
}

impl Counts {
    fn new() -> Result<Self> {
        Ok(Self {
            latency: Recorder::new()?,
            measured: 0,
            committed: 0,
            units: 0,
        })
    }
}

async fn work(mut teller: Teller, number: usize, plan: Arc<Plan>) -> Result<Counts> {
    let mut counts = Counts::new()?;
    let mut random = Random::new(number as u64);
    for turn in 0_u64.. {
        let sent = Instant::now();
        if sent >= plan.end {
            break;
        }
        let bet = Bet {
            player: random.below(plan.players).into(),
            external_id: &format!("lt-{number}-{turn}"),
            round: &format!("lt-r-{number}-{turn}"),
            amount: i64::from(random.below(990_000)) + 10_000,
        };
        let committed = match plan.pipelined {
            true => teller.bet_pipelined(&bet).await,
            false => teller.bet(&bet).await,
        };
        let committed = checked(committed, "a textbook transaction")?;
        let answered = Instant::now();
        if !committed {
            continue;
        }
        counts.committed += 1;
        counts.units += bet.amount;
        if plan.start <= answered && answered < plan.end {
            counts.measured += 1;
            counts.latency.record(answered - sent);
        }
    }
    Ok(counts)
}

/// Every commit is there, and the wallets fell by what was bet: a baseline that loses money is no baseline.
async fn agrees(client: &Client, counts: &Counts, players: u32) -> Result<bool> {
    let what = "auditing the baseline";
    let query = "SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM outbox),
        (SELECT coalesce(sum(amount), 0)::int8 FROM ledger), (SELECT coalesce(sum(balance), 0)::int8 FROM wallet)";
    let row = checked(client.query_one(query, &[]).await, what)?;
    let number = |index: usize| checked(row.try_get::<_, i64>(index), what);
    let committed = i64::try_from(counts.committed).unwrap_or(i64::MAX);
    Ok(number(0)? == committed
        && number(1)? == committed
        && number(2)? == counts.units
        && number(3)? == i64::from(players) * START_BALANCE - counts.units)
}

async fn drop_scratch(admin: &Client) -> Result<()> {
    let statement = format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)");
    checked(
        admin.batch_execute(&statement).await,
        "dropping the baseline's database",
    )
}

/// A connection to a new database with tables and wallets.
async fn create_scratch(admin: &Client, scratch: &Config, players: u32) -> Result<Client> {
    let what = "making the baseline's database";
    drop_scratch(admin).await?;
    let create = format!("CREATE DATABASE {DATABASE}");
    checked(admin.batch_execute(&create).await, what)?;
    let client = database::connect(scratch).await?;
    checked(client.batch_execute(SCHEMA).await, what)?;
    let fill = "INSERT INTO wallet (player_id, balance) SELECT id, $2 FROM generate_series(0, $1::int8 - 1) id";
    checked(
        client
            .execute(fill, &[&i64::from(players), &START_BALANCE])
            .await,
        what,
    )?;
    checked(client.batch_execute("VACUUM ANALYZE").await, what)?;
    Ok(client)
}

#[cfg(test)]
mod tests;
