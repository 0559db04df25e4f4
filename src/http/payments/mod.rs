//! Deposits that payment providers carry out, and withdrawals. What follows from what is decided by the wallet; here are
//! the terms that are in force, who may approve, and the views.

mod deposits;
mod withdrawals;

use actix_web::HttpResponse;
use pitboss_providers::Code;
use pitboss_schema::{PaymentFilter, PaymentRow};
use pitboss_wallet::{
    Command, Currency, ExternalId, Money, PaymentId, PaymentKind, PaymentReply, PlayerId, Reply,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiError, Operator, Route,
    page::{answer, cursor, limit_of, parse_cursor},
};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    [deposits::routes(), withdrawals::routes()]
        .into_iter()
        .flatten()
        .collect()
}

/// Which payments, and which page of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Of this player.
    player: Option<String>,
    /// In this state.
    state: Option<String>,
    /// Under this id of the operator's.
    reference: Option<String>,
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A page of payments of a kind. `states` are those that there are.
async fn list<V: Serialize>(
    operator: &Operator,
    kind: PaymentKind,
    states: &[&'static str],
    page: Page,
    view: impl Fn(PaymentRow) -> Result<V, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let malformed = |detail: String| ApiError::new(Code::Malformed, detail);
    let world = &operator.world;
    let limit = limit_of(page.limit, world.config.rest.page_max)?;
    let rows = u32::try_from(limit).map_err(ApiError::internal)?;
    let state = page.state.map(|name| {
        let known = states.iter().find(|state| **state == name).copied();
        known.ok_or_else(|| malformed(format!("state: must be one of {}", states.join(", "))))
    });
    let player = page
        .player
        .map(|id| PlayerId::new(id).map_err(|error| malformed(format!("player: {error}"))));
    let reference = page.reference.map(|text| {
        ExternalId::new(text).map_err(|error| malformed(format!("reference: {error}")))
    });
    let filter = PaymentFilter {
        kind,
        player: player.transpose()?,
        state: state.transpose()?,
        reference: reference.transpose()?,
    };
    let after: Option<uuid::Uuid> = parse_cursor(page.after.as_deref())?;
    let found = world.store.payments(&filter, after.map(PaymentId), rows);
    let found = found.await.map_err(ApiError::unavailable)?;
    let last = found.last().map(|row| row.payment.id().0);
    let views: Vec<V> = found.into_iter().map(view).collect::<Result<_, _>>()?;
    Ok(answer(&views, limit, |_| cursor(&last)))
}

/// The payment of this id, if it is of this kind.
async fn known(operator: &Operator, kind: PaymentKind, id: &str) -> Result<PaymentRow, ApiError> {
    let unknown = || {
        let detail = format!("there is no such {}", kind.as_str());
        ApiError::new(Code::UnknownPayment, detail)
    };
    let id = PaymentId::parse(id).map_err(|_| unknown())?;
    let found = operator.world.store.payment(kind, id).await;
    found.map_err(ApiError::unavailable)?.ok_or_else(unknown)
}

/// Has the player's actor carry out a command about a payment.
async fn carried_out(
    operator: &Operator,
    player: &PlayerId,
    command: Command,
) -> Result<PaymentReply, ApiError> {
    match operator.world.execute(player, command).await? {
        Reply::Payment(reply) => Ok(*reply),
        _ => Err(ApiError::internal("no payment")),
    }
}

/// An amount of a body.
fn amount_of(text: &str, currency: Currency) -> Result<Money, ApiError> {
    let amount = Money::parse(text, currency);
    amount.map_err(|error| ApiError::new(Code::Malformed, format!("amount: {error}")))
}
