//! The sweeper: what has to happen although nobody asks for it.
//!
//! It lets idle players leave memory, closes rounds whose provider account says that they waited long enough, and
//! tells of sessions whose time is over. All go through the same doors as everybody's requests.

use std::{sync::Arc, time::Duration};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, WrapFuture};
use pitboss_wallet::{CloseRound, Command, Play, PlayCommand};

use crate::{
    metric::{self, Alive},
    ports::{Clock, Housekeeping, OverdueRound},
    registry::Registry,
};

/// Settings of the sweeper.
#[derive(Debug, Clone, Copy)]
pub struct SweeperLimits {
    /// How often it looks.
    pub every: Duration,
    /// How long a player may be idle in memory.
    pub idle: Duration,
    /// Players to let go, rounds to close and sessions to tell of, at one look at most.
    pub batch_max: usize,
}

/// The sweeper of one environment.
pub struct Sweeper {
    registry: Arc<Registry>,
    housekeeping: Arc<dyn Housekeeping>,
    clock: Arc<dyn Clock>,
    limits: SweeperLimits,
    /// Rounds and sessions are being looked after: one look at a time.
    busy: bool,
    _alive: Alive,
}

impl Sweeper {
    /// Starts it on an arbiter.
    pub fn start_on(
        arbiter: &actix::ArbiterHandle,
        registry: Arc<Registry>,
        housekeeping: Arc<dyn Housekeeping>,
        clock: Arc<dyn Clock>,
        limits: SweeperLimits,
    ) {
        Self::start_in_arbiter(arbiter, move |_| Self {
            registry,
            housekeeping,
            clock,
            limits,
            busy: false,
            _alive: Alive::new("sweeper"),
        });
    }

    fn look(&mut self, context: &mut Context<Self>) {
        let players = u32::try_from(self.registry.in_flight()).unwrap_or(u32::MAX);
        metrics::gauge!(metric::MAILBOX_DEPTH, "actor" => "player").set(f64::from(players));
        self.registry
            .evict_idle(self.limits.idle, self.limits.batch_max);
        if self.busy {
            return;
        }
        self.busy = true;
        let (registry, housekeeping) = (self.registry.clone(), self.housekeeping.clone());
        let (clock, limit) = (self.clock.clone(), self.limits.batch_max);
        let sweep = async move {
            expire_sessions(&registry, &*housekeeping, &*clock, limit).await;
            close_overdue(&registry, &*housekeeping, &*clock, limit).await;
        };
        context.spawn(
            sweep
                .into_actor(self)
                .map(|(), actor, _| actor.busy = false),
        );
    }
}

impl Actor for Sweeper {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.limits.every, Self::look);
    }
}

/// Notes the ends of sessions whose time is over. Over several nodes each end is told once: the commit is fenced.
async fn expire_sessions(
    registry: &Registry,
    housekeeping: &dyn Housekeeping,
    clock: &dyn Clock,
    limit: usize,
) {
    let players = match housekeeping
        .players_with_due_sessions(clock.now(), limit)
        .await
    {
        Ok(players) => players,
        Err(error) => {
            tracing::warn!(%error, "sessions whose time is over could not be looked for");
            return;
        }
    };
    for player in players {
        match registry.execute(&player, Command::ExpireSessions).await {
            Ok(Ok(_)) => metrics::counter!(metric::SESSIONS_SWEPT).increment(1),
            Ok(Err(refusal)) => tracing::warn!(?refusal, "the end of a session was not noted"),
            // Found again at the next look.
            Err(failure) => tracing::warn!(%failure, "the end of a session was not noted"),
        }
    }
}

/// Closes rounds that wait too long, one after the other: there is no hurry, and players come first.
async fn close_overdue(
    registry: &Registry,
    housekeeping: &dyn Housekeeping,
    clock: &dyn Clock,
    limit: usize,
) {
    let overdue = match housekeeping.overdue_rounds(clock.now(), limit).await {
        Ok(overdue) => overdue,
        Err(error) => {
            tracing::warn!(%error, "overdue rounds could not be looked for");
            return;
        }
    };
    for OverdueRound {
        player,
        origin,
        game,
        round,
    } in overdue
    {
        let close = CloseRound { game, round };
        let command = Command::Play(Play {
            origin,
            command: PlayCommand::CloseRound(close),
        });
        match registry.execute(&player, command).await {
            Ok(Ok(_)) => metrics::counter!(metric::ROUNDS_SWEPT).increment(1),
            Ok(Err(refusal)) => tracing::warn!(?refusal, "an overdue round was not closed"),
            // It is still open, and found again at the next look.
            Err(failure) => tracing::warn!(%failure, "an overdue round was not closed"),
        }
    }
}
