//! The bridge: mirrors the outbox to the event bus.
//!
//! Lane by lane, one batch in flight per lane, the checkpoint moved only after every event of the batch is
//! acknowledged. So each player's events arrive in order and at least once; the bus drops repeats by event
//! id. When the bus is away the outbox grows and nothing else notices. The bridge is woken by commits of
//! this node, and looks by itself at intervals for those of others.
//!
//! Each new connection begins with a comparison of what the bus has and what it acknowledged (`link`): a bus that
//! lost something gets it again. What is on the bus and past its time leaves the outbox (`trim`).

mod batch;
mod link;
mod mirror;
mod trim;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, WrapFuture};
use tokio::sync::{Notify, futures::Notified, watch};
use uuid::Uuid;

use crate::{
    metric::{self, Alive},
    ports::{Bus, Outbox, Retention},
};
use mirror::Mirror;

/// Tells the bridge that a lane has something new. Cheap to clone.
#[derive(Clone, Default)]
pub struct Wake {
    shared: Arc<WakeShared>,
}

#[derive(Default)]
struct WakeShared {
    lanes: Vec<AtomicBool>,
    notify: Notify,
    /// For readers of the feed, besides the bridge.
    readers: Notify,
}

impl Wake {
    /// For lanes `0..lanes`.
    #[must_use]
    pub fn new(lanes: u16) -> Self {
        let lanes = (0..lanes).map(|_| AtomicBool::new(false)).collect();
        Self {
            shared: Arc::new(WakeShared {
                lanes,
                notify: Notify::new(),
                readers: Notify::new(),
            }),
        }
    }

    /// Something was committed in this lane.
    pub fn poke(&self, lane: u16) {
        self.shared.readers.notify_waiters();
        let Some(flag) = self.shared.lanes.get(usize::from(lane)) else {
            return;
        };
        if !flag.swap(true, Ordering::AcqRel) {
            self.shared.notify.notify_one();
        }
    }

    /// Completes at the next commit after this call, in whatever lane.
    pub fn told(&self) -> Notified<'_> {
        self.shared.readers.notified()
    }

    fn take(&self, lane: u16) -> bool {
        self.shared
            .lanes
            .get(usize::from(lane))
            .is_some_and(|flag| flag.swap(false, Ordering::AcqRel))
    }
}

/// Settings of the bridge.
#[derive(Debug, Clone, Copy)]
pub struct BridgeLimits {
    /// Decisions in flight per lane at most.
    pub batch_max: usize,
    /// How often to look for events of other nodes.
    pub poll: Duration,
    /// How long after a commit to gather more before publishing.
    pub linger: Duration,
    /// The same, while there is much to publish.
    pub linger_busy: Duration,
    /// How long a lane stays this node's without a renewal.
    pub lease: Duration,
    /// How long to leave the bus, or a lane, alone after a failure.
    pub retry_after: Duration,
    /// How long events stay in the outbox once they are on the bus.
    pub retention: Retention,
    /// How often to look for what is past its time, and how many decisions of a lane to delete at once.
    pub trim_every: Duration,
    pub trim_batch_max: usize,
}

/// The bridge of one environment.
pub struct Bridge {
    outbox: Arc<dyn Outbox>,
    bus: Arc<dyn Bus>,
    wake: Wake,
    limits: BridgeLimits,
    environment: &'static str,
    owner: Uuid,
    stop: watch::Receiver<bool>,
    stopped: watch::Sender<bool>,
    _alive: Alive,
}

/// The way to end a bridge.
#[derive(Clone)]
pub struct BridgeHandle {
    stop: Arc<watch::Sender<bool>>,
    stopped: watch::Receiver<bool>,
}

impl BridgeHandle {
    /// Publishes what is in the outbox, gives the lanes back and ends; waits for that at most `patience`.
    /// `true`: all of it was done.
    pub async fn drain(&self, patience: Duration) -> bool {
        let _ = self.stop.send(true);
        let mut stopped = self.stopped.clone();
        let drained = stopped.wait_for(|stopped| *stopped);
        matches!(tokio::time::timeout(patience, drained).await, Ok(Ok(_)))
    }
}

impl Bridge {
    /// Starts the bridge on an arbiter. `owner` names this node, and this run of it, on its leases.
    pub fn start_on(
        arbiter: &actix::ArbiterHandle,
        environment: &'static str,
        owner: Uuid,
        outbox: Arc<dyn Outbox>,
        bus: Arc<dyn Bus>,
        wake: Wake,
        limits: BridgeLimits,
    ) -> BridgeHandle {
        let (stop, stop_receiver) = watch::channel(false);
        let (stopped, stopped_receiver) = watch::channel(false);
        Self::start_in_arbiter(arbiter, move |_| Self {
            outbox,
            bus,
            wake,
            limits,
            environment,
            owner,
            stop: stop_receiver,
            stopped,
            _alive: Alive::new("bridge"),
        });
        BridgeHandle {
            stop: Arc::new(stop),
            stopped: stopped_receiver,
        }
    }
}

impl Actor for Bridge {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        // There from the start, so that the first time is seen as a rise.
        for name in [metric::REDELIVERED, metric::REWINDS, metric::TRIMMED] {
            metrics::counter!(name, "environment" => self.environment).increment(0);
        }
        let mirror = Mirror::new(
            self.owner,
            self.outbox.clone(),
            self.bus.clone(),
            self.wake.clone(),
            self.limits,
            self.environment,
        );
        let trim = trim::run(
            self.outbox.clone(),
            self.owner,
            self.limits,
            self.environment,
            self.stop.clone(),
        );
        context.spawn(trim.into_actor(self));
        let run = mirror.run(self.stop.clone()).into_actor(self);
        context.spawn(run.map(|(), actor, _| {
            let _ = actor.stopped.send(true);
        }));
    }
}
