//! `GET /v1/stream`: the upgrade to a player's WebSocket.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Payload, Query},
};
use pitboss_actors::session::{self, SessionSetup, TooManySessions};
use pitboss_providers::Code;
use serde::Deserialize;

use super::{ApiError, auth::Player};

/// Where to resume. The token is never in the URL: URLs end up in logs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The newest `seq` that the client has.
    after: Option<i64>,
    /// The `epoch` that came with it.
    epoch: Option<String>,
}

pub async fn open(
    request: HttpRequest,
    player: Player,
    resume: Query<Resume>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let Player {
        world,
        player,
        session,
    } = player;
    let Resume { after, epoch } = resume.into_inner();
    let setup = SessionSetup {
        player,
        environment: world.environment,
        expires_at: Some(session.expires_at),
        after,
        epoch_of_client: epoch,
        incarnation: world.incarnation,
        limits: world.stream_limits(),
        source: world.registry.clone(),
        ledger: world.ledger.clone(),
        clock: world.clock.clone(),
        sessions: world.sessions.clone(),
    };
    session::start(&request, payload, setup).map_err(|error| {
        if error.as_error::<TooManySessions>().is_some() {
            return ApiError::new(
                Code::Busy,
                "this server has as many open streams as it takes",
            );
        }
        ApiError::new(
            Code::Malformed,
            "this is a WebSocket: send an upgrade request",
        )
    })
}
