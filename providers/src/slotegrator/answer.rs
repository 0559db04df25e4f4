//! From an outcome to a body. The HTTP status is 200, whatever happened; the provider knows two codes of errors.

use pitboss_wallet::{Balance, RefusalCode, Reply, Settled};
use serde::Serialize;
use serde_json::value::RawValue;

use super::DIGITS;
use crate::{CallError, Code, Context, Outcome, ParseError, Response, amount};

const NO_FUNDS: &str = "INSUFFICIENT_FUNDS";
/// A bet is given up, and all else is sent again.
const INTERNAL: &str = "INTERNAL_ERROR";

#[derive(Serialize)]
struct Body {
    balance: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback_transactions: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Failure {
    error_code: &'static str,
    error_description: &'static str,
}

pub(super) fn render(context: &Context<'_>, outcome: &Outcome) -> Response {
    let failure = match outcome {
        Ok(answer) => match body(context, &answer.reply) {
            Some(body) => return Response::json(200, &body),
            // The wallet never answers so. Whatever happened may have happened.
            None => Failure {
                error_code: INTERNAL,
                error_description: Code::Retry.title(),
            },
        },
        Err(error) => Failure {
            error_code: error_of(error),
            error_description: Code::from(error).title(),
        },
    };
    Response::json(200, &failure)
}

fn body(context: &Context<'_>, reply: &Reply) -> Option<Body> {
    match reply {
        Reply::Settled(settled) => {
            let first = settled.receipts.first()?;
            Some(Body {
                balance: shown(balance_of(settled, context.balance)?)?,
                transaction_id: Some(first.transaction.to_string()),
                rollback_transactions: context
                    .call
                    .and_then(|call| call.echo.clone())
                    .and_then(|ids| RawValue::from_string(ids).ok()),
            })
        }
        Reply::Session(session) => Some(alone(shown(session.balance)?)),
        Reply::Balance(balance) => Some(alone(shown(*balance)?)),
        Reply::Done | Reply::Ended(_) => None,
    }
}

const fn alone(balance: Box<RawValue>) -> Body {
    Body {
        balance,
        transaction_id: None,
        rollback_transactions: None,
    }
}

/// A repeat shows the balance of now.
fn balance_of(settled: &Settled, now: Option<Balance>) -> Option<Balance> {
    let last = || settled.receipts.last().and_then(|last| last.balance);
    settled.current.or(now).or_else(last)
}

fn shown(balance: Balance) -> Option<Box<RawValue>> {
    let total = balance.cash.saturating_add(balance.bonus);
    amount::to_number(total, DIGITS, balance.currency)
}

const fn error_of(error: &CallError) -> &'static str {
    match error {
        CallError::BadSignature(_)
        | CallError::Parse(
            ParseError::UnknownAction
            | ParseError::Method { .. }
            | ParseError::Malformed(_)
            | ParseError::UnknownCurrency(_),
        )
        | CallError::UnknownProvider
        | CallError::AddressRefused { .. }
        | CallError::ProviderClosed
        | CallError::BodyTooLarge { .. }
        | CallError::BodyTooSlow { .. }
        | CallError::Busy { .. }
        | CallError::Retry { .. }
        | CallError::Internal => INTERNAL,
        CallError::Refused(refusal) => match refusal.code {
            RefusalCode::InsufficientFunds => NO_FUNDS,
            RefusalCode::UnknownPlayer
            | RefusalCode::UnknownGame
            | RefusalCode::UnknownBet
            | RefusalCode::SessionExpired
            | RefusalCode::SessionInvalid
            | RefusalCode::SessionLimit
            | RefusalCode::PlayerBlocked
            | RefusalCode::GameDisabled
            | RefusalCode::CountryRefused
            | RefusalCode::TransactionMismatch
            | RefusalCode::RolledBack
            | RefusalCode::AlreadySettled
            | RefusalCode::RoundClosed
            | RefusalCode::BetLimit
            | RefusalCode::LossLimit
            | RefusalCode::CurrencyMismatch
            | RefusalCode::Malformed => INTERNAL,
        },
    }
}
