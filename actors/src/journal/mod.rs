//! The journal: group commit. Many players' decisions go to disk as one statement.
//!
//! A writer owns one connection and serves some of the lanes. While a commit is under way the next batch
//! gathers; what is queued is taken as soon as the commit ends, so batches grow with the load and a lone
//! bet does not wait. When half a full batch waits it is sent behind the commit that is under way, and not before:
//! the database then goes on without a pause, and batches stay large. A player has at most one decision in a batch:
//! the statement could apply only one.

mod writer;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix::{Actor, Addr, ArbiterHandle};
use pitboss_wallet::Decision;
use tokio::sync::oneshot;

use crate::{
    mail, metric,
    ports::{CommitError, Committed, Ledger},
};
use writer::{JournalWriter, Submit};

/// Limits of the journal.
#[derive(Debug, Clone, Copy)]
pub struct JournalLimits {
    pub writers: usize,
    /// Decisions in one commit at most.
    pub batch_max: usize,
    /// How long a writer may wait for a batch to fill; zero: not at all.
    pub linger: Duration,
    /// Decisions that may wait, over all writers.
    pub queue_max: usize,
    /// After this a commit's outcome counts as unknown.
    pub commit_timeout: Duration,
}

/// Why a decision is not durable, or not known to be.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// Too many decisions wait. Nothing was written.
    #[error("too many decisions wait for a commit")]
    Busy,
    #[error(transparent)]
    Commit(#[from] CommitError),
}

struct WriterSlot {
    address: Mutex<Addr<JournalWriter>>,
    arbiter: ArbiterHandle,
}

/// The way into the journal. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    ledger: Arc<dyn Ledger>,
    limits: JournalLimits,
    slots: Vec<WriterSlot>,
    depth: Arc<AtomicUsize>,
}

impl Journal {
    /// Starts the writers, each on the next of `arbiters`.
    #[must_use]
    pub fn start(
        ledger: Arc<dyn Ledger>,
        limits: JournalLimits,
        arbiters: &[ArbiterHandle],
    ) -> Self {
        let slots = arbiters
            .iter()
            .cycle()
            .take(if arbiters.is_empty() {
                0
            } else {
                limits.writers
            })
            .enumerate()
            .map(|(index, arbiter)| WriterSlot {
                address: Mutex::new(start_writer(index, &ledger, limits, arbiter)),
                arbiter: arbiter.clone(),
            })
            .collect();
        let depth = Arc::new(AtomicUsize::new(0));
        Self {
            inner: Arc::new(Inner {
                ledger,
                limits,
                slots,
                depth,
            }),
        }
    }

    /// Makes a decision durable.
    ///
    /// # Errors
    /// [`JournalError`]; on [`CommitError::Unknown`] it may be durable all the same.
    pub async fn commit(&self, decision: Arc<Decision>) -> Result<Committed, JournalError> {
        let inner = &self.inner;
        let Some(_place) = Place::take(&inner.depth, inner.limits.queue_max) else {
            metrics::counter!(metric::REFUSED, "actor" => "journal", "reason" => "queue_full")
                .increment(1);
            return Err(JournalError::Busy);
        };
        let writer = usize::from(decision.lane) % inner.slots.len().max(1);
        let Some(address) = inner.writer(writer) else {
            return Err(CommitError::Failed("the journal has no writer".into()).into());
        };
        let (reply, answer) = oneshot::channel();
        mail::tell(
            &address,
            Submit {
                decision,
                reply,
                accepted_at: Instant::now(),
            },
        );
        // A writer that dies drops its queue: some of it may have been on its way to the database.
        let lost = |_| CommitError::Unknown("the journal writer ended".into());
        Ok(answer.await.map_err(lost)??)
    }

    /// Decisions that wait or are being committed.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.inner.depth.load(Ordering::Relaxed)
    }
}

impl Inner {
    /// The writer's address; a new writer when the old one has ended.
    fn writer(&self, index: usize) -> Option<Addr<JournalWriter>> {
        let slot = self.slots.get(index)?;
        let mut address = slot.address.lock().unwrap_or_else(PoisonError::into_inner);
        if !address.connected() {
            tracing::error!(
                writer = index,
                "a journal writer has ended and is started anew"
            );
            *address = start_writer(index, &self.ledger, self.limits, &slot.arbiter);
        }
        Some(address.clone())
    }
}

fn start_writer(
    index: usize,
    ledger: &Arc<dyn Ledger>,
    limits: JournalLimits,
    arbiter: &ArbiterHandle,
) -> Addr<JournalWriter> {
    let ledger = ledger.clone();
    JournalWriter::start_in_arbiter(arbiter, move |_| JournalWriter::new(index, ledger, limits))
}

/// A counted place in the queue, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(depth: &Arc<AtomicUsize>, max: usize) -> Option<Self> {
        let before = depth.fetch_add(1, Ordering::Relaxed);
        let place = Self(depth.clone());
        (before < max).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
