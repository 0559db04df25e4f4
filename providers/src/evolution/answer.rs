//! From an outcome to a body. The HTTP status is 200, whatever happened; `status` in the body tells.

use pitboss_wallet::{Balance, Currency, RefusalCode, Reply, Settled};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{DIGITS, Verb};
use crate::{
    CallError, Context, Outcome, ParseError, Response, amount,
    json::{self, Value},
};

const OK: &str = "OK";
/// The only one after which the provider sends the same again.
const TEMPORARY: &str = "TEMPORARY_ERROR";
const FINAL: &str = "FINAL_ERROR_ACTION_FAILED";
const PARAMETER: &str = "INVALID_PARAMETER";
const SETTLED: &str = "BET_ALREADY_SETTLED";
const NO_BET: &str = "BET_DOES_NOT_EXIST";

#[derive(Serialize, Default)]
struct Body {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bonus: Option<Box<RawValue>>,
    /// Whether the same request is to come again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retransmission: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Option<String>,
}

pub(super) fn render(context: &Context<'_>, outcome: &Outcome) -> Response {
    let verb = Verb::of(context.request.action);
    let mut body = Body {
        uuid: uuid(context),
        ..Body::default()
    };
    match outcome {
        Ok(answer) => answered(&mut body, context, verb, &answer.reply),
        Err(error) => {
            body.status = status(verb, error);
            body.show(context.balance);
        }
    }
    if verb != Some(Verb::Check) {
        body.retransmission = Some(body.status == TEMPORARY);
    }
    Response::json(200, &body)
}

fn answered(body: &mut Body, context: &Context<'_>, verb: Option<Verb>, reply: &Reply) {
    match reply {
        // Who has entered is told by which id he plays from now on.
        Reply::Session(session) => {
            body.status = OK;
            body.sid = Some(session.session.to_string());
        }
        Reply::Balance(balance) => body.status = body.show_or_retry(Some(*balance), OK),
        Reply::Settled(settled) => {
            let balance = balance_of(settled, context.balance);
            body.status = body.show_or_retry(balance, settled_as(verb, settled));
        }
        Reply::Done | Reply::Ended(_) => body.status = body.show_or_retry(context.balance, OK),
    }
}

/// The balance of now, also with a repeat.
fn balance_of(settled: &Settled, now: Option<Balance>) -> Option<Balance> {
    let then = settled.receipts.last().and_then(|receipt| receipt.balance);
    settled.current.or(now).or(then)
}

/// What a transaction is told as: a repeat as one that is there already, a cancel that came before its debit as one of
/// nothing.
fn settled_as(verb: Option<Verb>, settled: &Settled) -> &'static str {
    let is_tombstone = settled.receipts.iter().any(|receipt| receipt.tombstone);
    match verb {
        // Its cancel came first, and was told that there is no such bet: the provider must not take it for placed.
        Some(Verb::Debit) if is_tombstone => FINAL,
        Some(Verb::Debit) if settled.replayed => "BET_ALREADY_EXIST",
        Some(Verb::Cancel) if is_tombstone => NO_BET,
        Some(Verb::Credit | Verb::Cancel) if settled.replayed => SETTLED,
        _ => OK,
    }
}

impl Body {
    fn show(&mut self, balance: Option<Balance>) {
        if let Some(balance) = balance {
            self.balance = number(balance.cash, balance.currency);
            self.bonus = number(balance.bonus, balance.currency);
        }
    }

    /// A success without a balance is none of this dialect: what may have happened is asked for again.
    fn show_or_retry(&mut self, balance: Option<Balance>, status: &'static str) -> &'static str {
        self.show(balance);
        if status == OK && self.balance.is_none() {
            TEMPORARY
        } else {
            status
        }
    }
}

/// A JSON number with two digits behind the point, or as many as it takes. Never by way of a float.
fn number(units: i64, currency: Currency) -> Option<Box<RawValue>> {
    let mut text = amount::to_decimal(units, DIGITS, currency);
    let shortest = text.len().saturating_sub(DIGITS as usize - 2);
    text.truncate(text.trim_end_matches('0').len().max(shortest));
    RawValue::from_string(text).ok()
}

/// Also of a request that was not understood, as far as it can be found.
fn uuid(context: &Context<'_>) -> Option<String> {
    let object = json::object(context.request.body).ok()?;
    match object.get("uuid") {
        Some(Value::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// Refusals after which the player sees what he has.
pub(super) const fn wants_balance(refusal: RefusalCode) -> bool {
    match refusal {
        RefusalCode::InsufficientFunds
        | RefusalCode::UnknownBet
        | RefusalCode::RolledBack
        | RefusalCode::AlreadySettled
        | RefusalCode::RoundClosed
        | RefusalCode::BetLimit
        | RefusalCode::LossLimit => true,
        // A credit in a round and game that nobody knows is one without its bet, too.
        RefusalCode::UnknownGame => true,
        RefusalCode::UnknownPlayer
        | RefusalCode::SessionExpired
        | RefusalCode::SessionInvalid
        | RefusalCode::SessionLimit
        | RefusalCode::PlayerBlocked
        | RefusalCode::GameDisabled
        | RefusalCode::CountryRefused
        | RefusalCode::TransactionMismatch
        | RefusalCode::CurrencyMismatch
        | RefusalCode::Malformed => false,
    }
}

/// Only `TEMPORARY_ERROR` is sent again. `BET_ALREADY_EXIST` and `BET_ALREADY_SETTLED` are successes to the provider: with
/// them nothing is told that did not happen just so.
fn status(verb: Option<Verb>, error: &CallError) -> &'static str {
    match error {
        CallError::BadSignature(_)
        | CallError::UnknownProvider
        | CallError::ProviderClosed
        | CallError::AddressRefused { .. } => "INVALID_TOKEN_ID",
        CallError::Parse(
            ParseError::UnknownAction
            | ParseError::Method { .. }
            | ParseError::Malformed(_)
            | ParseError::UnknownCurrency(_),
        )
        | CallError::BodyTooLarge { .. } => PARAMETER,
        CallError::BodyTooSlow { .. }
        | CallError::Busy { .. }
        | CallError::Retry { .. }
        | CallError::Internal => TEMPORARY,
        CallError::Refused(refusal) => refused(verb, refusal.code),
    }
}

const fn refused(verb: Option<Verb>, code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::SessionInvalid | RefusalCode::SessionExpired => "INVALID_SID",
        RefusalCode::InsufficientFunds => "INSUFFICIENT_FUNDS",
        RefusalCode::PlayerBlocked => "ACCOUNT_LOCKED",
        RefusalCode::UnknownBet => NO_BET,
        RefusalCode::UnknownGame => match verb {
            Some(Verb::Credit) => NO_BET,
            _ => PARAMETER,
        },
        RefusalCode::AlreadySettled => SETTLED,
        RefusalCode::RolledBack => match verb {
            Some(Verb::Credit | Verb::Cancel) => SETTLED,
            _ => FINAL,
        },
        RefusalCode::UnknownPlayer
        | RefusalCode::TransactionMismatch
        | RefusalCode::CurrencyMismatch
        | RefusalCode::Malformed => PARAMETER,
        RefusalCode::SessionLimit
        | RefusalCode::GameDisabled
        | RefusalCode::CountryRefused
        | RefusalCode::RoundClosed
        | RefusalCode::BetLimit
        | RefusalCode::LossLimit => FINAL,
    }
}
