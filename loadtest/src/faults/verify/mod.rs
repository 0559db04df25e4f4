//! What must be true when everything is quiet again: the ledger, the bus and the streams against what the clients
//! were told. Read past all relays, from Postgres and JetStream themselves.

mod events;
mod ledger;

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::{Client, Row};

pub use events::Events;
pub use ledger::ledger;

use crate::{database::checked, error::Result};

/// Streams, because a long run has millions of rows.
async fn each(
    client: &Client,
    query: &str,
    mut take: impl FnMut(&Row) -> std::result::Result<(), tokio_postgres::Error>,
) -> Result<()> {
    let what = "reading what happened";
    let none: [&str; 0] = [];
    let rows = checked(client.query_raw(query, none).await, what)?;
    let mut rows = pin!(rows);
    while let Some(row) = checked(rows.try_next().await, what)? {
        checked(take(&row), what)?;
    }
    Ok(())
}
