//! The catalogue, and launching a game.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use pitboss_actors::stream::Launched;
use pitboss_providers::Code;
use pitboss_wallet::{Command, Currency, GameStanding, GameSwitch, Launch, PlayerId, SessionId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ApiError, List,
    auth::Operator,
    body::Body,
    idempotency::{self, Answer},
    route::{Route, get, post},
};
use crate::{
    access::Resource,
    catalogue::Game,
    tokens::{self, TokenKind},
    world::World,
};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/games", Resource::Games, list)
            .summary("Lists the games")
            .answers::<List<'_, Game>>(200),
        post("/v1/games/{id}/launch", Resource::Games, launch)
            .summary("Starts a game session for a player")
            .body::<NewLaunch>()
            .answers::<Launched>(201)
            .refuses(&[
                Code::UnknownGame,
                Code::UnknownPlayer,
                Code::PlayerBlocked,
                Code::GameDisabled,
                Code::SessionExpired,
                Code::SessionInvalid,
                Code::SessionLimit,
            ]),
    ]
}

/// `GET /v1/games`
async fn list(operator: Operator) -> HttpResponse {
    let games = operator.world.catalogue.games();
    HttpResponse::Ok().json(List {
        data: &games,
        next: None,
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewLaunch {
    player: PlayerId,
    currency: Currency,
    /// The login that the game is launched from: the game ends with it.
    session: Option<SessionId>,
}

/// `POST /v1/games/{id}/launch`: a game session, and the single-use token that the provider exchanges.
async fn launch(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let game = known_game(world, &id)?;
    idempotency::run(&request, &operator, &body, async |new: NewLaunch| {
        let launched = start(world, &new.player, &game, new.currency, new.session).await?;
        Ok(Answer::new(StatusCode::CREATED, launched))
    })
    .await
}

pub fn known_game(world: &World, id: &str) -> Result<Game, ApiError> {
    let game = world.catalogue.game(id);
    game.ok_or_else(|| ApiError::new(Code::UnknownGame, "there is no such game"))
}

/// Starts a game session; the same for an operator and for a player on his socket.
pub async fn start(
    world: &World,
    player: &PlayerId,
    game: &Game,
    currency: Currency,
    login: Option<SessionId>,
) -> Result<Launched, ApiError> {
    let token =
        tokens::new_token(TokenKind::LaunchToken, world.environment).map_err(ApiError::internal)?;
    let now = world.clock.now();
    let session = SessionId(world.ids.uuid());
    let token_expires_at = now.plus_seconds(world.config.sessions.launch_token_s);
    let switch = if game.enabled {
        GameSwitch::Enabled
    } else {
        GameSwitch::Disabled
    };
    let launch = Launch {
        session,
        currency,
        provider: game.provider.clone(),
        game: game.id.clone(),
        standing: GameStanding::Known(switch),
        token_hash: tokens::hash(&token),
        token_expires_at,
        expires_at: now.plus_seconds(world.config.sessions.game_s),
        login,
        per_game_max: None,
    };
    world.execute(player, Command::Launch(launch)).await?;
    let url = format!(
        "{}/games/{}?token={token}",
        world.config.server.public_url.trim_end_matches('/'),
        escape(game.id.as_str()),
    );
    Ok(Launched {
        url,
        token,
        session,
        expires_at: token_expires_at,
    })
}

/// A game id as one segment of a path.
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_game_id_stays_one_segment() {
        assert_eq!(escape("dice"), "dice");
        assert_eq!(escape("a/b?c d%ü"), "a%2Fb%3Fc%20d%25%C3%BC");
    }
}
