//! From an outcome to a body: 200, or 412 with a code; 500 where the same is to be sent again.

use pitboss_wallet::{
    Action, Balance, ExternalId, PlayCommand, Receipt, RefusalCode, Reply, RoundId, Settled,
    Timestamp,
};
use serde::Serialize;

use super::{FORBIDDEN, subunits};
use crate::{CallError, Context, Outcome, ParseError, Problem, Response, amount};

#[derive(Serialize)]
struct Body<'a> {
    balance: i128,
    #[serde(skip_serializing_if = "Option::is_none")]
    game_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transactions: Option<Vec<Transaction<'a>>>,
}

#[derive(Serialize)]
struct Transaction<'a> {
    action_id: &'a str,
    /// Empty: there was nothing to take back.
    tx_id: String,
    processed_at: String,
}

#[derive(Serialize)]
struct Fault<'a> {
    code: u16,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<i128>,
}

pub(super) fn render(context: &Context<'_>, outcome: &Outcome) -> Response {
    match outcome {
        Ok(answer) => {
            let balance = match &answer.reply {
                Reply::Settled(settled) => balance_of(settled, context.balance),
                Reply::Balance(balance) => Some(*balance),
                Reply::Session(session) => Some(session.balance),
                Reply::Done | Reply::Ended(_) => context.balance,
            };
            match balance.and_then(|balance| shown(context, balance)) {
                Some(balance) => success(context, balance, &answer.reply),
                None => in_doubt(context),
            }
        }
        // A round without a bet is as good as closed.
        Err(CallError::Refused(refusal))
            if refusal.code == RefusalCode::UnknownBet
                && matches!(context.command(), Some(PlayCommand::CloseRound(_))) =>
        {
            match context.balance.and_then(|balance| shown(context, balance)) {
                Some(balance) => success(context, balance, &Reply::Done),
                None => in_doubt(context),
            }
        }
        Err(error) => fault(context, code(error), &Problem::from(error).detail),
    }
}

/// The balance of now, also with a repeat: the player sees it.
fn balance_of(settled: &Settled, now: Option<Balance>) -> Option<Balance> {
    let then = settled.receipts.iter().rev();
    settled
        .current
        .or(now)
        .or_else(|| then.filter_map(|receipt| receipt.balance).next())
}

/// In subunits, rounded down.
fn shown(context: &Context<'_>, balance: Balance) -> Option<i128> {
    let digits = subunits::digits(context.account?, balance.currency)?;
    Some(amount::to_integer(
        balance.total(),
        digits,
        balance.currency,
    ))
}

fn success(context: &Context<'_>, balance: i128, reply: &Reply) -> Response {
    let mut body = Body {
        balance,
        game_id: None,
        transactions: None,
    };
    if let (Some(command), Reply::Settled(settled)) = (context.command(), reply) {
        body.game_id = round(command).map(RoundId::as_str);
        let now = context.request.now;
        body.transactions = transactions(command, &settled.receipts, |id, receipt, ours| {
            Transaction {
                action_id: id,
                tx_id: ours,
                processed_at: processed_at(receipt, now),
            }
        });
    }
    Response::json(200, &body)
}

/// The round that an answer names.
pub(crate) fn round(command: &PlayCommand) -> Option<&RoundId> {
    match command {
        PlayCommand::Bet(bet) => Some(&bet.round),
        PlayCommand::BetWin(batch) => Some(&batch.round),
        PlayCommand::Rollbacks(list) => list.first()?.round.as_ref(),
        PlayCommand::Win(_)
        | PlayCommand::Rollback(_)
        | PlayCommand::CloseRound(_)
        | PlayCommand::VoidRound(_) => None,
    }
}

/// One for each action, in their order, made of its id in this request, its receipt, and our id of it (empty: there was
/// nothing to take back). A target goes back once, whoever asks.
pub(crate) fn transactions<'a, 'r, T>(
    command: &'a PlayCommand,
    receipts: &'r [Receipt],
    make: impl Fn(&'a str, &'r Receipt, String) -> T,
) -> Option<Vec<T>> {
    let ids: Vec<&ExternalId> = match command {
        PlayCommand::Bet(bet) => vec![&bet.transaction],
        PlayCommand::BetWin(batch) => batch.actions.iter().map(Action::transaction).collect(),
        PlayCommand::Rollbacks(list) => list.iter().map(|one| &one.transaction).collect(),
        PlayCommand::Win(_)
        | PlayCommand::Rollback(_)
        | PlayCommand::CloseRound(_)
        | PlayCommand::VoidRound(_) => return None,
    };
    let is_rollback = matches!(command, PlayCommand::Rollbacks(_));
    let each = ids.into_iter().zip(receipts).map(|(id, receipt)| {
        let ours = if is_rollback && receipt.tombstone {
            String::new()
        } else {
            receipt.transaction.to_string()
        };
        make(id.as_str(), receipt, ours)
    });
    Some(each.collect())
}

/// `2020-01-01T00:00:00.000000Z`. Our ids tell when they were made, so a repeat has the time of then.
fn processed_at(receipt: &Receipt, now: Timestamp) -> String {
    let made = receipt.transaction.0.get_timestamp().and_then(|made| {
        let (seconds, nanos) = made.to_unix();
        let seconds = i64::try_from(seconds).ok()?;
        let micros = seconds.checked_mul(1_000_000)?;
        Some(Timestamp::from_micros(micros + i64::from(nanos / 1_000)))
    });
    let micros = made.unwrap_or(now).as_micros();
    let whole = Timestamp::from_micros(micros - micros.rem_euclid(1_000_000)).to_string();
    format!(
        "{}.{:06}Z",
        whole.trim_end_matches('Z'),
        micros.rem_euclid(1_000_000)
    )
}

/// Without a balance to tell, the answer is not known to be a success.
fn in_doubt(context: &Context<'_>) -> Response {
    let error = CallError::Retry { retry_after_s: 1 };
    fault(context, code(&error), &error.to_string())
}

fn fault(context: &Context<'_>, code: u16, message: &str) -> Response {
    let status = match code {
        403 => match context
            .account
            .map(|account| account.settings.get(&FORBIDDEN))
        {
            Some("412") => 412,
            _ => 403,
        },
        500..=504 => 500,
        _ => 412,
    };
    let balance = context.balance.and_then(|balance| shown(context, balance));
    Response::json(
        status,
        &Fault {
            code,
            message,
            balance,
        },
    )
}

/// With 412 an action is given up; whatever may have been done, or will be when it is sent again, is a 500.
pub(crate) const fn code(error: &CallError) -> u16 {
    match error {
        CallError::BadSignature(_)
        | CallError::ProviderClosed
        | CallError::AddressRefused { .. } => 403,
        CallError::Parse(ParseError::UnknownCurrency(_)) => 154,
        CallError::Parse(ParseError::UnknownAction) | CallError::UnknownProvider => 404,
        CallError::Parse(ParseError::Method { .. } | ParseError::Malformed(_))
        | CallError::BodyTooLarge { .. } => 400,
        CallError::BodyTooSlow { .. } | CallError::Retry { .. } => 504,
        CallError::Busy { .. } => 503,
        CallError::Internal => 500,
        CallError::Refused(refusal) => match refusal.code {
            RefusalCode::InsufficientFunds => 100,
            RefusalCode::UnknownPlayer
            | RefusalCode::SessionInvalid
            | RefusalCode::SessionExpired
            | RefusalCode::SessionLimit => 101,
            RefusalCode::LossLimit => 105,
            RefusalCode::BetLimit => 106,
            RefusalCode::GameDisabled => 107,
            RefusalCode::PlayerBlocked => 110,
            RefusalCode::CountryRefused => 153,
            RefusalCode::CurrencyMismatch => 154,
            RefusalCode::TransactionMismatch => 155,
            RefusalCode::UnknownBet => 404,
            RefusalCode::UnknownGame => 405,
            RefusalCode::RolledBack
            | RefusalCode::AlreadySettled
            | RefusalCode::RoundClosed
            | RefusalCode::Malformed => 400,
        },
    }
}
