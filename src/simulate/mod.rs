//! `pitboss simulate`: a provider of any dialect against a running server, case by case.
//!
//! The cases, and how each dialect's provider sends and reads, are in `pitboss_providers::simulate`. What lives here: the
//! operator's side (players, money, sessions, blocks, an account to play with, over the REST API), sending, the table of
//! what came out, and the command line. What must not: anything that knows the server from the inside.

mod command;
mod operator;
mod play;
mod report;

use pitboss_providers::{
    Dialect, Settings,
    simulate::{Case, Script, cases, left_out},
};
use pitboss_wallet::{Currency, Environment, Money};

pub use command::{SimulateArgs, simulate};
pub use operator::Operator;
pub use report::{Report, Row};

use play::Round;

/// Where to play.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub environment: Environment,
    pub currency: Currency,
}

/// As whom.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    /// What the provider signs with.
    pub key: Vec<u8>,
    pub settings: Settings,
    /// A game of the account.
    pub game: String,
}

/// Why a run did not get to its end.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error("{address} does not answer: {reason}")]
    NoAnswer { address: String, reason: String },
    #[error("{what}: the server answered {status}: {text}")]
    Refused {
        what: String,
        status: u16,
        text: String,
    },
    #[error("{0}")]
    Other(String),
}

/// The names of all cases of a dialect.
#[must_use]
pub fn names(dialect: &dyn Dialect) -> Vec<&'static str> {
    let nothing = Currency::from_code("EUR").map(|currency| Money::new(0, currency));
    let scripts = nothing.map(|nothing| Script::new("", nothing));
    let Some(script) = scripts else {
        return Vec::new();
    };
    let all = cases(dialect.simulator(), || script.clone());
    all.iter().map(|case| case.name).collect()
}

/// Plays the cases of a dialect, or those whose name has `only` in it, each with a player of its own.
///
/// # Errors
/// The server is away, or refuses the operator. What a provider is told is never an error: it is in the report.
pub async fn run(
    operator: &Operator,
    place: &Place,
    account: &Account,
    dialect: &'static dyn Dialect,
    only: Option<&str>,
) -> Result<Report, SimulateError> {
    let start = Money::parse(Script::START, place.currency)
        .map_err(|error| SimulateError::Other(error.to_string()))?;
    let run = operator.run_id();
    let mut number = 0;
    let mut script = || {
        number += 1;
        Script::new(&format!("{run}-{number}"), start)
    };
    let left_out = left_out(dialect.simulator(), &script());
    let all = cases(dialect.simulator(), script);
    let wanted = |name: &str| only.is_none_or(|only| name.contains(only));
    let mut report = Report::new(dialect.name());
    let wanted_cases = all.iter().filter(|case: &&Case| wanted(case.name));
    for (number, case) in wanted_cases.enumerate() {
        let player = format!("{run}-{number}");
        let mut round = Round::begin(operator, place, account, dialect, &player, start).await?;
        report.add(case.name, round.play(case).await?);
    }
    for (name, why) in left_out.into_iter().filter(|(name, _)| wanted(name)) {
        report.leave_out(name, why);
    }
    Ok(report)
}
