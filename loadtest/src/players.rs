//! Brings the load test's players into being and launches a game for each, many at a time.

use std::{cell::Cell, collections::HashMap, rc::Rc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    bets::plan::{is_plain, player_id},
    error::{Error, Result},
    operator::Operator,
    stats::thousands,
    target::Target,
};

pub const CURRENCY: &str = "EUR";
/// What a new player gets, in major units: a million bets of the greatest amount.
const DEPOSIT: &str = "1000000.00";
/// Below this a player gets another deposit, in ledger units: 10,000.00.
const LOW_UNITS: i64 = 10_000_000_000;
const CONNECTIONS: u32 = 32;
const PROGRESS: Duration = Duration::from_secs(2);

/// What is to be done.
#[derive(Clone)]
pub struct Setup {
    pub players: u32,
    /// Launch this game for each player.
    pub game: Option<String>,
    /// Tells this run's deposits and launches from those before.
    pub run: String,
    /// Cash in ledger units, by player index, of players of earlier runs: their creation is skipped.
    pub known: HashMap<u32, i64>,
}

struct Work {
    setup: Setup,
    next: Cell<u32>,
    done: Cell<u32>,
}

/// Runs inside a `LocalSet`. Returns the sessions in the players' order (empty texts without a game).
pub async fn prepare(target: &Target, setup: Setup) -> Result<Vec<String>> {
    let players = setup.players;
    let work = Rc::new(Work {
        setup,
        next: Cell::new(0),
        done: Cell::new(0),
    });
    let started = Instant::now();
    let progress = tokio::task::spawn_local({
        let work = work.clone();
        async move {
            loop {
                sleep(PROGRESS).await;
                eprintln!(
                    "  players: {} of {}",
                    thousands(work.done.get().into()),
                    thousands(players.into())
                );
            }
        }
    });
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS.min(players) {
        let operator = Operator::new(target)?;
        workers.spawn_local(work_off(operator, work.clone()));
    }
    let mut sessions = vec![String::new(); players as usize];
    while let Some(worker) = workers.join_next().await {
        let launched =
            worker.map_err(|error| Error::given(format!("a set-up worker ended: {error}")))??;
        for (player, session) in launched {
            sessions[player as usize] = session;
        }
    }
    progress.abort();
    eprintln!(
        "  players: {} ready after {:.1} s",
        thousands(players.into()),
        started.elapsed().as_secs_f64()
    );
    Ok(sessions)
}

async fn work_off(mut operator: Operator, work: Rc<Work>) -> Result<Vec<(u32, String)>> {
    let setup = &work.setup;
    let mut launched = Vec::new();
    loop {
        let index = work.next.get();
        if index >= setup.players {
            return Ok(launched);
        }
        work.next.set(index + 1);
        let player = player_id(index);
        match setup.known.get(&index) {
            None => {
                operator.create_player(&player, CURRENCY).await?;
                let reference = format!("{player}-first");
                operator
                    .deposit(&player, DEPOSIT, CURRENCY, &reference)
                    .await?;
            }
            Some(units) if *units < LOW_UNITS => {
                let reference = format!("{player}-{}", setup.run);
                operator
                    .deposit(&player, DEPOSIT, CURRENCY, &reference)
                    .await?;
            }
            Some(_) => {}
        }
        if let Some(game) = &setup.game {
            let key = format!("launch-{}-{player}", setup.run);
            let session = operator.launch(&player, game, CURRENCY, &key).await?;
            if !is_plain(&session) {
                return Err(Error::given(format!("{session:?} is not a session id")));
            }
            launched.push((index, session));
        }
        work.done.set(work.done.get() + 1);
    }
}
