//! Deposits: announced, told of by the payment provider, listed.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::PaymentRow;
use pitboss_wallet::{
    Command, Currency, DepositOrder, DepositState, DepositStep, ExternalId, InitiateDeposit, Money,
    Payment, PaymentId, PaymentKind, PlayerId, Timestamp, TransactionId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Page, amount_of, carried_out, known, list};
use crate::{
    access::Resource,
    http::{
        ApiError, List,
        auth::Operator,
        body::Body,
        fields,
        idempotency::{self, Answer},
        route::{Route, get, post},
    },
};

pub(super) fn routes() -> Vec<Route> {
    let resource = Resource::Deposits;
    vec![
        post("/v1/deposits", resource, initiate)
            .summary("Announces a deposit that a payment provider is to carry out, once for each reference")
            .body::<AnnouncedDeposit>()
            .example(json!({
                "player": "alice", "amount": "20.00", "currency": "EUR", "reference": "d-2001",
            }))
            .answers::<View>(201)
            .answers::<View>(200)
            .refuses(&[
                Code::UnknownPlayer,
                Code::PlayerBlocked,
                Code::CurrencyMismatch,
                Code::TransactionMismatch,
            ]),
        get("/v1/deposits", resource, all)
            .summary("Lists deposits, newest first")
            .query::<Page>()
            .answers::<List<'_, View>>(200),
        get("/v1/deposits/{id}", resource, get_one)
            .summary("Gets a deposit")
            .answers::<View>(200)
            .refuses(&[Code::UnknownPayment]),
        post("/v1/deposits/{id}/notices", resource, notice)
            .summary("Tells what the payment provider says of a deposit; the same again changes nothing")
            .body::<Notice>()
            .example(json!({
                "status": "completed", "provider_reference": "psp-2001", "amount": "20.00",
            }))
            .answers::<View>(200)
            .refuses(&[
                Code::UnknownPayment,
                Code::PaymentState,
                Code::TransactionMismatch,
            ]),
    ]
}

/// A deposit, and what became of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DepositOrder")]
struct View {
    id: PaymentId,
    player: PlayerId,
    /// The operator's own id of the deposit.
    reference: ExternalId,
    amount: Money,
    currency: Currency,
    state: DepositState,
    /// The payment provider's own id, once it told one.
    provider_reference: Option<ExternalId>,
    /// Why it failed or was taken back.
    reason: Option<String>,
    /// What brought the money.
    transaction_id: Option<TransactionId>,
    initiated_at: Timestamp,
    /// When it had its last change.
    changed_at: Timestamp,
    /// When it fails unless the payment provider told of it; it may still come later.
    expires_at: Option<Timestamp>,
}

impl View {
    fn of(player: PlayerId, payment: Payment) -> Result<Self, ApiError> {
        let Payment::Deposit(order) = payment else {
            return Err(ApiError::internal("a deposit is none"));
        };
        let DepositOrder {
            id,
            reference,
            currency,
            units,
            state,
            provider_reference,
            reason,
            completed_by,
            initiated_at,
            changed_at,
            expires_at,
        } = order;
        Ok(Self {
            id,
            player,
            reference,
            amount: Money::new(units, currency),
            currency,
            state,
            provider_reference,
            reason,
            transaction_id: completed_by,
            initiated_at,
            changed_at,
            expires_at,
        })
    }

    fn of_row(row: PaymentRow) -> Result<Self, ApiError> {
        Self::of(row.player, row.payment)
    }
}

/// A deposit to be announced.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AnnouncedDeposit {
    player: PlayerId,
    /// Major units as decimal text, above 0.
    amount: String,
    currency: Currency,
    /// The operator's own id of the deposit; unique among all deposits.
    reference: ExternalId,
}

/// `POST /v1/deposits`: idempotent on the reference.
async fn initiate(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    idempotency::run(&request, &operator, &body, async |new: AnnouncedDeposit| {
        let world = &operator.world;
        let expire_h = world.config.payments.deposit_expire_h;
        let command = Command::InitiateDeposit(InitiateDeposit {
            reference: new.reference,
            amount: amount_of(&new.amount, new.currency)?,
            expires_at: Some(world.clock.now().plus_seconds(3600 * expire_h)),
        });
        let reply = carried_out(&operator, &new.player, command).await?;
        let status = if reply.replayed {
            StatusCode::OK
        } else {
            StatusCode::CREATED
        };
        Ok(Answer::new(status, View::of(new.player, reply.payment)?))
    })
    .await
}

/// `GET /v1/deposits`
async fn all(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let states = DepositState::ALL.map(DepositState::as_str);
    let kind = PaymentKind::Deposit;
    list(&operator, kind, &states, page.into_inner(), View::of_row).await
}

/// `GET /v1/deposits/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let row = known(&operator, PaymentKind::Deposit, &id).await?;
    Ok(HttpResponse::Ok().json(View::of_row(row)?))
}

/// What a payment provider says of a deposit.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum NoticeStatus {
    Pending,
    Completed,
    Failed,
    Reversed,
    ChargedBack,
}

/// A notice of a payment provider.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Notice {
    status: NoticeStatus,
    /// The payment provider's own id: with `pending` and `completed`, and only then.
    provider_reference: Option<ExternalId>,
    /// What arrived, major units as decimal text: with `completed`, and only then.
    amount: Option<String>,
    /// Why: with the others, and only then.
    #[schemars(length(min = 1, max = 255))]
    reason: Option<String>,
}

impl Notice {
    fn step(self, currency: Currency) -> Result<DepositStep, ApiError> {
        let wrong = |detail: &str| ApiError::new(Code::Malformed, detail);
        match (
            self.status,
            self.provider_reference,
            self.amount,
            self.reason,
        ) {
            (NoticeStatus::Pending, Some(provider_reference), None, None) => {
                Ok(DepositStep::Pend { provider_reference })
            }
            (NoticeStatus::Completed, Some(provider_reference), Some(amount), None) => {
                Ok(DepositStep::Complete {
                    provider_reference,
                    amount: amount_of(&amount, currency)?,
                })
            }
            (NoticeStatus::Pending, ..) => Err(wrong(
                "pending: needs a provider_reference, and nothing else",
            )),
            (NoticeStatus::Completed, ..) => Err(wrong(
                "completed: needs a provider_reference and an amount, and nothing else",
            )),
            (status, None, None, Some(reason)) => {
                let reason = fields::reason(&reason)?;
                Ok(match status {
                    NoticeStatus::Reversed => DepositStep::Reverse { reason },
                    NoticeStatus::ChargedBack => DepositStep::ChargeBack { reason },
                    _ => DepositStep::Fail { reason },
                })
            }
            _ => Err(wrong("reason: is needed, and nothing else")),
        }
    }
}

/// `POST /v1/deposits/{id}/notices`
async fn notice(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let row = known(&operator, PaymentKind::Deposit, &id).await?;
    idempotency::run(&request, &operator, &body, async |notice: Notice| {
        let step = notice.step(row.payment.currency())?;
        let command = Command::MoveDeposit(row.payment.id(), step);
        let reply = carried_out(&operator, &row.player, command).await?;
        Ok(Answer::new(
            StatusCode::OK,
            View::of(row.player, reply.payment)?,
        ))
    })
    .await
}
