//! One batch of a lane: read, publish, move the checkpoint.

use std::sync::Arc;

use tokio::time::sleep;

use super::BridgeLimits;
use crate::{
    metric,
    ports::{BusSession, Families, LaneLease, Outbox, OutboxEvent, PortError},
};

/// A batch that has ended.
pub(super) struct Batch {
    pub lane: u16,
    pub epoch: i64,
    /// What it tried to publish, up to this lane number.
    pub tried: i64,
    pub outcome: Outcome,
}

pub(super) enum Outcome {
    Through {
        published: i64,
        acknowledged: Families,
        /// More may wait behind it.
        more: bool,
    },
    /// Somebody else holds the lane by now, or it was set back.
    Fenced,
    /// The database did not answer.
    Unread,
    /// The bus did not take all of it. The connection is of no use any more.
    Refused(Arc<dyn BusSession>, PortError),
}

/// Publishes the lane's next batch and moves its checkpoint. `tried`: what was sent of the lane before.
pub(super) async fn publish(
    outbox: &dyn Outbox,
    session: Arc<dyn BusSession>,
    lease: LaneLease,
    limits: BridgeLimits,
    tried: i64,
    environment: &'static str,
) -> Batch {
    let (lane, epoch) = (lease.lane, lease.epoch);
    let mut attempt = Attempt {
        outbox,
        lease,
        limits,
        tried,
        environment,
    };
    let outcome = match attempt.run(&session).await {
        Ok(outcome) => outcome,
        Err(Failure::Bus(error)) => Outcome::Refused(session, error),
        Err(Failure::Outbox(error)) => {
            tracing::warn!(environment, lane, %error, "a batch was not published");
            sleep(limits.retry_after).await;
            Outcome::Unread
        }
    };
    Batch {
        lane,
        epoch,
        tried: attempt.tried,
        outcome,
    }
}

struct Attempt<'a> {
    outbox: &'a dyn Outbox,
    lease: LaneLease,
    limits: BridgeLimits,
    tried: i64,
    environment: &'static str,
}

enum Failure {
    Bus(PortError),
    Outbox(PortError),
}

impl Attempt<'_> {
    async fn run(&mut self, session: &Arc<dyn BusSession>) -> Result<Outcome, Failure> {
        let LaneLease {
            lane,
            epoch,
            published,
            ..
        } = self.lease;
        let batch_max = self.limits.batch_max;
        let events = self
            .outbox
            .read(lane, published, batch_max)
            .await
            .map_err(Failure::Outbox)?;
        let Some(last) = events.last().map(|event| event.lane_seq) else {
            return Ok(Outcome::Through {
                published,
                acknowledged: self.lease.acknowledged.clone(),
                more: false,
            });
        };
        let mut acknowledged = self.lease.acknowledged.clone();
        for (family, newest) in self.send(session, events, last).await? {
            let known = acknowledged.entry(family).or_default();
            *known = (*known).max(newest);
        }
        let moved = self
            .outbox
            .checkpoint(lane, epoch, last, &acknowledged)
            .await
            .map_err(Failure::Outbox)?;
        if !moved {
            return Ok(Outcome::Fenced);
        }
        // A lane's numbers have no hole: the difference is how many decisions were read.
        let read = usize::try_from(last - published).unwrap_or(usize::MAX);
        Ok(Outcome::Through {
            published: last,
            acknowledged,
            more: read >= batch_max,
        })
    }

    /// Publishes those events of a batch that their streams do not hold.
    async fn send(
        &mut self,
        session: &Arc<dyn BusSession>,
        mut events: Vec<OutboxEvent>,
        last: i64,
    ) -> Result<Families, Failure> {
        let held = &self.lease.held;
        events.retain(|event| {
            held.get(event.family())
                .is_none_or(|held| event.lane_seq > *held)
        });
        if events.is_empty() {
            return Ok(Families::new());
        }
        let again = events.iter().filter(|event| event.lane_seq <= self.tried);
        let (count, again) = (as_u64(events.len()), as_u64(again.count()));
        self.tried = self.tried.max(last);
        let newest = session.publish(events).await.map_err(Failure::Bus)?;
        let environment = self.environment;
        metrics::counter!(metric::PUBLISHED, "environment" => environment).increment(count);
        metrics::counter!(metric::REDELIVERED, "environment" => environment).increment(again);
        Ok(newest)
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
