//! Who is asking: operators by their secret key, players by their session token.

use std::{
    future::{Future, Ready, ready},
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::Arc,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, ResponseError,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL},
    middleware::Next,
    web::Data,
};
use pitboss_providers::Code;
use pitboss_schema::{AuditAction, AuditActor, AuditNote};
use pitboss_wallet::{By, PlayerId, Session};
use serde_json::Value;
use uuid::Uuid;

use super::{
    ApiError,
    rate::Left,
    route::{Caller, Gate},
    slow,
};
use crate::{
    access::{Found, Grant, Key, Origin, Refusal, Scope, person},
    app::App,
    keys,
    tokens::{self, TokenKind},
    world::World,
};

/// The subprotocol that carries a player's token beside it.
pub const SUBPROTOCOL: &str = "pitboss.v1";

/// An operator, by a key of one environment: it sees that world and no other (INV-12).
#[derive(Clone)]
pub struct Operator {
    pub world: Arc<World>,
    pub key_id: Uuid,
    /// Whom the key is for.
    pub person: String,
    /// Where the request came from.
    pub address: String,
    /// All that the key may do; the route's own scope is among it.
    pub key: Arc<Key>,
    hash: [u8; 32],
    origin: Origin,
    scope: Scope,
}

/// Lets a request through to a route of operators only with a key that opens it, before anything of the request is read
/// or done: a route is closed whatever its handler asks for.
pub async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, actix_web::Error> {
    let gate = request.app_data::<Gate>();
    let caller = gate.and_then(|gate| gate.caller(request.method()));
    let Some(Caller::Operator(scope)) = caller else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let mut answer = match enter_as_operator(request.request(), scope).await {
        Ok(operator) => {
            request.extensions_mut().insert(operator.clone());
            let answer = next.call(request).await?.map_into_boxed_body();
            slow::until_key_ends(operator, answer)
        }
        Err(error) => request.into_response(error.error_response()),
    };
    let left = answer.request().extensions().get::<Left>().copied();
    if let Some(left) = left {
        left.put_on(answer.headers_mut());
    }
    Ok(answer)
}

/// Whether a caller may use a route, for whoever answers in the route's place.
///
/// # Errors
/// He may not.
pub async fn check(request: &HttpRequest, caller: Caller) -> Result<(), ApiError> {
    match caller {
        Caller::Anybody => Ok(()),
        Caller::Player => Player::from_request(request, &mut Payload::None)
            .await
            .map(drop),
        Caller::Operator(scope) => enter_as_operator(request, scope).await.map(drop),
    }
}

/// The operator whom the gate let through.
impl FromRequest for Operator {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let operator = request.extensions().get::<Self>().cloned();
        ready(operator.ok_or_else(|| ApiError::internal("a route without a scope asks for a key")))
    }
}

async fn enter_as_operator(request: &HttpRequest, scope: Scope) -> Result<Operator, ApiError> {
    let refused = || {
        let detail = "send a valid operator key: Authorization: Bearer sk_...";
        ApiError::new(Code::Unauthorized, detail)
    };
    let app = request.app_data::<Data<App>>().cloned();
    let key = bearer(request).map(str::to_owned);
    let origin = origin(request);
    let shown = key.as_deref().map(keys::shown);
    let entered = enter(app.clone(), key, TokenKind::OperatorKey, refused);
    if entered.is_err()
        && let (Some(app), Some(shown)) = (&app, shown.as_deref())
    {
        // A key of a world that is not served here: whoever is here is to know.
        if shown.starts_with("sk_") {
            for world in app.worlds() {
                note_refusal(world, Refusal::UnknownKey, origin, shown);
            }
        } else {
            count_refusal("none", "no_key");
        }
    }
    let (world, hash) = entered?;
    let shown = shown.unwrap_or_default();
    let key = match world
        .keys
        .find(&hash)
        .await
        .map_err(ApiError::unavailable)?
    {
        Found::Live(key) => key,
        Found::Unknown => {
            note_refusal(&world, Refusal::UnknownKey, origin, &shown);
            return Err(refused());
        }
        Found::Revoked(prefix) => {
            note_refusal(&world, Refusal::RevokedKey, origin, &prefix);
            return Err(refused());
        }
        Found::Expired(prefix) => {
            note_refusal(&world, Refusal::ExpiredKey, origin, &prefix);
            return Err(refused());
        }
    };
    if !key.grant.allowed.admits(origin) {
        note_refusal(&world, Refusal::ForeignAddress, origin, &key.prefix);
        let detail = format!("the key may not be used from {}", origin.address);
        return Err(ApiError::new(Code::Forbidden, detail));
    }
    world.keys.touch(&key, origin);
    let counted = world.keys.count_in(&key);
    request.extensions_mut().insert(Left {
        rate: key.grant.rate,
        requests: counted.unwrap_or(0),
    });
    if let Err(wait) = counted {
        let environment = world.environment.as_str();
        metrics::counter!("pitboss_keys_rate_limited_total", "environment" => environment)
            .increment(1);
        let wait_s = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        let detail = format!(
            "the key makes more than {} requests a second",
            key.grant.rate.per_s
        );
        return Err(ApiError::retry_after(Code::RateLimited, detail, wait_s));
    }
    if !key.grant.scopes.allows(scope) {
        note_refusal(&world, Refusal::MissingScope, origin, &key.prefix);
        let detail = format!("the key does not have the scope {scope}");
        return Err(ApiError::new(Code::Forbidden, detail));
    }
    Ok(Operator {
        world,
        key_id: key.id,
        person: key.person.clone(),
        address: origin.address.to_string(),
        key,
        hash,
        origin,
        scope,
    })
}

fn count_refusal(environment: &'static str, reason: &'static str) {
    metrics::counter!("pitboss_keys_refused_total", "environment" => environment, "reason" => reason)
        .increment(1);
}

/// Counts a refusal, and has it noted in the audit log.
fn note_refusal(world: &World, refusal: Refusal, origin: Origin, who: &str) {
    count_refusal(world.environment.as_str(), refusal.as_str());
    let address = origin.address.to_string();
    world
        .refusals
        .count(refusal, &address, who, world.clock.now());
}

impl Operator {
    /// The person, and the key by which he acts.
    pub fn by(&self) -> By {
        By {
            key: self.key_id,
            person: self.person.clone(),
        }
    }

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

    /// Whose hands the key went through: for what two persons have to agree on, see [`person::are_two`].
    pub fn hands(&self) -> Vec<String> {
        person::hands(&self.person, &self.key.issuers)
    }

    /// Completes when the key opens this route no longer.
    pub async fn ended(&self) {
        let is_enough =
            |grant: &Grant| grant.scopes.allows(self.scope) && grant.allowed.admits(self.origin);
        self.world.keys.ended(self.hash, is_enough).await;
    }
}

/// Where a request came from: behind `server.trusted_hops` proxies, by what they say.
pub fn origin(request: &HttpRequest) -> Origin {
    let app = request.app_data::<Data<App>>();
    let hops = app.map_or(0, |app| app.config.server.trusted_hops);
    let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let peer = request.peer_addr().map_or(unspecified, |peer| peer.ip());
    let lines: Vec<&[u8]> = request
        .headers()
        .get_all("x-forwarded-for")
        .map(HeaderValue::as_bytes)
        .collect();
    Origin::of(peer, lines.into_iter(), hops)
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
