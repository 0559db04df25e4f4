//! What one player may not bet on.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use pitboss_providers::Code;
use pitboss_schema::{AuditAction, BlockScope, Blocked, Category, GameBlockRow};
use pitboss_wallet::{GameId, PlayerId, ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{complaint, listed, refreshed};
use crate::{
    access::Resource,
    games::{Complaint, text},
    http::{
        ApiError, List,
        auth::Operator,
        body::Body,
        idempotency::{self, Answer},
        players::player_id,
        route::{Route, delete, get, post},
    },
    world::World,
};

const PREFIX: &str = "gb_";
const REASON_CHARS_MAX: usize = 255;

pub fn routes() -> Vec<Route> {
    let resource = Resource::Players;
    vec![
        get("/v1/players/{id}/game-blocks", resource, list)
            .summary("Lists what a player may not bet on, oldest first")
            .answers::<List<'_, View>>(200)
            .refuses(&[Code::UnknownPlayer]),
        post("/v1/players/{id}/game-blocks", resource, create)
            .summary("Blocks a player from a game, a category or a provider's games")
            .body::<NewBlock>()
            .example(json!({ "category": "slot", "reason": "asked for by the player" }))
            .answers::<View>(201)
            .answers::<View>(200)
            .refuses(&[
                Code::UnknownPlayer,
                Code::UnknownGame,
                Code::UnknownProvider,
                Code::CatalogueLimit,
            ]),
        delete("/v1/players/{id}/game-blocks/{block}", resource, remove)
            .example_with("block", "gb_0192f3a0c0de7000800000000000b10c")
            .summary("Lifts a block")
            .answers_as(204, "")
            .refuses(&[Code::UnknownPlayer, Code::NotFound]),
    ]
}

/// What a player may not bet on: one of `game`, `category` and `provider` is told.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GameBlock")]
struct View {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    game: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    reason: String,
    /// Bets in rounds that are open already are still taken.
    finish_open_round: bool,
    /// Whom the operator key is for that set it last.
    person: String,
    created_at: Timestamp,
}

impl From<GameBlockRow> for View {
    fn from(row: GameBlockRow) -> Self {
        let of = |scope| (row.scope == scope).then(|| row.target.clone());
        Self {
            id: public_id(row.id),
            game: of(BlockScope::Game),
            category: of(BlockScope::Category),
            provider: of(BlockScope::Provider),
            reason: row.reason,
            finish_open_round: row.finish_open_round,
            person: row.person,
            created_at: row.created_at,
        }
    }
}

fn public_id(id: Uuid) -> String {
    format!("{PREFIX}{}", id.simple())
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such block")
}

fn unknown_player() -> ApiError {
    ApiError::new(Code::UnknownPlayer, "there is no such player")
}

/// `GET /v1/players/{id}/game-blocks`: bounded by `catalogue.blocks_per_player_max`.
async fn list(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let (world, player) = (&operator.world, player_id(&id)?);
    let known = world.store.player(&player).await;
    known
        .map_err(ApiError::unavailable)?
        .ok_or_else(unknown_player)?;
    let rows = world.store.game_blocks(&player).await;
    let rows = rows.map_err(ApiError::unavailable)?;
    let views: Vec<View> = rows.into_iter().map(View::from).collect();
    Ok(HttpResponse::Ok().json(List {
        data: &views,
        next: None,
    }))
}

const fn yes() -> bool {
    true
}

/// One of `game`, `category` and `provider` is told.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewBlock {
    game: Option<GameId>,
    category: Option<Category>,
    provider: Option<ProviderId>,
    /// Why: 1 to 255 characters.
    reason: String,
    /// Bets in rounds that are open already are still taken.
    #[serde(default = "yes")]
    finish_open_round: bool,
}

/// What a new block covers: something that is there.
async fn target(world: &World, new: &NewBlock) -> Result<(BlockScope, String), ApiError> {
    match (&new.game, new.category, &new.provider) {
        (Some(game), None, None) => {
            listed(world, game.as_str())?;
            Ok((BlockScope::Game, game.as_str().to_owned()))
        }
        (None, Some(category), None) => Ok((BlockScope::Category, category.as_str().to_owned())),
        (None, None, Some(provider)) => {
            let known = world.store.provider(provider).await;
            known.map_err(ApiError::unavailable)?.ok_or_else(|| {
                ApiError::new(Code::UnknownProvider, "there is no such provider account")
            })?;
            Ok((BlockScope::Provider, provider.as_str().to_owned()))
        }
        _ => {
            let why = "one of game, category and provider must be there";
            Err(complaint(&Complaint::new("", why)))
        }
    }
}

/// `POST /v1/players/{id}/game-blocks`
async fn create(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let player = player_id(&id)?;
    idempotency::run(&request, &operator, &body, async |new: NewBlock| {
        text("reason", &new.reason, REASON_CHARS_MAX).map_err(|error| complaint(&error))?;
        let (scope, target) = target(world, &new).await?;
        let detail = json!({
            scope.as_str(): target, "reason": new.reason, "finish_open_round": new.finish_open_round,
        });
        let note = operator.note(AuditAction::GameBlocked, subject(&player), detail);
        let row = GameBlockRow {
            player: player.clone(),
            id: world.ids.uuid(),
            scope,
            target,
            reason: new.reason,
            finish_open_round: new.finish_open_round,
            person: operator.person.clone(),
            created_at: world.clock.now(),
            removed_at: None,
        };
        let most = world.config.catalogue.blocks_per_player_max;
        let blocked = world.store.put_game_block(&row, most, &note).await;
        let (status, row) = match blocked.map_err(ApiError::unavailable)? {
            Blocked::New(row) => (StatusCode::CREATED, row),
            Blocked::Known(row) => (StatusCode::OK, row),
            Blocked::UnknownPlayer => return Err(unknown_player()),
            Blocked::TooMany => {
                let detail = format!("the player has {most} blocks already");
                return Err(ApiError::new(Code::CatalogueLimit, detail));
            }
        };
        refreshed(world).await?;
        Ok(Answer::new(status, View::from(row)))
    })
    .await
}

fn subject(player: &PlayerId) -> String {
    format!("player/{player}")
}

/// `DELETE /v1/players/{id}/game-blocks/{block}`
async fn remove(
    operator: Operator,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (id, block) = path.into_inner();
    let player = player_id(&id)?;
    let hex = block.strip_prefix(PREFIX).filter(|hex| hex.len() == 32);
    let uuid = hex
        .and_then(|hex| Uuid::try_parse(hex).ok())
        .ok_or_else(not_found)?;
    let detail = json!({ "block": public_id(uuid) });
    let note = operator.note(AuditAction::GameUnblocked, subject(&player), detail);
    let now = world.clock.now();
    let removed = world
        .store
        .remove_game_block(&player, uuid, now, &note)
        .await;
    if !removed.map_err(ApiError::unavailable)? {
        return Err(not_found());
    }
    refreshed(world).await?;
    Ok(HttpResponse::NoContent().finish())
}
