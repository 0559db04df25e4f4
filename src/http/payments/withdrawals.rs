//! Withdrawals: asked for, looked at, approved by others, sent, and what became of them.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::PaymentRow;
use pitboss_wallet::{
    By, Command, Currency, ExternalId, Money, Payment, PaymentId, PaymentKind, Person, PlayerId,
    RequestWithdrawal, ReviewReason, Timestamp, TransactionId, Withdrawal, WithdrawalState,
    WithdrawalStep,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{Page, amount_of, carried_out, known, list};
use crate::{
    access::Resource,
    http::{
        ApiError, List,
        auth::Operator,
        body::{Body, Nothing, or_empty},
        fields,
        idempotency::{self, Answer},
        route::{Route, get, post},
    },
    payments,
};

/// The greatest number of characters of a destination.
const DESTINATION_CHARS_MAX: usize = 255;

/// What any step may be refused with.
const MOVES: &[Code] = &[Code::UnknownPayment, Code::PaymentState];

pub(super) fn routes() -> Vec<Route> {
    let resource = Resource::Withdrawals;
    vec![
        post("/v1/withdrawals", resource, request)
            .summary("Asks for a withdrawal, and holds its money, once for each reference")
            .body::<NewWithdrawal>()
            .example(json!({
                "player": "alice", "amount": "5.00", "currency": "EUR", "reference": "w-2001",
                "destination": "DE02120300000000202051",
            }))
            .answers::<View>(201)
            .answers::<View>(200)
            .refuses(&[
                Code::UnknownPlayer,
                Code::InsufficientFunds,
                Code::CurrencyMismatch,
                Code::TransactionMismatch,
            ]),
        get("/v1/withdrawals", resource, all)
            .summary("Lists withdrawals, newest first")
            .query::<Page>()
            .answers::<List<'_, View>>(200),
        get("/v1/withdrawals/{id}", resource, get_one)
            .summary("Gets a withdrawal")
            .answers::<View>(200)
            .refuses(&[Code::UnknownPayment]),
        post("/v1/withdrawals/{id}/review", resource, review)
            .summary("Begins to look at a withdrawal")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<View>(200)
            .refuses(MOVES),
        post("/v1/withdrawals/{id}/hold", resource, hold)
            .summary("Lets the review of a withdrawal wait")
            .body::<Hold>()
            .example(json!({ "reason": "kyc" }))
            .answers::<View>(200)
            .refuses(MOVES),
        post("/v1/withdrawals/{id}/clear", resource, clear)
            .summary("Lets the review of a withdrawal go on")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<View>(200)
            .refuses(MOVES),
        post("/v1/withdrawals/{id}/approve", resource, approve)
            .summary("Approves a withdrawal, as another person than who asked for it")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<View>(200)
            .refuses(&[Code::UnknownPayment, Code::PaymentState, Code::SamePerson]),
        post("/v1/withdrawals/{id}/reject", resource, reject)
            .summary("Rejects a withdrawal, and gives the money back to the player")
            .body::<Reason>()
            .example(json!({ "reason": "the account is another person's" }))
            .answers::<View>(200)
            .refuses(MOVES),
        post("/v1/withdrawals/{id}/cancel", resource, cancel)
            .summary("Cancels a withdrawal, as the player wishes")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<View>(200)
            .refuses(&[Code::UnknownPayment, Code::PaymentState, Code::CancelRefused]),
        post("/v1/withdrawals/{id}/split", resource, split)
            .summary("Divides an approved withdrawal into parts that are paid one by one")
            .body::<Parts>()
            .example(json!({ "parts": ["3.00", "2.00"] }))
            .answers::<View>(200)
            .refuses(MOVES),
        post("/v1/withdrawals/{id}/send", resource, send)
            .summary("Notes that an approved withdrawal is given to the payment provider, under its own id")
            .optional_body::<Nothing>()
            .example(json!({}))
            .answers::<View>(200)
            .refuses(MOVES),
        post("/v1/withdrawals/{id}/result", resource, result)
            .summary("Tells what the payment provider, or the bank, says of a withdrawal that was sent")
            .body::<Outcome>()
            .example(json!({ "outcome": "paid", "provider_reference": "psp-3001" }))
            .answers::<View>(200)
            .refuses(&[
                Code::UnknownPayment,
                Code::PaymentState,
                Code::TransactionMismatch,
            ]),
    ]
}

/// A withdrawal as it stands.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Withdrawal")]
struct View {
    id: PaymentId,
    player: PlayerId,
    /// The operator's own id of the withdrawal; parts have that of the whole.
    reference: ExternalId,
    /// What is paid out.
    amount: Money,
    /// What the player pays for it, besides.
    fee: Money,
    currency: Currency,
    state: WithdrawalState,
    /// Where the money goes to, as the request told.
    destination: Option<String>,
    /// How many people have to approve it.
    approvers_needed: u8,
    /// Who has approved it.
    approvers: Vec<By>,
    /// Whose key asked for it.
    requester: By,
    /// Whether the player may cancel it.
    may_cancel: bool,
    /// Why the server itself wants it looked at.
    review: Vec<ReviewReason>,
    /// What it waits for.
    hold: Option<ReviewReason>,
    /// Why it ended as it did.
    reason: Option<String>,
    /// The payment provider's own id, once it was paid.
    provider_reference: Option<ExternalId>,
    /// What let the money go that was held.
    transaction_id: Option<TransactionId>,
    /// The whole that this is a part of.
    part_of: Option<PaymentId>,
    parts: Vec<PaymentId>,
    requested_at: Timestamp,
    /// When it had its last change.
    changed_at: Timestamp,
    /// When it expires unless it was sent.
    expires_at: Option<Timestamp>,
}

impl View {
    fn of(player: PlayerId, payment: Payment) -> Result<Self, ApiError> {
        let Payment::Withdrawal(of) = payment else {
            return Err(ApiError::internal("a withdrawal is none"));
        };
        let Withdrawal { currency, .. } = of;
        Ok(Self {
            id: of.id,
            player,
            reference: of.reference,
            amount: Money::new(of.units, currency),
            fee: Money::new(of.fee_units, currency),
            currency,
            state: of.state,
            destination: of.destination,
            approvers_needed: of.approvers_needed,
            approvers: of.approvers.into_iter().map(|one| one.by).collect(),
            requester: of.requester.by,
            may_cancel: of.may_cancel,
            review: of.review,
            hold: of.hold,
            reason: of.reason,
            provider_reference: of.provider_reference,
            transaction_id: of.ended_by,
            part_of: of.part_of,
            parts: of.parts,
            requested_at: of.requested_at,
            changed_at: of.changed_at,
            expires_at: of.expires_at,
        })
    }

    fn of_row(row: PaymentRow) -> Result<Self, ApiError> {
        Self::of(row.player, row.payment)
    }
}

fn person(operator: &Operator) -> Person {
    Person {
        by: operator.by(),
        hands: operator.hands(),
    }
}

/// A withdrawal to be asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewWithdrawal {
    player: PlayerId,
    /// What is paid out: major units as decimal text, above 0. The fee is besides.
    amount: String,
    currency: Currency,
    /// The operator's own id of the withdrawal; unique among all withdrawals.
    reference: ExternalId,
    /// Where the money goes to, in words of the operator and his payment provider.
    #[schemars(length(min = 1, max = 255))]
    destination: Option<String>,
}

/// `POST /v1/withdrawals`: idempotent on the reference.
async fn request(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    idempotency::run(&request, &operator, &body, async |new: NewWithdrawal| {
        let world = &operator.world;
        let amount = amount_of(&new.amount, new.currency)?;
        let destination = new.destination.as_deref();
        let destination =
            destination.map(|text| fields::text("destination", text, DESTINATION_CHARS_MAX));
        let asked = RequestWithdrawal {
            reference: new.reference,
            amount,
            destination: destination.transpose()?,
            terms: payments::terms(&world.config.payments, amount, world.clock.now()),
            by: person(&operator),
        };
        let command = Command::RequestWithdrawal(Box::new(asked));
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

/// `GET /v1/withdrawals`
async fn all(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let states = WithdrawalState::ALL.map(WithdrawalState::as_str);
    let kind = PaymentKind::Withdrawal;
    list(&operator, kind, &states, page.into_inner(), View::of_row).await
}

/// `GET /v1/withdrawals/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let row = known(&operator, PaymentKind::Withdrawal, &id).await?;
    Ok(HttpResponse::Ok().json(View::of_row(row)?))
}

/// Takes a step that the body tells, once for each `Idempotency-Key`.
async fn step<B: DeserializeOwned>(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    body: Bytes,
    step: impl FnOnce(B, &Payment) -> Result<WithdrawalStep, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let row = known(&operator, PaymentKind::Withdrawal, &id).await?;
    idempotency::run(&request, &operator, &body, async |body: B| {
        let step = step(body, &row.payment)?;
        let command = Command::MoveWithdrawal(row.payment.id(), Box::new(step));
        let reply = carried_out(&operator, &row.player, command).await?;
        Ok(Answer::new(
            StatusCode::OK,
            View::of(row.player, reply.payment)?,
        ))
    })
    .await
}

/// `POST /v1/withdrawals/{id}/review`
async fn review(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let by = operator.by();
    let start = |_: Nothing, _: &Payment| Ok(WithdrawalStep::StartReview { by });
    step(request, operator, id, or_empty(body), start).await
}

/// What a review waits for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Hold {
    reason: ReviewReason,
}

/// `POST /v1/withdrawals/{id}/hold`
async fn hold(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let by = operator.by();
    let hold = |hold: Hold, _: &Payment| {
        let reason = hold.reason;
        Ok(WithdrawalStep::Hold { reason, by })
    };
    step(request, operator, id, body, hold).await
}

/// `POST /v1/withdrawals/{id}/clear`
async fn clear(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let by = operator.by();
    let clear = |_: Nothing, _: &Payment| Ok(WithdrawalStep::ClearHold { by });
    step(request, operator, id, or_empty(body), clear).await
}

/// `POST /v1/withdrawals/{id}/approve`
async fn approve(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let row = known(&operator, PaymentKind::Withdrawal, &id).await?;
    payments::check_is_no_adjuster(&operator, &row.player).await?;
    let by = person(&operator);
    let approve = |_: Nothing, _: &Payment| Ok(WithdrawalStep::Approve { by });
    step(request, operator, id, or_empty(body), approve).await
}

/// Why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reason {
    /// The player's own stream tells it to him too.
    #[schemars(length(min = 1, max = 255))]
    reason: String,
}

/// `POST /v1/withdrawals/{id}/reject`
async fn reject(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let by = operator.by();
    let reject = |why: Reason, _: &Payment| {
        let reason = fields::reason(&why.reason)?;
        Ok(WithdrawalStep::Reject { reason, by })
    };
    step(request, operator, id, body, reject).await
}

/// `POST /v1/withdrawals/{id}/cancel`
async fn cancel(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let by = operator.by();
    let cancel = |_: Nothing, _: &Payment| Ok(WithdrawalStep::Cancel { by });
    step(request, operator, id, or_empty(body), cancel).await
}

/// The parts of a withdrawal.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parts {
    /// Major units as decimal text, each above 0; together the whole.
    #[schemars(length(min = 2, max = 20))]
    parts: Vec<String>,
}

/// `POST /v1/withdrawals/{id}/split`
async fn split(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let split = |wanted: Parts, payment: &Payment| {
        let currency = payment.currency();
        let parts = wanted.parts.iter();
        let parts = parts.map(|part| amount_of(part, currency).map(|amount| amount.units));
        let parts = parts.collect::<Result<_, _>>()?;
        Ok(WithdrawalStep::Split { parts })
    };
    step(request, operator, id, body, split).await
}

/// `POST /v1/withdrawals/{id}/send`
async fn send(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let send = |_: Nothing, _: &Payment| Ok(WithdrawalStep::Send);
    step(request, operator, id, or_empty(body), send).await
}

/// What the payment provider, or the bank, says.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OutcomeKind {
    Paid,
    /// It was not paid, and will not be.
    Failed,
    /// Nobody answered: ask again, and never pay again.
    Unknown,
    /// It was paid, and the bank sent it back.
    Returned,
}

/// What became of a withdrawal that was sent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Outcome {
    outcome: OutcomeKind,
    /// The payment provider's own id: with `paid`, and only then.
    provider_reference: Option<ExternalId>,
    /// Why: with `failed` and `returned`, and only then.
    #[schemars(length(min = 1, max = 255))]
    reason: Option<String>,
}

impl Outcome {
    fn step(self) -> Result<WithdrawalStep, ApiError> {
        let wrong = |detail: &str| Err(ApiError::new(Code::Malformed, detail));
        match (self.outcome, self.provider_reference, self.reason) {
            (OutcomeKind::Paid, Some(provider_reference), None) => {
                Ok(WithdrawalStep::Pay { provider_reference })
            }
            (OutcomeKind::Paid, ..) => wrong("paid: needs a provider_reference, and nothing else"),
            (OutcomeKind::Unknown, None, None) => Ok(WithdrawalStep::LoseSight),
            (OutcomeKind::Unknown, ..) => wrong("unknown: needs nothing else"),
            (OutcomeKind::Failed, None, Some(reason)) => Ok(WithdrawalStep::Fail {
                reason: fields::reason(&reason)?,
            }),
            (OutcomeKind::Returned, None, Some(reason)) => Ok(WithdrawalStep::Return {
                reason: fields::reason(&reason)?,
            }),
            (OutcomeKind::Failed | OutcomeKind::Returned, ..) => {
                wrong("reason: is needed, and nothing else")
            }
        }
    }
}

/// `POST /v1/withdrawals/{id}/result`
async fn result(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let told = |outcome: Outcome, _: &Payment| outcome.step();
    step(request, operator, id, body, told).await
}
