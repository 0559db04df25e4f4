//! From an outcome to a body. The HTTP status is 200, whatever happened; `status` in the body tells.

use pitboss_wallet::{Balance, Currency, PlayerId, RefusalCode, Reply, Settled};
use serde::Serialize;

use super::DIGITS;
use crate::{
    CallError, Context, Outcome, ParseError, Response, amount,
    json::{self, Value},
};

const OK: &str = "RS_OK";

#[derive(Serialize, Default)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<i128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
}

pub(super) fn render(context: &Context<'_>, outcome: &Outcome) -> Response {
    let mut body = Body {
        request_uuid: request_uuid(context),
        ..Body::default()
    };
    match outcome {
        Ok(answer) => {
            let Some(balance) = balance_of(&answer.reply, context.balance) else {
                // Whatever happened may have happened.
                body.status = "RS_ERROR_TIMEOUT";
                return Response::json(200, &body);
            };
            body.status = OK;
            body.user = Some(answer.player.as_str());
            body.country = answer.country.as_deref();
            body.show(balance);
            Response::json(200, &body)
        }
        Err(error) => {
            body.status = status(error);
            let player = context.call.and_then(|call| call.wallet());
            body.user = player.map(|(player, _): (&PlayerId, _)| player.as_str());
            if let Some(balance) = context.balance {
                body.show(balance);
            }
            Response::json(200, &body)
        }
    }
}

impl Body<'_> {
    fn show(&mut self, balance: Balance) {
        let total = balance.cash.saturating_add(balance.bonus);
        self.currency = Some(balance.currency);
        self.balance = Some(amount::to_integer(total, DIGITS, balance.currency));
    }
}

/// A repeat shows the balance of then.
fn balance_of(reply: &Reply, now: Option<Balance>) -> Option<Balance> {
    match reply {
        Reply::Settled(Settled {
            receipts, current, ..
        }) => receipts
            .last()
            .and_then(|receipt| receipt.balance)
            .or(*current)
            .or(now),
        Reply::Session(session) => Some(session.balance),
        Reply::Balance(balance) => Some(*balance),
        Reply::Done | Reply::Ended(_) | Reply::Payment(_) => now,
    }
}

/// Also of a request that was not understood, as far as it can be found.
fn request_uuid(context: &Context<'_>) -> Option<String> {
    let object = json::object(context.request.body).ok()?;
    match object.get("request_uuid") {
        Some(Value::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// A bet that is answered with a known error is dropped; with `RS_ERROR_UNKNOWN` or `RS_ERROR_TIMEOUT` it is rolled back,
/// and a win or rollback is sent again.
const fn status(error: &CallError) -> &'static str {
    match error {
        CallError::BadSignature(_) => "RS_ERROR_INVALID_SIGNATURE",
        CallError::Parse(ParseError::UnknownCurrency(_)) => "RS_ERROR_WRONG_CURRENCY",
        CallError::Parse(_) | CallError::BodyTooLarge { .. } => "RS_ERROR_WRONG_SYNTAX",
        CallError::UnknownProvider
        | CallError::ProviderClosed
        | CallError::AddressRefused { .. } => "RS_ERROR_INVALID_PARTNER",
        CallError::BodyTooSlow { .. } | CallError::Busy { .. } | CallError::Retry { .. } => {
            "RS_ERROR_TIMEOUT"
        }
        CallError::Internal => "RS_ERROR_UNKNOWN",
        CallError::Refused(refusal) => match refusal.code {
            RefusalCode::UnknownPlayer | RefusalCode::SessionInvalid => "RS_ERROR_INVALID_TOKEN",
            RefusalCode::UnknownGame | RefusalCode::GameDisabled | RefusalCode::CountryRefused => {
                "RS_ERROR_INVALID_GAME"
            }
            RefusalCode::UnknownBet => "RS_ERROR_TRANSACTION_DOES_NOT_EXIST",
            RefusalCode::InsufficientFunds => "RS_ERROR_NOT_ENOUGH_MONEY",
            RefusalCode::SessionExpired => "RS_ERROR_TOKEN_EXPIRED",
            RefusalCode::SessionLimit => "RS_ERROR_LIMIT_REACHED",
            RefusalCode::PlayerBlocked => "RS_ERROR_USER_DISABLED",
            RefusalCode::TransactionMismatch => "RS_ERROR_DUPLICATE_TRANSACTION",
            RefusalCode::RolledBack | RefusalCode::AlreadySettled => {
                "RS_ERROR_TRANSACTION_ROLLED_BACK"
            }
            RefusalCode::BetLimit => "RS_ERROR_BET_LIMIT_EXCEEDED",
            RefusalCode::LossLimit => "RS_ERROR_LIMIT_REACHED",
            RefusalCode::CurrencyMismatch => "RS_ERROR_WRONG_CURRENCY",
            // No provider of games asks for payments.
            RefusalCode::UnknownPayment
            | RefusalCode::PaymentState
            | RefusalCode::SamePerson
            | RefusalCode::CancelRefused
            | RefusalCode::RoundClosed
            | RefusalCode::Malformed => "RS_ERROR_WRONG_SYNTAX",
        },
    }
}
