//! Postgres, as the load test uses it: always beside the server, never through it.

use std::{str::FromStr, time::Duration};

use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, Config, NoTls};

use crate::{
    bets::plan::player_index,
    error::{Error, Result},
};

const OUTBOX_LEFT: &str = include_str!("../queries/outbox_left.sql");
const PLAYER_BALANCES: &str = include_str!("../queries/player_balances.sql");
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

pub fn config(url: &str) -> Result<Config> {
    let mut config =
        Config::from_str(url).map_err(Error::sql("the Postgres URL of the connection file"))?;
    config
        .connect_timeout(CONNECT_LIMIT)
        .application_name("pitboss-loadtest");
    Ok(config)
}

pub async fn connect(config: &Config) -> Result<Client> {
    let (client, connection) = config
        .connect(NoTls)
        .await
        .map_err(Error::sql("cannot connect to Postgres"))?;
    // Ends by itself when the client is dropped.
    tokio::spawn(connection);
    Ok(client)
}

/// A database result with what was being done.
pub fn checked<T>(result: std::result::Result<T, tokio_postgres::Error>, what: &str) -> Result<T> {
    result.map_err(Error::sql(what))
}

/// The settings without which a commit is not durable, and their values here.
///
/// # Errors
/// One of them is not `on`: whatever would be measured, it would not be a casino's ledger.
pub async fn durability(client: &Client) -> Result<String> {
    let mut shown = Vec::new();
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let row = checked(
            client.query_one(&format!("SHOW {setting}"), &[]).await,
            "reading the settings",
        )?;
        let value: String = checked(row.try_get(0), "reading the settings")?;
        if value != "on" {
            return Err(Error::given(format!(
                "{setting} is {value}: nothing measured here would be durable"
            )));
        }
        shown.push(format!("{setting} {value}"));
    }
    let row = checked(
        client.query_one("SHOW server_version", &[]).await,
        "reading the version",
    )?;
    let version: String = checked(row.try_get(0), "reading the version")?;
    Ok(format!("Postgres {version}, {}", shown.join(", ")))
}

/// Cash of one load-test player, and all his money together, in ledger units.
#[derive(Debug, Clone, Copy, Default)]
pub struct Holdings {
    pub cash: i64,
    pub total: i64,
}

/// What the load test's players have, by index.
pub async fn holdings(client: &Client, currency: &str) -> Result<Vec<(u32, Holdings)>> {
    let what = "reading the players' balances";
    let rows = checked(client.query(PLAYER_BALANCES, &[&currency]).await, what)?;
    let mut players = std::collections::BTreeMap::<u32, Holdings>::new();
    for row in rows {
        let player: &str = checked(row.try_get("player_id"), what)?;
        let account: &str = checked(row.try_get("account"), what)?;
        let amount: i64 = checked(row.try_get("amount"), what)?;
        if let Some(index) = player_index(player) {
            let holdings = players.entry(index).or_default();
            holdings.total += amount;
            if account == "CASH" {
                holdings.cash += amount;
            }
        }
    }
    Ok(players.into_iter().collect())
}

/// Events that the server has committed and not yet put on the bus.
pub async fn outbox_left(client: &Client) -> Result<i64> {
    let what = "reading the outbox";
    let row = checked(client.query_one(OUTBOX_LEFT, &[]).await, what)?;
    checked(row.try_get(0), what)
}

/// Waits until the outbox is empty. `None`: it was not within `limit`.
pub async fn outbox_drained(client: &Client, limit: Duration) -> Result<Option<Duration>> {
    let started = Instant::now();
    while outbox_left(client).await? > 0 {
        if started.elapsed() > limit {
            return Ok(None);
        }
        sleep(POLL).await;
    }
    Ok(Some(started.elapsed()))
}

/// Writes dirty pages out, so that no measurement pays for the one before it. Best effort: it needs a right
/// that an operator's database user may not have.
pub async fn checkpoint(client: &Client) -> bool {
    client.batch_execute("CHECKPOINT").await.is_ok()
}
