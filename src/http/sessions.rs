//! Logins.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use pitboss_providers::Code;
use pitboss_wallet::{Command, Currency, OpenSession, PlayerId, SessionId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    ApiError,
    auth::Operator,
    body::Body,
    idempotency::{self, Answer},
    route::{Route, post},
};
use crate::{
    access::Resource,
    tokens::{self, TokenKind},
};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        post("/v1/sessions", Resource::Sessions, open)
            .summary("Logs a player in; the token is shown this once")
            .body::<NewSession>()
            .example(json!({ "player": "alice", "currency": "EUR" }))
            .answers::<SessionView>(201)
            .refuses(&[
                Code::UnknownPlayer,
                Code::CurrencyMismatch,
                Code::PlayerBlocked,
            ]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSession {
    player: PlayerId,
    currency: Currency,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NewSessionView")]
struct SessionView {
    id: SessionId,
    /// The player's token, shown this once.
    token: String,
    expires_at: Timestamp,
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
        let token = tokens::new_token(TokenKind::PlayerToken, world.environment)
            .map_err(ApiError::internal)?;
        let session = SessionId(world.ids.uuid());
        let expires_at = world
            .clock
            .now()
            .plus_seconds(world.config.sessions.player_s);
        let open = OpenSession {
            session,
            currency: new.currency,
            token_hash: tokens::hash(&token),
            expires_at,
        };
        world
            .execute(&new.player, Command::OpenSession(open))
            .await?;
        let view = SessionView {
            id: session,
            token,
            expires_at,
            player: new.player,
            currency: new.currency,
        };
        Ok(Answer::new(StatusCode::CREATED, view))
    })
    .await
}
