//! What benches over a long ledger have in common: its making, and the memory of processes.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use pitboss_schema::{Store, StoreOptions};
use pitboss_services::{Postgres, PostgresOptions, ScratchDir};
use tokio_postgres::{Client, NoTls};

pub type Failure = Box<dyn Error + Send + Sync>;

const LANES: u16 = 16;
const FILL: &str = include_str!("long_ledger.sql");

/// A line of `/proc/<pid>/status`, in KiB.
pub fn status(pid: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}

pub async fn connect(url: &str) -> Result<Client, Failure> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Keeps the largest private memory of the Postgres process of this name.
pub async fn watch(client: Client, name: &'static str, peak: Arc<AtomicU64>) {
    let pids = "SELECT pid FROM pg_stat_activity WHERE application_name = $1";
    loop {
        for row in client.query(pids, &[&name]).await.unwrap_or_default() {
            let pid: i32 = row.get(0);
            peak.fetch_max(status(&pid.to_string(), "RssAnon"), Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A ledger of some length.
pub struct LongLedger {
    pub store: Store,
    pub url: String,
    pub client: Client,
    /// Of each player.
    pub rounds: u32,
    own: Option<Postgres>,
    _scratch: ScratchDir,
}

impl LongLedger {
    /// By the arguments of the command line: players, rounds of each, and the address of an empty database.
    pub async fn from_arguments(name: &str) -> Result<Self, Failure> {
        let number = |at, default: u32| match std::env::args().nth(at) {
            Some(text) => text.parse::<u32>(),
            None => Ok(default),
        };
        let (players, rounds) = (number(1, 10_000)?, number(2, 50)?);
        let scratch = ScratchDir::new(name)?;
        let mut own = None;
        let url = match std::env::args().nth(3) {
            Some(url) => url,
            None => {
                let options = PostgresOptions::new(scratch.join("postgres"));
                let postgres = Postgres::start(options).await?;
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
        Ok(Self {
            store,
            url,
            client,
            rounds,
            own,
            _scratch: scratch,
        })
    }

    pub async fn stop(mut self) {
        if let Some(mut postgres) = self.own.take() {
            postgres.stop().await;
        }
    }
}
