//! Failed logins. The operator knows the player's password, not this server: he reports, and several failures within a
//! while lock the player's logins here, whichever of the operator's programs asks.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use pitboss_providers::Code;
use pitboss_schema::{AuditAction, LoginLock};
use pitboss_wallet::{PlayerId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    super::{
        ApiError,
        auth::Operator,
        body::Body,
        idempotency::{self, Answer},
    },
    ip_address, stored_text,
};
use crate::world::World;

const REASON_CHARS_MAX: usize = 255;

/// A login that failed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedLogin {
    player: PlayerId,
    /// Why, for the audit log: at most 255 characters.
    reason: Option<String>,
    /// The IP address that the login came from.
    address: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct LoginFailures {
    player: PlayerId,
    /// Until when no login of the player is opened; `null` while they are not locked.
    locked_until: Option<Timestamp>,
}

/// `POST /v1/sessions/failed`
pub async fn failed(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    idempotency::run(&request, &operator, &body, async |failed: FailedLogin| {
        let is_long = |reason: &String| reason.chars().count() > REASON_CHARS_MAX;
        if failed.reason.as_ref().is_some_and(is_long) {
            let detail = format!("reason: must be at most {REASON_CHARS_MAX} characters");
            return Err(ApiError::new(Code::Malformed, detail));
        }
        let reason = stored_text("reason", failed.reason.as_deref())?;
        let address = ip_address(failed.address.as_deref())?;
        let player = failed.player;
        let known = world.store.player(&player).await;
        if known.map_err(ApiError::unavailable)?.is_none() {
            let detail = "there is no such player";
            return Err(ApiError::new(Code::UnknownPlayer, detail));
        }
        let sessions = &world.config.sessions;
        let lock = LoginLock {
            window_s: sessions.failures_window_s,
            failures_max: sessions.failures_max,
            lock_s: sessions.lock_s,
        };
        let note = operator.note(
            AuditAction::LoginFailed,
            format!("player/{player}"),
            json!({ "reason": reason, "address": address }),
        );
        let now = note.at;
        let locked_until = world.store.report_login_failure(&player, lock, &note).await;
        let locked_until = locked_until.map_err(ApiError::unavailable)?;
        let failures = LoginFailures {
            player,
            locked_until: locked_until.filter(|until| *until > now),
        };
        Ok(Answer::new(StatusCode::OK, failures))
    })
    .await
}

/// Whether failures are counted that a login makes good.
pub struct Counted(bool);

/// Refuses a login while the player's logins are locked.
pub async fn check(world: &World, player: &PlayerId) -> Result<Counted, ApiError> {
    let failures = world.store.login_failures(player).await;
    let failures = failures.map_err(ApiError::unavailable)?;
    match failures.flatten() {
        Some(until) if until > world.clock.now() => {
            let detail = format!("too many logins failed: none is opened before {until}");
            Err(ApiError::new(Code::PlayerLocked, detail))
        }
        _ => Ok(Counted(failures.is_some())),
    }
}

/// The player has logged in. Failures that could not be forgotten now are forgotten by time.
pub async fn forget(world: &World, player: &PlayerId, Counted(counted): Counted) {
    if counted && let Err(error) = world.store.forget_login_failures(player).await {
        tracing::warn!(%error, "failed logins were not forgotten");
    }
}
