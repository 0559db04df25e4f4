//! The audit after a run: what was acknowledged over HTTP, held against what Postgres has.
//!
//! `check` decides, this module reads. Everything is read in one snapshot, so that a bet which lands late
//! (one that nobody answered) is seen either everywhere or nowhere.

mod check;
mod invariants;

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::{Client, IsolationLevel, Row, Transaction, types::ToSql};

pub use check::AuditReport;
use check::{BalanceRow, Check, LedgerRow};
pub use invariants::{Invariants, invariants};

use crate::{
    bets::{book::Book, plan::Run},
    database::checked,
    error::{Error, Result},
};

const RUN_LEDGER: &str = include_str!("../../queries/run_ledger.sql");
const BALANCES: &str = include_str!("../../queries/balances_and_postings.sql");

/// What the ledger is held against.
pub struct Expected<'a> {
    pub run: &'a Run,
    pub book: &'a Book,
    pub provider: &'a str,
    pub currency: &'a str,
    /// Money of each player before the run, by index.
    pub before: &'a [i64],
}

pub async fn audit(client: &mut Client, expected: &Expected<'_>) -> Result<AuditReport> {
    let snapshot = client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .map_err(Error::sql("starting the audit"))?;
    let mut check = Check::new(
        expected.run,
        expected.book,
        expected.provider,
        expected.currency,
        expected.before,
    );
    let prefix = expected.run.prefix.as_str();
    each_row(&snapshot, RUN_LEDGER, &[&prefix], |row| {
        check.ledger(&LedgerRow {
            player_id: row.try_get("player_id")?,
            provider_id: row.try_get("provider_id")?,
            kind: row.try_get("kind")?,
            external_id: row.try_get("external_id")?,
            state: row.try_get("state")?,
            amount: row.try_get("amount")?,
            taken: row.try_get("taken")?,
            total: row.try_get("total")?,
        });
        Ok(())
    })
    .await?;
    each_row(&snapshot, BALANCES, &[], |row| {
        check.balance(&BalanceRow {
            player_id: row.try_get("player_id")?,
            currency: row.try_get("currency")?,
            account: row.try_get("account")?,
            balance: row.try_get("balance")?,
            posted: row.try_get("posted")?,
        });
        Ok(())
    })
    .await?;
    Ok(check.finish())
}

/// Streams, because a long run has millions of rows.
async fn each_row(
    snapshot: &Transaction<'_>,
    query: &str,
    parameters: &[&(dyn ToSql + Sync)],
    mut take: impl FnMut(&Row) -> std::result::Result<(), tokio_postgres::Error>,
) -> Result<()> {
    let wrong = "reading the ledger for the audit";
    let rows = snapshot
        .query_raw(query, parameters.iter().copied())
        .await
        .map_err(Error::sql(wrong))?;
    let mut rows = pin!(rows);
    while let Some(row) = checked(rows.try_next().await, wrong)? {
        checked(take(&row), wrong)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
