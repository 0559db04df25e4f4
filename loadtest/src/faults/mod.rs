//! `loadtest faults`: a casino of our own under load, and everything that can go wrong with it.
//!
//! Providers' clients send every request until it is answered, players' clients come back to their streams after
//! every break, and things go wrong by a seeded schedule. Then everything heals, and what the clients were told is
//! held against the ledger, the bus and the streams: nothing lost, nothing doubled, one answer to each request.
//!
//! - pure: `scenario` (what goes wrong, and when), `player` and `step` (what is asked, and the one right answer);
//! - to break it: `casino`, `node`, `proxy`, `inflict`;
//! - its clients: `drive`, `courier`, `watcher`;
//! - the verdict: `verify`, `tally`, `report`.

mod casino;
mod courier;
mod drive;
mod inflict;
mod node;
mod player;
mod proxy;
mod report;
mod scenario;
mod step;
mod tally;
mod verify;
mod watcher;

use std::{cell::RefCell, path::Path, rc::Rc, time::Duration};

use clap::ValueEnum;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

pub use report::FaultsReport;
pub use scenario::Scenario;

use self::{
    casino::{Casino, GAME, PROVIDER},
    courier::{Counter, Courier, Ended},
    drive::Load,
    player::Player,
    report::{Breach, ScenarioReport},
    step::{Expect, Step},
    tally::{Breaches, Tally},
    verify::Events,
    watcher::{Seen, Watcher},
};
use crate::{
    audit,
    cli::FaultsOptions,
    clock::unix_ms,
    database,
    error::{Error, Result},
    operator::Operator,
    random::{Random, mix},
    runtime,
    sandbox::program,
};

/// How long the bus and the streams may take to have everything, once all is well again.
const QUIET_LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
const LOST: &str = "acknowledged, and lost";
const DOUBLED: &str = "in the ledger twice";

pub fn run(options: &FaultsOptions) -> Result<FaultsReport> {
    let program = program(options.pitboss.as_deref())?;
    let seed = options.seed.unwrap_or_else(unix_ms);
    let scenarios = match options.scenario.as_slice() {
        [] => Scenario::value_variants(),
        some => some,
    };
    if scenarios.iter().any(|scenario| scenario.moves_clocks()) {
        node::faketime()?;
    }
    if let Some(logs) = &options.logs {
        std::fs::create_dir_all(logs).map_err(Error::io("cannot make the folder for logs"))?;
    }
    let each = match (options.minutes, options.seconds) {
        (Some(minutes), _) => {
            Duration::from_secs_f64(minutes * 60.0 / scenarios.len().max(1) as f64)
        }
        (None, seconds) => Duration::from_secs(seconds),
    };
    eprintln!(
        "faults: seed {seed}, {} scenarios of {} s",
        scenarios.len(),
        each.as_secs()
    );
    let mut reports = Vec::new();
    for scenario in scenarios {
        let trial = Trial {
            scenario: *scenario,
            seed,
            length: each,
            options,
        };
        let report = runtime::run_local(trial.run(&program))?;
        eprint!("{report}");
        reports.push(report);
    }
    Ok(FaultsReport {
        seed,
        seconds_each: each.as_secs_f64(),
        players: options.players,
        workers: options.workers,
        rate: options.rate,
        scenarios: reports,
    })
}

/// One scenario.
struct Trial<'a> {
    scenario: Scenario,
    seed: u64,
    length: Duration,
    options: &'a FaultsOptions,
}

/// The players' clients.
struct Watched {
    seen: Vec<(String, Rc<Seen>)>,
    tasks: Vec<JoinHandle<()>>,
    ends: Rc<RefCell<std::collections::BTreeMap<String, u64>>>,
}

impl Trial<'_> {
    async fn run(self, program: &Path) -> Result<ScenarioReport> {
        let scenario = self.scenario;
        let seed = mix(self.seed ^ mix(scenario as u64 + 100));
        let logs = self.options.logs.as_deref();
        let casino = Rc::new(Casino::start(program, scenario, seed, logs).await?);
        let tally = Rc::new(Tally::new()?);
        let counter = Rc::new(Counter::new(
            casino
                .clients
                .iter()
                .map(|relay| format!("127.0.0.1:{}", relay.port()))
                .collect(),
            PROVIDER,
            &casino.provider_secret,
            casino.operator_key.clone(),
            scenario.moves_clocks(),
        )?);
        let players = self.players(&casino, &counter, &tally).await?;
        let watched = self.watch(&casino, &players, &counter, &tally);

        let start = Instant::now();
        let load = Load {
            counter,
            tally: tally.clone(),
            seed,
            workers: self.options.workers,
            rate: self.options.rate,
            start,
            end: start + self.length,
        };
        let schedule = scenario::schedule(scenario, self.seed, self.length);
        let making = async {
            let made = inflict::inflict(&casino, schedule, start).await?;
            // The last requests need a casino that answers.
            casino.heal().await?;
            Ok(made)
        };
        let (players, faults) = tokio::try_join!(drive::drive(load, players), making)?;
        let load_s = start.elapsed().as_secs_f64();
        self.verdict(&casino, &players, watched, &tally, (load_s, faults))
            .await
    }

    /// Creates the players, with money and a game each.
    async fn players(
        &self,
        casino: &Casino,
        counter: &Rc<Counter>,
        tally: &Tally,
    ) -> Result<Vec<Player>> {
        let target = casino.target().await?;
        let mut operator = Operator::new(&target)?;
        let mut courier = Courier::new(counter);
        let mut random = Random::new(self.seed);
        let mut players = Vec::new();
        for number in 0..self.options.players {
            let mut player = Player::new(number);
            operator.create_player(&player.name, "EUR").await?;
            let step: Step = player.first_deposit();
            let name = player.name.clone();
            match courier
                .deliver(&step, &name, false, &mut random, tally)
                .await
            {
                Ended::Right(Some((id, _))) => {
                    if let Expect::Done(done) = &step.expect {
                        player.acknowledge(done.row, id);
                    }
                }
                other => return Err(Error::given(format!("{name}: no first deposit: {other:?}"))),
            }
            player.session = operator
                .launch(&name, GAME, "EUR", &format!("launch-{name}"))
                .await?;
            players.push(player);
        }
        Ok(players)
    }

    fn watch(
        &self,
        casino: &Casino,
        players: &[Player],
        counter: &Counter,
        tally: &Rc<Tally>,
    ) -> Watched {
        let mut watched = Watched {
            seen: Vec::new(),
            tasks: Vec::new(),
            ends: Rc::default(),
        };
        for (number, player) in players.iter().take(self.options.streams).enumerate() {
            let seen = Rc::new(Seen::default());
            let watcher = Watcher {
                player: player.name.clone(),
                servers: counter.servers.clone(),
                operator_key: casino.operator_key.clone(),
                random: Random::new(mix(self.seed ^ mix(number as u64 + 7_000))),
                seen: seen.clone(),
                tally: tally.clone(),
                ends: watched.ends.clone(),
            };
            watched.seen.push((player.name.clone(), seen));
            watched
                .tasks
                .push(tokio::task::spawn_local(watcher.watch()));
        }
        watched
    }

    async fn verdict(
        &self,
        casino: &Casino,
        players: &[Player],
        watched: Watched,
        tally: &Tally,
        (load_s, faults): (f64, inflict::Made),
    ) -> Result<ScenarioReport> {
        let client = database::connect(&database::config(&casino.postgres_url)?).await?;
        let mut breaches = tally.breaches.take();
        if database::outbox_drained(&client, QUIET_LIMIT)
            .await?
            .is_none()
        {
            breaches.add("the outbox does not drain", String::new);
        }
        let mut events = Events::read(&client, &mut breaches).await?;
        let deadline = Instant::now() + QUIET_LIMIT;
        let behind = || {
            watched
                .seen
                .iter()
                .any(|(player, seen)| seen.last() < events.last(player))
        };
        while behind() && Instant::now() < deadline {
            sleep(POLL).await;
        }
        for task in &watched.tasks {
            task.abort();
        }
        for (player, seen) in &watched.seen {
            events.compare_stream(player, seen, &mut breaches);
        }
        let ledger_rows = verify::ledger(&client, players, &mut breaches).await?;
        events
            .compare_bus(casino.bus().await?, &mut breaches)
            .await?;
        let invariants = audit::invariants(&casino.postgres_url).await?;
        let sum = |of: fn(&Seen) -> u64| watched.seen.iter().map(|(_, seen)| of(seen)).sum();
        Ok(ScenarioReport {
            scenario: self.scenario,
            servers: self.scenario.nodes(),
            load_s,
            faults,
            connections_cut: casino.cut(),
            requests: tally.answered.get(),
            tries: tally.tries.get(),
            replayed: tally.replayed.get(),
            again: tally.again.take(),
            latency: tally.latency(),
            ledger_rows,
            events: events.count(),
            events_repeated: events.repeated,
            streams: watched.seen.len() as u64,
            stream_connections: sum(|seen| seen.connections.get()),
            stream_resumes: sum(|seen| seen.resumes.get()),
            stream_ends: watched.ends.take(),
            stopped_gracefully: casino.stop().await,
            lost: breaches.count(LOST),
            doubled: breaches.count(DOUBLED),
            breaches: listed(breaches),
            invariants,
        })
    }
}

fn listed(breaches: Breaches) -> Vec<Breach> {
    let list = breaches.into_list().into_iter();
    list.map(|(what, count, examples)| Breach {
        what,
        count,
        examples,
    })
    .collect()
}
