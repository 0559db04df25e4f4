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

/// Closes the sockets of logins that are over, until aborted. Most end at a time that the socket knows itself;
/// the rest was ended before, here or on another node.
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

async fn end_logins(world: &World) -> Result<(), StoreError> {
    for some in world.sessions.logins().chunks(LOGINS_MAX) {
        let over = world.store.ended_sessions(some, world.clock.now()).await?;
        if !over.is_empty() {
            world.sessions.end_logins(&HashSet::from_iter(over));
        }
    }
    Ok(())
}

/// Closes the sockets on this node of a player's logins that are over. Other nodes find them by themselves.
///
/// # Errors
/// The database did not answer.
pub async fn end_logins_of(world: &World, player: &PlayerId) -> Result<(), StoreError> {
    let mut logins = world.sessions.logins();
    logins.retain(|(of, _)| of == player);
    let over = world
        .store
        .ended_sessions(&logins, world.clock.now())
        .await?;
    if !over.is_empty() {
        world.sessions.end_logins(&HashSet::from_iter(over));
    }
    Ok(())
}
