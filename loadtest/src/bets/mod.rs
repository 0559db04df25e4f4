//! `loadtest bets`: signed native bets over HTTP against a running sandbox, then the audit.
//!
//! `plan` says what is bet and when, `drive` sends it, `answer` reads what came back, `book` remembers it for
//! the audit and `tally` counts it.

pub mod answer;
pub mod book;
pub mod drive;
pub mod plan;
mod report;
pub mod tally;

use std::{collections::HashMap, time::Duration};

use pitboss_providers::native;
use pitboss_wallet::{Currency, Environment, ProviderId};
use tokio_postgres::Client;

pub use report::BetsReport;
use report::Outbox;

use crate::{
    audit::{self, Expected},
    cli::BetsOptions,
    clock::unix_ms,
    database::{self, Holdings},
    error::{Error, Result},
    operator::Operator,
    players::{self, CURRENCY, Setup},
    process,
    sign::Signer,
    stats::per_second,
    target::Target,
};
use book::Fate;
use drive::{Bets, Driven, Load};
use plan::{BetForm, Run, is_plain};

const DEFAULT_CONNECTIONS: u32 = 64;
/// An open loop needs so many that a stall of the server does not keep the next bets from being sent.
const DEFAULT_CONNECTIONS_OPEN: u32 = 256;
const DRAIN_LIMIT: Duration = Duration::from_secs(120);

/// Runs inside a `LocalSet`.
pub async fn run(target: &Target, options: &BetsOptions) -> Result<BetsReport> {
    let database = database::config(&target.postgres)?;
    let ledger = match options.no_audit {
        true => None,
        false => Some(database::connect(&database).await?),
    };
    if let Some(client) = &ledger {
        eprintln!("  {}", database::durability(client).await?);
    }
    let started_unix_ms = unix_ms();
    let seed = options.seed.unwrap_or(started_unix_ms);
    let run = Run::new(started_unix_ms, seed);
    let provider = target.native_provider(options.provider.as_deref())?.clone();
    let path = callback_path(&provider.id, "bet")?;
    let game = find_game(target, options, &provider.id).await?;
    let setup = Setup {
        players: options.players,
        game: Some(game.clone()),
        run: run.prefix.trim_end_matches('-').to_owned(),
        known: known_players(ledger.as_ref()).await?,
    };
    let sessions = players::prepare(target, setup).await?;
    let before = match &ledger {
        Some(client) => {
            quiet(client).await?;
            money_before(client, options.players).await?
        }
        None => Vec::new(),
    };
    let bets = Bets {
        authority: target.api_authority()?,
        signer: Signer::new(&provider.secret, &path)
            .ok_or_else(|| Error::given("the provider's secret cannot be a key"))?,
        run: run.clone(),
        form: BetForm {
            game,
            currency: Currency::from_code(CURRENCY)
                .ok_or_else(|| Error::given("the load test's currency is unknown"))?,
            bets_per_round: options.bets_per_round,
            close_rounds: options.close_rounds,
        },
        sessions,
        seed,
    };
    let load = load(options);
    let connections = load.connections;
    let mut cpu = Vec::new();
    let driven = drive::drive(bets, load, || cpu.push(process::cpu(target.pids))).await?;
    // Anew: in a fault test Postgres may have been away in between.
    let mut ledger = match ledger {
        Some(_) => Some(database::connect(&database).await?),
        None => None,
    };
    let outbox = match &ledger {
        Some(client) => Some(outbox(client).await?),
        None => None,
    };
    let audit = match &mut ledger {
        Some(client) => {
            eprintln!("  audit of {} bets", driven.book.len());
            let expected = Expected {
                run: &run,
                book: &driven.book,
                provider: &provider.id,
                currency: CURRENCY,
                before: &before,
            };
            Some(audit::audit(client, &expected).await?)
        }
        None => None,
    };
    let seconds = driven.window.length().as_secs_f64();
    let cpu = match cpu.as_slice() {
        [start, end] => Some(start.use_until(end, seconds)),
        _ => None,
    };
    Ok(report(
        options,
        &run,
        seed,
        connections,
        driven,
        Extra { outbox, audit, cpu },
    ))
}

/// What is measured beside the bets themselves.
struct Extra {
    outbox: Option<Outbox>,
    audit: Option<audit::AuditReport>,
    cpu: Option<process::CpuUse>,
}

fn report(
    options: &BetsOptions,
    run: &Run,
    seed: u64,
    connections: u32,
    driven: Driven,
    extra: Extra,
) -> BetsReport {
    let tally = driven.tally;
    BetsReport {
        run: run.prefix.trim_end_matches('-').to_owned(),
        seed,
        rate: options.rate,
        connections,
        players: options.players,
        bets_per_round: options.bets_per_round,
        warm_up_s: options.warm_up_s,
        duration_s: options.duration_s,
        acknowledged_per_s: per_second(tally.acknowledged, driven.window.length()),
        acknowledged_measured: tally.acknowledged,
        latency: tally.latency.summary(),
        send_delay: tally.send_delay.summary(),
        sent: driven.book.len() as u64,
        acknowledged: driven.book.count(Fate::Acknowledged),
        refused: driven.book.count(Fate::Refused),
        unknown: driven.book.count(Fate::Unknown),
        requests: tally.requests,
        retries: tally.retries,
        refusals: tally.refusals,
        given_up: tally.given_up,
        not_sent: tally.not_sent,
        replays: tally.replays,
        wrong: tally.wrong,
        bytes_sent: driven.bytes_sent,
        bytes_received: driven.bytes_received,
        cpu: extra.cpu,
        outbox: extra.outbox,
        audit: extra.audit,
        invariants: None,
    }
}

fn load(options: &BetsOptions) -> Load {
    let default = match options.rate {
        Some(_) => DEFAULT_CONNECTIONS_OPEN,
        None => DEFAULT_CONNECTIONS,
    };
    // A player has one bet in flight, so more connections than players could not all be used.
    let most = match options.overlap {
        true => u32::MAX,
        false => options.players.saturating_sub(1).max(1),
    };
    Load {
        rate: options.rate,
        connections: options.connections.unwrap_or(default.min(most)),
        warm_up: Duration::from_secs(options.warm_up_s),
        duration: Duration::from_secs(options.duration_s),
        timeout: Duration::from_millis(options.timeout_ms),
        tries: options.tries,
        overlap: options.overlap,
    }
}

pub fn callback_path(provider: &str, action: &str) -> Result<String> {
    let provider = ProviderId::new(provider)
        .map_err(|error| Error::given(format!("the provider account {provider:?} {error}")))?;
    Ok(native::path(Environment::Sandbox, &provider, action))
}

async fn find_game(target: &Target, options: &BetsOptions, provider: &str) -> Result<String> {
    let game = match &options.game {
        Some(game) => game.clone(),
        None => Operator::new(target)?.game_of(provider).await?.id,
    };
    match is_plain(&game) {
        true => Ok(game),
        false => Err(Error::given(format!("{game:?} is not a game id"))),
    }
}

/// Players of earlier runs with their cash. Without a database nobody is known, and the server itself tells
/// that a player exists.
async fn known_players(ledger: Option<&Client>) -> Result<HashMap<u32, i64>> {
    let Some(client) = ledger else {
        return Ok(HashMap::new());
    };
    let known = database::holdings(client, CURRENCY).await?;
    Ok(known
        .into_iter()
        .map(|(index, holdings)| (index, holdings.cash))
        .collect())
}

async fn money_before(client: &Client, players: u32) -> Result<Vec<i64>> {
    let mut before = vec![0; players as usize];
    for (index, Holdings { total, .. }) in database::holdings(client, CURRENCY).await? {
        if let Some(money) = before.get_mut(index as usize) {
            *money = total;
        }
    }
    Ok(before)
}

/// Lets the server finish what it put off, so that this run does not pay for what came before it.
pub async fn quiet(client: &Client) -> Result<()> {
    if database::outbox_drained(client, DRAIN_LIMIT)
        .await?
        .is_none()
    {
        eprintln!(
            "  warning: the outbox does not drain; what is measured shares the machine with it"
        );
    }
    if !database::checkpoint(client).await {
        eprintln!(
            "  note: this database user may not CHECKPOINT; a checkpoint may fall into the run"
        );
    }
    Ok(())
}

/// Events that were put off during the run, and how long they took afterwards.
async fn outbox(client: &Client) -> Result<Outbox> {
    Ok(Outbox {
        left_at_end: database::outbox_left(client).await?,
        drained_after_s: database::outbox_drained(client, DRAIN_LIMIT)
            .await?
            .map(|time| time.as_secs_f64()),
    })
}
