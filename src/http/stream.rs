//! `GET /v1/stream`: the upgrade to a player's WebSocket, and what his client may ask for over it.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, dev,
    http::header::ORIGIN,
    web::{Data, Payload, Query},
};
use async_trait::async_trait;
use pitboss_actors::{
    session::{self, SessionSetup, TooManySessions, Topics},
    stream::{Desk, Launched, Login, Refused, Snapshot},
};
use pitboss_providers::Code;
use pitboss_wallet::{Currency, PlayerId, Session, SessionId, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ApiError,
    auth::{self, Player},
    games,
    route::{Access, Route, get},
    sessions,
};
use crate::{
    app::App,
    config,
    tokens::{self, TokenKind},
    world::World,
};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/stream", Access::Player, open)
            .summary("Opens a player's WebSocket")
            .query::<Options>()
            .answers_as(101, "")
            .refuses(&[Code::SessionExpired, Code::OriginRefused]),
    ]
}

/// Where to resume, and what to hear of. The token is never in the URL: URLs end up in logs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The newest `seq` that the client has.
    after: Option<i64>,
    /// The `epoch` that came with it.
    epoch: Option<String>,
    /// With commas between them; left out: all events.
    types: Option<String>,
}

/// A request that no foreign web page made. The first thing that is looked at.
pub struct AllowedOrigin;

impl FromRequest for AllowedOrigin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(match request.app_data::<Data<App>>() {
            Some(app) => check_origin(request, &app.config.stream),
            None => Err(ApiError::internal("no application state")),
        })
    }
}

fn check_origin(
    request: &HttpRequest,
    settings: &config::Stream,
) -> Result<AllowedOrigin, ApiError> {
    let refused = |detail: &str| Err(ApiError::new(Code::OriginRefused, detail));
    let mut origins = request.headers().get_all(ORIGIN);
    match (origins.next(), origins.next()) {
        (None, _) if settings.origin_required => refused("the header Origin is required here"),
        (None, _) => Ok(AllowedOrigin),
        (Some(_), _) if settings.origins.is_empty() => Ok(AllowedOrigin),
        (Some(origin), None)
            if settings
                .origins
                .iter()
                .any(|allowed| allowed.as_bytes() == origin.as_bytes()) =>
        {
            Ok(AllowedOrigin)
        }
        (Some(_), _) => refused("the web page's Origin is not in stream.origins"),
    }
}

async fn open(
    request: HttpRequest,
    _: AllowedOrigin,
    player: Player,
    options: Query<Options>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let Player {
        world,
        player,
        session,
    } = player;
    let Options {
        after,
        epoch,
        types,
    } = options.into_inner();
    let topics = match &types {
        None => Ok(Topics::default()),
        Some(names) => Topics::NONE.with(names.split(',').filter(|name| !name.is_empty())),
    };
    let topics = topics.map_err(|unknown| {
        let detail = format!("types: {unknown}");
        ApiError::new(Code::Malformed, detail)
    })?;
    let setup = SessionSetup {
        ports: world.stream.clone(),
        desk: world.clone(),
        player,
        login: login(&session),
        topics,
        after,
        epoch_of_client: epoch,
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

fn login(session: &Session) -> Login {
    Login {
        session: session.id,
        currency: session.currency,
        expires_at: session.absolute_until,
    }
}

/// The same as REST does, for the player himself.
#[async_trait]
impl Desk for World {
    async fn balance(&self, player: &PlayerId) -> Result<Snapshot, Refused> {
        Ok(self.registry.view(player).await.map_err(ApiError::from)?)
    }

    async fn launch(
        &self,
        player: &PlayerId,
        login: SessionId,
        game: &str,
        currency: Currency,
    ) -> Result<Launched, Refused> {
        let game = games::listed(self, game)?;
        let look = games::Look::default();
        Ok(games::start(self, player, &game, currency, &look, Some(login)).await?)
    }

    async fn keep_alive(&self, player: &PlayerId, login: SessionId) -> Result<Timestamp, Refused> {
        Ok(sessions::keep_alive(self, player, login).await?)
    }

    async fn authenticate(&self, token: &str) -> Result<(PlayerId, Login), Refused> {
        let unknown = || {
            let detail = "the token is no player's of this environment";
            ApiError::new(Code::Unauthorized, detail)
        };
        if tokens::classify(token) != Some((TokenKind::PlayerToken, self.environment)) {
            return Err(unknown().into());
        }
        let found = auth::live_session(self, &tokens::hash(token)).await?;
        let (player, session) = found.ok_or_else(unknown)?;
        Ok((player, login(&session)))
    }
}
