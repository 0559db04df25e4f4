//! The player actor: one per player that somebody asks for. It serialises all that touches his money.
//!
//! Every handler that awaits returns an `AtomicResponse`: nothing else of this player runs until it ends.
//! (Five concurrent read-modify-writes through `ResponseActFuture` all answered 1.)

mod core;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{
    Actor, ActorContext, ActorFutureExt, AtomicResponse, Context, Handler, Message, WrapFuture,
};
use metrics::Counter;
use pitboss_wallet::{Command, Outcome, PlayerId};

pub use self::core::{Core, Failure, PlayerPorts};
use crate::{
    metric::{self, Alive, hot_counter, hot_histogram},
    registry::Eviction,
    stream::{EventSink, Snapshot},
};

/// One player's actor.
pub struct PlayerActor {
    /// With the running handler while one runs.
    core: Option<Box<Core>>,
    _alive: Alive,
}

impl PlayerActor {
    #[must_use]
    pub fn new(id: PlayerId, ports: Arc<PlayerPorts>) -> Self {
        Self {
            core: Some(Box::new(Core::new(id, ports))),
            _alive: Alive::new("player"),
        }
    }

    /// Runs `work` on the core with nothing else of this player in between.
    fn atomically<T, F>(
        &mut self,
        handled: &'static Counter,
        accepted_at: Instant,
        work: impl FnOnce(Box<Core>) -> F + 'static,
    ) -> AtomicResponse<Self, Result<T, Failure>>
    where
        T: 'static,
        F: Future<Output = (Box<Core>, Result<T, Failure>)> + 'static,
    {
        let core = self.core.take();
        let began = Instant::now();
        let waited = began.saturating_duration_since(accepted_at);
        hot_histogram!(metric::WAIT_SECONDS, "actor" => "player").record(waited);
        let running = async move {
            match core {
                Some(core) => {
                    let (core, result) = work(core).await;
                    (Some(core), result)
                }
                // Only after a handler was torn out of the middle, which actix does not do.
                None => (None, Err(Failure::Retry)),
            }
        };
        AtomicResponse::new(Box::pin(running.into_actor(self).map(
            move |(core, result), actor, _| {
                actor.core = core;
                hot_histogram!(metric::HANDLE_SECONDS, "actor" => "player").record(began.elapsed());
                handled.increment(1);
                result
            },
        )))
    }
}

impl Actor for PlayerActor {
    type Context = Context<Self>;
}

/// Carry out a command. Skipped when nobody waits for it any more.
#[derive(Message)]
#[rtype(result = "Result<Outcome, Failure>")]
pub struct Execute {
    pub command: Command,
    pub accepted_at: Instant,
    /// How long the caller waits.
    pub patience: Duration,
}

impl Handler<Execute> for PlayerActor {
    type Result = AtomicResponse<Self, Result<Outcome, Failure>>;

    fn handle(&mut self, execute: Execute, _: &mut Self::Context) -> Self::Result {
        let Execute {
            command,
            accepted_at,
            patience,
        } = execute;
        self.atomically(
            hot_counter!(metric::HANDLED, "actor" => "player", "message" => "execute"),
            accepted_at,
            move |mut core| async move {
                // Not yet started, and the caller has gone: he will ask again.
                if accepted_at.elapsed() >= patience {
                    metrics::counter!(metric::REFUSED, "actor" => "player", "reason" => "expired")
                        .increment(1);
                    return (core, Err(Failure::Busy("expired")));
                }
                let result = core.execute(&command).await;
                (core, result)
            },
        )
    }
}

/// The player's wallets and open rounds as they are now.
#[derive(Message)]
#[rtype(result = "Result<Snapshot, Failure>")]
pub struct View {
    pub accepted_at: Instant,
}

impl Handler<View> for PlayerActor {
    type Result = AtomicResponse<Self, Result<Snapshot, Failure>>;

    fn handle(&mut self, view: View, _: &mut Self::Context) -> Self::Result {
        self.atomically(
            hot_counter!(metric::HANDLED, "actor" => "player", "message" => "view"),
            view.accepted_at,
            |mut core| async move {
                let result = core.snapshot().await;
                (core, result)
            },
        )
    }
}

/// Push every later event to a sink.
#[derive(Message)]
#[rtype(result = "Result<Snapshot, Failure>")]
pub struct Subscribe {
    pub sink: Arc<dyn EventSink>,
    pub accepted_at: Instant,
}

impl Handler<Subscribe> for PlayerActor {
    type Result = AtomicResponse<Self, Result<Snapshot, Failure>>;

    fn handle(&mut self, subscribe: Subscribe, _: &mut Self::Context) -> Self::Result {
        let Subscribe { sink, accepted_at } = subscribe;
        self.atomically(
            hot_counter!(metric::HANDLED, "actor" => "player", "message" => "subscribe"),
            accepted_at,
            |mut core| async move {
                let result = core.subscribe(sink).await;
                (core, result)
            },
        )
    }
}

/// Leave memory, when nobody streams and nobody has asked in the meantime.
#[derive(Message)]
#[rtype(result = "()")]
pub struct LeaveIfIdle(pub Eviction);

impl Handler<LeaveIfIdle> for PlayerActor {
    type Result = ();

    fn handle(&mut self, LeaveIfIdle(eviction): LeaveIfIdle, context: &mut Self::Context) {
        let streams = self.core.as_mut().is_some_and(|core| core.has_sinks());
        if !streams && eviction.confirm() {
            metrics::counter!(metric::EVICTED).increment(1);
            context.stop();
        }
    }
}
