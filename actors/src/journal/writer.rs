//! One journal writer: an actor with a connection of its own.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Instant,
};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, WrapFuture};
use pitboss_wallet::Decision;
use tokio::sync::oneshot;

use super::JournalLimits;
use crate::{
    metric::{self, Alive},
    ports::{CommitError, Committed, Ledger, Writer},
};

/// A decision to be made durable. The answer goes through `reply`, so that the writer never waits for a
/// caller and a caller that has gone does not undo anything.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Submit {
    pub decision: Arc<Decision>,
    pub reply: oneshot::Sender<Result<Committed, CommitError>>,
    pub accepted_at: Instant,
}

pub(super) struct JournalWriter {
    label: String,
    ledger: Arc<dyn Ledger>,
    limits: JournalLimits,
    queue: VecDeque<Submit>,
    /// Batches on their way.
    committing: usize,
    /// `None` before the first commit, and after one that erred.
    writer: Option<Arc<dyn Writer>>,
    _alive: Alive,
}

impl JournalWriter {
    pub fn new(index: usize, ledger: Arc<dyn Ledger>, limits: JournalLimits) -> Self {
        Self {
            label: index.to_string(),
            ledger,
            limits,
            queue: VecDeque::new(),
            committing: 0,
            writer: None,
            _alive: Alive::new("journal"),
        }
    }

    /// The next batch: in order, but at most one decision per player.
    fn next_batch(&mut self) -> Vec<Submit> {
        let mut players = HashSet::new();
        let mut batch = Vec::new();
        let mut later = VecDeque::new();
        while batch.len() < self.limits.batch_max {
            let Some(submit) = self.queue.pop_front() else {
                break;
            };
            if players.insert(submit.decision.player.clone()) {
                batch.push(submit);
            } else {
                later.push_back(submit);
            }
        }
        while let Some(submit) = later.pop_back() {
            self.queue.push_front(submit);
        }
        batch
    }

    /// Whether to send what waits. Behind a commit that is under way a second one is sent, so that the database goes
    /// on with it at once; but only a large one, for each costs as much again as dozens of bets.
    fn may_commit(&self) -> bool {
        match self.committing {
            0 => !self.queue.is_empty(),
            1 => self.writer.is_some() && self.queue.len() >= self.limits.batch_max.div_ceil(2),
            _ => false,
        }
    }

    fn commit_next(&mut self, context: &mut Context<Self>) {
        if !self.may_commit() {
            return;
        }
        self.committing += 1;
        let wait = !self.limits.linger.is_zero() && self.queue.len() < self.limits.batch_max;
        let linger = if wait { Some(self.limits.linger) } else { None };
        // The wait is a future of its own, so that the batch is taken when it ends, not when it begins.
        let waited = async move {
            if let Some(linger) = linger {
                tokio::time::sleep(linger).await;
            }
        };
        context.spawn(
            waited
                .into_actor(self)
                .map(|(), actor, context| actor.commit_batch(context)),
        );
    }

    fn commit_batch(&mut self, context: &mut Context<Self>) {
        let batch = self.next_batch();
        let writer = self.writer.clone();
        let ledger = self.ledger.clone();
        let limits = self.limits;
        let label = self.label.clone();
        let committed = async move {
            let began = Instant::now();
            let decisions: Vec<_> = batch.iter().map(|submit| submit.decision.clone()).collect();
            let (writer, result) = commit(writer, ledger, limits, &decisions).await;
            metrics::histogram!(metric::BATCH_SIZE, "writer" => label.clone())
                .record(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
            metrics::histogram!(metric::COMMIT_SECONDS, "writer" => label).record(began.elapsed());
            metrics::histogram!(metric::HANDLE_SECONDS, "actor" => "journal")
                .record(began.elapsed());
            let waits = metrics::histogram!(metric::WAIT_SECONDS, "actor" => "journal");
            for submit in &batch {
                waits.record(began.saturating_duration_since(submit.accepted_at));
            }
            (writer, batch, result)
        };
        context.spawn(
            committed
                .into_actor(self)
                .map(|(writer, batch, result), actor, context| {
                    actor.committing -= 1;
                    actor.take_back(writer, result.is_ok());
                    // The next batch goes on its way before the callers of this one wake up.
                    actor.commit_next(context);
                    answer(batch, result);
                }),
        );
    }

    /// Keeps a writer that did well; one that erred is not used again.
    fn take_back(&mut self, writer: Option<Arc<dyn Writer>>, did_well: bool) {
        let Some(writer) = writer else {
            return;
        };
        let is_kept = |kept: &Arc<dyn Writer>| Arc::ptr_eq(kept, &writer);
        match (&self.writer, did_well) {
            (None, true) => self.writer = Some(writer),
            (Some(kept), false) if is_kept(kept) => self.writer = None,
            _ => {}
        }
    }
}

/// Commits on the given writer, or on a new one.
async fn commit(
    writer: Option<Arc<dyn Writer>>,
    ledger: Arc<dyn Ledger>,
    limits: JournalLimits,
    decisions: &[Arc<Decision>],
) -> (Option<Arc<dyn Writer>>, Result<Vec<Committed>, CommitError>) {
    let late = |what: &str| format!("{what} took longer than {:?}", limits.commit_timeout);
    let writer = match writer {
        Some(writer) => writer,
        None => match tokio::time::timeout(limits.commit_timeout, ledger.writer()).await {
            Ok(Ok(writer)) => Arc::from(writer),
            Ok(Err(error)) => return (None, Err(CommitError::Failed(error.to_string()))),
            Err(_) => return (None, Err(CommitError::Failed(late("connecting")))),
        },
    };
    let committed = tokio::time::timeout(limits.commit_timeout, writer.commit(decisions)).await;
    let unknown = |_| Err(CommitError::Unknown(late("the commit")));
    (Some(writer), committed.unwrap_or_else(unknown))
}

fn answer(batch: Vec<Submit>, result: Result<Vec<Committed>, CommitError>) {
    let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
    metrics::counter!(metric::HANDLED, "actor" => "journal", "message" => "submit")
        .increment(count);
    let mut committed = match result {
        Ok(committed) => committed.into_iter(),
        Err(error) => {
            let outcome = match &error {
                CommitError::Failed(_) => "failed",
                CommitError::Unknown(_) => "unknown",
            };
            metrics::counter!(metric::COMMIT_ERRORS, "outcome" => outcome).increment(1);
            tracing::error!(%error, decisions = batch.len(), "a commit did not succeed");
            for submit in batch {
                // The caller may have given up: nobody is left to tell.
                let _ = submit.reply.send(Err(error.clone()));
            }
            return;
        }
    };
    for submit in batch {
        let missing = || CommitError::Unknown("the writer did not answer for this decision".into());
        let _ = submit.reply.send(committed.next().ok_or_else(missing));
    }
}

impl Actor for JournalWriter {
    type Context = Context<Self>;
}

impl Handler<Submit> for JournalWriter {
    type Result = ();

    fn handle(&mut self, submit: Submit, context: &mut Self::Context) {
        self.queue.push_back(submit);
        self.commit_next(context);
    }
}
