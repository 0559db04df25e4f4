//! `loadtest memory`: resident bytes per idle player actor. The help text tells the procedure and why.

use std::{cell::Cell, collections::HashMap, fmt, rc::Rc, thread, time::Duration};

use serde::Serialize;
use tokio::task::JoinSet;

use crate::{
    bets::{callback_path, drive::write_callback, plan::player_id},
    cli::MemoryCommand,
    clock::unix_s,
    database,
    error::{Error, Result},
    http::Http,
    metrics,
    operator::Operator,
    players::{self, CURRENCY, Setup},
    process::{self, Memory},
    runtime,
    sandbox::Place,
    sign::Signer,
    stats::thousands,
    target::Target,
};

/// Players that are loaded before the first reading: pools, buffers and code pages are then in place.
const WARM_UP_PLAYERS: u32 = 1_000;
const CONNECTIONS: u32 = 8;
/// For the allocator to give back what it gives back, and for the log to be written.
const SETTLE: Duration = Duration::from_secs(5);
const DRAIN_LIMIT: Duration = Duration::from_secs(300);
const ALIVE: &str = "pitboss_actors_alive";

#[derive(Debug, Clone, Copy, Serialize)]
struct Reading {
    memory: Memory,
    actors: u64,
}

#[derive(Debug, Serialize)]
pub struct MemoryReport {
    players: u32,
    readings: [Reading; 3],
    /// Growth of all resident memory from the first to the last reading, per actor.
    pub resident_bytes_per_actor: u64,
    /// The same of the second half alone: what the next actor costs.
    second_half_bytes_per_actor: u64,
    /// Growth without pages of files.
    anonymous_bytes_per_actor: u64,
    at_most: u64,
}

impl MemoryReport {
    fn new(players: u32, readings: [Reading; 3], at_most: u64) -> Result<Self> {
        let [before, half, after] = readings;
        let resident = |reading: &Reading| reading.memory.resident_bytes;
        let anonymous = |reading: &Reading| reading.memory.anonymous_bytes;
        Ok(Self {
            players,
            resident_bytes_per_actor: per_actor(&before, &after, resident)?,
            second_half_bytes_per_actor: per_actor(&half, &after, resident)?,
            anonymous_bytes_per_actor: per_actor(&before, &after, anonymous)?,
            readings,
            at_most,
        })
    }

    pub fn passed(&self) -> bool {
        self.resident_bytes_per_actor <= self.at_most
    }
}

fn per_actor(from: &Reading, to: &Reading, bytes: impl Fn(&Reading) -> u64) -> Result<u64> {
    let actors = to.actors.saturating_sub(from.actors);
    if actors == 0 {
        return Err(Error::given(format!(
            "no actor came to life: {ALIVE}{{actor=\"player\"}} went from {} to {}",
            from.actors, to.actors
        )));
    }
    Ok(bytes(to).saturating_sub(bytes(from)) / actors)
}

impl fmt::Display for MemoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "memory of idle player actors, {} players",
            thousands(self.players.into())
        )?;
        for (name, reading) in ["before", "half", "after"].iter().zip(&self.readings) {
            writeln!(
                f,
                "  {name:<8} {:>8} actors, {:>9} KiB resident, {:>9} KiB of it anonymous",
                thousands(reading.actors),
                thousands(reading.memory.resident_bytes / 1024),
                thousands(reading.memory.anonymous_bytes / 1024)
            )?;
        }
        writeln!(
            f,
            "  {} bytes per actor ({} in the second half, {} anonymous); at most {}: {}",
            thousands(self.resident_bytes_per_actor),
            thousands(self.second_half_bytes_per_actor),
            thousands(self.anonymous_bytes_per_actor),
            thousands(self.at_most),
            if self.passed() { "kept" } else { "NOT kept" }
        )
    }
}

/// Blocks until it is done.
pub fn run(command: &MemoryCommand) -> Result<MemoryReport> {
    let place = Place::new(&command.sandbox)?;
    eprintln!("starting a sandbox and creating players");
    let sandbox = place.start(true)?;
    let target = place.target()?;
    runtime::run_local(create(&target, command.players + WARM_UP_PLAYERS))?;
    sandbox.stop()?;
    eprintln!("starting it again, without actors");
    let sandbox = place.start(false)?;
    let target = place.target()?;
    let touch = |first, count| runtime::run_local(touch(&target, first, count));
    let read = || {
        thread::sleep(SETTLE);
        runtime::run_local(read(&target))
    };
    let half = command.players / 2;
    touch(command.players, WARM_UP_PLAYERS)?;
    let before = read()?;
    touch(0, half)?;
    let middle = read()?;
    touch(half, command.players - half)?;
    let after = read()?;
    sandbox.stop()?;
    place.remove()?;
    MemoryReport::new(command.players, [before, middle, after], command.at_most)
}

async fn create(target: &Target, players: u32) -> Result<()> {
    let provider = target.native_provider(None)?;
    let game = Operator::new(target)?.game_of(&provider.id).await?.id;
    let setup = Setup {
        players,
        game: Some(game),
        run: "memory".into(),
        known: HashMap::new(),
    };
    players::prepare(target, setup).await?;
    let client = database::connect(&database::config(&target.postgres)?).await?;
    match database::outbox_drained(&client, DRAIN_LIMIT).await? {
        Some(_) => Ok(()),
        None => Err(Error::given(
            "the events of the set-up did not reach the bus: the next start would still publish them",
        )),
    }
}

/// One balance callback for each of `count` players.
async fn touch(target: &Target, first: u32, count: u32) -> Result<()> {
    let provider = target.native_provider(None)?;
    let path = callback_path(&provider.id, "balance")?;
    let signer = Signer::new(&provider.secret, &path)
        .ok_or_else(|| Error::given("the provider's secret cannot be a key"))?;
    let next = Rc::new(Cell::new(first));
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (authority, signer, next) = (target.api_authority()?, signer.clone(), next.clone());
        workers.spawn_local(async move {
            let mut http = Http::new(authority.clone());
            let mut request = Vec::new();
            while next.get() < first + count {
                let player = player_id(next.replace(next.get() + 1));
                let body = format!("{{\"player\":\"{player}\",\"currency\":\"{CURRENCY}\"}}");
                write_callback(&signer, &authority, unix_s(), body.as_bytes(), &mut request);
                let what = format!("the balance of {player}");
                let answer = http.send(&request).await.map_err(Error::io(what.clone()))?;
                if answer.status != 200 {
                    return Err(Error::Refused {
                        what,
                        status: answer.status,
                        body: String::from_utf8_lossy(answer.body).into_owned(),
                    });
                }
            }
            Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.map_err(|error| Error::given(format!("a worker ended: {error}")))??;
    }
    Ok(())
}

async fn read(target: &Target) -> Result<Reading> {
    let actors = metrics::sum(&metrics::read(target).await?, ALIVE, "actor=\"player\"");
    let actors = actors.ok_or_else(|| {
        Error::given(format!("{ALIVE}{{actor=\"player\"}} is not in the metrics"))
    })?;
    Ok(Reading {
        memory: process::memory(target.pids.server)?,
        actors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(resident_bytes: u64, actors: u64) -> Reading {
        Reading {
            memory: Memory {
                resident_bytes,
                anonymous_bytes: resident_bytes / 2,
            },
            actors,
        }
    }

    #[test]
    fn only_what_grew_is_divided_and_only_by_who_came() {
        let readings = [
            reading(1_000_000, 100),
            reading(3_000_000, 600),
            reading(4_000_000, 1_100),
        ];
        let report = MemoryReport::new(1_000, readings, 3_000).unwrap();
        assert_eq!(report.resident_bytes_per_actor, 3_000);
        assert_eq!(report.second_half_bytes_per_actor, 2_000);
        assert!(report.passed());
        assert!(!MemoryReport::new(1_000, readings, 2_999).unwrap().passed());
    }

    #[test]
    fn without_new_actors_there_is_no_figure() {
        assert!(MemoryReport::new(1, [reading(1, 5), reading(2, 5), reading(3, 5)], 1).is_err());
    }
}
