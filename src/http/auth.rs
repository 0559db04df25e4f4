//! Who is asking: operators by their secret key, players by their session token.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL},
    web::Data,
};
use pitboss_providers::Code;
use pitboss_wallet::{PlayerId, Session};
use uuid::Uuid;

use super::ApiError;
use crate::{
    app::App,
    tokens::{self, TokenKind},
    world::World,
};

/// The subprotocol that carries a player's token beside it.
pub const SUBPROTOCOL: &str = "pitboss.v1";

/// An operator, by a key of one environment: it sees that world and no other (INV-12).
pub struct Operator {
    pub world: Arc<World>,
    pub key_id: Uuid,
}

impl FromRequest for Operator {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = bearer(request).map(str::to_owned);
        let app = request.app_data::<Data<App>>().cloned();
        Box::pin(async move {
            let refused = || {
                ApiError::new(
                    Code::Unauthorized,
                    "send a valid operator key: Authorization: Bearer sk_...",
                )
            };
            let app = app.ok_or_else(|| ApiError::internal("no application state"))?;
            let key = key.ok_or_else(refused)?;
            let Some((TokenKind::OperatorKey, environment)) = tokens::classify(&key) else {
                return Err(refused());
            };
            let world = app.world(environment).ok_or_else(refused)?;
            if !app.accepts_work() {
                return Err(ApiError::new(
                    Code::Retry,
                    "the server is stopping; ask the next one",
                ));
            }
            let key_id = world
                .operator_key(&tokens::hash(&key))
                .await?
                .ok_or_else(refused)?;
            Ok(Self {
                world: world.clone(),
                key_id,
            })
        })
    }
}

/// A player, by the token of a live session.
pub struct Player {
    pub world: Arc<World>,
    pub player: PlayerId,
    pub session: Session,
}

impl FromRequest for Player {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = bearer(request)
            .or_else(|| subprotocol_token(request))
            .map(str::to_owned);
        let app = request.app_data::<Data<App>>().cloned();
        Box::pin(async move {
            let refused = || {
                let detail = "send a valid player token: Authorization: Bearer pst_..., or the subprotocols pitboss.v1, pst_...";
                ApiError::new(Code::Unauthorized, detail)
            };
            let app = app.ok_or_else(|| ApiError::internal("no application state"))?;
            let token = token.ok_or_else(refused)?;
            let Some((TokenKind::PlayerToken, environment)) = tokens::classify(&token) else {
                return Err(refused());
            };
            let world = app.world(environment).ok_or_else(refused)?;
            if !app.accepts_work() {
                return Err(ApiError::new(
                    Code::Retry,
                    "the server is stopping; ask the next one",
                ));
            }
            let (player, session) = live_session(world, &token).await?.ok_or_else(refused)?;
            Ok(Self {
                world: world.clone(),
                player,
                session,
            })
        })
    }
}

/// The session of a player's token in this world, and whose it is; `None` for a token that is not known.
///
/// # Errors
/// The session is over, or the database did not answer.
pub async fn live_session(
    world: &World,
    token: &str,
) -> Result<Option<(PlayerId, Session)>, ApiError> {
    let found = world
        .store
        .session_by_token(&tokens::hash(token))
        .await
        .map_err(ApiError::unavailable)?;
    if let Some((_, session)) = &found
        && (session.ended_at.is_some() || session.expires_at <= world.clock.now())
    {
        return Err(ApiError::new(Code::SessionExpired, "the session is over"));
    }
    Ok(found)
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Browsers cannot set headers on a WebSocket, but can offer subprotocols: `pitboss.v1, <token>`.
fn subprotocol_token(request: &HttpRequest) -> Option<&str> {
    request
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .find(|protocol| *protocol != SUBPROTOCOL)
}
