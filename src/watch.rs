//! What open sockets must hear of although nobody on this node did it: events that other nodes committed, and
//! logins that are over. Only reads, at intervals.

use std::{collections::HashSet, sync::Arc};

use pitboss_schema::{Neighbours, StoreError};
use pitboss_wallet::PlayerId;
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{config::ms, world::World};

/// Logins that are asked for in one statement.
const LOGINS_MAX: usize = 2000;

/// Tells sockets of what other nodes committed, until aborted.
#[must_use]
pub fn neighbours(world: &Arc<World>) -> JoinHandle<()> {
    let world = world.clone();
    let mut neighbours = Neighbours::of(world.store.clone());
    let mut tick = interval(ms(world.config.stream.poll_ms));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        loop {
            tick.tick().await;
            let sessions = &world.sessions;
            match neighbours.look(|| sessions.total() > 0).await {
                Ok(moved) => {
                    let count = u64::try_from(moved.len()).unwrap_or(u64::MAX);
                    metrics::counter!("pitboss_stream_others_total", "environment" => world.environment.as_str())
                        .increment(count);
                    for (player, seq) in moved {
                        sessions.look(world.environment, &player, seq);
                    }
                }
                Err(error) => {
                    tracing::warn!(environment = %world.environment, %error, "other nodes' commits were not looked for");
                }
            }
        }
    })
}

/// Closes the sockets of logins that are over, until aborted. A socket knows only when its login ends at the latest:
/// that the player is idle, or that somebody ended it, here or on another node, is found here.
#[must_use]
pub fn logins(world: &Arc<World>) -> JoinHandle<()> {
    let world = world.clone();
    let mut tick = interval(ms(world.config.stream.logins_poll_ms));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        loop {
            tick.tick().await;
            if let Err(error) = end_logins(&world).await {
                tracing::warn!(environment = %world.environment, %error, "logins that are over were not looked for");
            }
        }
    })
}

/// Closes a player's sockets on this node whose logins are over: at once, where it is known that one may be.
///
/// # Errors
/// The database did not answer; the next look will.
pub async fn end_logins_of(world: &World, player: &PlayerId) -> Result<(), StoreError> {
    let (sessions, environment) = (&world.sessions, world.environment);
    let logins = sessions.logins_of(environment, player);
    if logins.is_empty() {
        return Ok(());
    }
    let asked: Vec<_> = logins.into_iter().map(|id| (player.clone(), id)).collect();
    let over = world
        .store
        .ended_sessions(&asked, world.clock.now())
        .await?;
    sessions.end_logins_of(environment, player, &HashSet::from_iter(over));
    Ok(())
}

async fn end_logins(world: &World) -> Result<(), StoreError> {
    for some in world.sessions.logins().chunks(LOGINS_MAX) {
        let over = world.store.ended_sessions(some, world.clock.now()).await?;
        if !over.is_empty() {
            world.sessions.end_logins(&HashSet::from_iter(over));
        }
    }
    Ok(())
}
