//! Players: who they are and what they may do. `money` has their wallets and deposits, `statement` their statements.

mod money;
mod profile;
mod statement;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::{
    AuditAction, Created, Labels, PlayerCursor, PlayerFilter, PlayerRow, ProfileChange,
};
use pitboss_wallet::{
    Command, Currency, PlayerId, PlayerStatus, Registration, SetStatus, Timestamp, WalletView,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    ApiError, List,
    auth::Operator,
    body::Body,
    fields,
    idempotency::{self, Answer},
    moment::moment,
    page::{answer, cursor, limit_of, parse_cursor, wrong_cursor},
    route::{Route, get, patch, post},
};
use crate::{access::Resource, watch, world::World};

use profile::{Change, NewPlayer};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let resource = Resource::Players;
    let mut routes = vec![
        post("/v1/players", resource, create)
            .summary("Creates a player, or opens another currency for one that exists")
            .body::<NewPlayer>()
            .example(json!({ "id": "alice", "currency": "EUR" }))
            .answers::<PlayerView>(201)
            .answers::<PlayerView>(200)
            .refuses(&[Code::PlayerExists, Code::CurrencyMismatch]),
        get("/v1/players", resource, list)
            .summary("Lists the players, newest first; with a prefix, by their ids")
            .query::<Page>()
            .answers::<List<'_, Listed>>(200),
        get("/v1/players/{id}", resource, get_one)
            .summary("Gets a player with his wallets")
            .answers::<PlayerView>(200)
            .refuses(&[Code::UnknownPlayer]),
        patch("/v1/players/{id}", resource, change)
            .summary("Changes what is told of a player")
            .body::<Change>()
            .example(json!({ "language": "en", "labels": { "segment": "new" } }))
            .answers::<PlayerView>(200)
            .refuses(&[Code::UnknownPlayer]),
        post("/v1/players/{id}/status", resource, set_status)
            .summary("Blocks a player, closes his account, or lets him in again")
            .body::<NewStatus>()
            .example(json!({ "status": "active", "reason": "the documents are in order" }))
            .answers::<PlayerView>(200)
            .refuses(&[Code::UnknownPlayer]),
    ];
    routes.extend(money::routes());
    routes.extend(statement::routes());
    routes
}

/// A player without his money.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ListedPlayer")]
struct Listed {
    id: PlayerId,
    /// What he may do.
    status: PlayerStatus,
    /// ISO 3166-1 alpha-2.
    country: Option<String>,
    /// A language tag.
    language: Option<String>,
    /// Texts by names, as the operator told them.
    labels: Labels,
    /// A test account: no report counts it.
    test: bool,
    created_at: Timestamp,
}

impl From<PlayerRow> for Listed {
    fn from(row: PlayerRow) -> Self {
        Self {
            id: row.id,
            status: row.status,
            country: row.country,
            language: row.language,
            labels: row.labels,
            test: row.test,
            created_at: row.created_at,
        }
    }
}

/// A player with his wallets.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Player")]
struct PlayerView {
    #[serde(flatten)]
    player: Listed,
    /// One for each of his currencies.
    wallets: Vec<WalletView>,
}

/// `POST /v1/players`: creates the player, or opens another currency for one that exists.
async fn create(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    idempotency::run(&request, &operator, &body, async |new: NewPlayer| {
        let profile = new.profile()?;
        let made = world.store.create_player(&new.id, &profile).await;
        let created = made.map_err(ApiError::unavailable)? == Created::Created;
        // Before anything is written about a player who may be somebody else.
        if !created && let Some(other) = new.differs_from(&row(world, &new.id).await?) {
            let detail = format!("the player exists with another {other}");
            return Err(ApiError::new(Code::PlayerExists, detail));
        }
        // Also of one who exists: whoever created him may have got no further.
        let registration = Registration {
            country: profile.country,
            language: profile.language,
            test: profile.test,
        };
        let commands = [
            Command::Register(registration),
            Command::OpenAccount(new.currency),
        ];
        for command in commands {
            world.execute(&new.id, command).await?;
        }
        let view = view(world, &new.id).await?;
        let status = if created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok(Answer::new(status, view))
    })
    .await
}

/// Which players, and which page of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// `active`, `bets_blocked`, `blocked` or `closed`.
    status: Option<PlayerStatus>,
    /// ISO 3166-1 alpha-2.
    country: Option<String>,
    /// `true`: test accounts alone; `false`: all others.
    test: Option<bool>,
    /// Created at this time (RFC 3339) or later.
    created_from: Option<String>,
    /// Created before this time (RFC 3339).
    created_to: Option<String>,
    /// How the id begins. The list is in the order of the ids then.
    prefix: Option<String>,
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

impl Page {
    fn filter(&self) -> Result<PlayerFilter, ApiError> {
        let country = self.country.as_deref().map(fields::country);
        let country = country.transpose()?;
        if let Some(prefix) = &self.prefix {
            PlayerId::new(prefix.as_str())
                .map_err(|error| ApiError::new(Code::Malformed, format!("prefix: {error}")))?;
        }
        let time = |field: &str, value: &Option<String>| {
            let value = value.as_deref();
            value.map(|value| moment(field, value)).transpose()
        };
        Ok(PlayerFilter {
            status: self.status,
            country: country.map(|country| country.code().to_owned()),
            test: self.test,
            created_from: time("created_from", &self.created_from)?,
            created_before: time("created_to", &self.created_to)?,
            id_prefix: self.prefix.clone(),
        })
    }

    fn after(&self) -> Result<Option<PlayerCursor>, ApiError> {
        let key: Option<(i64, PlayerId)> = parse_cursor(self.after.as_deref())?;
        let Some((micros, id)) = key else {
            return Ok(None);
        };
        // Beyond the years that the database knows there was no page.
        let created_at = Timestamp::from_micros(micros);
        moment("after", &created_at.to_string()).map_err(|_| wrong_cursor())?;
        Ok(Some(PlayerCursor {
            created_at,
            id: id.as_str().to_owned(),
        }))
    }
}

/// `GET /v1/players`
async fn list(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = limit_of(page.limit, world.config.rest.page_max)?;
    let rows = u32::try_from(limit).map_err(ApiError::internal)?;
    let (filter, after) = (page.filter()?, page.after()?);
    let found = world.store.players(&filter, after.as_ref(), rows).await;
    let players = found.map_err(ApiError::unavailable)?;
    let views: Vec<Listed> = players.into_iter().map(Listed::from).collect();
    Ok(answer(&views, limit, |last| {
        cursor(&(last.created_at.as_micros(), &last.id))
    }))
}

/// `GET /v1/players/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let view = view(&operator.world, &player_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// `PATCH /v1/players/{id}`
async fn change(
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let id = player_id(&id)?;
    let change: ProfileChange = idempotency::parse::<Change>(&body)?.checked()?;
    let before = row(world, &id).await?;
    let note = operator.note(
        AuditAction::PlayerChanged,
        format!("player/{id}"),
        json!({
            "from": { "country": before.country, "language": before.language, "labels": before.labels },
            "to": profile::told(&change),
        }),
    );
    let changed = world.store.change_player(&id, &change, &note).await;
    if !changed.map_err(ApiError::unavailable)? {
        return Err(unknown());
    }
    Ok(HttpResponse::Ok().json(view(world, &id).await?))
}

/// What the player may do from now on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    /// `active`, `bets_blocked`, `blocked` or `closed`.
    status: PlayerStatus,
    /// Why, for colleagues: the player's own stream does not tell it.
    #[schemars(length(min = 1, max = 255))]
    reason: String,
}

/// `POST /v1/players/{id}/status`
async fn set_status(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let id = player_id(&id)?;
    idempotency::run(&request, &operator, &body, async |new: NewStatus| {
        let set = SetStatus {
            status: new.status,
            reason: fields::reason(&new.reason)?,
            by: operator.by(),
        };
        world.execute(&id, Command::SetStatus(set)).await?;
        if !new.status.may_enter()
            && let Err(error) = watch::end_logins_of(world, &id).await
        {
            // They are over, and their sockets close a moment later.
            tracing::warn!(%error, "the sockets of a blocked player were not looked for");
        }
        Ok(Answer::new(StatusCode::OK, view(world, &id).await?))
    })
    .await
}

/// The player's row.
pub async fn row(world: &World, id: &PlayerId) -> Result<PlayerRow, ApiError> {
    let row = world.store.player(id).await;
    row.map_err(ApiError::unavailable)?.ok_or_else(unknown)
}

async fn view(world: &World, id: &PlayerId) -> Result<PlayerView, ApiError> {
    let row = row(world, id).await?;
    let snapshot = world.registry.view(id).await?;
    Ok(PlayerView {
        player: row.into(),
        wallets: snapshot.wallets,
    })
}

fn unknown() -> ApiError {
    ApiError::new(Code::UnknownPlayer, "there is no such player")
}

/// A path's player id. One that breaks the rule of ids names nobody.
pub fn player_id(text: &str) -> Result<PlayerId, ApiError> {
    PlayerId::new(text).map_err(|_| unknown())
}

/// A currency of a query.
fn currency_of(code: &str) -> Result<Currency, ApiError> {
    Currency::from_code(code).ok_or_else(|| {
        let detail = "currency: must be the code of a currency that the ledger knows";
        ApiError::new(Code::CurrencyMismatch, detail)
    })
}
