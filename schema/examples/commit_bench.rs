//! Measures the commit statement alone: two writers on lanes of their own, each bet opens a round.
//!
//! `cargo run --release -p pitboss-schema --example commit_bench [decisions per writer and size] [sizes, as 16,64]
//! [address]`
//!
//! Without the address of an empty database it starts a Postgres of its own with fsync and
//! synchronous_commit on. The decisions are made beforehand, so
//! that the figures are the database's and the encoding's.

#![allow(clippy::disallowed_methods, reason = "a bench is a seam of its own")]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use pitboss_actors::ports::{Committed, Ledger, Writer};
use pitboss_schema::{Profile, Store, StoreOptions};
use pitboss_services::{Postgres, PostgresOptions, ScratchDir};
use pitboss_wallet::{
    Bet, CacheLimits, Command, Currency, Decision, Deposit, Environment, ExternalId, Facts, GameId,
    GameStanding, Launch, Money, Origin, Play, PlayCommand, PlayerId, PlayerState, Policy,
    ProviderId, RoundId, Seam, SessionId, SessionRules, Timestamp, Verdict, apply, decide,
};
use uuid::Uuid;

type Failure = Box<dyn Error + Send + Sync>;

const LANES: u16 = 16;
const WRITERS: usize = 2;
const PLAYERS: usize = 4_000;
const LIMITS: CacheLimits = CacheLimits {
    rounds: 4,
    transactions: 4,
    sessions: 4,
};

fn now() -> Timestamp {
    Timestamp::from_micros(4_000_000_000_000_000)
}

fn decision(state: &mut PlayerState, command: &Command) -> Result<Arc<Decision>, Failure> {
    let mut seam = Seam {
        now: now(),
        environment: Environment::Sandbox,
        sessions: SessionRules::default(),
        new_id: &mut Uuid::now_v7,
    };
    let mut facts = Facts::default();
    loop {
        match decide(state, &facts, command, &mut seam) {
            Verdict::Commit(decision) => {
                apply(state, &decision, LIMITS);
                return Ok(Arc::from(decision));
            }
            // Everything here is new: there is nothing to be found.
            Verdict::Need(asked) => facts.extend(nothing(asked)),
            other => return Err(format!("no decision: {other:?}").into()),
        }
    }
}

fn nothing(asked: Vec<pitboss_wallet::Fact>) -> Facts {
    let mut facts = Facts::default();
    for fact in asked {
        match fact {
            pitboss_wallet::Fact::Transaction(key) => facts.transactions.push((key, None)),
            pitboss_wallet::Fact::Round(key) => facts.rounds.push((key, None)),
            pitboss_wallet::Fact::Session(id) => facts.sessions.push((id, None)),
            pitboss_wallet::Fact::Sessions => facts.unended = Some(Vec::new()),
            pitboss_wallet::Fact::Payment(id) => facts.payments.push((id, None)),
        }
    }
    facts
}

struct Seat {
    state: PlayerState,
    session: SessionId,
    bets: u64,
}

impl Seat {
    fn bet(
        &mut self,
        origin: &Origin,
        game: &GameId,
        eur: Currency,
    ) -> Result<Arc<Decision>, Failure> {
        self.bets += 1;
        let id = format!("{}-{}", self.state.id, self.bets);
        let bet = Command::Play(Play {
            origin: origin.clone(),
            command: PlayCommand::Bet(Bet {
                transaction: ExternalId::new(format!("bet-{id}"))?,
                session: self.session,
                game: game.clone(),
                standing: GameStanding::ENABLED,
                round: RoundId::new(format!("round-{id}"))?,
                amount: Money::new(10_000, eur),
                closes_round: false,
                free_round: None,
                jackpot_contribution: None,
            }),
        });
        decision(&mut self.state, &bet)
    }
}

async fn commit_all(
    writer: &dyn Writer,
    batches: &[Vec<Arc<Decision>>],
) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::with_capacity(batches.len());
    for batch in batches {
        let start = Instant::now();
        let answers = writer.commit(batch).await?;
        times.push(start.elapsed());
        if answers.iter().any(|answer| *answer != Committed::Durable) {
            return Err("an entry is stale".into());
        }
    }
    Ok(times)
}

async fn seats(
    store: &Store,
    eur: Currency,
    origin: &Origin,
    game: &GameId,
) -> Result<Vec<Vec<Seat>>, Failure> {
    let mut writers: Vec<Vec<Seat>> = (0..WRITERS).map(|_| Vec::new()).collect();
    for n in 0..PLAYERS {
        let id = PlayerId::new(format!("player-{n}"))?;
        store.create_player(&id, &Profile::default()).await?;
        let lane = pitboss_schema::lane_of(&id, LANES);
        writers[usize::from(lane) % WRITERS].push(Seat {
            state: PlayerState::new(id, lane),
            session: SessionId(Uuid::now_v7()),
            bets: 0,
        });
    }
    let writer = store.writer().await?;
    for step in 0..3 {
        for group in &mut writers {
            for part in group.chunks_mut(128) {
                let mut batch = Vec::new();
                for seat in part {
                    let command = match step {
                        0 => Command::OpenAccount(eur),
                        1 => Command::Deposit(Deposit {
                            reference: ExternalId::new(format!("deposit-{}", seat.state.id))?,
                            amount: Money::new(1_000_000_000_000, eur),
                        }),
                        _ => launch(seat.session, eur, origin, game),
                    };
                    batch.push(decision(&mut seat.state, &command)?);
                }
                commit_all(writer.as_ref(), &[batch]).await?;
            }
        }
    }
    Ok(writers)
}

fn launch(session: SessionId, currency: Currency, origin: &Origin, game: &GameId) -> Command {
    let mut token_hash = [0; 32];
    token_hash[..16].copy_from_slice(session.0.as_bytes());
    Command::Launch(Launch {
        session,
        currency,
        provider: origin.provider.clone(),
        game: game.clone(),
        standing: GameStanding::ENABLED,
        token_hash,
        token_expires_at: now().plus_seconds(60),
        expires_at: now().plus_seconds(3_600),
        login: None,
        per_game_max: None,
    })
}

/// CPU time of the writers' Postgres processes so far; nothing for a Postgres that runs elsewhere.
async fn postgres_cpu(client: &tokio_postgres::Client) -> Result<Duration, Failure> {
    let pids = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pitboss writer'";
    let mut nanos = 0;
    for row in client.query(pids, &[]).await? {
        let pid: i32 = row.get(0);
        let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
        let spent = text.split(' ').next().unwrap_or_default();
        nanos += spent.parse::<u64>().unwrap_or_default();
    }
    Ok(Duration::from_nanos(nanos))
}

fn percentile(times: &[Duration], percent: usize) -> Duration {
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).copied().unwrap_or_default()
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let each: usize = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 20_000,
    };
    let scratch = ScratchDir::new("commit-bench")?;
    let mut own = None;
    let sizes: Vec<usize> = match std::env::args().nth(2) {
        Some(list) => list.split(',').map(str::parse).collect::<Result<_, _>>()?,
        None => vec![1, 4, 16, 64, 128, 256],
    };
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

    let eur = Currency::from_code("EUR").ok_or("no EUR")?;
    let game = GameId::new("dice")?;
    let origin = Origin {
        provider: ProviderId::new("demo")?,
        policy: Arc::new(Policy::default()),
    };
    let (observer, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let mut groups = seats(&store, eur, &origin, &game).await?;
    println!("{WRITERS} writers, {LANES} lanes, {PLAYERS} players, {each} bets each");
    println!(
        "{:>6} {:>10} {:>9} {:>9} {:>9} {:>14}",
        "batch", "bets/s", "p50 ms", "p99 ms", "max ms", "CPU us per bet"
    );
    for size in sizes {
        // Small batches are slow: bounded in time by doing fewer of them.
        let count = (each / size).clamp(1, 10_000);
        let mut work = Vec::new();
        for group in &mut groups {
            let seats = group.len();
            let mut batches = Vec::with_capacity(count);
            for n in 0..count {
                let picked = (0..size).map(|k| (n * size + k) % seats);
                let batch: Result<Vec<_>, _> = picked
                    .map(|at| group[at].bet(&origin, &game, eur))
                    .collect();
                batches.push(batch?);
            }
            work.push((store.writer().await?, batches));
        }
        let cpu = postgres_cpu(&observer).await?;
        let start = Instant::now();
        let mut tasks = Vec::new();
        for (writer, batches) in work {
            tasks.push(tokio::spawn(async move {
                let times = commit_all(writer.as_ref(), &batches).await;
                (times, writer)
            }));
        }
        let mut times = Vec::new();
        let mut writers = Vec::new();
        for task in tasks {
            let (ended, writer) = task.await?;
            times.extend(ended?);
            writers.push(writer);
        }
        let seconds = start.elapsed().as_secs_f64();
        let cpu = postgres_cpu(&observer).await?.saturating_sub(cpu);
        drop(writers);
        times.sort_unstable();
        let ms = |percent| percentile(&times, percent).as_secs_f64() * 1_000.0;
        let rate = (times.len() * size) as f64 / seconds;
        println!(
            "{size:>6} {rate:>10.0} {:>9.2} {:>9.2} {:>9.2} {:>14.1}",
            ms(50),
            ms(99),
            ms(100),
            cpu.as_secs_f64() * 1e6 / (times.len() * size) as f64
        );
    }
    let report = pitboss_schema::audit::audit(&store, |_| {}).await?;
    println!("audit clean: {}", report.is_clean());
    if let Some(mut postgres) = own {
        postgres.stop().await;
    }
    Ok(())
}
