//! The port `Writer`: commits batches of decisions over a connection of its own.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use pitboss_actors::ports::{CommitError, Committed, Writer};
use pitboss_wallet::Decision;
use tokio_postgres::{Client, NoTls, Row, Statement, error::SqlState};

use crate::{
    Store, StoreError,
    batch::Batch,
    connection::{Purpose, config},
    error::chain,
    fresh::Fresh,
    neighbours::OwnCommits,
    store::{Params, within},
};

/// How often a batch that Postgres gave up for a deadlock is tried again.
const RETRIES: usize = 5;

const COMMIT: &str = include_str!("../queries/commit_batch.sql");
/// Where the payments belong in it.
const PLACE_OF_PAYMENTS: &str = "-- <payments>\n";
const PAYMENTS: &str = include_str!("../queries/commit_payments.sql");
const TAKEN: &str = include_str!("../queries/taken_entries.sql");

/// Owns one connection. To be given up after any error.
pub(crate) struct PostgresWriter {
    client: Client,
    commit: Statement,
    /// For a batch with payments: they are rare, and every bet would pay for their part of the statement.
    commit_with_payments: Statement,
    taken: Statement,
    answer_timeout: Duration,
    own: Arc<OwnCommits>,
    fresh: Arc<Fresh>,
    /// An answer is missing: whatever came next over this connection would wait behind it.
    is_broken: AtomicBool,
}

/// Why one run of the statement wrote nothing, or may have.
enum Failure {
    /// One of the entries wants a unique key that is taken.
    Taken(String),
    /// One of the entries breaks another constraint.
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
            let prepare = async |sql: &str| {
                let prepared = client.prepare(sql).await;
                prepared.map_err(StoreError::sql("prepare the commit"))
            };
            Ok(Self {
                commit: prepare(COMMIT).await?,
                commit_with_payments: prepare(&COMMIT.replace(PLACE_OF_PAYMENTS, PAYMENTS)).await?,
                taken: prepare(TAKEN).await?,
                client,
                answer_timeout: limit,
                own: store.own_commits().clone(),
                fresh: store.fresh().clone(),
                is_broken: AtomicBool::new(false),
            })
        })
        .await
    }

    /// Commits once. `true` in the place of each entry that was committed.
    async fn run(&self, entries: &[&Arc<Decision>]) -> Result<Vec<bool>, Failure> {
        let batch = batch(entries)?;
        let rows = if batch.has_payments() {
            let params = batch.params_with_payments();
            self.ask(&self.commit_with_payments, &params).await?
        } else {
            self.ask(&self.commit, &batch.params()).await?
        };
        let (lanes, rows): (Vec<_>, Vec<_>) = rows
            .iter()
            .map(|row| (LaneStep::read(row), row))
            .partition(|(lane, _)| lane.is_some());
        // The rows are on disk by now: a row that cannot be read leaves the outcome unknown.
        let committed = named(rows.into_iter().map(|(_, row)| row), entries.len())?;
        for step in lanes.into_iter().filter_map(|(lane, _)| lane) {
            self.note(&step, entries, &committed);
        }
        Ok(committed)
    }

    /// Notes what was committed in a lane: for whoever looks for neighbours, and for the bridge.
    fn note(&self, step: &LaneStep, entries: &[&Arc<Decision>], committed: &[bool]) {
        self.own.note(step.lane, step.base, step.decisions);
        // Numbered in this order: see `numbered` in the statement.
        let numbered: Vec<_> = entries
            .iter()
            .zip(committed)
            .filter(|(decision, committed)| {
                **committed
                    && i32::from(decision.lane) == i32::from(step.lane)
                    && !decision.events.is_empty()
            })
            .map(|(decision, _)| Arc::clone(decision))
            .collect();
        if i64::try_from(numbered.len()) == Ok(step.decisions) {
            self.fresh.add(step.lane, step.base, numbered.into_iter());
        }
    }

    /// `true` in the place of each entry that wants what is taken.
    async fn taken(&self, entries: &[&Arc<Decision>]) -> Result<Vec<bool>, Failure> {
        let batch = batch(entries)?;
        let rows = self.ask(&self.taken, &batch.wanted()).await?;
        named(&rows, entries.len())
    }

    /// Commits; when a key is taken, and it is not known that all are free, asks which.
    async fn settle(&self, entries: &[&Arc<Decision>], is_free: bool) -> Result<Settled, Failure> {
        let reason = match self.run_retrying(entries).await {
            Ok(committed) => return Ok(Settled::Committed(committed)),
            Err(Failure::Taken(_)) if entries.len() > 1 && !is_free => {
                let taken = self.taken(entries).await?;
                return Ok(if taken.contains(&true) {
                    Settled::Taken(taken)
                } else {
                    Settled::Broken { is_free: true }
                });
            }
            // A repeat that memory does not know is no fault of anybody.
            Err(Failure::Taken(_)) => return Ok(Settled::Broken { is_free }),
            Err(Failure::Violation(reason)) => reason,
            Err(failure) => return Err(failure),
        };
        if let [alone] = entries {
            let player = &alone.player;
            tracing::warn!(%player, reason, "an entry breaks a constraint");
        }
        Ok(Settled::Broken { is_free })
    }

    async fn ask(&self, statement: &Statement, params: Params<'_>) -> Result<Vec<Row>, Failure> {
        if self.is_broken.load(Ordering::Relaxed) || self.client.is_closed() {
            return Err(Failure::Failed("the connection was lost before".to_owned()));
        }
        let query = self.client.query(statement, params);
        match tokio::time::timeout(self.answer_timeout, query).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(Failure::of(&error)),
            Err(_) => {
                let limit = self.answer_timeout;
                Err(Failure::Unknown(format!("no answer within {limit:?}")))
            }
        }
    }

    async fn run_retrying(&self, entries: &[&Arc<Decision>]) -> Result<Vec<bool>, Failure> {
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

/// The numbers that a commit took in a lane: so many after `base`.
struct LaneStep {
    lane: i16,
    base: i64,
    decisions: i64,
}

impl LaneStep {
    /// `None` for a row that names an entry. What cannot be read of a lane is not missed: it looks like another
    /// server's.
    fn read(row: &Row) -> Option<Self> {
        Some(Self {
            lane: row.try_get(1).ok()?,
            base: row.try_get(2).ok()?,
            decisions: row.try_get(3).ok()?,
        })
    }
}

/// Entries that are committed together, by their places in the batch.
struct Part {
    places: Vec<usize>,
    /// Asked, and nothing that they want is taken.
    is_free: bool,
}

impl Part {
    fn halves(mut self, is_free: bool) -> [Self; 2] {
        let places = self.places.split_off(self.places.len() / 2);
        self.is_free = is_free;
        [Self { places, is_free }, self]
    }
}

/// What became of a part.
enum Settled {
    /// `true` in the place of each entry that was committed.
    Committed(Vec<bool>),
    /// Nothing was written: `true` in the place of each entry that wants what is taken; there are some.
    Taken(Vec<bool>),
    /// Nothing was written: one of the entries breaks a constraint.
    Broken { is_free: bool },
}

#[async_trait]
impl Writer for PostgresWriter {
    /// An entry that breaks a constraint takes the whole statement with it. If it wants a unique key, which is
    /// how a repeat that memory does not know is found, one question tells of all such entries: they are
    /// answered as stale, and the others are committed. For any other constraint the batch is halved until the
    /// entry that breaks it stands alone, and is answered as stale.
    async fn commit(&self, batch: &[Arc<Decision>]) -> Result<Vec<Committed>, CommitError> {
        let mut answers = vec![Committed::Stale; batch.len()];
        let mut places = in_lock_order(batch);
        // An UPDATE moves a row once: of two entries of one player, one would be lost unseen.
        let mut seen = HashSet::with_capacity(places.len());
        places.retain(|&at| seen.insert(&batch[at].player));
        let mut something_is_durable = false;
        let mut parts = vec![Part {
            places,
            is_free: false,
        }];
        while let Some(mut part) = parts.pop() {
            let entries: Vec<_> = part.places.iter().map(|&at| &batch[at]).collect();
            if entries.is_empty() {
                continue;
            }
            match self.settle(&entries, part.is_free).await {
                Ok(Settled::Committed(committed)) => {
                    for (&at, committed) in part.places.iter().zip(committed) {
                        if committed {
                            answers[at] = Committed::Durable;
                            something_is_durable = true;
                        }
                    }
                }
                Ok(Settled::Taken(taken)) => {
                    let mut taken = taken.into_iter();
                    part.places.retain(|_| taken.next() == Some(false));
                    parts.push(part);
                }
                Ok(Settled::Broken { is_free }) if entries.len() > 1 => {
                    parts.extend(part.halves(is_free));
                }
                Ok(Settled::Broken { .. }) => {}
                Err(Failure::Unknown(reason)) => {
                    self.is_broken.store(true, Ordering::Relaxed);
                    return Err(CommitError::Unknown(reason));
                }
                // Failed, but not as a whole: nobody may be told that it did.
                Err(failure) if something_is_durable => {
                    return Err(CommitError::Unknown(failure.into_reason()));
                }
                Err(failure) => return Err(CommitError::Failed(failure.into_reason())),
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

/// Ordinals, as the statements answer them, as one `true` each in the places of the entries.
fn named<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    entries: usize,
) -> Result<Vec<bool>, Failure> {
    let mut named = vec![false; entries];
    for row in rows {
        let slot = row
            .try_get::<_, i32>(0)
            .ok()
            .and_then(|ord| usize::try_from(ord).ok()?.checked_sub(1))
            .and_then(|at| named.get_mut(at))
            .ok_or_else(|| Failure::Unknown("an answer that was not asked for".to_owned()))?;
        *slot = true;
    }
    Ok(named)
}

fn batch<'a>(entries: &[&'a Arc<Decision>]) -> Result<Batch<'a>, Failure> {
    let mut batch = Batch::default();
    for decision in entries {
        batch
            .push(decision)
            .map_err(|error| Failure::Failed(error.to_string()))?;
    }
    Ok(batch)
}

impl Failure {
    fn into_reason(self) -> String {
        match self {
            Self::Taken(reason)
            | Self::Violation(reason)
            | Self::Transient(reason)
            | Self::Failed(reason)
            | Self::Unknown(reason) => reason,
        }
    }

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
            (&SqlState::UNIQUE_VIOLATION, _) => Self::Taken(reason),
            // Data exceptions and other integrity constraints: the fault of one entry.
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
