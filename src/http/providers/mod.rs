//! Provider accounts: made, changed, rotated. What became of their callbacks is in `callbacks`, what they may choose in
//! `dialects`.

mod callbacks;
mod dialects;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::{CallbackLogMode, ProviderRow, ProviderSettings, ProviderStatus};
use pitboss_wallet::{Policy, ProviderId, Timestamp};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    ApiError, List,
    auth::Operator,
    body::{Body, Nothing, or_empty},
    idempotency::{self, Answer},
    page::{answer, limit_of, wrong_cursor},
    route::{Route, get, patch, post},
};
use crate::{
    access::Resource,
    accounts::{AccountChange, AccountError, Accounts, NewAccount, every_setting},
    world::World,
};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let resource = Resource::Providers;
    let mut routes = vec![
        get("/v1/providers", resource, list)
            .summary("Lists the provider accounts, by id")
            .query::<Page>()
            .answers::<List<'_, View>>(200),
        post("/v1/providers", resource, create)
            .summary("Makes a provider account; a callback secret that is made here is shown this once")
            .body::<NewAccount>()
            .example(json!({ "id": "acme", "name": "Acme Games" }))
            .answers::<View>(201)
            .refuses(&[Code::ProviderExists, Code::ProviderLimit]),
        get("/v1/providers/{id}", resource, get_one)
            .summary("Gets a provider account")
            .answers::<View>(200)
            .refuses(&[Code::UnknownProvider]),
        patch("/v1/providers/{id}", resource, change)
            .summary("Changes a provider account, or disables, enables or closes it")
            .body::<AccountChange>()
            .example(json!({ "allowed_addresses": ["192.0.2.0/24"] }))
            .answers::<View>(200)
            .refuses(&[
                Code::UnknownProvider,
                Code::ProviderInUse,
                Code::PolicyLocked,
            ]),
        post("/v1/providers/{id}/rotate", resource, rotate)
            .summary("Gives a provider account a new callback secret, shown this once; the old one is valid for a while")
            .optional_body::<Rotation>()
            .example(json!({ "grace_s": 3600 }))
            .answers::<View>(200)
            .refuses(&[Code::UnknownProvider]),
        post("/v1/providers/{id}/revoke-old", resource, revoke_old)
            .summary("Ends the callback secret of before the last rotation at once")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<View>(200)
            .refuses(&[Code::UnknownProvider]),
    ];
    routes.extend(callbacks::routes());
    routes.extend(dialects::routes());
    routes
}

/// A provider account.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProviderAccount")]
struct View {
    /// Its id, which is part of its callback URL.
    id: ProviderId,
    /// For people.
    name: String,
    /// The wire format that the provider speaks.
    dialect: String,
    status: ProviderStatus,
    /// Every choice, made or not.
    policy: Policy,
    /// Every setting of the dialect, chosen or not.
    settings: ProviderSettings,
    /// Whether the account has sent transactions. The choices that they are kept by are fixed then.
    used: bool,
    /// Networks that callbacks may come from; none: anywhere.
    allowed_addresses: Vec<String>,
    /// Which callbacks are logged; null: what `callback_log` of the server's configuration says.
    callback_log: Option<CallbackLogMode>,
    /// Where its callbacks go: the action follows.
    callback_url: String,
    /// How many games it has in the catalogue, and where they are listed.
    games: usize,
    games_url: String,
    created_at: Timestamp,
    /// Until then the secret of before is valid as well.
    old_secret_until: Option<Timestamp>,
    /// Shown once: when it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl View {
    fn of(world: &World, row: ProviderRow, secret: Option<String>) -> Self {
        let api = world.config.server.public_url.trim_end_matches('/');
        let (environment, id) = (world.environment, &row.id);
        let now = world.clock.now();
        let old_until = row.old_secret.map(|(_, until)| until);
        Self {
            callback_url: format!("{api}/callbacks/{environment}/{id}/"),
            games: world.games.now().games_of(id),
            games_url: format!("/v1/games?provider={id}"),
            name: row.name,
            settings: every_setting(&row.dialect, &row.settings),
            dialect: row.dialect,
            status: row.status,
            policy: row.policy,
            used: row.used_at.is_some(),
            allowed_addresses: row.allowed_addresses,
            callback_log: row.callback_log,
            created_at: row.created_at,
            old_secret_until: old_until.filter(|until| now < *until),
            secret,
            id: row.id,
        }
    }
}

fn unknown() -> ApiError {
    AccountError::Unknown.into()
}

/// An id in a path: one that nobody can have is nobody's.
fn parse_id(text: &str) -> Result<ProviderId, ApiError> {
    ProviderId::new(text).map_err(|_| unknown())
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let code = match &error {
            AccountError::Store(cause) => return Self::unavailable(cause),
            AccountError::Vault(_) | AccountError::Random(_) => return Self::internal(error),
            AccountError::Wrong(_) => Code::Malformed,
            AccountError::Exists => Code::ProviderExists,
            AccountError::Limit(_) => Code::ProviderLimit,
            AccountError::Unknown => Code::UnknownProvider,
            AccountError::InUse(_) => Code::ProviderInUse,
            AccountError::Locked(_) => Code::PolicyLocked,
            AccountError::Contended => Code::Retry,
        };
        Self::new(code, error.to_string())
    }
}

/// Does something with the accounts as this operator, and has this process go by it at once: others read the catalogue
/// anew within seconds.
async fn with<T>(
    operator: &Operator,
    work: impl AsyncFnOnce(Accounts<'_>) -> Result<T, AccountError>,
) -> Result<T, ApiError> {
    let world = &operator.world;
    let accounts = Accounts {
        store: &world.store,
        vault: &world.vault,
        limits: &world.config.providers,
        note: &|action, subject, detail| operator.note(action, subject, detail),
    };
    let done = work(accounts).await?;
    if let Err(error) = world.catalogue.refresh(&world.store, &world.vault).await {
        tracing::warn!(environment = %world.environment, %error, "the catalogue was not read anew");
    }
    Ok(done)
}

/// `POST /v1/providers`
async fn create(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    idempotency::run(&request, &operator, &body, async |new: NewAccount| {
        let made = with(&operator, async |accounts| accounts.create(new).await);
        let (row, secret) = made.await?;
        let view = View::of(&operator.world, row, secret);
        Ok(Answer::new(StatusCode::CREATED, view))
    })
    .await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Rows of the page.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// `GET /v1/providers`
async fn list(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = limit_of(page.limit, world.config.rest.page_max)?;
    let after = page.after.as_deref().map(ProviderId::new).transpose();
    let after = after.map_err(|_| wrong_cursor())?;
    let rows = u32::try_from(limit).map_err(ApiError::internal)?;
    let rows = world.store.provider_page(after.as_ref(), rows).await;
    let rows = rows.map_err(ApiError::unavailable)?.into_iter();
    let views: Vec<View> = rows.map(|row| View::of(world, row, None)).collect();
    Ok(answer(&views, limit, |view| view.id.to_string()))
}

/// `GET /v1/providers/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let row = world.store.provider(&parse_id(&id)?).await;
    let row = row.map_err(ApiError::unavailable)?.ok_or_else(unknown)?;
    Ok(HttpResponse::Ok().json(View::of(world, row, None)))
}

/// `PATCH /v1/providers/{id}`
async fn change(
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let change: AccountChange = idempotency::parse(&body)?;
    let id = parse_id(&id)?;
    let changed = with(&operator, async |accounts| {
        accounts.change(&id, &change).await
    });
    let row = changed.await?;
    Ok(HttpResponse::Ok().json(View::of(&operator.world, row, None)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CallbackSecretRotation")]
struct Rotation {
    /// How long the secret of before is valid, in seconds, up to 30 days; 0: it ends at once. When it is not there, what
    /// `providers.grace_s` of the server's configuration says.
    grace_s: Option<i64>,
    /// The new secret or public key, where the provider gives it. Never shown again. Without it a secret is made.
    #[schemars(with = "Option<String>")]
    secret: Option<SecretString>,
}

/// `POST /v1/providers/{id}/rotate`
async fn rotate(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let body = or_empty(body);
    idempotency::run(&request, &operator, &body, async |rotation: Rotation| {
        let id = parse_id(&id)?;
        let rotated = with(&operator, async |accounts| {
            let Rotation { grace_s, secret } = rotation;
            accounts.rotate(&id, grace_s, secret).await
        });
        let (row, secret) = rotated.await?;
        let view = View::of(&operator.world, row, secret);
        Ok(Answer::new(StatusCode::OK, view))
    })
    .await
}

/// `POST /v1/providers/{id}/revoke-old`
async fn revoke_old(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let body = or_empty(body);
    idempotency::run(&request, &operator, &body, async |_: Nothing| {
        let id = parse_id(&id)?;
        let revoked = with(&operator, async |accounts| accounts.revoke_old(&id).await);
        let view = View::of(&operator.world, revoked.await?, None);
        Ok(Answer::new(StatusCode::OK, view))
    })
    .await
}
