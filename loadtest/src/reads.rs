//! Reading over REST: wallets at a steady rate, and pages of a list, the first beside one that lies deep.
//!
//! An open loop: a read is due at its time, and its latency counts from then.

use std::{cell::Cell, fmt, rc::Rc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    bets::plan::player_id,
    cli::ReadsOptions,
    error::{Error, Result},
    http::Http,
    players::{self, Setup},
    stats::{Latency, Recorder, per_second},
    target::Target,
};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Reads of one page of a list.
const PAGE_READS: u32 = 300;

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    pub wallets: Latency,
    pub wallets_per_second: f64,
    pub first_page: Latency,
    pub deep_page: Latency,
    /// Pages before the deep one.
    pub depth: u32,
    pub p99_max_ms: f64,
}

impl Report {
    pub fn passed(&self) -> bool {
        self.wallets.p99_ms <= self.p99_max_ms
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "GET a wallet, {:.0}/s: {}",
            self.wallets_per_second, self.wallets
        )?;
        writeln!(f, "GET the first page of players: {}", self.first_page)?;
        writeln!(f, "GET page {} of them: {}", self.depth + 1, self.deep_page)?;
        write!(
            f,
            "{}: a wallet's p99 is to be {} ms at most",
            if self.passed() { "ok" } else { "BREACH" },
            self.p99_max_ms
        )
    }
}

#[derive(Deserialize)]
struct Page {
    next: Option<String>,
}

/// Runs inside a `LocalSet`.
pub async fn run(target: &Target, options: &ReadsOptions) -> Result<Report> {
    let setup = Setup {
        players: options.players,
        game: None,
        run: format!("reads-{}", std::process::id()),
        known: std::collections::HashMap::new(),
    };
    players::prepare(target, setup).await?;
    let (wallets, time) = wallets(target, options).await?;
    let (mut path, mut depth) = ("/v1/players?limit=50".to_owned(), 0);
    let first_page = page(target, &path).await?;
    let mut http = Http::new(target.api_authority()?);
    while depth < options.pages {
        let answer = read(&mut http, &request(target, &path)?).await?;
        let page: Page = serde_json::from_slice(&answer)
            .map_err(|error| Error::given(format!("{path}: not a page: {error}")))?;
        let Some(next) = page.next else {
            break;
        };
        path = format!("/v1/players?limit=50&after={next}");
        depth += 1;
    }
    Ok(Report {
        wallets_per_second: per_second(wallets.summary().count, time),
        wallets: wallets.summary(),
        first_page,
        deep_page: page(target, &path).await?,
        depth,
        p99_max_ms: options.p99_max_ms,
    })
}

/// Each connection takes the next read that is due.
async fn wallets(target: &Target, options: &ReadsOptions) -> Result<(Recorder, Duration)> {
    let started = Instant::now();
    let ends = started + Duration::from_secs(options.duration_s);
    let next = Rc::new(Cell::new(0_u32));
    let every = Duration::from_secs_f64(1.0 / options.rate);
    let mut workers = JoinSet::new();
    for _ in 0..options.connections {
        let (target, next) = (target.clone(), next.clone());
        let players = options.players;
        workers.spawn_local(async move {
            let mut http = Http::new(target.api_authority()?);
            let mut latencies = Recorder::new()?;
            loop {
                let number = next.replace(next.get() + 1);
                let due = started + every * number;
                if due >= ends {
                    return Ok::<_, Error>(latencies);
                }
                sleep_until(due).await;
                let path = format!("/v1/players/{}/wallets", player_id(number % players));
                read(&mut http, &request(&target, &path)?).await?;
                latencies.record(due.elapsed());
            }
        });
    }
    let mut all = Recorder::new()?;
    while let Some(worker) = workers.join_next().await {
        let worker = worker.map_err(|error| Error::given(format!("a reader ended: {error}")))?;
        all.add(&worker?)?;
    }
    Ok((all, started.elapsed()))
}

/// One page, again and again on one connection.
async fn page(target: &Target, path: &str) -> Result<Latency> {
    let (mut http, request) = (Http::new(target.api_authority()?), request(target, path)?);
    let mut latencies = Recorder::new()?;
    for _ in 0..PAGE_READS {
        let began = Instant::now();
        read(&mut http, &request).await?;
        latencies.record(began.elapsed());
    }
    Ok(latencies.summary())
}

fn request(target: &Target, path: &str) -> Result<Vec<u8>> {
    let (host, key) = (target.api_authority()?, &target.operator_key);
    Ok(
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n")
            .into_bytes(),
    )
}

async fn read(http: &mut Http, request: &[u8]) -> Result<Vec<u8>> {
    let answer = timeout(TIMEOUT, http.send(request)).await;
    let answer = answer
        .map_err(|_| Error::given("a read was not answered in time".to_owned()))?
        .map_err(Error::io("a read failed".to_owned()))?;
    if answer.status == 200 {
        return Ok(answer.body.to_vec());
    }
    let text = String::from_utf8_lossy(answer.body);
    Err(Error::given(format!(
        "a read was answered {}: {text}",
        answer.status
    )))
}
