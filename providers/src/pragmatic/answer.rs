//! From an outcome to a body. The HTTP status is 200, whatever happened; `error` in the body tells.

use pitboss_wallet::{Balance, Currency, Money, RefusalCode, Reply, Settled};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{DIGITS, request::Verb, user_id};
use crate::{CallError, Context, Outcome, ParseError, Response, amount};

const OK: u16 = 0;
const NO_FUNDS: u16 = 1;
const NO_PLAYER: u16 = 2;
const NOT_ALLOWED: u16 = 3;
const TOKEN: u16 = 4;
const HASH: u16 = 5;
const FROZEN: u16 = 6;
const PARAMETERS: u16 = 7;
const NO_GAME: u16 = 8;
const LIMIT: u16 = 50;
/// The provider sends the same again.
const RETRY: u16 = 100;
/// The provider gives up.
const FINAL: u16 = 120;
/// [`RETRY`], for an end of a round.
const RETRY_END: u16 = 130;

const fn description(error: u16) -> &'static str {
    match error {
        OK => "Success",
        NO_FUNDS => "The balance does not cover the bet",
        NO_PLAYER => "The player is not known",
        NOT_ALLOWED => "The bet is not allowed",
        TOKEN => "The token is not valid, or over",
        HASH => "The hash is not that of these fields",
        FROZEN => "The player may not bet",
        PARAMETERS => "The request is not valid",
        NO_GAME => "The game is not known or takes no bets",
        LIMIT => "The bet is beyond a limit",
        RETRY | RETRY_END => "Not now: send the same again",
        _ => "Refused for good",
    }
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Currency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cash: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bonus: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_promo: Option<Box<RawValue>>,
    error: u16,
    description: &'static str,
}

pub(super) fn render(context: &Context<'_>, outcome: &Outcome) -> Response {
    let verb = Verb::of(context.request.action);
    let mut body = Body::default();
    body.error = match outcome {
        Ok(answer) => match &answer.reply {
            Reply::Settled(settled) => body.settle(verb, settled, context.balance),
            Reply::Session(session) => {
                let balance = session.balance;
                body.user_id = Some(user_id(&answer.player, balance.currency));
                body.show(Some(balance))
                    .map_or_else(|| retry(verb), |()| OK)
            }
            Reply::Balance(balance) => {
                body.transaction_id = context.call.and_then(|call| call.echo.clone());
                body.show(Some(*balance))
                    .map_or_else(|| retry(verb), |()| OK)
            }
            // The wallet never answers so. Whatever happened may have happened.
            Reply::Done | Reply::Ended(_) => retry(verb),
        },
        Err(error) => {
            body.show(context.balance);
            error_of(verb, error)
        }
    };
    body.description = description(body.error);
    Response::json(200, &body)
}

impl Body {
    fn show(&mut self, balance: Option<Balance>) -> Option<()> {
        let balance = balance?;
        let currency = balance.currency;
        self.currency = Some(currency);
        self.cash = Some(amount::to_number(balance.cash, DIGITS, currency)?);
        self.bonus = Some(amount::to_number(balance.bonus, DIGITS, currency)?);
        Some(())
    }

    /// A repeat shows the balance of now.
    fn settle(&mut self, verb: Option<Verb>, settled: &Settled, now: Option<Balance>) -> u16 {
        // Of a result with a promotion's win the result is the first.
        let Some(receipt) = settled.receipts.first() else {
            return retry(verb);
        };
        if verb != Some(Verb::EndRound) {
            self.transaction_id = Some(receipt.transaction.to_string());
        }
        if verb == Some(Verb::Refund) {
            if receipt.tombstone {
                // There was no such bet, and there will be none.
                self.transaction_id = Some(String::new());
            }
            return OK;
        }
        let last = settled.receipts.last().and_then(|last| last.balance);
        if self.show(settled.current.or(now).or(last)).is_none() {
            return retry(verb);
        }
        if verb == Some(Verb::Bet) {
            let used = receipt
                .currency
                .map(|currency| Money::new(receipt.funding.bonus, currency));
            self.used_promo =
                used.and_then(|used| amount::to_number(used.units, DIGITS, used.currency));
        }
        OK
    }
}

const fn retry(verb: Option<Verb>) -> u16 {
    match verb {
        Some(Verb::EndRound) => RETRY_END,
        _ => RETRY,
    }
}

const fn error_of(verb: Option<Verb>, error: &CallError) -> u16 {
    let is_bet = matches!(verb, Some(Verb::Bet));
    match error {
        CallError::BadSignature(_) => HASH,
        CallError::Parse(
            ParseError::UnknownAction
            | ParseError::Method { .. }
            | ParseError::Malformed(_)
            | ParseError::UnknownCurrency(_),
        )
        | CallError::BodyTooLarge { .. } => PARAMETERS,
        // The operator can put it right, and then pays what is owed.
        CallError::UnknownProvider
        | CallError::ProviderClosed
        | CallError::AddressRefused { .. } => {
            if is_bet {
                NOT_ALLOWED
            } else {
                retry(verb)
            }
        }
        CallError::BodyTooSlow { .. }
        | CallError::Busy { .. }
        | CallError::Retry { .. }
        | CallError::Internal => retry(verb),
        CallError::Refused(refusal) => match refusal.code {
            RefusalCode::UnknownPlayer => NO_PLAYER,
            // A win in a round that nobody knows: its bet may still arrive.
            RefusalCode::UnknownGame if !is_bet => retry(verb),
            RefusalCode::UnknownGame | RefusalCode::GameDisabled | RefusalCode::CountryRefused => {
                NO_GAME
            }
            RefusalCode::UnknownBet => retry(verb),
            RefusalCode::InsufficientFunds => NO_FUNDS,
            RefusalCode::SessionExpired | RefusalCode::SessionInvalid => TOKEN,
            RefusalCode::SessionLimit => NOT_ALLOWED,
            RefusalCode::PlayerBlocked => FROZEN,
            RefusalCode::BetLimit | RefusalCode::LossLimit => LIMIT,
            RefusalCode::RoundClosed if is_bet => NOT_ALLOWED,
            RefusalCode::RolledBack | RefusalCode::AlreadySettled | RefusalCode::RoundClosed => {
                FINAL
            }
            RefusalCode::TransactionMismatch
            | RefusalCode::CurrencyMismatch
            | RefusalCode::Malformed => PARAMETERS,
        },
    }
}
