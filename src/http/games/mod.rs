//! The catalogue of games: finding, changing and importing them, launching them, and switching them off.

mod blocks;
mod gaming;
mod import;
mod launch;

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    web::{Bytes, Path, Query as QueryString},
};
use pitboss_providers::Code;
use pitboss_schema::{Category, Device, Game, GameRow, GamesChange, GamesNow, PlayerRow};
use pitboss_wallet::{Country, Currency, GameId, ProviderId, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    ApiError, List,
    auth::Operator,
    body::Body,
    idempotency,
    page::{answer, cursor, limit_of, parse_cursor},
    route::{Route, get, patch, post, put},
};
use crate::{
    access::Resource,
    games::{Complaint, Listed, Query, fold, is_tag, merged, notes, whole},
    world::World,
};

pub use launch::{Look, start};

/// Characters of a search.
const QUERY_CHARS_MAX: usize = 64;

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let resource = Resource::Games;
    let games = vec![
        get("/v1/games", resource, list)
            .summary("Lists games, those with the greatest sort weight first")
            .query::<Page>()
            .answers::<List<'_, View>>(200),
        post("/v1/games/import", resource, import::import)
            .summary("Puts many games into the catalogue, or changes them: all or nothing")
            .body::<import::Import>()
            .example(json!({
                "games": [{ "id": "dice", "provider": "demo", "name": "Dice", "category": "dice" }],
            }))
            .answers::<import::Imported>(200)
            .refuses(&[Code::CatalogueLimit, Code::Busy]),
        get("/v1/games/{id}", resource, get_one)
            .summary("Gets a game")
            .answers::<View>(200)
            .refuses(&[Code::UnknownGame]),
        put("/v1/games/{id}", resource, put_one)
            .summary("Puts a game in, or in the place of the one that is there")
            .body::<Game>()
            .example(json!({
                "id": "dice", "provider": "demo", "name": "Dice", "category": "dice", "demo": true,
            }))
            .answers::<View>(201)
            .answers::<View>(200)
            .refuses(&[Code::CatalogueLimit, Code::UnknownGame]),
        patch("/v1/games/{id}", resource, change)
            .summary("Changes the fields of a game that are sent, such as `enabled`")
            .body::<Change>()
            .example(json!({ "enabled": true }))
            .answers::<View>(200)
            .refuses(&[Code::UnknownGame]),
        post("/v1/games/{id}/launch", resource, launch::launch)
            .summary("Starts a game session for a player, or a demo")
            .body::<launch::NewLaunch>()
            .example(json!({ "player": "alice", "currency": "EUR" }))
            .answers::<launch::LaunchView>(201)
            .refuses(&[
                Code::UnknownGame,
                Code::UnknownPlayer,
                Code::PlayerBlocked,
                Code::GameDisabled,
                Code::CountryRefused,
                Code::CurrencyMismatch,
            ]),
    ];
    [games, gaming::routes(), blocks::routes()]
        .into_iter()
        .flatten()
        .collect()
}

/// A game as the API shows it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GameView")]
pub struct View {
    #[serde(flatten)]
    game: Game,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&GameRow> for View {
    fn from(row: &GameRow) -> Self {
        Self {
            game: row.game.clone(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// What a PATCH may send: any of the fields of a game.
struct Change;

impl JsonSchema for Change {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "GameChange".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Game::json_schema(generator);
        schema.remove("required");
        schema
    }
}

/// A complaint as a problem document, with the codes that any strict body has.
pub fn complaint(complaint: &Complaint) -> ApiError {
    let why = complaint.why.as_str();
    let code = if why.starts_with("unknown field") {
        Code::UnknownField
    } else if why.starts_with("unknown currency") {
        Code::CurrencyMismatch
    } else {
        Code::Malformed
    };
    if complaint.field.is_empty() {
        ApiError::new(code, why)
    } else {
        ApiError::new(code, complaint.to_string())
    }
}

fn unknown_game() -> ApiError {
    ApiError::new(Code::UnknownGame, "there is no such game")
}

/// The game of this id, as memory has it.
pub fn listed(world: &World, id: &str) -> Result<Arc<Listed>, ApiError> {
    world.games.now().game(id).cloned().ok_or_else(unknown_game)
}

fn game_id(text: &str) -> Result<GameId, ApiError> {
    GameId::new(text).map_err(|_| unknown_game())
}

/// Where a player lives, as far as is known.
pub fn country_of(row: &PlayerRow) -> Option<Country> {
    row.country.as_deref().and_then(Country::from_code)
}

/// Reads what was just written, so that this node knows it before it answers.
pub async fn refreshed(world: &World) -> Result<(), ApiError> {
    let refreshed = world.games.refresh(&world.store).await;
    refreshed.map_err(ApiError::unavailable)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Words that are each in the id, the name or a tag, whatever their case and accents: at most 64 characters.
    q: Option<String>,
    provider: Option<ProviderId>,
    category: Option<Category>,
    /// Only games with this tag.
    tag: Option<String>,
    /// Games that are played in this currency.
    currency: Option<Currency>,
    /// Games that are played on this device.
    device: Option<Device>,
    /// Games that are offered in this country.
    country: Option<Country>,
    /// Only games that are enabled, or that are not.
    enabled: Option<bool>,
    /// Only games that can be played for nothing, or that cannot.
    demo: Option<bool>,
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// `GET /v1/games`
async fn list(operator: Operator, page: QueryString<Page>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let Page {
        q,
        provider,
        category,
        tag,
        currency,
        device,
        country,
        enabled,
        demo,
        limit,
        after,
    } = page.into_inner();
    let limit = limit_of(limit, world.config.rest.page_max)?;
    let after: Option<(i32, String)> = parse_cursor(after.as_deref())?;
    let words = match q {
        None => Vec::new(),
        Some(q) if q.trim().is_empty() || q.chars().count() > QUERY_CHARS_MAX => {
            let detail = format!("q: must be 1 to {QUERY_CHARS_MAX} characters");
            return Err(ApiError::new(Code::Malformed, detail));
        }
        Some(q) => fold(&q).split_whitespace().map(str::to_owned).collect(),
    };
    if tag.as_ref().is_some_and(|tag| !is_tag(tag)) {
        return Err(ApiError::new(Code::Malformed, "tag: is no tag"));
    }
    let query = Query {
        words,
        provider,
        category,
        tag,
        currency,
        device,
        country,
        enabled,
        demo,
    };
    let after = after.as_ref().map(|(weight, id)| (*weight, id.as_str()));
    let found = world.games.now().page(&query, after, limit);
    let views: Vec<View> = found.iter().map(|listed| View::from(&listed.row)).collect();
    Ok(answer(&views, limit, |view| {
        cursor(&(view.game.sort_weight, &view.game.id))
    }))
}

async fn row(world: &World, id: &GameId) -> Result<GameRow, ApiError> {
    let row = world.store.game(id).await.map_err(ApiError::unavailable)?;
    row.ok_or_else(unknown_game)
}

/// `GET /v1/games/{id}`, as the database has it: this node's memory may be a moment behind another's change.
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let row = row(&operator.world, &game_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(View::from(&row)))
}

/// The fields of a thing that is put under its id: it may be told again, but not another one.
pub fn named_fields(body: &Bytes, id: &str) -> Result<Map<String, Value>, ApiError> {
    let mut fields: Map<String, Value> = idempotency::parse(body)?;
    let named = fields.entry("id").or_insert_with(|| id.into());
    if *named != *id {
        let error = Complaint::new("id", "must be that of the path, or left out");
        return Err(complaint(&error));
    }
    Ok(fields)
}

/// `PUT /v1/games/{id}`: what is left out takes its default.
async fn put_one(
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let id = game_id(&id)?;
    let fields = named_fields(&body, id.as_str())?;
    let is_new = put_as(&operator, &id, |before| whole(before, &fields)).await?;
    let view = View::from(&row(&operator.world, &id).await?);
    Ok(if is_new {
        HttpResponse::Created().json(view)
    } else {
        HttpResponse::Ok().json(view)
    })
}

/// `PATCH /v1/games/{id}`
async fn change(
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let id = game_id(&id)?;
    let fields: Map<String, Value> = idempotency::parse(&body)?;
    if fields.is_empty() {
        return Err(ApiError::new(Code::Malformed, "there is nothing to change"));
    }
    // Games are never removed: one that is there now stays.
    row(&operator.world, &id).await?;
    put_as(&operator, &id, |before| merged(before, &fields)).await?;
    let row = row(&operator.world, &id).await?;
    Ok(HttpResponse::Ok().json(View::from(&row)))
}

/// Puts the game that `make` makes of the one that is there. `true`: there was none.
async fn put_as(
    operator: &Operator,
    id: &GameId,
    make: impl FnOnce(Option<&Game>) -> Result<Game, Complaint>,
) -> Result<bool, ApiError> {
    let world = &operator.world;
    let most = world.config.catalogue.games_max;
    let plan = |current: GamesNow| -> Result<_, ApiError> {
        let before = current.games.first().map(|row| &row.game);
        let game = make(before).map_err(|error| complaint(&error))?;
        let is_new = before.is_none();
        check_place(&game, is_new, &current, most)?;
        let mut change = GamesChange::default();
        if before != Some(&game) {
            change.notes = notes(before, &game, true, |action, subject, detail| {
                operator.note(action, subject, detail)
            });
            change.put.push(game);
        }
        Ok((change, is_new))
    };
    let put = world
        .store
        .change_games(&[id.as_str()], world.clock.now(), plan)
        .await;
    let is_new = put.map_err(ApiError::unavailable)??;
    refreshed(world).await?;
    Ok(is_new)
}

/// Whether there is room for a game, and a provider account that it is of.
fn check_place(game: &Game, is_new: bool, current: &GamesNow, most: usize) -> Result<(), ApiError> {
    if !current.providers.contains(&game.provider) {
        let error = Complaint::new("provider", "there is no such provider account");
        return Err(complaint(&error));
    }
    if is_new && current.count >= most {
        let detail = format!("there are {most} games already");
        return Err(ApiError::new(Code::CatalogueLimit, detail));
    }
    Ok(())
}
