//! The bridge's loop: claims lanes, publishes batches, moves checkpoints.

use std::{collections::HashMap, sync::Arc};

use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

use super::{BridgeLimits, Wake};
use crate::{
    metric,
    ports::{Bus, LaneLease, Outbox, PortError},
};

struct Lane {
    lease: LaneLease,
    /// A batch of it is in flight.
    busy: bool,
    /// There may be more than was published.
    dirty: bool,
}

/// How one batch of a lane ended.
enum Published {
    Through {
        published: i64,
        /// More may wait behind it.
        more: bool,
    },
    /// Somebody else holds the lane by now.
    Fenced,
    Failed,
}

pub(super) struct Mirror {
    owner: Uuid,
    outbox: Arc<dyn Outbox>,
    bus: Arc<dyn Bus>,
    wake: Wake,
    limits: BridgeLimits,
    environment: &'static str,
    lanes: HashMap<u16, Lane>,
    /// The batches in flight. Tasks of their own: a future that waits beside the loop would stand still, with
    /// its database connection, whenever the loop itself waits for one.
    work: JoinSet<(u16, Published)>,
}

impl Mirror {
    pub fn new(
        owner: Uuid,
        outbox: Arc<dyn Outbox>,
        bus: Arc<dyn Bus>,
        wake: Wake,
        limits: BridgeLimits,
        environment: &'static str,
    ) -> Self {
        let (lanes, work) = (HashMap::new(), JoinSet::new());
        Self {
            owner,
            outbox,
            bus,
            wake,
            limits,
            environment,
            lanes,
            work,
        }
    }

    /// Until told to stop; then publishes what is left and gives the lanes back.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        // Thrice per lease, so that one renewal may fail.
        let mut claim = interval(self.limits.lease / 3);
        let mut poll = interval(self.limits.poll);
        claim.set_missed_tick_behavior(MissedTickBehavior::Delay);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let wake = self.wake.clone();
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = claim.tick() => self.claim().await,
                _ = poll.tick() => self.look_for_others().await,
                () = wake.shared.notify.notified() => {
                    // A moment's wait makes one batch of many commits.
                    sleep(self.limits.linger).await;
                    self.take_wakes();
                }
                Some(ended) = self.work.join_next() => self.note(ended),
            }
            self.begin();
        }
        self.drain().await;
    }

    /// Publishes until nothing is left. The caller bounds the time.
    async fn drain(&mut self) {
        self.claim().await;
        for lane in self.lanes.values_mut() {
            lane.dirty = true;
        }
        self.begin();
        while let Some(ended) = self.work.join_next().await {
            self.note(ended);
            self.begin();
        }
        if let Err(error) = self.outbox.release(self.owner).await {
            tracing::warn!(%error, "the lanes could not be given back: their leases will run out");
        }
    }

    async fn claim(&mut self) {
        let leases = match self.outbox.claim(self.owner, self.limits.lease).await {
            Ok(leases) => leases,
            Err(error) => {
                tracing::warn!(environment = self.environment, %error, "lanes could not be claimed");
                return;
            }
        };
        let held: HashMap<u16, LaneLease> = leases
            .into_iter()
            .map(|lease| (lease.lane, lease))
            .collect();
        self.lanes
            .retain(|id, lane| lane.busy || held.contains_key(id));
        for (id, lease) in held {
            let dirty = lease.newest > lease.published;
            match self.lanes.get_mut(&id) {
                // A batch under way knows its own position better than the lease that was read meanwhile.
                Some(lane) if lane.busy && lane.lease.epoch == lease.epoch => lane.dirty |= dirty,
                Some(lane) => {
                    let busy = lane.busy;
                    *lane = Lane {
                        lease,
                        busy,
                        dirty: lane.dirty || dirty,
                    };
                }
                None => {
                    self.lanes.insert(
                        id,
                        Lane {
                            lease,
                            busy: false,
                            dirty,
                        },
                    );
                }
            }
        }
        let count = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        metrics::gauge!(metric::LANES_HELD, "environment" => self.environment)
            .set(f64::from(count));
    }

    /// Other nodes' commits do not wake this one.
    async fn look_for_others(&mut self) {
        let backlog = match self.outbox.backlog().await {
            Ok(backlog) => backlog,
            Err(error) => {
                tracing::debug!(%error, "the outbox could not be looked at");
                return;
            }
        };
        #[allow(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!(metric::OUTBOX_BACKLOG, "environment" => self.environment)
            .set(backlog.events as f64);
        metrics::gauge!(metric::OUTBOX_AGE_SECONDS, "environment" => self.environment)
            .set(backlog.oldest_age.as_secs_f64());
        if backlog.events > 0 {
            for lane in self.lanes.values_mut() {
                lane.dirty = true;
            }
        }
    }

    fn take_wakes(&mut self) {
        for (id, lane) in &mut self.lanes {
            lane.dirty |= self.wake.take(*id);
        }
    }

    /// Puts every lane to work that has something and is not at it.
    fn begin(&mut self) {
        for (id, lane) in &mut self.lanes {
            if !lane.dirty || lane.busy {
                continue;
            }
            lane.busy = true;
            lane.dirty = false;
            let (id, lease, limits) = (*id, lane.lease.clone(), self.limits);
            let (outbox, bus, environment) =
                (self.outbox.clone(), self.bus.clone(), self.environment);
            let batch = async move {
                let result = publish(&*outbox, &*bus, &lease, limits.batch_max, environment).await;
                let published = match result {
                    Ok(published) => published,
                    Err(error) => {
                        metrics::counter!(metric::PUBLISH_ERRORS, "environment" => environment)
                            .increment(1);
                        tracing::warn!(environment, lane = id, %error, "a batch was not published");
                        sleep(limits.retry_after).await;
                        Published::Failed
                    }
                };
                (id, published)
            };
            self.work.spawn(batch);
        }
    }

    fn note(&mut self, ended: Result<(u16, Published), JoinError>) {
        let (id, published) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // Nobody knows which lane it was: all of them are looked at again.
                tracing::error!(%error, "publishing a batch panicked");
                self.lanes.clear();
                return;
            }
        };
        let Some(lane) = self.lanes.get_mut(&id) else {
            return;
        };
        lane.busy = false;
        match published {
            Published::Through { published, more } => {
                lane.lease.published = lane.lease.published.max(published);
                lane.dirty |= more;
            }
            Published::Failed => lane.dirty = true,
            Published::Fenced => {
                self.lanes.remove(&id);
            }
        }
    }
}

/// Publishes the lane's next batch and moves its checkpoint.
async fn publish(
    outbox: &dyn Outbox,
    bus: &dyn Bus,
    lease: &LaneLease,
    batch_max: usize,
    environment: &'static str,
) -> Result<Published, PortError> {
    let events = outbox.read(lease.lane, lease.published, batch_max).await?;
    let Some(last) = events.last() else {
        return Ok(Published::Through {
            published: lease.published,
            more: false,
        });
    };
    bus.publish(&events).await?;
    let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
    metrics::counter!(metric::PUBLISHED, "environment" => environment).increment(count);
    if !outbox
        .checkpoint(lease.lane, lease.epoch, last.lane_seq)
        .await?
    {
        return Ok(Published::Fenced);
    }
    Ok(Published::Through {
        published: last.lane_seq,
        more: events.len() >= batch_max,
    })
}
