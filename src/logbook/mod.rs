//! What a server itself writes into the audit log: that it started and stopped, with which configuration (`settings`),
//! what happened to players that is significant (`significant`), who was refused (`access::Refusals`), and clocks that
//! are apart (`skew`).
//!
//! What lives here: when and what to write. What must not: what an operator did, which is written with the change itself.

mod settings;
mod significant;
mod skew;

use std::{sync::Arc, time::Duration};

use pitboss_schema::{AuditAction, AuditActor, AuditNote, StoreError};
use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use self::{significant::Significance, skew::Skew};
use crate::{config::ms, world::World};

/// How often the clocks are compared.
const CLOCKS_EVERY: Duration = Duration::from_secs(10);

/// Notes that this server starts, and what is new about its configuration.
///
/// # Errors
/// The database did not answer.
pub async fn open(world: &World) -> Result<(), StoreError> {
    settings::note(world).await?;
    let detail = json!({ "version": env!("CARGO_PKG_VERSION") });
    world
        .store
        .note(&note(world, AuditAction::ServerStarted, detail))
        .await
}

/// Notes what is still to be noted, and that this server stops.
pub async fn close(world: &World, gracefully: bool) {
    let detail = json!({ "gracefully": gracefully });
    let refused = world.refusals.take(world.clock.now(), &*world.ids);
    let last = note(world, AuditAction::ServerStopped, detail);
    for note in refused.iter().chain([&last]) {
        if let Err(error) = world.store.note(note).await {
            tracing::warn!(environment = %world.environment, %error, "the stop was not noted in the audit log");
            return;
        }
    }
}

/// Keeps the log, until aborted.
#[must_use]
pub fn keep(world: &Arc<World>) -> JoinHandle<()> {
    let world = world.clone();
    let significance = Significance::of(&world.config.audit);
    let mut tick = interval(ms(world.config.audit.read_every_ms));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut skew = Skew::default();
    let mut waiting = Vec::new();
    let mut clocks_at = Instant::now();
    tokio::spawn(async move {
        loop {
            tick.tick().await;
            let kept = async {
                note_refusals(&world, &mut waiting).await?;
                significant::copy(&world, &significance).await?;
                if Instant::now() >= clocks_at {
                    clocks_at = Instant::now() + CLOCKS_EVERY;
                    skew.look(&world).await?;
                }
                Ok::<_, StoreError>(())
            };
            if let Err(error) = kept.await {
                tracing::warn!(environment = %world.environment, %error, "the audit log has to wait for the database");
            }
        }
    })
}

/// Writes down who was refused. What could not be written stays in `waiting`.
async fn note_refusals(world: &World, waiting: &mut Vec<AuditNote>) -> Result<(), StoreError> {
    if waiting.is_empty() {
        *waiting = world.refusals.take(world.clock.now(), &*world.ids);
    }
    while let Some(note) = waiting.last() {
        world.store.note(note).await?;
        waiting.pop();
    }
    Ok(())
}

/// An entry about this server.
fn note(world: &World, action: AuditAction, detail: Value) -> AuditNote {
    AuditNote {
        id: world.ids.uuid(),
        at: world.clock.now(),
        action,
        actor: AuditActor {
            kind: "server",
            id: world.run.to_string(),
            person: None,
            address: None,
        },
        subject: format!("server/{}", world.run),
        detail,
    }
}
