//! Sessions: logins, what keeps them alive, how they end, and their history. `view` shows one; failed logins are in
//! `failures`. Game sessions begin in `games`.

mod failures;
mod view;

use std::net::IpAddr;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_wallet::{
    Client, Command, Currency, OpenSession, PlayerId, Reply, SessionEnd, SessionId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::{
    failures::{FailedLogin, LoginFailures, failed},
    view::SessionView,
};
use super::{
    ApiError, List,
    auth::{Operator, Player},
    body::{Body, Nothing, or_empty},
    idempotency::{self, Answer},
    page::{answer, cursor, limit_of, parse_cursor},
    players::player_id,
    route::{Access, Route, delete, get, post},
};
use crate::{
    access::Resource,
    tokens::{self, TokenKind},
    watch,
    world::World,
};

/// The longest user agent that is kept.
const USER_AGENT_CHARS_MAX: usize = 512;

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let resource = Resource::Sessions;
    vec![
        post("/v1/sessions", resource, open)
            .summary("Logs a player in; the token is shown this once")
            .body::<NewSession>()
            .example(json!({ "player": "alice", "currency": "EUR" }))
            .answers::<Opened>(201)
            .refuses(&[
                Code::UnknownPlayer,
                Code::CurrencyMismatch,
                Code::PlayerBlocked,
                Code::PlayerLocked,
                Code::SessionLimit,
            ]),
        post("/v1/sessions/failed", resource, failed)
            .summary("Reports a failed login; several in a row lock the player's logins for a while")
            .body::<FailedLogin>()
            .example(json!({ "player": "alice", "reason": "wrong password", "address": "192.0.2.7" }))
            .answers::<LoginFailures>(200)
            .refuses(&[Code::UnknownPlayer]),
        get("/v1/sessions/{id}", resource, get_one)
            .summary("Gets a login or a game session, live or over")
            .answers::<SessionView>(200)
            .refuses(&[Code::NotFound]),
        delete("/v1/sessions/{id}", resource, end)
            .summary("Ends a login with the games that were launched from it, or a game session")
            .answers_as(204, "")
            .refuses(&[Code::NotFound]),
        post("/v1/sessions/{id}/keep-alive", resource, keep_alive_one)
            .summary("Tells that the player did something, so that the session goes on")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<KeptAlive>(200)
            .refuses(&[Code::NotFound, Code::SessionExpired]),
        get("/v1/players/{id}/sessions", resource, history)
            .summary("Lists a player's logins and game sessions, newest first")
            .query::<Page>()
            .answers::<List<'_, SessionView>>(200)
            .refuses(&[Code::UnknownPlayer]),
        post("/v1/players/{id}/sessions/end", resource, end_all)
            .summary("Ends all logins and game sessions of a player")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<AllEnded>(200)
            .refuses(&[Code::UnknownPlayer]),
        delete("/v1/session", Access::Player, end_own)
            .summary("Logs the player of the token out, with the games that were launched from the login")
            .answers_as(204, "")
            .refuses(&[Code::SessionExpired]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSession {
    player: PlayerId,
    /// The currency that games are launched in when the player does not say.
    currency: Currency,
    /// The IP address that the player logs in from, for his history.
    address: Option<String>,
    /// The program that the player logs in with, for his history: at most 512 characters.
    user_agent: Option<String>,
}

impl NewSession {
    fn client(&self) -> Result<Client, ApiError> {
        let is_long = |agent: &String| agent.chars().count() > USER_AGENT_CHARS_MAX;
        if self.user_agent.as_ref().is_some_and(is_long) {
            let detail = format!("user_agent: must be at most {USER_AGENT_CHARS_MAX} characters");
            return Err(ApiError::new(Code::Malformed, detail));
        }
        Ok(Client {
            address: ip_address(self.address.as_deref())?,
            user_agent: stored_text("user_agent", self.user_agent.as_deref())?,
        })
    }
}

/// An IP address in its usual form.
fn ip_address(text: Option<&str>) -> Result<Option<String>, ApiError> {
    let parsed = text.map(str::parse::<IpAddr>).transpose();
    let parsed = parsed.map_err(|_| {
        let detail = "address: must be an IP address, such as 192.0.2.7 or 2001:db8::7";
        ApiError::new(Code::Malformed, detail)
    })?;
    Ok(parsed.map(|address| address.to_canonical().to_string()))
}

/// A text that the database can hold.
fn stored_text(field: &str, text: Option<&str>) -> Result<Option<String>, ApiError> {
    match text {
        Some(text) if text.contains('\0') => {
            let detail = format!("{field}: must not contain the character U+0000");
            Err(ApiError::new(Code::Malformed, detail))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// A login that was just opened.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewSessionView")]
struct Opened {
    id: SessionId,
    /// The player's own: opens his stream. Shown this once.
    token: String,
    /// When it ends if the player does nothing.
    expires_at: Timestamp,
    /// When it ends at the latest.
    ends_at: Timestamp,
    player: PlayerId,
    currency: Currency,
}

/// `POST /v1/sessions`: a login. The token is shown once.
async fn open(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    idempotency::run(&request, &operator, &body, async |new: NewSession| {
        let client = new.client()?;
        let failures = failures::check(world, &new.player).await?;
        let token = tokens::new_token(TokenKind::PlayerToken, world.environment)
            .map_err(ApiError::internal)?;
        let session = SessionId(world.ids.uuid());
        let now = world.clock.now();
        let ends_at = now.plus_seconds(world.config.sessions.player_s);
        let open = OpenSession {
            session,
            currency: new.currency,
            token_hash: tokens::hash(&token),
            expires_at: ends_at,
            client,
        };
        let reply = world
            .execute(&new.player, Command::OpenSession(open))
            .await?;
        let expires_at = expiry_of(reply)?;
        failures::forget(world, &new.player, failures).await;
        close_sockets(world, &new.player).await;
        let opened = Opened {
            id: session,
            token,
            expires_at,
            ends_at,
            player: new.player,
            currency: new.currency,
        };
        Ok(Answer::new(StatusCode::CREATED, opened))
    })
    .await
}

fn expiry_of(reply: Reply) -> Result<Timestamp, ApiError> {
    match reply {
        Reply::Session(session) => Ok(session.expires_at),
        other => Err(ApiError::internal(format!("no session: {other:?}"))),
    }
}

/// Sockets of logins that may be over by now. Where that cannot be seen at once, the next look finds it.
async fn close_sockets(world: &World, player: &PlayerId) {
    if let Err(error) = watch::end_logins_of(world, player).await {
        tracing::warn!(%error, "sockets of a login that is over were not closed at once");
    }
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such session")
}

/// A path's session and whose it is. A text that is no id names nothing.
async fn find(world: &World, text: &str) -> Result<(PlayerId, SessionId), ApiError> {
    let id = SessionId::parse(text).map_err(|_| not_found())?;
    let found = world.store.session(id).await;
    let found = found.map_err(ApiError::unavailable)?;
    found.map(|(player, _)| (player, id)).ok_or_else(not_found)
}

/// `GET /v1/sessions/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let id = SessionId::parse(&id).map_err(|_| not_found())?;
    let row = world.store.session_row(id).await;
    let row = row.map_err(ApiError::unavailable)?.ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(SessionView::of(row, world.clock.now())))
}

/// `DELETE /v1/sessions/{id}`
async fn end(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (player, session) = find(world, &id).await?;
    end_session(world, &player, session).await
}

/// `DELETE /v1/session`: by the player's own token.
async fn end_own(player: Player) -> Result<HttpResponse, ApiError> {
    end_session(&player.world, &player.player, player.session.id).await
}

async fn end_session(
    world: &World,
    player: &PlayerId,
    session: SessionId,
) -> Result<HttpResponse, ApiError> {
    world.execute(player, Command::EndSession(session)).await?;
    close_sockets(world, player).await;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Serialize, JsonSchema)]
struct KeptAlive {
    id: SessionId,
    /// When it ends if the player does nothing more.
    expires_at: Timestamp,
}

/// `POST /v1/sessions/{id}/keep-alive`
async fn keep_alive_one(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let body = or_empty(body);
    idempotency::run(&request, &operator, &body, async |_: Nothing| {
        let (player, id) = find(world, &id).await?;
        let expires_at = keep_alive(world, &player, id).await?;
        Ok(Answer::new(StatusCode::OK, KeptAlive { id, expires_at }))
    })
    .await
}

/// The player did something: when the session ends if he does nothing more. The same for an operator and for the
/// player on his socket.
pub async fn keep_alive(
    world: &World,
    player: &PlayerId,
    session: SessionId,
) -> Result<Timestamp, ApiError> {
    expiry_of(world.execute(player, Command::KeepAlive(session)).await?)
}

#[derive(Serialize, JsonSchema)]
struct AllEnded {
    player: PlayerId,
    /// How many were live.
    ended: usize,
}

/// `POST /v1/players/{id}/sessions/end`
async fn end_all(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let player = player_id(&id)?;
    let body = or_empty(body);
    idempotency::run(&request, &operator, &body, async |_: Nothing| {
        let command = Command::EndSessions(SessionEnd::Ended);
        let Reply::Ended(ended) = world.execute(&player, command).await? else {
            return Err(ApiError::internal("no number of sessions"));
        };
        close_sockets(world, &player).await;
        let player = player.clone();
        Ok(Answer::new(StatusCode::OK, AllEnded { player, ended }))
    })
    .await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// `GET /v1/players/{id}/sessions`
async fn history(
    operator: Operator,
    id: Path<String>,
    page: Query<Page>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let player = player_id(&id)?;
    let limit = limit_of(page.limit, world.config.rest.page_max)?;
    let before: Option<SessionId> = parse_cursor(page.after.as_deref())?;
    let known = world.store.player(&player).await;
    if known.map_err(ApiError::unavailable)?.is_none() {
        let detail = "there is no such player";
        return Err(ApiError::new(Code::UnknownPlayer, detail));
    }
    let rows_max = u32::try_from(limit).map_err(ApiError::internal)?;
    let rows = world.store.sessions(&player, before, rows_max).await;
    let now = world.clock.now();
    let views: Vec<_> = rows
        .map_err(ApiError::unavailable)?
        .into_iter()
        .map(|row| SessionView::of(row, now))
        .collect();
    Ok(answer(&views, limit, |last| cursor(&last.id)))
}
