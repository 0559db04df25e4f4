//! The lobby: collections for operators to arrange, and what a visitor sees of them.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::{AuditAction, Category, Device, GameLimits, Volatility};
use pitboss_wallet::{Country, Currency, GameId, GameSwitch, ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    ApiError, List,
    auth::{Operator, Player},
    body::Body,
    games::{complaint, country_of, named_fields, refreshed},
    page::{answer, cursor, limit_of, parse_cursor},
    route::{Access, Route, delete, get, put},
};
use crate::{
    access::Resource,
    games::{self, Collection, Complaint, Listed, Shelf, Visitor},
    world::World,
};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let resource = Resource::Games;
    vec![
        get("/v1/collections", resource, list)
            .summary("Lists the collections of the lobby, in their order")
            .query::<Page>()
            .answers::<List<'_, View>>(200),
        get("/v1/collections/{id}", resource, get_one)
            .summary("Gets a collection")
            .answers::<View>(200)
            .refuses(&[Code::NotFound]),
        put("/v1/collections/{id}", resource, put_one)
            .summary("Puts a collection in, or in the place of the one that is there")
            .body::<Collection>()
            .example(json!({ "id": "popular", "titles": { "en": "Popular" }, "games": ["dice"] }))
            .answers::<View>(201)
            .answers::<View>(200)
            .refuses(&[Code::NotFound, Code::CatalogueLimit]),
        delete("/v1/collections/{id}", resource, delete_one)
            .summary("Removes a collection; its games stay")
            .answers_as(204, "")
            .refuses(&[Code::NotFound]),
        get("/v1/lobby", resource, lobby)
            .summary("Shows the collections with the games that a visitor could launch")
            .query::<Looking>()
            .answers::<Lobby>(200)
            .answers_as(304, ""),
        get("/v1/player/lobby", Access::Player, own_lobby)
            .summary("Shows a player the collections with the games that he could launch")
            .query::<Playing>()
            .answers::<Lobby>(200)
            .answers_as(304, ""),
    ]
}

/// A collection of the lobby.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CollectionView")]
struct View {
    #[serde(flatten)]
    collection: Collection,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&Shelf> for View {
    fn from(shelf: &Shelf) -> Self {
        Self {
            collection: shelf.collection.clone(),
            created_at: shelf.created_at,
            updated_at: shelf.updated_at,
        }
    }
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such collection")
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// `GET /v1/collections`
async fn list(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = limit_of(page.limit, world.config.rest.page_max)?;
    let after: Option<(i32, String)> = parse_cursor(page.after.as_deref())?;
    let floor = world.games.now();
    let shelves = floor.shelves().iter().filter(|shelf| {
        let place = (shelf.collection.position, shelf.collection.id.as_str());
        after
            .as_ref()
            .is_none_or(|(position, id)| place > (*position, id.as_str()))
    });
    let views: Vec<View> = shelves.take(limit).map(View::from).collect();
    Ok(answer(&views, limit, |view| {
        cursor(&(view.collection.position, &view.collection.id))
    }))
}

fn view(world: &World, id: &str) -> Option<View> {
    let floor = world.games.now();
    let mut shelves = floor.shelves().iter();
    shelves
        .find(|shelf| shelf.collection.id == id)
        .map(View::from)
}

/// `GET /v1/collections/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let view = view(&operator.world, &id).ok_or_else(not_found)?;
    Ok(HttpResponse::Ok().json(view))
}

/// `PUT /v1/collections/{id}`
async fn put_one(
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let fields = named_fields(&body, &id)?;
    let collection = Collection::read(fields).map_err(|error| complaint(&error))?;
    let floor = world.games.now();
    let is_unknown = |game: &&GameId| floor.game(game.as_str()).is_none();
    if let Some(index) = collection.games.iter().position(|game| is_unknown(&game)) {
        let error = Complaint::new(format!("games[{index}]"), "there is no such game");
        return Err(complaint(&error));
    }
    let document = serde_json::to_string(&collection).map_err(ApiError::internal)?;
    let subject = format!("collection/{}", collection.id);
    let detail = json!({ "from": view(world, &collection.id).map(|view| view.collection), "to": collection });
    let note = operator.note(AuditAction::CollectionChanged, subject, detail);
    let most = world.config.catalogue.collections_max;
    let now = world.clock.now();
    let put = world
        .store
        .put_collection(&collection.id, &document, now, most, &note)
        .await;
    let Some((row, is_new)) = put.map_err(ApiError::unavailable)? else {
        let detail = format!("there are {most} collections already");
        return Err(ApiError::new(Code::CatalogueLimit, detail));
    };
    refreshed(world).await?;
    let view = View {
        collection,
        created_at: row.created_at,
        updated_at: row.updated_at,
    };
    Ok(if is_new {
        HttpResponse::Created().json(view)
    } else {
        HttpResponse::Ok().json(view)
    })
}

/// `DELETE /v1/collections/{id}`
async fn delete_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    if id.contains('\0') {
        return Err(not_found());
    }
    let subject = format!("collection/{id}");
    let note = operator.note(AuditAction::CollectionRemoved, subject, json!({}));
    let deleted = world.store.delete_collection(&id, &note).await;
    if !deleted.map_err(ApiError::unavailable)? {
        return Err(not_found());
    }
    refreshed(world).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A game as the lobby shows it.
#[derive(Serialize, JsonSchema)]
struct Card<'a> {
    id: &'a GameId,
    provider: &'a ProviderId,
    name: &'a str,
    category: Category,
    tags: &'a [String],
    rtp: Option<&'a str>,
    volatility: Option<Volatility>,
    /// What one bet may be.
    limits: &'a [GameLimits],
    jackpots: &'a [String],
    demo: bool,
    image: Option<&'a str>,
}

impl<'a> From<&'a Listed> for Card<'a> {
    fn from(listed: &'a Listed) -> Self {
        let game = listed.game();
        Self {
            id: &game.id,
            provider: &game.provider,
            name: &game.name,
            category: game.category,
            tags: &game.tags,
            rtp: game.rtp.as_deref(),
            volatility: game.volatility,
            limits: &game.limits,
            jackpots: &game.jackpots,
            demo: game.demo,
            image: game.image.as_deref(),
        }
    }
}

/// A collection with the games that the visitor could launch.
#[derive(Serialize, JsonSchema)]
struct Row<'a> {
    id: &'a str,
    /// In the visitor's language, or the nearest there is.
    title: &'a str,
    games: Vec<Card<'a>>,
}

/// What a visitor sees. Collections without a game for him are left out.
#[derive(Serialize, JsonSchema)]
struct Lobby<'a> {
    /// Whether there is any gaming at all.
    gaming: bool,
    collections: Vec<Row<'a>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Looking {
    /// Where the visitor is. Without it, games that are offered by country are left out.
    country: Option<Country>,
    device: Option<Device>,
    currency: Option<Currency>,
    /// A language tag of BCP 47.
    language: Option<String>,
}

fn check_language(language: Option<&String>) -> Result<(), ApiError> {
    match language {
        Some(language) if !games::is_language(language) => {
            let why = "must be a language tag of BCP 47, such as \"en\" or \"pt-BR\"";
            Err(complaint(&Complaint::new("language", why)))
        }
        _ => Ok(()),
    }
}

/// `GET /v1/lobby`
async fn lobby(
    request: HttpRequest,
    operator: Operator,
    looking: Query<Looking>,
) -> Result<HttpResponse, ApiError> {
    let looking = looking.into_inner();
    check_language(looking.language.as_ref())?;
    let visitor = Visitor {
        country: looking.country,
        device: looking.device,
        currency: looking.currency,
        language: looking.language,
        player: None,
    };
    show(&request, &operator.world, &visitor)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Playing {
    device: Option<Device>,
    /// A language tag of BCP 47.
    language: Option<String>,
}

/// `GET /v1/player/lobby`: his country and his session's currency count, and what he is blocked from is left out.
async fn own_lobby(
    request: HttpRequest,
    player: Player,
    playing: Query<Playing>,
) -> Result<HttpResponse, ApiError> {
    let playing = playing.into_inner();
    check_language(playing.language.as_ref())?;
    let row = player.world.store.player(&player.player).await;
    let row = row.map_err(ApiError::unavailable)?;
    let visitor = Visitor {
        country: row.as_ref().and_then(country_of),
        device: playing.device,
        currency: Some(player.session.currency),
        language: playing.language,
        player: Some(player.player.clone()),
    };
    show(&request, &player.world, &visitor)
}

/// The answer, or nothing when the visitor has it: its `ETag` is made of its very bytes.
fn show(request: &HttpRequest, world: &World, visitor: &Visitor) -> Result<HttpResponse, ApiError> {
    let floor = world.games.now();
    let takes_bets = |provider: &_| world.catalogue.switch(provider) == GameSwitch::Enabled;
    let shown = floor.lobby(visitor, &takes_bets);
    let collections = shown.iter().map(|shown| Row {
        id: &shown.collection.id,
        title: shown.collection.title(visitor.language.as_deref()),
        games: shown
            .games
            .iter()
            .map(|listed| Card::from(*listed))
            .collect(),
    });
    let lobby = Lobby {
        gaming: floor.gaming().enabled,
        collections: collections.collect(),
    };
    let body = serde_json::to_vec(&lobby).map_err(ApiError::internal)?;
    let hash = hex::encode(&Sha256::digest(&body)[..16]);
    let tag = format!("\"{hash}\"");
    let asked = request.headers().get_all(IF_NONE_MATCH);
    let mut known = asked
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let has_it = known.any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = if has_it {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response.insert_header((ETAG, tag));
    response.insert_header((CACHE_CONTROL, "private, no-cache"));
    if has_it {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(body))
}
