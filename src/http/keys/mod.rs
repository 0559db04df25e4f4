//! Operator keys: made, restricted, rotated, revoked. All keys of an environment are seen by whoever may read them.
//!
//! No key gives out more than it has (`access::Grant`), and none changes or revokes itself: so none widens itself, and one
//! with `keys:write` is always left. What a key may be is in `check`, how it is shown in `view`.

mod check;
mod view;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::{AuditAction, AuditNote, KeyChange, KeyMade, NewKey, OperatorKeyRow};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    ApiError, List,
    auth::Operator,
    body::{Body, or_empty},
    fields::{malformed, reason, text, there},
    idempotency::{self, Answer},
    page::{answer, limit_of, wrong_cursor},
    route::{Route, get, patch, post},
};
use check::{check_addresses, check_covered, check_expiry, check_rate, check_scopes, issuers};
use view::{Rate, View};

use crate::{
    access::{Grant, Resource, Scopes},
    config::KEY_GRACE_S_MAX,
    keys,
    tokens::{self, TokenKind},
    world::World,
};

const NAME_CHARS_MAX: usize = 100;

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let resource = Resource::Keys;
    vec![
        get("/v1/keys", resource, list)
            .summary("Lists the operator keys, newest first")
            .query::<Page>()
            .answers::<List<'_, View>>(200),
        post("/v1/keys", resource, create)
            .summary("Makes an operator key; its secret is shown this once")
            .body::<New>()
            .example(json!({ "name": "reports", "person": "Robin", "scopes": ["reports:read"] }))
            .answers::<View>(201)
            .refuses(&[Code::KeyLimit]),
        get("/v1/keys/{id}", resource, get_one)
            .summary("Gets an operator key")
            .answers::<View>(200)
            .refuses(&[Code::NotFound]),
        patch("/v1/keys/{id}", resource, change)
            .summary("Changes what another operator key may do")
            .body::<Change>()
            .example(json!({ "name": "monthly reports" }))
            .answers::<View>(200)
            .refuses(&[Code::NotFound]),
        post("/v1/keys/{id}/rotate", resource, rotate)
            .summary("Gives an operator key a new secret, shown this once; the one before works on for a while")
            .optional_body::<Rotation>()
            .example(json!({ "grace_s": 3600 }))
            .answers::<View>(200)
            .refuses(&[Code::NotFound]),
        post("/v1/keys/{id}/revoke", resource, revoke)
            .summary("Revokes another operator key, at once and for ever")
            .optional_body::<Revocation>()
            .example(json!({ "reason": "no longer needed" }))
            .answers::<View>(200)
            .refuses(&[Code::NotFound]),
    ]
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such key")
}

fn forbidden(detail: impl Into<String>) -> ApiError {
    ApiError::new(Code::Forbidden, detail)
}

/// Somebody else changed the key in between.
fn stale() -> ApiError {
    ApiError::new(
        Code::Retry,
        "the key was changed meanwhile; send the same request again",
    )
}

/// As it is written, and in no other way.
fn parse_id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok();
    id.filter(|id| id.to_string() == text)
}

async fn find(world: &World, id: &str) -> Result<OperatorKeyRow, ApiError> {
    let id = parse_id(id).ok_or_else(not_found)?;
    let row = world.store.operator_key_by_id(id).await;
    row.map_err(ApiError::unavailable)?.ok_or_else(not_found)
}

async fn shown(world: &World, id: Uuid, secret: Option<String>) -> Result<View, ApiError> {
    let row = find(world, &id.to_string()).await?;
    Ok(View::of(row, world.clock.now(), secret))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// `GET /v1/keys`
async fn list(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = limit_of(page.limit, world.config.rest.page_max)?;
    let after = page.after.as_deref();
    let after = after.map(|text| parse_id(text).ok_or_else(wrong_cursor));
    let rows = u32::try_from(limit).map_err(ApiError::internal)?;
    let rows = world.store.operator_keys(after.transpose()?, rows).await;
    let now = world.clock.now();
    let rows = rows.map_err(ApiError::unavailable)?.into_iter();
    let views: Vec<View> = rows.map(|row| View::of(row, now, None)).collect();
    Ok(answer(&views, limit, |view| view.id.to_string()))
}

/// `GET /v1/keys/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let view = View::of(find(world, &id).await?, world.clock.now(), None);
    Ok(HttpResponse::Ok().json(view))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewKey")]
struct New {
    /// What it is for.
    name: String,
    /// Whom it is for.
    person: String,
    /// What it may do, such as `players:read`; `*` is everything.
    scopes: Vec<String>,
    /// Networks from which it may be used, such as `192.0.2.0/24`; none: from anywhere.
    #[serde(default)]
    allowed_addresses: Vec<String>,
    rate: Option<Rate>,
    /// RFC 3339; `null`: never.
    expires_at: Option<String>,
}

/// `POST /v1/keys`
async fn create(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    idempotency::run(&request, &operator, &body, async |new: New| {
        let scopes = check_scopes(&new.scopes)?;
        let allowed = check_addresses(&new.allowed_addresses)?;
        let rate = new.rate.map(check_rate).transpose()?;
        let expires_at = new.expires_at.as_deref();
        let expires_at = expires_at
            .map(|text| check_expiry(world, text))
            .transpose()?;
        let name = text("name", &new.name, NAME_CHARS_MAX)?;
        let person = text("person", &new.person, NAME_CHARS_MAX)?;
        let secret = new_secret(world)?;
        let key = NewKey {
            name,
            person,
            issuers: issuers(&operator, &[])?,
            scopes: scopes.names(),
            allowed: allowed.names(),
            rate,
            expires_at,
            id: world.ids.uuid(),
            created_at: world.clock.now(),
            ..keys::unrestricted(&secret, "", "")
        };
        let grant = Grant {
            scopes,
            allowed,
            rate: rate.unwrap_or(world.keys.default_rate()),
            expires_at,
        };
        check_covered(&operator, &grant)?;
        let note = operator.note(
            AuditAction::KeyCreated,
            keys::subject(key.id),
            keys::told(&key),
        );
        let most = world.config.keys.live_max;
        let made = world.store.create_operator_key(&key, most, &note).await;
        if made.map_err(ApiError::unavailable)? == KeyMade::Refused {
            let detail = format!("there are {most} live keys already: revoke one first");
            return Err(ApiError::new(Code::KeyLimit, detail));
        }
        let view = shown(world, key.id, Some(secret)).await?;
        Ok(Answer::new(StatusCode::CREATED, view))
    })
    .await
}

fn new_secret(world: &World) -> Result<String, ApiError> {
    tokens::new_token(TokenKind::OperatorKey, world.environment).map_err(ApiError::internal)
}

/// Fields that are not sent stay as they are.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeyChange")]
struct Change {
    /// What it is for.
    name: Option<String>,
    /// What it may do, such as `players:read`; `*` is everything.
    scopes: Option<Vec<String>>,
    /// Networks from which it may be used; none: from anywhere.
    allowed_addresses: Option<Vec<String>>,
    /// `null`: as configured.
    #[serde(default, deserialize_with = "there")]
    #[schemars(with = "Option<Rate>")]
    rate: Option<Option<Rate>>,
    /// RFC 3339; `null`: never.
    #[serde(default, deserialize_with = "there")]
    #[schemars(with = "Option<String>")]
    expires_at: Option<Option<String>>,
}

/// `PATCH /v1/keys/{id}`
async fn change(
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let change: Change = idempotency::parse(&body)?;
    let row = find(world, &id).await?;
    let name = change.name.map(|name| text("name", &name, NAME_CHARS_MAX));
    let scopes = change.scopes.map(|scopes| check_scopes(&scopes));
    let allowed = change.allowed_addresses.map(|all| check_addresses(&all));
    let rate = change.rate.map(|rate| rate.map(check_rate).transpose());
    let expires_at = change.expires_at.map(|at| {
        let at = at.map(|text| check_expiry(world, &text));
        at.transpose()
    });
    let scopes = scopes.transpose()?.map(Scopes::names);
    let wanted = OperatorKeyRow {
        name: name.transpose()?.unwrap_or(row.name.clone()),
        scopes: scopes.unwrap_or(row.scopes.clone()),
        allowed: allowed
            .transpose()?
            .map_or(row.allowed.clone(), |list| list.names()),
        rate: rate.transpose()?.unwrap_or(row.rate),
        expires_at: expires_at.transpose()?.unwrap_or(row.expires_at),
        ..row.clone()
    };
    if row.id == operator.key_id {
        return Err(forbidden("a key cannot change itself: let another do it"));
    }
    if row.revoked_at.is_some() {
        return Err(malformed("id", "the key is revoked: it stays as it is"));
    }
    let grant = world.keys.grant(&wanted).map_err(ApiError::internal)?;
    check_covered(&operator, &grant)?;
    let (before, after) = differences(&row, &wanted);
    if !after.is_empty() {
        let detail = json!({ "before": before, "after": after });
        let note = operator.note(AuditAction::KeyChanged, keys::subject(row.id), detail);
        let change = KeyChange {
            name: wanted.name,
            scopes: wanted.scopes,
            allowed: wanted.allowed,
            rate: wanted.rate,
            expires_at: wanted.expires_at,
        };
        let store = &world.store;
        let changed = store
            .change_operator_key(row.id, row.version, &change, &note)
            .await;
        world.keys.forget();
        if !changed.map_err(ApiError::unavailable)? {
            return Err(stale());
        }
    }
    Ok(HttpResponse::Ok().json(shown(world, row.id, None).await?))
}

/// The fields that become others: as they were, and as they will be.
fn differences(
    before: &OperatorKeyRow,
    after: &OperatorKeyRow,
) -> (Map<String, Value>, Map<String, Value>) {
    let told = |row: &OperatorKeyRow| {
        [
            ("name", json!(row.name)),
            ("scopes", json!(row.scopes)),
            ("allowed_addresses", json!(row.allowed)),
            (
                "rate",
                json!(
                    row.rate
                        .map(|rate| json!({ "per_s": rate.per_s, "burst": rate.burst }))
                ),
            ),
            ("expires_at", json!(row.expires_at)),
        ]
    };
    let pairs = told(before).into_iter().zip(told(after));
    let changed = pairs.filter(|((_, before), (_, after))| before != after);
    changed
        .map(|((name, before), (_, after))| ((name.to_owned(), before), (name.to_owned(), after)))
        .unzip()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeyRotation")]
struct Rotation {
    /// How many seconds the secret before still works; 0: no longer. `keys.grace_s` when it is not there.
    grace_s: Option<i64>,
}

/// `POST /v1/keys/{id}/rotate`
async fn rotate(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let body = or_empty(body);
    idempotency::run(&request, &operator, &body, async |rotation: Rotation| {
        let grace_s = rotation.grace_s.unwrap_or(world.config.keys.grace_s);
        if !(0..=KEY_GRACE_S_MAX).contains(&grace_s) {
            return Err(malformed(
                "grace_s",
                format!("must be from 0 to {KEY_GRACE_S_MAX}"),
            ));
        }
        let row = live(&operator, &id).await?;
        // Whoever sees the secret has the key.
        let grant = world.keys.grant(&row).map_err(ApiError::internal)?;
        check_covered(&operator, &grant)?;
        let issuers = if row.id == operator.key_id {
            row.issuers
        } else {
            issuers(&operator, &row.issuers)?
        };
        let secret = new_secret(world)?;
        let prefix = keys::shown(&secret);
        let old_until = (grace_s > 0).then(|| world.clock.now().plus_seconds(grace_s));
        let detail = json!({ "prefix": prefix, "old_prefix": row.prefix, "old_until": old_until });
        let note = operator.note(AuditAction::KeyRotated, keys::subject(row.id), detail);
        let (at, new) = (
            (row.id, row.version),
            (prefix.as_str(), &tokens::hash(&secret)),
        );
        let store = &world.store;
        let rotated = store
            .rotate_operator_key(at, new, &issuers, old_until, &note)
            .await;
        world.keys.forget();
        if !rotated.map_err(ApiError::unavailable)? {
            return Err(stale());
        }
        let view = shown(world, row.id, Some(secret)).await?;
        Ok(Answer::new(StatusCode::OK, view))
    })
    .await
}

/// A key that is neither revoked nor expired.
async fn live(operator: &Operator, id: &str) -> Result<OperatorKeyRow, ApiError> {
    let world = &operator.world;
    let row = find(world, id).await?;
    let now = world.clock.now();
    if row.revoked_at.is_some() || row.expires_at.is_some_and(|end| end <= now) {
        return Err(malformed(
            "id",
            "the key is revoked or expired: make another",
        ));
    }
    Ok(row)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Revocation {
    /// Why, for the audit log.
    reason: Option<String>,
}

/// `POST /v1/keys/{id}/revoke`
async fn revoke(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let body = or_empty(body);
    idempotency::run(&request, &operator, &body, async |revocation: Revocation| {
        let why = revocation.reason.as_deref().map(reason);
        let why = why.transpose()?;
        let row = find(world, &id).await?;
        if row.id == operator.key_id {
            let detail = "a key cannot revoke itself: let another do it, or use pitboss keys revoke";
            return Err(forbidden(detail));
        }
        if row.revoked_at.is_none() {
            let note: AuditNote = operator.note(
                AuditAction::KeyRevoked,
                keys::subject(row.id),
                json!({ "prefix": row.prefix, "name": row.name, "person": row.person, "reason": why }),
            );
            let (store, now) = (&world.store, world.clock.now());
            let by = Some(operator.key_id);
            let revoked = store.revoke_operator_key(row.id, now, by, &note).await;
            world.keys.forget();
            revoked.map_err(ApiError::unavailable)?;
        }
        let view = shown(world, row.id, None).await?;
        if view.revoked_at.is_none() {
            // The asking key was revoked in between: the next try is told so.
            return Err(stale());
        }
        Ok(Answer::new(StatusCode::OK, view))
    })
    .await
}
