//! Approvals: what one person asked for and another decides. The rules of two persons are in `crate::approvals`.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::{ApprovalFilter, ApprovalKind, ApprovalRow, ApprovalState};
use pitboss_wallet::{By, PlayerId, Timestamp, TransactionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    ApiError, List,
    auth::Operator,
    body::{Body, Nothing, or_empty},
    fields,
    idempotency::{self, Answer},
    moment::moment,
    page::{answer, cursor, limit_of, parse_cursor, wrong_cursor},
    route::{Route, get, post},
};
use crate::{
    access::Resource,
    approvals::{self, Failure, Request, id_text, parse_id},
};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let resource = Resource::Approvals;
    vec![
        get("/v1/approvals", resource, list)
            .summary("Lists what needs two persons, newest first")
            .query::<Page>()
            .answers::<List<'_, View>>(200),
        get("/v1/approvals/{id}", resource, get_one)
            .summary("Gets an approval")
            .answers::<View>(200)
            .refuses(&[Code::NotFound]),
        post("/v1/approvals/{id}/approve", resource, approve)
            .summary("Approves what another person asked for, and carries it out")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<View>(200)
            .refuses(&[Code::NotFound, Code::SamePerson, Code::ApprovalDecided]),
        post("/v1/approvals/{id}/reject", resource, reject)
            .summary("Rejects what another person asked for")
            .body::<Rejection>()
            .example(json!({ "reason": "the round was played to its end" }))
            .answers::<View>(200)
            .refuses(&[Code::NotFound, Code::SamePerson, Code::ApprovalDecided]),
    ]
}

/// What one person asked for, and what became of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Approval")]
pub struct View {
    /// `apr_` and 32 hexadecimal digits.
    id: String,
    /// `adjustment` or `void_round`. Kinds may be added.
    kind: &'static str,
    /// `pending`; `executing`, which ends by itself; then `approved` (and carried out), `failed` (approved, but it could
    /// not be carried out), `rejected` or `expired`.
    state: &'static str,
    /// Whom it is about.
    player: PlayerId,
    /// What is asked for.
    request: Request,
    /// Who asked for it.
    maker: By,
    /// Who approved or rejected it; `null` while nobody did, and where one person was enough.
    checker: Option<By>,
    /// Why it was rejected.
    reason: Option<String>,
    /// Why it could not be carried out.
    failure: Option<Failure>,
    /// What carried it out.
    transaction_id: Option<TransactionId>,
    created_at: Timestamp,
    /// Whoever decides must do so before this time.
    expires_at: Timestamp,
    decided_at: Option<Timestamp>,
    /// When it had its last state.
    finished_at: Option<Timestamp>,
}

impl View {
    /// # Errors
    /// What is kept cannot be read.
    pub fn of(row: ApprovalRow) -> Result<Self, ApiError> {
        let failure = row.failure.as_deref().map(serde_json::from_str);
        Ok(Self {
            id: id_text(row.id),
            kind: row.kind.as_str(),
            state: row.state.as_str(),
            player: row.player,
            request: serde_json::from_str(&row.payload).map_err(ApiError::internal)?,
            maker: row.maker,
            checker: row.checker,
            reason: row.reason,
            failure: failure.transpose().map_err(ApiError::internal)?,
            transaction_id: row.transaction,
            created_at: row.created_at,
            expires_at: row.expires_at,
            decided_at: row.decided_at,
            finished_at: row.finished_at,
        })
    }
}

/// Which approvals, and which page of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// `pending`, `executing`, `approved`, `failed`, `rejected` or `expired`.
    state: Option<String>,
    /// `adjustment` or `void_round`.
    kind: Option<String>,
    /// About this player.
    player: Option<String>,
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

impl Page {
    fn filter(&self) -> Result<ApprovalFilter, ApiError> {
        let wrong = |field: &str, names: Vec<&str>| {
            let detail = format!("{field}: must be one of {}", names.join(", "));
            ApiError::new(Code::Malformed, detail)
        };
        let state = self.state.as_deref().map(|name| {
            let names = ApprovalState::ALL.iter().map(|state| state.as_str());
            ApprovalState::from_name(name).ok_or_else(|| wrong("state", names.collect()))
        });
        let kind = self.kind.as_deref().map(|name| {
            let names = ApprovalKind::ALL.iter().map(|kind| kind.as_str());
            ApprovalKind::from_name(name).ok_or_else(|| wrong("kind", names.collect()))
        });
        let player = self.player.as_deref().map(|id| {
            PlayerId::new(id)
                .map_err(|error| ApiError::new(Code::Malformed, format!("player: {error}")))
        });
        Ok(ApprovalFilter {
            player: player.transpose()?,
            state: state.transpose()?,
            kind: kind.transpose()?,
        })
    }

    fn after(&self) -> Result<Option<(Timestamp, Uuid)>, ApiError> {
        let key: Option<(i64, Uuid)> = parse_cursor(self.after.as_deref())?;
        let Some((micros, id)) = key else {
            return Ok(None);
        };
        // Beyond the years that the database knows there was no page.
        let at = Timestamp::from_micros(micros);
        moment("after", &at.to_string()).map_err(|_| wrong_cursor())?;
        Ok(Some((at, id)))
    }
}

/// `GET /v1/approvals`
async fn list(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = limit_of(page.limit, world.config.rest.page_max)?;
    let rows = u32::try_from(limit).map_err(ApiError::internal)?;
    let (filter, after) = (page.filter()?, page.after()?);
    let found = world.store.approvals(&filter, after, rows).await;
    let found = found.map_err(ApiError::unavailable)?;
    let keys: Vec<_> = found
        .iter()
        .map(|row| (row.created_at.as_micros(), row.id))
        .collect();
    let views: Vec<View> = found.into_iter().map(View::of).collect::<Result<_, _>>()?;
    Ok(answer(&views, limit, |_| cursor(&keys.last())))
}

/// `GET /v1/approvals/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let row = known(&operator, &id).await?;
    Ok(HttpResponse::Ok().json(View::of(row)?))
}

/// `POST /v1/approvals/{id}/approve`
async fn approve(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let body = or_empty(body);
    let row = known(&operator, &id).await?;
    idempotency::run(&request, &operator, &body, async |_: Nothing| {
        let row = approvals::approve(&operator, row).await?;
        Ok(Answer::new(StatusCode::OK, View::of(row)?))
    })
    .await
}

/// Why not.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rejection {
    /// For whoever asked, and for the audit log.
    #[schemars(length(min = 1, max = 255))]
    reason: String,
}

/// `POST /v1/approvals/{id}/reject`
async fn reject(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let row = known(&operator, &id).await?;
    idempotency::run(&request, &operator, &body, async |no: Rejection| {
        let reason = fields::reason(&no.reason)?;
        let row = approvals::reject(&operator, row, &reason).await?;
        Ok(Answer::new(StatusCode::OK, View::of(row)?))
    })
    .await
}

async fn known(operator: &Operator, id: &str) -> Result<ApprovalRow, ApiError> {
    let found = match parse_id(id) {
        Some(id) => operator.world.store.approval(id).await,
        None => Ok(None),
    };
    found
        .map_err(ApiError::unavailable)?
        .ok_or_else(|| ApiError::new(Code::NotFound, "there is no such approval"))
}
