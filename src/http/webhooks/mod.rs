//! The operator's webhook endpoints: made, changed, tried out, replayed.
//!
//! All keys of an environment see all its endpoints: a key that is rotated out must not take deliveries with it.
//! Dead letters and replays are in `letters`.

mod letters;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::{FeedPage, FeedPosition, Health, WebhookChange, WebhookRow};
use pitboss_wallet::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    ApiError, List,
    auth::Operator,
    body::{Body, Nothing, or_empty},
    events::{gone, position},
    idempotency::{self, Answer},
    page::{answer, limit_of, wrong_cursor},
    route::{Route, delete, get, patch, post},
};
use crate::{
    access::Resource,
    feed::TypeFilter,
    webhooks::{self, Outcome, TestEvent},
    world::World,
};

use letters::{Dead, Replay, Replayed, dead, replay};

const PREFIX: &str = "wh_";
const DESCRIPTION_CHARS_MAX: usize = 255;
const TYPES_MAX: usize = 64;

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let resource = Resource::Webhooks;
    vec![
        get("/v1/webhooks", resource, list)
            .summary("Lists the webhooks, newest first")
            .query::<Page>()
            .answers::<List<'_, View>>(200),
        post("/v1/webhooks", resource, create)
            .summary("Makes a webhook; its secret is shown this once")
            .body::<NewWebhook>()
            .example(json!({ "url": "https://casino.example/hooks", "types": ["wallet.*"] }))
            .answers::<View>(201)
            .refuses(&[Code::WebhookLimit, Code::EventsGone]),
        get("/v1/webhooks/{id}", resource, get_one)
            .summary("Gets a webhook")
            .answers::<View>(200)
            .refuses(&[Code::NotFound]),
        patch("/v1/webhooks/{id}", resource, change)
            .summary("Changes a webhook, or turns it on or off")
            .body::<Change>()
            .example(json!({ "description": "for the data warehouse", "enabled": false }))
            .answers::<View>(200)
            .refuses(&[Code::NotFound, Code::EventsGone]),
        delete("/v1/webhooks/{id}", resource, delete_one)
            .summary("Removes a webhook")
            .answers_as(204, "")
            .refuses(&[Code::NotFound]),
        post("/v1/webhooks/{id}/rotate", resource, rotate)
            .summary("Gives a webhook a new secret, shown this once")
            .optional_body::<Rotation>()
            .example(json!({ "grace_s": 3600 }))
            .answers::<View>(200)
            .refuses(&[Code::NotFound]),
        get("/v1/webhooks/{id}/dead", resource, dead)
            .summary("Lists what a webhook's endpoint never took, newest first")
            .query::<Page>()
            .answers::<List<'_, Dead>>(200)
            .refuses(&[Code::NotFound]),
        post("/v1/webhooks/{id}/replay", resource, replay)
            .summary("Delivers again")
            .body::<Replay>()
            .example(json!({ "from": "2026-01-01T00:00:00Z" }))
            .answers::<Replayed>(202)
            .refuses(&[Code::NotFound, Code::EventsGone]),
        post("/v1/webhooks/{id}/test", resource, test)
            .summary("Sends a test event now")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<Tested>(200)
            .refuses(&[Code::NotFound]),
    ]
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
struct View {
    id: String,
    url: String,
    description: String,
    types: Vec<String>,
    enabled: bool,
    /// `operator`, `gone`, `failing` or `events_gone`.
    disabled_by: Option<&'static str>,
    /// The operator key that made it.
    created_by: Uuid,
    created_at: Timestamp,
    /// Failures in a row.
    failures: u32,
    failing_since: Option<Timestamp>,
    next_attempt_at: Option<Timestamp>,
    last_error: Option<String>,
    last_success_at: Option<Timestamp>,
    /// Single events to be tried again, and those that were given up.
    waiting: i64,
    dead: i64,
    /// Until then the secret before the current one signs as well.
    old_secret_until: Option<Timestamp>,
    /// Shown once: when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl View {
    fn of(row: WebhookRow, secret: Option<String>) -> Self {
        Self {
            id: public_id(row.id),
            url: row.url,
            description: row.description,
            types: row.types,
            enabled: row.disabled_by.is_none(),
            disabled_by: row.disabled_by.map(pitboss_schema::DisabledBy::as_str),
            created_by: row.key_id,
            created_at: row.created_at,
            failures: row.health.failures,
            failing_since: row.health.failing_since,
            next_attempt_at: row.health.next_attempt_at,
            last_error: row.health.last_error,
            last_success_at: row.health.last_success_at,
            waiting: row.waiting,
            dead: row.dead,
            old_secret_until: row.old_secret.map(|(_, until)| until),
            secret,
        }
    }
}

fn public_id(id: Uuid) -> String {
    format!("{PREFIX}{}", id.simple())
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such webhook")
}

fn parse_id(text: &str) -> Result<Uuid, ApiError> {
    let hex = text.strip_prefix(PREFIX).filter(|hex| hex.len() == 32);
    hex.and_then(|hex| Uuid::try_parse(hex).ok())
        .ok_or_else(not_found)
}

fn rows_of(limit: usize) -> Result<u32, ApiError> {
    u32::try_from(limit).map_err(ApiError::internal)
}

async fn find(world: &World, id: &str) -> Result<WebhookRow, ApiError> {
    let row = world.store.webhook(parse_id(id)?).await;
    row.map_err(ApiError::unavailable)?.ok_or_else(not_found)
}

fn malformed(detail: impl Into<String>) -> ApiError {
    ApiError::new(Code::Malformed, detail)
}

fn check_url(world: &World, url: &str) -> Result<(), ApiError> {
    let checked = world.webhooks.sender().check(url);
    checked.map_err(|error| malformed(format!("url: {error}")))?;
    Ok(())
}

fn check_types(types: &[String]) -> Result<(), ApiError> {
    if types.len() > TYPES_MAX {
        return Err(malformed(format!("types: at most {TYPES_MAX}")));
    }
    TypeFilter::parse(types.iter().map(String::as_str))
        .map_err(|error| malformed(format!("types: {error}")))?;
    Ok(())
}

fn check_description(text: &str) -> Result<(), ApiError> {
    if text.chars().count() > DESCRIPTION_CHARS_MAX || text.contains('\0') {
        let detail =
            format!("description: at most {DESCRIPTION_CHARS_MAX} characters, without U+0000");
        return Err(malformed(detail));
    }
    Ok(())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    url: String,
    /// Types and families; none: every event.
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    description: String,
    /// Where in the feed to begin: a cursor of `GET /v1/events`, `oldest`, or `newest` (the default).
    after: Option<String>,
}

/// `POST /v1/webhooks`
async fn create(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    idempotency::run(&request, &operator, &body, async |new: NewWebhook| {
        check_url(world, &new.url)?;
        check_types(&new.types)?;
        check_description(&new.description)?;
        let after = match new.after.as_deref() {
            None => Some("newest"),
            Some("oldest") => None,
            Some(cursor) => Some(cursor),
        };
        let position = position(world, after).await?;
        // Told now: it would be disabled at its first step.
        let page = world.store.feed(&position, 1).await;
        if page.map_err(ApiError::unavailable)? == FeedPage::Gone {
            return Err(gone());
        }
        let id = world.ids.uuid();
        let (secret, sealed) = new_secret(world, id)?;
        let row = WebhookRow {
            id,
            key_id: operator.key_id,
            url: new.url,
            description: new.description,
            types: new.types,
            secret: sealed,
            old_secret: None,
            disabled_by: None,
            position,
            health: Health::default(),
            epoch: 0,
            created_at: world.clock.now(),
            waiting: 0,
            dead: 0,
        };
        let most = world.config.webhooks.endpoints_max;
        let made = world.store.create_webhook(&row, most).await;
        if !made.map_err(ApiError::unavailable)? {
            let detail = format!("there are {most} webhooks already");
            return Err(ApiError::new(Code::WebhookLimit, detail));
        }
        world.webhooks.look();
        Ok(Answer::new(
            StatusCode::CREATED,
            View::of(row, Some(secret)),
        ))
    })
    .await
}

/// A secret as it is shown, and as it is kept.
fn new_secret(world: &World, id: Uuid) -> Result<(String, Vec<u8>), ApiError> {
    let secret = webhooks::new_secret().map_err(ApiError::internal)?;
    let place = webhooks::secret_place(id);
    let sealed = world.vault.seal(&place, secret.as_bytes());
    Ok((secret, sealed.map_err(ApiError::internal)?))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

impl Page {
    fn limit(&self, world: &World) -> Result<usize, ApiError> {
        limit_of(self.limit, world.config.rest.page_max)
    }

    fn after(&self, parse: impl Fn(&str) -> Option<Uuid>) -> Result<Option<Uuid>, ApiError> {
        let after = self.after.as_deref();
        after
            .map(|text| parse(text).ok_or_else(wrong_cursor))
            .transpose()
    }
}

/// `GET /v1/webhooks`, newest first.
async fn list(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = page.limit(world)?;
    let after = page.after(|text| parse_id(text).ok())?;
    let rows = world.store.webhooks(after, rows_of(limit)?).await;
    let rows = rows.map_err(ApiError::unavailable)?;
    let views: Vec<View> = rows.into_iter().map(|row| View::of(row, None)).collect();
    Ok(answer(&views, limit, |view| view.id.clone()))
}

/// `GET /v1/webhooks/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let row = find(&operator.world, &id).await?;
    Ok(HttpResponse::Ok().json(View::of(row, None)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookChange")]
struct Change {
    url: Option<String>,
    types: Option<Vec<String>>,
    description: Option<String>,
    enabled: Option<bool>,
}

/// `PATCH /v1/webhooks/{id}`
async fn change(
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let change: Change = idempotency::parse(&body)?;
    if let Some(url) = &change.url {
        check_url(world, url)?;
    }
    if let Some(types) = &change.types {
        check_types(types)?;
    }
    if let Some(description) = &change.description {
        check_description(description)?;
    }
    let row = find(world, &id).await?;
    let enables = change.enabled == Some(true);
    // What is no longer kept cannot be had: enabling it is to go on with what there is.
    let lost = row.disabled_by == Some(pitboss_schema::DisabledBy::EventsGone);
    let position: Option<FeedPosition> = if enables && lost {
        Some(position(world, None).await?)
    } else {
        None
    };
    let change = WebhookChange {
        url: change.url,
        description: change.description,
        types: change.types,
        enabled: change.enabled,
        position,
    };
    let changed = world.store.change_webhook(row.id, &change).await;
    if !changed.map_err(ApiError::unavailable)? {
        return Err(not_found());
    }
    world.webhooks.look();
    let row = find(world, &id).await?;
    Ok(HttpResponse::Ok().json(View::of(row, None)))
}

/// `DELETE /v1/webhooks/{id}`
async fn delete_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let deleted = world.store.delete_webhook(parse_id(&id)?).await;
    if !deleted.map_err(ApiError::unavailable)? {
        return Err(not_found());
    }
    world.webhooks.look();
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SecretRotation")]
struct Rotation {
    /// How long the secret of before goes on signing.
    grace_s: Option<i64>,
}

/// `POST /v1/webhooks/{id}/rotate`: a new secret, shown this once.
async fn rotate(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    const GRACE_MAX_S: i64 = 30 * 86_400;
    let world = &operator.world;
    let body = or_empty(body);
    idempotency::run(&request, &operator, &body, async |rotation: Rotation| {
        let grace_s = rotation.grace_s.unwrap_or(world.config.webhooks.grace_s);
        if !(0..=GRACE_MAX_S).contains(&grace_s) {
            let detail = format!("grace_s: must be from 0 to {GRACE_MAX_S}");
            return Err(malformed(detail));
        }
        let webhook = parse_id(&id)?;
        let (secret, sealed) = new_secret(world, webhook)?;
        let until = world.clock.now().plus_seconds(grace_s);
        let rotated = world.store.rotate_webhook(webhook, &sealed, until).await;
        if !rotated.map_err(ApiError::unavailable)? {
            return Err(not_found());
        }
        world.webhooks.look();
        let row = find(world, &id).await?;
        Ok(Answer::new(StatusCode::OK, View::of(row, Some(secret))))
    })
    .await
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WebhookTest")]
struct Tested {
    delivered: bool,
    /// Why it was not.
    error: Option<String>,
    took_ms: u64,
}

/// `POST /v1/webhooks/{id}/test`: sends a test event now, and tells what the endpoint made of it. Whatever it
/// answers changes nothing.
async fn test(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let body = or_empty(body);
    idempotency::run(&request, &operator, &body, async |_: Nothing| {
        let row = find(world, &id).await?;
        let now = world.clock.now();
        let target = webhooks::target(&world.vault, &row).map_err(ApiError::internal)?;
        let event = TestEvent::new(world.ids.uuid(), now, world.environment);
        let text = serde_json::to_string(&event).map_err(ApiError::internal)?;
        let started = Instant::now();
        let outcome = world
            .webhooks
            .sender()
            .deliver(&target, event.id, &text)
            .await;
        let error = match outcome {
            Outcome::Delivered => None,
            Outcome::Failed(error) => Some(error),
            Outcome::SlowDown(pause_s) => Some(format!("it asks for a pause of {pause_s} s")),
            Outcome::Gone => Some("it answered 410".into()),
        };
        let tested = Tested {
            delivered: error.is_none(),
            error,
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        Ok(Answer::new(StatusCode::OK, tested))
    })
    .await
}
