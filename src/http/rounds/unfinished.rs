//! `GET /v1/rounds/unfinished`: rounds that are open, oldest first, with what they hold.

use actix_web::{HttpResponse, web::Query};
use pitboss_providers::Code;
use pitboss_schema::{AgeOfRounds, UnfinishedPlace};
use pitboss_wallet::{Currency, PlayerId, ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RoundListView;
use crate::http::{
    ApiError,
    amount::Amount,
    auth::Operator,
    page::{cursor, limit_of, parse_cursor},
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Open for at least so many seconds.
    older_than_s: Option<i64>,
    provider: Option<ProviderId>,
    currency: Option<Currency>,
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A page of open rounds, and on the first page all of them added up.
#[derive(Serialize, JsonSchema)]
pub struct Unfinished {
    data: Vec<RoundListView>,
    /// Goes into `after` of the next request; `null` at the end.
    next: Option<String>,
    /// Of the first page alone: how many rounds are open, of any age, and what they hold.
    totals: Option<Vec<Total>>,
}

/// Open rounds of one age in one currency.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "UnfinishedTotal")]
struct Total {
    currency: Currency,
    /// `under_1h`, `under_24h`, `under_7d` or `older`: since the round was opened.
    age: String,
    rounds: i64,
    /// Their stakes.
    held: Amount,
    /// When the first of them was opened.
    oldest: Timestamp,
}

impl From<AgeOfRounds> for Total {
    fn from(row: AgeOfRounds) -> Self {
        Self {
            currency: row.currency,
            age: row.age,
            rounds: row.rounds,
            held: Amount::new(row.held, row.currency),
            oldest: row.oldest,
        }
    }
}

pub async fn list(operator: Operator, question: Query<Question>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = limit_of(question.limit, world.config.rest.page_max)?;
    let older_than_s = question.older_than_s.unwrap_or(0);
    if older_than_s < 0 {
        let detail = "older_than_s: must be 0 or more";
        return Err(ApiError::new(Code::Malformed, detail));
    }
    let (provider, currency) = (question.provider.as_ref(), question.currency);
    let after: Option<(i64, PlayerId, i64)> = parse_cursor(question.after.as_deref())?;
    let after = after.map(|(opened_at, player, number)| UnfinishedPlace {
        opened_at: Timestamp::from_micros(opened_at),
        player,
        number,
    });
    let now = world.clock.now();
    let opened_by = now.plus_seconds(-older_than_s);
    let rows = world
        .store
        .unfinished_rounds(opened_by, provider, currency, after.as_ref(), limit)
        .await
        .map_err(ApiError::unavailable)?;
    let totals = match after {
        Some(_) => None,
        None => {
            let ages = world.store.unfinished_ages(now, provider, currency).await;
            let ages = ages.map_err(ApiError::unavailable)?;
            Some(ages.into_iter().map(Total::from).collect())
        }
    };
    let next = rows.last().filter(|_| rows.len() == limit);
    let next = next.map(|row| cursor(&(row.opened_at.as_micros(), &row.player, row.number)));
    Ok(HttpResponse::Ok().json(Unfinished {
        next,
        data: rows.into_iter().map(RoundListView::from).collect(),
        totals,
    }))
}
