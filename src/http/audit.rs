//! Reading the audit log.

use actix_web::{
    HttpResponse,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::{AuditAction, AuditEntry, AuditFilter};
use pitboss_wallet::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    ApiError, List,
    auth::Operator,
    fields::malformed,
    moment::moment,
    page::{answer, cursor, limit_of, parse_cursor},
    route::{Route, get},
};
use crate::access::Resource;

/// Characters of a subject or an actor that is looked for.
const TEXT_MAX: usize = 512;

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    let resource = Resource::Audit;
    vec![
        get("/v1/audit", resource, list)
            .summary("Lists the audit log, newest first")
            .query::<Question>()
            .answers::<List<'_, Entry>>(200),
        get("/v1/audit/head", resource, head)
            .summary("Tells number and hash of the newest entry, to be kept elsewhere")
            .answers::<Head>(200),
        get("/v1/audit/{number}", resource, get_one)
            .example_with("number", "1")
            .summary("Gets an entry of the audit log")
            .answers::<Entry>(200)
            .refuses(&[Code::NotFound]),
    ]
}

/// Who did it.
#[derive(Serialize, JsonSchema)]
struct Actor {
    /// `operator`, `command_line`, `server`, `provider` or `player`.
    kind: String,
    /// Which of them: a key's id, a provider's, a player's.
    id: String,
    /// Whom an operator key is for.
    person: Option<String>,
    /// Where the request came from.
    address: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Entry {
    /// Counts the entries: from 1, without a gap.
    number: i64,
    id: Uuid,
    at: Timestamp,
    /// What was done, such as `key.created`.
    action: String,
    actor: Actor,
    /// What it was done to, such as `player/alice`.
    subject: String,
    /// What it was before and what it is now, and why.
    detail: Value,
    /// The detail to the byte, as it was hashed.
    detail_text: String,
    /// SHA-256 over the hash of the entry before and the fields of this one, in hexadecimal digits.
    hash: String,
}

impl From<AuditEntry> for Entry {
    fn from(entry: AuditEntry) -> Self {
        Self {
            number: entry.number,
            id: entry.id,
            at: entry.at,
            action: entry.action,
            actor: Actor {
                kind: entry.actor_kind,
                id: entry.actor_id,
                person: entry.person,
                address: entry.address,
            },
            subject: entry.subject,
            detail: serde_json::from_str(&entry.detail).unwrap_or_default(),
            detail_text: entry.detail,
            hash: hex::encode(entry.hash),
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct Head {
    /// Of the newest entry; 0: there is none.
    number: i64,
    /// Its hash, in hexadecimal digits.
    hash: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// Such as `key.created`.
    action: Option<String>,
    /// Such as `player/alice`.
    subject: Option<String>,
    /// The id of whoever did it: of a key, a provider, a player.
    actor: Option<String>,
    /// RFC 3339: of this moment and later.
    from: Option<String>,
    /// RFC 3339: before this moment.
    to: Option<String>,
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// `GET /v1/audit`
async fn list(operator: Operator, question: Query<Question>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let question = question.into_inner();
    let limit = limit_of(question.limit, world.config.rest.page_max)?;
    let after: Option<(i64, i64)> = parse_cursor(question.after.as_deref())?;
    let after = after.map(|(at, number)| (Timestamp::from_micros(at), number));
    let action = question.action.as_deref().map(|name| {
        let known = AuditAction::from_name(name);
        known.ok_or_else(|| malformed("action", "must be one of those in docs/audit.md"))
    });
    // What was no UTF-8 has become U+FFFD by now.
    let is_wrong = |text: &str| {
        text.is_empty()
            || text.len() > TEXT_MAX
            || text.contains(['\0', char::REPLACEMENT_CHARACTER])
    };
    let text = |field: &str, text: Option<String>| match text {
        Some(text) if is_wrong(&text) => {
            let what = format!("must be 1 to {TEXT_MAX} bytes of UTF-8, without U+0000");
            Err(malformed(field, what))
        }
        text => Ok(text),
    };
    let time = |field: &str, text: Option<&str>| text.map(|text| moment(field, text)).transpose();
    let filter = AuditFilter {
        action: action.transpose()?,
        subject: text("subject", question.subject)?,
        actor: text("actor", question.actor)?,
        from: time("from", question.from.as_deref())?,
        to: time("to", question.to.as_deref())?,
    };
    let rows = u32::try_from(limit).map_err(ApiError::internal)?;
    let entries = world.store.audit_entries(&filter, after, rows).await;
    let entries = entries.map_err(ApiError::unavailable)?.into_iter();
    let entries: Vec<Entry> = entries.map(Entry::from).collect();
    Ok(answer(&entries, limit, |last| {
        cursor(&(last.at.as_micros(), last.number))
    }))
}

/// `GET /v1/audit/head`
async fn head(operator: Operator) -> Result<HttpResponse, ApiError> {
    let head = operator.world.store.audit_head().await;
    let (number, hash) = head.map_err(ApiError::unavailable)?;
    let hash = hex::encode(hash);
    Ok(HttpResponse::Ok().json(Head { number, hash }))
}

/// `GET /v1/audit/{number}`
async fn get_one(operator: Operator, number: Path<String>) -> Result<HttpResponse, ApiError> {
    let not_found = || ApiError::new(Code::NotFound, "there is no such entry");
    let number: i64 = number.parse().map_err(|_| not_found())?;
    let entry = operator.world.store.audit_entry(number).await;
    let entry = entry.map_err(ApiError::unavailable)?;
    let entry = Entry::from(entry.ok_or_else(not_found)?);
    Ok(HttpResponse::Ok().json(entry))
}
