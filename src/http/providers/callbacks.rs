//! What became of an account's callbacks.

use actix_web::{
    HttpResponse,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::{CallbackFilter, CallbackPageOf, CallbackPosition, LoggedCallback};
use pitboss_wallet::{ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{parse_id, unknown};
use crate::{
    access::Resource,
    bus::parse_time,
    callback_log::{Detail, LoggedAnswer, LoggedRequest},
    http::{
        ApiError, List,
        auth::Operator,
        page::{cursor, limit_of, parse_cursor, wrong_cursor},
        route::{Route, get},
    },
    world::World,
};

const FILTER_CHARS_MAX: usize = 255;

pub(super) fn routes() -> Vec<Route> {
    let resource = Resource::Providers;
    vec![
        get("/v1/providers/{id}/callbacks", resource, list)
            .summary("Lists the callbacks of a provider account that were logged, newest first")
            .query::<Page>()
            .example_with("id", "demo")
            .answers::<List<'_, Entry>>(200)
            .refuses(&[Code::UnknownProvider]),
        get("/v1/providers/{id}/callbacks/{number}", resource, get_one)
            .example_with("number", "1")
            .summary(
                "Gets a logged callback: the request, the answer, and what was understood of it",
            )
            .example_with("id", "demo")
            .answers::<Whole>(200)
            .refuses(&[Code::UnknownProvider, Code::NotFound]),
    ]
}

/// A callback.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LoggedCallback")]
struct Entry {
    /// Its number in the log.
    number: i64,
    received_at: Timestamp,
    /// `ok`, or the code of the error.
    outcome: String,
    /// The end of the path: `bet`.
    action: String,
    /// What was understood of the request: `authenticate`, `keep_alive`, `balance`, `profile`, `bet`, `win`,
    /// `bet_win`, `rollback` or `close_round`; null when it was not.
    kind: Option<String>,
    player: Option<String>,
    round: Option<String>,
    /// The provider's own ids; of a rollback, its target's too.
    transactions: Vec<String>,
    /// `current` or `old`: the secret that it was signed with. `missing`, `form`, `stale` or `mismatch`: what was wrong
    /// with the signature. `not_checked`: the request was refused before.
    signature: String,
    /// The HTTP status of the answer.
    status: u16,
    /// From the request's head to the answer, in microseconds.
    took_us: i64,
    /// Where it came from.
    address: Option<String>,
    /// The request's `X-Request-Id`.
    request_id: Option<String>,
}

impl Entry {
    fn of(number: i64, logged: LoggedCallback) -> Self {
        Self {
            number,
            received_at: logged.received_at,
            outcome: logged.outcome,
            action: logged.action,
            kind: logged.kind,
            player: logged.player,
            round: logged.round,
            transactions: logged.transactions,
            signature: logged.signature,
            status: logged.status,
            took_us: logged.took_us,
            address: logged.address,
            request_id: logged.request_id,
        }
    }
}

/// A callback with its request and answer.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LoggedCallbackInFull")]
struct Whole {
    #[serde(flatten)]
    entry: Entry,
    request: LoggedRequest,
    answer: LoggedAnswer,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Entries of the page.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
    /// `ok`, or the code of an error.
    outcome: Option<String>,
    /// The end of the path: `bet`.
    action: Option<String>,
    player: Option<String>,
    /// An id of the provider's.
    transaction: Option<String>,
    /// Only those that were received at this time or later.
    #[schemars(with = "Option<Timestamp>")]
    from: Option<String>,
    /// Only those that were received before this time.
    #[schemars(with = "Option<Timestamp>")]
    to: Option<String>,
    /// Only those that were answered with an error.
    #[serde(default)]
    failures: bool,
}

/// A value to look for: one that nothing can have is a mistake.
fn check(name: &str, value: Option<&str>) -> Result<(), ApiError> {
    match value {
        Some(text)
            if text.is_empty()
                || text.chars().count() > FILTER_CHARS_MAX
                || text.contains('\0') =>
        {
            let detail =
                format!("{name}: must be 1 to {FILTER_CHARS_MAX} characters, without U+0000");
            Err(ApiError::new(Code::Malformed, detail))
        }
        _ => Ok(()),
    }
}

fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    let time = text.map(parse_time).transpose();
    time.map_err(|error| ApiError::new(Code::Malformed, format!("{name}: {error}")))
}

/// Where a cursor points to. Postgres has no time for every number.
fn position((micros, number): (i64, i64)) -> Result<CallbackPosition, ApiError> {
    const YEAR_10000: i64 = 253_402_300_800_000_000;
    if !(0..YEAR_10000).contains(&micros) {
        return Err(wrong_cursor());
    }
    Ok(CallbackPosition {
        received_at: Timestamp::from_micros(micros),
        number,
    })
}

impl Page {
    fn read(self, world: &World) -> Result<CallbackPageOf, ApiError> {
        let limit = limit_of(self.limit, world.config.rest.page_max)?;
        for (name, value) in [
            ("outcome", &self.outcome),
            ("action", &self.action),
            ("player", &self.player),
            ("transaction", &self.transaction),
        ] {
            check(name, value.as_deref())?;
        }
        let after: Option<(i64, i64)> = parse_cursor(self.after.as_deref())?;
        let after = after.map(position).transpose()?;
        let from = time("from", self.from.as_deref())?;
        let to = time("to", self.to.as_deref())?.map(CallbackPosition::before);
        Ok(CallbackPageOf {
            before: [after, to].into_iter().flatten().min(),
            from,
            limit: u32::try_from(limit).map_err(ApiError::internal)?,
            scan_max: world.config.callback_log.scan_max,
            filter: CallbackFilter {
                outcome: self.outcome,
                action: self.action,
                player: self.player,
                transaction: self.transaction,
                failures: self.failures,
            },
        })
    }
}

async fn known(world: &World, id: &str) -> Result<ProviderId, ApiError> {
    let id = parse_id(id)?;
    let row = world.store.provider(&id).await;
    row.map_err(ApiError::unavailable)?.ok_or_else(unknown)?;
    Ok(id)
}

/// `GET /v1/providers/{id}/callbacks`
async fn list(
    operator: Operator,
    id: Path<String>,
    page: Query<Page>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let of = page.into_inner().read(world)?;
    let id = known(world, &id).await?;
    let page = world.store.callback_page(&id, &of).await;
    let page = page.map_err(ApiError::unavailable)?;
    let entries = page.entries.into_iter();
    let entries: Vec<Entry> = entries
        .map(|(number, logged)| Entry::of(number, logged))
        .collect();
    let next = page
        .next
        .map(|next| cursor(&(next.received_at.as_micros(), next.number)));
    Ok(HttpResponse::Ok().json(List {
        data: &entries,
        next,
    }))
}

/// `GET /v1/providers/{id}/callbacks/{number}`
async fn get_one(
    operator: Operator,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (id, number) = path.into_inner();
    let id = known(world, &id).await?;
    let none = || {
        let detail = "there is no such entry in the log of the account, or it is no longer kept";
        ApiError::new(Code::NotFound, detail)
    };
    let number: i64 = number.parse().map_err(|_| none())?;
    let found = world.store.callback(&id, number).await;
    let (logged, detail) = found.map_err(ApiError::unavailable)?.ok_or_else(none)?;
    let Detail { request, answer } = serde_json::from_str(&detail).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().json(Whole {
        entry: Entry::of(number, logged),
        request,
        answer,
    }))
}
