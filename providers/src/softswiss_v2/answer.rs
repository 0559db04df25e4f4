//! From an outcome to a body: 200, 400 with the code in `meta`, or 500 where the same is to be sent again.

use pitboss_wallet::{Balance, Money, PlayCommand, Receipt, RefusalCode, Reply, RoundId, Settled};
use serde::Serialize;

use crate::{CallError, Context, Outcome, Problem, Response, softswiss_v1::answer as v1};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    round_id: Option<&'a str>,
    balance: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transactions: Option<Vec<Transaction<'a>>>,
}

#[derive(Serialize)]
struct Transaction<'a> {
    id_provider: &'a str,
    /// Empty: there was nothing to take back.
    id: String,
    /// Of a bet or win: the part of it that is bonus money.
    #[serde(skip_serializing_if = "Option::is_none")]
    bonus_amount: Option<String>,
}

#[derive(Serialize)]
struct Fault<'a> {
    code: &'static str,
    msg: &'a str,
    meta: Meta<'a>,
}

#[derive(Serialize)]
struct Meta<'a> {
    api_code: String,
    api_message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<String>,
}

/// Those that the provider shows a balance with: they never come without it.
const WITH_BALANCE: [u16; 3] = [100, 105, 106];

pub(super) fn render(context: &Context<'_>, outcome: &Outcome) -> Response {
    match outcome {
        Ok(answer) => {
            let balance = match &answer.reply {
                Reply::Settled(settled) => balance_of(context, settled),
                Reply::Balance(balance) => Some(*balance),
                Reply::Session(session) => Some(session.balance),
                Reply::Done | Reply::Ended(_) => context.balance,
            };
            match balance {
                Some(balance) => success(context, balance, &answer.reply),
                // Whatever happened may have happened.
                None => fault(context, &CallError::Retry { retry_after_s: 1 }),
            }
        }
        Err(error) => match (error, context.command(), context.balance) {
            // A round without a bet is as good as finished.
            (CallError::Refused(refusal), Some(PlayCommand::CloseRound(_)), Some(balance))
                if refusal.code == RefusalCode::UnknownBet =>
            {
                success(context, balance, &Reply::Done)
            }
            _ => fault(context, error),
        },
    }
}

/// A repeat shows the balance of then; the end of a round always that of now.
fn balance_of(context: &Context<'_>, settled: &Settled) -> Option<Balance> {
    let then = settled.receipts.iter().rev();
    let then = then.filter_map(|receipt| receipt.balance).next();
    let now = settled.current.or(context.balance);
    let is_close = matches!(context.command(), Some(PlayCommand::CloseRound(_)));
    if settled.replayed && !is_close {
        then.or(now)
    } else {
        now.or(then)
    }
}

fn shown(balance: Balance) -> String {
    Money::new(balance.total(), balance.currency).to_string()
}

fn success(context: &Context<'_>, balance: Balance, reply: &Reply) -> Response {
    let mut body = Body {
        round_id: None,
        balance: shown(balance),
        transactions: None,
    };
    if let (Some(command), Reply::Settled(settled)) = (context.command(), reply) {
        // Ours is theirs: whichever of the two they send later, it is the same.
        body.round_id = v1::round(command).map(RoundId::as_str);
        let is_rollback = matches!(command, PlayCommand::Rollbacks(_));
        let bonus = |receipt: &Receipt| Money::new(receipt.funding.bonus, balance.currency);
        body.transactions = v1::transactions(command, &settled.receipts, |id, receipt, ours| {
            Transaction {
                id_provider: id,
                id: ours,
                bonus_amount: (!is_rollback).then(|| bonus(receipt).to_string()),
            }
        });
    }
    Response::json(200, &body)
}

fn fault(context: &Context<'_>, error: &CallError) -> Response {
    let code = code(error);
    if WITH_BALANCE.contains(&code) && context.balance.is_none() {
        // Nothing was done, and the wallet does not answer: the same may be sent again.
        return fault(context, &CallError::Busy { retry_after_s: 1 });
    }
    let message = Problem::from(error).detail;
    let (status, class) = match code {
        500..=504 => (500, "internal"),
        _ => (400, "invalid_argument"),
    };
    Response::json(
        status,
        &Fault {
            code: class,
            msg: &message,
            meta: Meta {
                api_code: code.to_string(),
                api_message: &message,
                balance: context.balance.map(shown),
            },
        },
    )
}

/// A 400 is final; whatever may have been done, or will be when it is sent again, is a 500. The codes are those of version
/// 1 but for two.
const fn code(error: &CallError) -> u16 {
    match error {
        CallError::ProviderClosed => 410,
        CallError::Refused(refusal) if matches!(refusal.code, RefusalCode::RolledBack) => 409,
        _ => v1::code(error),
    }
}
