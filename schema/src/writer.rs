//! The port `Writer`: commits batches of decisions over a connection of its own.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use pitboss_actors::ports::{CommitError, Committed, Writer};
use pitboss_wallet::Decision;
use tokio_postgres::{Client, NoTls, Statement, error::SqlState};

use crate::{
    Store, StoreError,
    batch::Batch,
    connection::{Purpose, config},
    error::chain,
    neighbours::OwnCommits,
    store::within,
};

/// How often a batch that Postgres gave up for a deadlock is tried again.
const RETRIES: usize = 5;

const COMMIT: &str = include_str!("../queries/commit_batch.sql");

/// Owns one connection. To be given up after any error.
pub(crate) struct PostgresWriter {
    client: Client,
    statement: Statement,
    answer_timeout: Duration,
    own: Arc<OwnCommits>,
    /// An answer is missing: whatever came next over this connection would wait behind it.
    is_broken: bool,
}

/// Why one run of the statement wrote nothing, or may have.
enum Failure {
    /// One of the entries breaks a constraint.
    Violation(String),
    /// A deadlock or the like: the same again may succeed.
    Transient(String),
    /// Nothing was written, whatever the reason.
    Failed(String),
    Unknown(String),
}

impl PostgresWriter {
    pub async fn connect(store: &Store) -> Result<Self, StoreError> {
        let config = config(store.url(), store.options(), Purpose::Writer)?;
        let limit = store.options().answer_timeout;
        within(limit, async {
            let (client, connection) = config
                .connect(NoTls)
                .await
                .map_err(|error| StoreError::Connection(chain(&error)))?;
            // Ends by itself when the client is dropped.
            tokio::spawn(connection);
            let statement = client
                .prepare(COMMIT)
                .await
                .map_err(StoreError::sql("prepare the commit"))?;
            Ok(Self {
                client,
                statement,
                answer_timeout: limit,
                own: store.own_commits().clone(),
                is_broken: false,
            })
        })
        .await
    }

    /// Runs the statement once. `true` in the place of each entry that was committed.
    async fn run(&self, entries: &[&Decision]) -> Result<Vec<bool>, Failure> {
        let mut batch = Batch::default();
        for decision in entries {
            batch
                .push(decision)
                .map_err(|error| Failure::Failed(error.to_string()))?;
        }
        if self.is_broken || self.client.is_closed() {
            return Err(Failure::Failed("the connection was lost before".to_owned()));
        }
        let params = batch.params();
        let query = self.client.query(&self.statement, &params);
        let rows = match tokio::time::timeout(self.answer_timeout, query).await {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) => return Err(Failure::of(&error)),
            Err(_) => {
                let limit = self.answer_timeout;
                return Err(Failure::Unknown(format!("no answer within {limit:?}")));
            }
        };
        let mut committed = vec![false; entries.len()];
        for row in &rows {
            // A row about a lane. What cannot be read of it is not missed: it looks like another server's.
            if let (Ok(Some(lane)), Ok(Some(base)), Ok(Some(decisions))) =
                (row.try_get(1), row.try_get(2), row.try_get(3))
            {
                self.own.note(lane, base, decisions);
                continue;
            }
            // The rows are on disk by now: a row that cannot be read leaves the outcome unknown.
            let slot = row
                .try_get::<_, i32>(0)
                .ok()
                .and_then(|ord| usize::try_from(ord).ok()?.checked_sub(1))
                .and_then(|at| committed.get_mut(at))
                .ok_or_else(|| Failure::Unknown("an answer that was not asked for".to_owned()))?;
            *slot = true;
        }
        Ok(committed)
    }

    async fn run_retrying(&self, entries: &[&Decision]) -> Result<Vec<bool>, Failure> {
        let mut tries = 0;
        loop {
            match self.run(entries).await {
                Err(Failure::Transient(reason)) if tries < RETRIES => {
                    tries += 1;
                    tracing::debug!(reason, tries, "commit tried again");
                }
                other => return other,
            }
        }
    }
}

#[async_trait]
impl Writer for PostgresWriter {
    /// An entry that breaks a constraint takes the whole statement with it. The batch is then halved until
    /// that entry stands alone, and is answered as stale; the others are committed.
    async fn commit(&mut self, batch: &[Arc<Decision>]) -> Result<Vec<Committed>, CommitError> {
        let mut answers = vec![Committed::Stale; batch.len()];
        let mut order = in_lock_order(batch);
        // An UPDATE moves a row once: of two entries of one player, one would be lost unseen.
        let mut seen = HashSet::with_capacity(order.len());
        order.retain(|&at| seen.insert(&batch[at].player));
        let mut something_is_durable = false;
        let mut parts = vec![order.as_slice()];
        while let Some(part) = parts.pop() {
            let entries: Vec<&Decision> = part.iter().map(|&at| &*batch[at]).collect();
            if entries.is_empty() {
                continue;
            }
            let committed = match self.run_retrying(&entries).await {
                Ok(committed) => committed,
                Err(Failure::Violation(reason)) => {
                    if let [alone] = entries.as_slice() {
                        let player = &alone.player;
                        tracing::warn!(%player, reason, "an entry breaks a constraint");
                    } else {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.push(second);
                        parts.push(first);
                    }
                    continue;
                }
                Err(Failure::Unknown(reason)) => {
                    self.is_broken = true;
                    return Err(CommitError::Unknown(reason));
                }
                // Failed, but not as a whole: nobody may be told that it did.
                Err(Failure::Failed(reason) | Failure::Transient(reason))
                    if something_is_durable =>
                {
                    return Err(CommitError::Unknown(reason));
                }
                Err(Failure::Failed(reason) | Failure::Transient(reason)) => {
                    return Err(CommitError::Failed(reason));
                }
            };
            for (&at, committed) in part.iter().zip(committed) {
                if committed {
                    answers[at] = Committed::Durable;
                    something_is_durable = true;
                }
            }
        }
        Ok(answers)
    }
}

/// By lane and player, so that two statements lock the same rows in the same order.
fn in_lock_order(batch: &[Arc<Decision>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..batch.len()).collect();
    order.sort_by(|&a, &b| {
        let key = |at: usize| (batch[at].lane, batch[at].player.as_str());
        key(a).cmp(&key(b))
    });
    order
}

impl Failure {
    /// Only an error that Postgres itself reports says that the statement was undone. Without one, and while
    /// the server shuts down, the commit may have happened.
    fn of(error: &tokio_postgres::Error) -> Self {
        let reason = chain(error);
        let Some(code) = error.code() else {
            return Self::Unknown(reason);
        };
        match (code, &code.code()[..2]) {
            (&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE, _) => {
                Self::Transient(reason)
            }
            // Data exceptions and integrity constraints: the fault of one entry.
            (_, "22" | "23") => Self::Violation(reason),
            (&SqlState::QUERY_CANCELED, _) => Self::Failed(reason),
            // Statement completion unknown, connection exceptions, operator intervention.
            (&SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN, _) | (_, "08" | "57") => {
                Self::Unknown(reason)
            }
            _ => Self::Failed(reason),
        }
    }
}
