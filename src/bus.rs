//! `pitboss bus`: the operator's side of the event bus.

use pitboss_schema::Store;
use pitboss_services::{ServiceError, nats_accounts};
use pitboss_wallet::{Environment, Timestamp};

use crate::{cli::Exit, config::Config, nats};

/// The accounts of the enabled environments and of their users, to be included in a nats-server's configuration.
///
/// # Errors
/// A name that nats-server would not take.
pub fn config(config: &Config) -> Result<String, ServiceError> {
    let accounts = nats_accounts(&nats::accounts(config.enabled()))?;
    Ok(format!(
        "# Printed by `pitboss bus config`. It holds passwords.\naccounts: {accounts:#}"
    ))
}

/// Has everything since a moment, or all that is kept, published again; returns what to tell the person.
///
/// # Errors
/// The database did not answer.
pub async fn replay(
    environment: Environment,
    store: &Store,
    since: Option<Timestamp>,
) -> Result<String, Exit> {
    store.check_installed().await?;
    let replay = store.replay(since).await?;
    let what = format!(
        "{environment}: {} decisions will be published again",
        replay.set_back
    );
    Ok(match (replay.set_back, replay.is_served) {
        (0, _) => format!(
            "{environment}: nothing is kept from that time; nothing will be published again"
        ),
        (_, true) => format!("{what}, by the server that is running"),
        (_, false) => format!("{what} as soon as a server runs: start one with `pitboss serve`"),
    })
}

/// Reads the time of `--since`.
///
/// # Errors
/// What is wrong with it, for the person.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let format = &time::format_description::well_known::Rfc3339;
    let time = time::OffsetDateTime::parse(text, format)
        .map_err(|error| format!("must be like 2026-01-31T12:00:00Z ({error})"))?;
    let micros = i64::try_from(time.unix_timestamp_nanos() / 1000);
    Ok(Timestamp::from_micros(micros.unwrap_or(i64::MAX)))
}
