//! From an outcome to a body. Here the HTTP status counts: after a 500 to a bet its refund follows, after a 4xx none does;
//! a win or refund comes again until it is a 200.

use pitboss_wallet::{Balance, RefusalCode, Reply, TransactionId};
use serde::Serialize;

use crate::{CallError, Context, Outcome, ParseError, Problem, Response, amount};

#[derive(Serialize)]
struct Done {
    balance: String,
    /// Our own id.
    #[serde(rename = "txID", skip_serializing_if = "Option::is_none")]
    transaction: Option<TransactionId>,
}

#[derive(Serialize)]
struct Failed {
    /// The player may see it.
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    /// For the provider's people.
    details: String,
}

pub(super) fn render(context: &Context<'_>, outcome: &Outcome) -> Response {
    match outcome {
        Ok(answer) => done(context, &answer.reply).unwrap_or_else(|| failed(&CallError::Internal)),
        Err(error) => failed(error),
    }
}

/// A repeat has the answer of then. `None`: the balance is not known.
fn done(context: &Context<'_>, reply: &Reply) -> Option<Response> {
    let (balance, transaction) = match reply {
        Reply::Balance(balance) => (Some(*balance), None),
        Reply::Settled(settled) => {
            let receipt = settled.receipts.last()?;
            let then = receipt.balance.or(settled.current).or(context.balance);
            // A refund of nothing is done without a balance, too: it would come again for ever.
            if then.is_none() && receipt.tombstone {
                let done = Done {
                    balance: "0".to_owned(),
                    transaction: Some(receipt.transaction),
                };
                return Some(Response::json(200, &done));
            }
            (then, Some(receipt.transaction))
        }
        Reply::Session(session) => (Some(session.balance), None),
        Reply::Done | Reply::Ended(_) => (context.balance, None),
    };
    let done = Done {
        balance: balance.map(shown)?,
        transaction,
    };
    Some(Response::json(200, &done))
}

/// Cash and bonus money, rounded down to the digits that the currency is shown with.
fn shown(balance: Balance) -> String {
    let digits = balance.currency.display_digits();
    amount::to_decimal(balance.total(), digits, balance.currency)
}

fn failed(error: &CallError) -> Response {
    let (status, message, code) = told(error);
    let body = Failed {
        message,
        code,
        // The player's page has to be loaded anew: only a new launch brings a session.
        action: matches!(code, Some("session_expired" | "session_not_found")).then_some("refresh"),
        details: Problem::from(error).detail,
    };
    Response::json(status, &body)
}

/// Status, a text for the player, and the code.
fn told(error: &CallError) -> (u16, &'static str, Option<&'static str>) {
    match error {
        CallError::BadSignature(_) => (401, "The request is not signed correctly.", None),
        CallError::AddressRefused { .. } => (401, "The request is not accepted.", None),
        CallError::UnknownProvider => (404, "The game is not known here.", None),
        CallError::Parse(ParseError::UnknownAction) => (404, "There is no such request.", None),
        CallError::Parse(ParseError::Method { .. } | ParseError::Malformed(_))
        | CallError::BodyTooLarge { .. } => (400, "The request is not understood.", None),
        CallError::Parse(ParseError::UnknownCurrency(_)) => currency(),
        CallError::ProviderClosed => (400, "The game is closed.", Some("game_not_found")),
        CallError::BodyTooSlow { .. }
        | CallError::Busy { .. }
        | CallError::Retry { .. }
        | CallError::Internal => (
            500,
            "Something went wrong. Please try again.",
            Some("client_connection_error"),
        ),
        CallError::Refused(refusal) => refused(refusal.code),
    }
}

const fn currency() -> (u16, &'static str, Option<&'static str>) {
    let message = "The game is not played in this currency.";
    (400, message, Some("currency_not_supported"))
}

const fn refused(code: RefusalCode) -> (u16, &'static str, Option<&'static str>) {
    match code {
        RefusalCode::UnknownPlayer | RefusalCode::SessionInvalid => {
            let message = "Your game session is not known. Please open the game again.";
            (404, message, Some("session_not_found"))
        }
        RefusalCode::SessionExpired => {
            let message = "Your game session is over. Please open the game again.";
            (400, message, Some("session_expired"))
        }
        RefusalCode::SessionLimit => (400, "You have too many games open.", None),
        RefusalCode::PlayerBlocked => {
            let message = "Your account may not play.";
            (400, message, Some("account_blocked"))
        }
        RefusalCode::UnknownGame | RefusalCode::GameDisabled => {
            let message = "The game is not available.";
            (400, message, Some("game_not_found"))
        }
        RefusalCode::CountryRefused => {
            let message = "The game is not available in your country.";
            (400, message, None)
        }
        RefusalCode::InsufficientFunds => {
            let message = "You do not have enough money for this bet.";
            (400, message, Some("insufficient_funds"))
        }
        RefusalCode::BetLimit => {
            let message = "The bet is outside the limits of the game.";
            (400, message, Some("bet_limit"))
        }
        RefusalCode::LossLimit => {
            let message = "The bet would exceed your limit on losses.";
            (400, message, Some("loss_limit"))
        }
        RefusalCode::CurrencyMismatch => currency(),
        RefusalCode::UnknownBet
        | RefusalCode::TransactionMismatch
        | RefusalCode::RolledBack
        | RefusalCode::AlreadySettled
        | RefusalCode::RoundClosed
        | RefusalCode::Malformed => (400, "The request is not accepted.", None),
    }
}
