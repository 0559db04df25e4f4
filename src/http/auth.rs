//! Who is asking: operators by their secret key, players by their session token.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL},
    web::Data,
};
use pitboss_providers::Code;
use pitboss_schema::{AuditAction, AuditActor, AuditNote};
use pitboss_wallet::{PlayerId, Session};
use serde_json::Value;
use uuid::Uuid;

use super::{
    ApiError,
    route::{Caller, Gate},
};
use crate::{
    access::{Scope, Scopes},
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
    /// Whom the key is for: a decision that needs two persons needs two of these.
    pub person: String,
    /// Where the request came from.
    pub address: String,
    /// What the key may do. The route's own scope is among it.
    pub scopes: Scopes,
}

impl FromRequest for Operator {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = bearer(request).map(str::to_owned);
        let app = request.app_data::<Data<App>>().cloned();
        let needed = needed_scope(request);
        let address = address(request);
        Box::pin(async move {
            let refused = || {
                let detail = "send a valid operator key: Authorization: Bearer sk_...";
                ApiError::new(Code::Unauthorized, detail)
            };
            let (world, hash) = enter(app, key, TokenKind::OperatorKey, refused)?;
            let key = world.operator_key(&hash).await?.ok_or_else(refused)?;
            let needed = needed?;
            if !key.scopes.allows(needed) {
                let detail = format!("the key does not have the scope {needed}");
                return Err(ApiError::new(Code::Forbidden, detail));
            }
            Ok(Self {
                world,
                key_id: key.id,
                person: key.person.clone(),
                address,
                scopes: key.scopes,
            })
        })
    }
}

impl Operator {
    /// An entry of the audit log for what this operator does.
    pub fn note(&self, action: AuditAction, subject: String, detail: Value) -> AuditNote {
        AuditNote {
            id: self.world.ids.uuid(),
            at: self.world.clock.now(),
            action,
            actor: AuditActor {
                kind: "operator",
                id: self.key_id.to_string(),
                person: Some(self.person.clone()),
                address: Some(self.address.clone()),
            },
            subject,
            detail,
        }
    }
}

/// Where a request came from.
pub fn address(request: &HttpRequest) -> String {
    let peer = request.peer_addr().map(|peer| peer.ip());
    peer.map_or_else(|| "unknown".to_owned(), |ip| ip.to_canonical().to_string())
}

/// What a key must have for this request. A route that is not an operator's has no business to ask for one.
fn needed_scope(request: &HttpRequest) -> Result<Scope, ApiError> {
    let gate = request.app_data::<Gate>();
    match gate.and_then(|gate| gate.caller(request.method())) {
        Some(Caller::Operator(scope)) => Ok(scope),
        _ => Err(ApiError::internal("a route without a scope asks for a key")),
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
            let (world, hash) = enter(app, token, TokenKind::PlayerToken, refused)?;
            let found = live_session(&world, &hash).await?;
            let (player, session) = found.ok_or_else(refused)?;
            Ok(Self {
                world,
                player,
                session,
            })
        })
    }
}

/// From a token to the world that it is for, and the hash by which that world knows it: whoever asks must have a
/// token of the right kind, of an environment that is served here, while work is taken.
fn enter(
    app: Option<Data<App>>,
    token: Option<String>,
    kind: TokenKind,
    refused: impl Fn() -> ApiError,
) -> Result<(Arc<World>, [u8; 32]), ApiError> {
    let app = app.ok_or_else(|| ApiError::internal("no application state"))?;
    let token = token.ok_or_else(&refused)?;
    let (_, environment) = tokens::classify(&token)
        .filter(|(found, _)| *found == kind)
        .ok_or_else(&refused)?;
    let world = app.world(environment).ok_or_else(refused)?;
    if !app.accepts_work() {
        let detail = "the server is stopping; ask the next one";
        return Err(ApiError::new(Code::Retry, detail));
    }
    Ok((world.clone(), tokens::hash(&token)))
}

/// The session of a player's token in this world, by the token's hash, and whose it is; `None` for a token that is
/// not known.
///
/// # Errors
/// The session is over, or the database did not answer.
pub async fn live_session(
    world: &World,
    hash: &[u8; 32],
) -> Result<Option<(PlayerId, Session)>, ApiError> {
    let found = world
        .store
        .session_by_token(hash)
        .await
        .map_err(ApiError::unavailable)?;
    if let Some((_, session)) = &found
        && !session.is_live(world.clock.now())
    {
        return Err(ApiError::new(Code::SessionExpired, "the session is over"));
    }
    Ok(found)
}

/// The token of the one `Authorization`: of two, nobody can tell which was meant.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next()?.to_str().ok()?;
    if headers.next().is_some() {
        return None;
    }
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
