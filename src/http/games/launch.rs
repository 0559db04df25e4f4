//! Launching a game: for money, with a session and its single-use token; or as a demo, of which nothing is written.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pitboss_actors::stream::Launched;
use pitboss_providers::Code;
use pitboss_schema::Device;
use pitboss_wallet::{
    Command, Country, Currency, Launch, PlayerId, PlayerStatus, SessionId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{complaint, country_of, listed};
use crate::{
    games::{self, Complaint, Denial, Listed, Mode, Visitor, escape},
    http::{
        ApiError,
        auth::Operator,
        body::Body,
        idempotency::{self, Answer},
    },
    seams::random_bytes,
    tokens::{self, TokenKind},
    world::World,
};

/// The demo's own: no kind of token, so that it opens nothing.
const DEMO_TOKEN: &str = "demo_";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLaunch {
    /// Who plays; may be left out for a demo.
    player: Option<PlayerId>,
    /// In what; may be left out for a demo.
    currency: Option<Currency>,
    /// The login that the game is launched from: the game ends with it.
    session: Option<SessionId>,
    /// A language tag of BCP 47; else the game's first.
    language: Option<String>,
    /// What it is played on; else a desktop, if the game has one.
    device: Option<Device>,
    /// Where the game sends the player back to: an http or https URL of at most 2,048 characters.
    return_url: Option<String>,
    /// Without money and without a session.
    #[serde(default)]
    demo: bool,
    /// Where a visitor is who is no player: for a demo without a player.
    country: Option<Country>,
}

/// A game that is ready to be played.
#[derive(Serialize, JsonSchema)]
pub struct LaunchView {
    /// `real`, or `demo`.
    mode: &'static str,
    /// Where the player's browser goes.
    url: String,
    /// The single-use token that the provider exchanges; that of a demo opens nothing.
    token: String,
    /// `null` for a demo: it has none.
    session: Option<SessionId>,
    /// When the token is too old; `null` for a demo.
    expires_at: Option<Timestamp>,
}

/// How a game is to be shown.
#[derive(Debug, Clone, Default)]
pub struct Look {
    pub language: Option<String>,
    pub device: Option<Device>,
    pub return_url: Option<String>,
}

impl Look {
    fn check(&self) -> Result<(), ApiError> {
        if let Some(language) = &self.language
            && !games::is_language(language)
        {
            let why = "must be a language tag of BCP 47, such as \"en\" or \"pt-BR\"";
            return Err(complaint(&Complaint::new("language", why)));
        }
        if let Some(url) = &self.return_url {
            games::check_return(url)
                .map_err(|why| complaint(&Complaint::new("return_url", why)))?;
        }
        Ok(())
    }

    fn visitor(&self) -> Visitor {
        Visitor {
            device: self.device,
            language: self.language.clone(),
            ..Visitor::default()
        }
    }
}

/// `POST /v1/games/{id}/launch`
pub async fn launch(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let game = listed(world, &id)?;
    idempotency::run(&request, &operator, &body, async |new: NewLaunch| {
        let look = Look {
            language: new.language.clone(),
            device: new.device,
            return_url: new.return_url.clone(),
        };
        look.check()?;
        let view = if new.demo {
            demo(world, &game, &look, &new).await?
        } else {
            let missing = |field| complaint(&Complaint::new(field, "is missing"));
            if new.country.is_some() {
                let why = "a player's own country counts";
                return Err(complaint(&Complaint::new("country", why)));
            }
            let player = new.player.ok_or_else(|| missing("player"))?;
            let currency = new.currency.ok_or_else(|| missing("currency"))?;
            let launched = start(world, &player, &game, currency, &look, new.session).await?;
            LaunchView {
                mode: Mode::Real.as_str(),
                url: launched.url,
                token: launched.token,
                session: Some(launched.session),
                expires_at: Some(launched.expires_at),
            }
        };
        Ok(Answer::new(StatusCode::CREATED, view))
    })
    .await
}

/// Starts a game session; the same for an operator and for a player on his socket. The wallet says whether the game,
/// the player's country and the currency allow it.
pub async fn start(
    world: &World,
    player: &PlayerId,
    game: &Listed,
    currency: Currency,
    look: &Look,
    login: Option<SessionId>,
) -> Result<Launched, ApiError> {
    game.suits(&look.visitor()).map_err(denied)?;
    let owner = world.catalogue.switch(&game.game().provider);
    let token =
        tokens::new_token(TokenKind::LaunchToken, world.environment).map_err(ApiError::internal)?;
    let now = world.clock.now();
    let session = SessionId(world.ids.uuid());
    let all = world.config.sessions.game_s;
    let session_s = game
        .game()
        .session_limit_s
        .map_or(all, |own| all.min(own.into()));
    let token_expires_at = now.plus_seconds(world.config.sessions.launch_token_s);
    let launch = Launch {
        session,
        currency,
        provider: game.game().provider.clone(),
        game: game.game().id.clone(),
        standing: world.games.now().standing_for(player, game).at_most(owner),
        token_hash: tokens::hash(&token),
        token_expires_at,
        expires_at: now.plus_seconds(session_s),
        login,
        per_game_max: game
            .game()
            .max_sessions
            .and_then(|max| usize::try_from(max).ok()),
    };
    world.execute(player, Command::Launch(launch)).await?;
    let url = url(
        world,
        game,
        look,
        &games::Launch {
            token: &token,
            session: &session.to_string(),
            currency: currency.code(),
            mode: Mode::Real,
            ..nothing()
        },
    );
    Ok(Launched {
        url,
        token,
        session,
        expires_at: token_expires_at,
    })
}

/// A demo: a page to go to, and nothing else. No command reaches a wallet, so there is nothing that it could touch.
async fn demo(
    world: &World,
    game: &Listed,
    look: &Look,
    new: &NewLaunch,
) -> Result<LaunchView, ApiError> {
    if !game.game().demo {
        let why = "the game has no demo";
        return Err(complaint(&Complaint::new("demo", why)));
    }
    let country = match &new.player {
        None => new.country,
        Some(_) if new.country.is_some() => {
            let why = "a player's own country counts";
            return Err(complaint(&Complaint::new("country", why)));
        }
        Some(player) => {
            let row = world.store.player(player).await;
            let row = row
                .map_err(ApiError::unavailable)?
                .ok_or_else(|| ApiError::new(Code::UnknownPlayer, "there is no such player"))?;
            if row.status != PlayerStatus::Active {
                return Err(ApiError::new(
                    Code::PlayerBlocked,
                    "the player may not play",
                ));
            }
            country_of(&row)
        }
    };
    let visitor = Visitor {
        country,
        currency: new.currency,
        player: new.player.clone(),
        ..look.visitor()
    };
    world
        .games
        .now()
        .may_launch(game, &visitor)
        .map_err(denied)?;
    let bytes: [u8; 32] = random_bytes().map_err(ApiError::internal)?;
    let token = format!("{DEMO_TOKEN}{}", URL_SAFE_NO_PAD.encode(bytes));
    let url = url(
        world,
        game,
        look,
        &games::Launch {
            token: &token,
            currency: new.currency.map_or("", |currency| currency.code()),
            mode: Mode::Demo,
            ..nothing()
        },
    );
    Ok(LaunchView {
        mode: Mode::Demo.as_str(),
        url,
        token,
        session: None,
        expires_at: None,
    })
}

const fn nothing() -> games::Launch<'static> {
    games::Launch {
        token: "",
        session: "",
        game: "",
        language: "",
        currency: "",
        device: "",
        return_url: "",
        mode: Mode::Real,
    }
}

/// The game's own page, or the server's.
fn url(world: &World, listed: &Listed, look: &Look, launch: &games::Launch<'_>) -> String {
    let game = listed.game();
    let Some(template) = &game.launch_url else {
        let base = world.config.server.public_url.trim_end_matches('/');
        let page = format!("{base}/games/{}", escape(game.id.as_str()));
        return match launch.mode {
            Mode::Real => format!("{page}?token={}", launch.token),
            Mode::Demo => format!("{page}?mode=demo"),
        };
    };
    let first = game.languages.first().map(String::as_str);
    let has_desktop = game.devices.is_empty() || game.devices.contains(&Device::Desktop);
    let usual = if has_desktop {
        Device::Desktop
    } else {
        Device::Mobile
    };
    let filled = games::Launch {
        game: game.id.as_str(),
        language: look.language.as_deref().or(first).unwrap_or("en"),
        device: look.device.unwrap_or(usual).as_str(),
        return_url: look.return_url.as_deref().unwrap_or_default(),
        ..*launch
    };
    filled.fill(template)
}

fn denied(denial: Denial) -> ApiError {
    let (code, detail) = match denial {
        Denial::Disabled => (Code::GameDisabled, "the game is disabled"),
        Denial::Country => (
            Code::CountryRefused,
            "the game is not offered in this country",
        ),
        Denial::Currency => (
            Code::CurrencyMismatch,
            "the game is not offered in this currency",
        ),
        Denial::Device => (Code::Malformed, "device: the game is not played on it"),
        Denial::Language => (Code::Malformed, "language: the game does not speak it"),
    };
    ApiError::new(code, detail)
}
