//! The bridge's loop: claims lanes, keeps a connection to the bus, publishes batches, moves checkpoints.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};
use uuid::Uuid;

use super::{
    BridgeLimits, Wake,
    batch::{Batch, Outcome, publish},
    link,
};
use crate::{
    metric,
    ports::{Bus, BusSession, LaneLease, Outbox, PortError},
};

/// Decisions per second over which batches are gathered for longer.
const BUSY_PER_S: f64 = 2000.0;

struct Lane {
    lease: LaneLease,
    /// A batch of it is in flight.
    busy: bool,
    /// There may be more than was published.
    dirty: bool,
}

/// What a task of the bridge came back with.
enum Done {
    Batch(Batch),
    Connected(Result<Arc<dyn BusSession>, PortError>),
}

pub(super) struct Mirror {
    owner: Uuid,
    outbox: Arc<dyn Outbox>,
    bus: Arc<dyn Bus>,
    wake: Wake,
    limits: BridgeLimits,
    environment: &'static str,
    lanes: HashMap<u16, Lane>,
    /// For each lane the newest number that this node has tried to publish: what is sent up to it is sent again.
    tried: HashMap<u16, i64>,
    session: Option<Arc<dyn BusSession>>,
    connecting: bool,
    /// The last attempt to connect, or a batch on the connection, failed.
    is_away: bool,
    /// When what was committed meanwhile is looked for: a moment's wait makes one batch of many commits.
    gathered_at: Option<Instant>,
    /// Something waits that no commit of this node told of.
    others: bool,
    /// Decisions published since the last of these moments, and when it was.
    since: (i64, Instant),
    /// The batches in flight. Tasks of their own: a future that waits beside the loop would stand still, with
    /// its database connection, whenever the loop itself waits for one.
    work: JoinSet<Done>,
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
        Self {
            owner,
            outbox,
            bus,
            wake,
            limits,
            environment,
            lanes: HashMap::new(),
            tried: HashMap::new(),
            session: None,
            connecting: false,
            is_away: false,
            gathered_at: None,
            others: false,
            since: (0, Instant::now()),
            work: JoinSet::new(),
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
            let gathered_at = self.gathered_at;
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = claim.tick() => self.claim().await,
                _ = poll.tick() => self.look_around().await,
                () = wake.shared.notify.notified(), if gathered_at.is_none() => {
                    self.gathered_at = Some(Instant::now() + self.linger());
                }
                () = sleep_until(gathered_at.unwrap_or_else(Instant::now)), if gathered_at.is_some() => {
                    self.gathered_at = None;
                    self.take_wakes();
                }
                Some(done) = self.work.join_next() => self.note(done).await,
            }
            self.connect();
            self.begin();
        }
        self.drain().await;
    }

    /// Publishes until nothing is left. The caller bounds the time.
    async fn drain(&mut self) {
        self.claim().await;
        while self.lanes.values().any(|lane| lane.dirty || lane.busy) {
            self.connect();
            self.begin();
            match self.work.join_next().await {
                Some(done) => self.note(done).await,
                None => break,
            }
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
            let is_behind = lease.newest > lease.published;
            match self.lanes.get_mut(&id) {
                // What this node published since knows better than the lease that was read meanwhile.
                Some(lane) if lane.lease.epoch == lease.epoch => {
                    lane.dirty |= lease.newest > lane.lease.published;
                }
                Some(lane) => {
                    lane.lease = lease;
                    lane.dirty |= is_behind;
                }
                None => {
                    let (busy, dirty) = (false, is_behind);
                    self.lanes.insert(id, Lane { lease, busy, dirty });
                }
            }
        }
        let count = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        metrics::gauge!(metric::LANES_HELD, "environment" => self.environment)
            .set(f64::from(count));
    }

    /// Other nodes' commits do not wake this one, and nothing else tells that a connection broke while all is quiet.
    async fn look_around(&mut self) {
        if self
            .session
            .as_ref()
            .is_some_and(|session| !session.is_alive())
        {
            self.lose_session(&PortError("the connection broke".into()));
        }
        let backlog = match self.outbox.backlog().await {
            Ok(backlog) => backlog,
            Err(error) => {
                tracing::debug!(%error, "the outbox could not be looked at");
                return;
            }
        };
        #[allow(clippy::cast_precision_loss, reason = "gauges")]
        for (name, value) in [
            (metric::OUTBOX_BACKLOG, backlog.events as f64),
            (metric::OUTBOX_AGE_SECONDS, backlog.oldest_age.as_secs_f64()),
            (metric::OUTBOX_KEPT, backlog.kept as f64),
            (
                metric::OUTBOX_KEPT_AGE_SECONDS,
                backlog.kept_age.as_secs_f64(),
            ),
        ] {
            metrics::gauge!(name, "environment" => self.environment).set(value);
        }
        if backlog.events > 0 {
            self.others = true;
            // While batches are gathered, not in the middle of it: this would make two of each.
            if self.gathered_at.is_none() {
                self.take_wakes();
            }
        }
    }

    /// Each batch costs the database a read and a checkpoint: while there is much to do, fewer and larger ones.
    fn linger(&mut self) -> Duration {
        let (decisions, since) = std::mem::replace(&mut self.since, (0, Instant::now()));
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let per_s = decisions as f64 / since.elapsed().as_secs_f64();
        if per_s > BUSY_PER_S {
            self.limits.linger_busy
        } else {
            self.limits.linger
        }
    }

    /// Marks the lanes that have something new.
    fn take_wakes(&mut self) {
        let others = std::mem::take(&mut self.others);
        for (id, lane) in &mut self.lanes {
            lane.dirty |= self.wake.take(*id) || others;
        }
    }

    /// Makes a connection when there is none, and settles with the bus: it may have lost something meanwhile.
    fn connect(&mut self) {
        if self.session.is_some() || self.connecting {
            return;
        }
        self.connecting = true;
        let (outbox, bus, environment) = (self.outbox.clone(), self.bus.clone(), self.environment);
        let pause = self.is_away.then_some(self.limits.retry_after);
        self.work.spawn(async move {
            if let Some(pause) = pause {
                sleep(pause).await;
            }
            Done::Connected(link::connect(&*outbox, &*bus, environment).await)
        });
    }

    /// A broken connection is thrown away as a whole, and so is one on which a batch failed.
    fn lose_session(&mut self, error: &PortError) {
        self.session = None;
        metrics::counter!(metric::PUBLISH_ERRORS, "environment" => self.environment).increment(1);
        // Once: as long as the bus is away there is nothing new to say.
        if !self.is_away {
            self.is_away = true;
            tracing::warn!(environment = self.environment, %error, "the bus is away: events wait for it");
        }
    }

    /// Puts every lane to work that has something and is not at it.
    fn begin(&mut self) {
        let Some(session) = &self.session else {
            return;
        };
        for (id, lane) in &mut self.lanes {
            if !lane.dirty || lane.busy {
                continue;
            }
            lane.busy = true;
            lane.dirty = false;
            let tried = self.tried.get(id).copied().unwrap_or_default();
            let (lease, limits, environment) = (lane.lease.clone(), self.limits, self.environment);
            let (outbox, session) = (self.outbox.clone(), session.clone());
            self.work.spawn(async move {
                Done::Batch(publish(&*outbox, session, lease, limits, tried, environment).await)
            });
        }
    }

    async fn note(&mut self, done: Result<Done, JoinError>) {
        match done {
            Ok(Done::Batch(batch)) => self.note_batch(batch).await,
            Ok(Done::Connected(Ok(session))) => {
                self.connecting = false;
                self.session = Some(session);
                if self.is_away {
                    self.is_away = false;
                    tracing::info!(environment = self.environment, "the bus is back");
                }
                // The lanes may have been set back.
                self.claim().await;
            }
            Ok(Done::Connected(Err(error))) => {
                self.connecting = false;
                self.lose_session(&error);
            }
            // Ended with the one that panicked: see below.
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                // Nobody knows which task it was: all is looked at again.
                tracing::error!(%error, "a task of the bridge panicked");
                self.lanes.clear();
                self.work.abort_all();
                (self.session, self.connecting) = (None, false);
                self.claim().await;
            }
        }
    }

    async fn note_batch(&mut self, batch: Batch) {
        let tried = self.tried.entry(batch.lane).or_default();
        *tried = (*tried).max(batch.tried);
        let Some(lane) = self.lanes.get_mut(&batch.lane) else {
            return;
        };
        lane.busy = false;
        // The lane was set back, or lost and taken again, while the batch was under way: it counts for nothing.
        if lane.lease.epoch != batch.epoch {
            lane.dirty = true;
            return;
        }
        match batch.outcome {
            Outcome::Through {
                published,
                acknowledged,
                more,
            } => {
                self.since.0 += published - lane.lease.published;
                lane.lease.published = published;
                lane.lease.acknowledged = acknowledged;
                lane.dirty |= more;
            }
            Outcome::Fenced => {
                self.lanes.remove(&batch.lane);
                self.claim().await;
            }
            Outcome::Unread => lane.dirty = true,
            Outcome::Refused(session, error) => {
                lane.dirty = true;
                let is_this = |current: &Arc<dyn BusSession>| Arc::ptr_eq(current, &session);
                if self.session.as_ref().is_some_and(is_this) {
                    self.lose_session(&error);
                }
            }
        }
    }
}
