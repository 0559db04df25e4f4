//! `pitboss simulate`: a provider of any dialect against a running server, case by case.
//!
//! The cases, and how each dialect's provider sends and reads, are in `pitboss_providers::simulate`. What lives here: the
//! operator's side (players, money, sessions, blocks, over the REST API), sending, and the table of what came out.

mod operator;
mod play;
mod report;

use pitboss_providers::{
    Dialect, Settings,
    simulate::{Case, Script, cases},
};
use pitboss_wallet::Money;

pub use operator::Operator;
pub use report::{Report, Row};

use play::Round;

/// Where to play, and as whom.
#[derive(Clone)]
pub struct Target {
    /// `https://casino.example`
    pub api: String,
    pub operator_key: String,
    /// `sandbox` or `live`, as in the path of callbacks.
    pub environment: String,
    pub provider: String,
    /// What the provider signs with.
    pub key: Vec<u8>,
    pub settings: Settings,
    /// A game of the account, and the currency to play in.
    pub game: String,
    pub currency: pitboss_wallet::Currency,
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
    #[error("there is no case {name:?}; there are:\n  {known}")]
    NoCase { name: String, known: String },
    #[error("{0}")]
    Other(String),
}

/// Plays the cases of a dialect, or those whose name has `only` in it.
///
/// # Errors
/// The server is away, or refuses the operator. What a provider is told is never an error: it is in the report.
pub async fn run(
    target: &Target,
    dialect: &'static dyn Dialect,
    only: Option<&str>,
) -> Result<Report, SimulateError> {
    let operator = Operator::new(target)?;
    let start = Money::parse(Script::START, target.currency)
        .map_err(|error| SimulateError::Other(error.to_string()))?;
    let run = operator.run_id();
    let mut number = 0;
    let all = cases(dialect.simulator(), || {
        number += 1;
        Script::new(&format!("{run}-{number}"), start)
    });
    let wanted = |case: &Case| only.is_none_or(|only| case.name.contains(only));
    let names: Vec<&str> = all.iter().map(|case| case.name).collect();
    if !all.iter().any(wanted) {
        return Err(SimulateError::NoCase {
            name: only.unwrap_or_default().to_owned(),
            known: names.join("\n  "),
        });
    }
    let mut report = Report::new(dialect.name());
    for (place, case) in all.iter().filter(|case| wanted(case)).enumerate() {
        let player = format!("{run}-{place}");
        let mut round = Round::begin(target, dialect, &operator, &player, start).await?;
        report.add(case.name, round.play(case).await?);
    }
    Ok(report)
}
