//! From an outcome to a body: 200, 400 with the code in `meta`, or 500 where the same is to be sent again.

use pitboss_wallet::{
    Action, Balance, Currency, ExternalId, Money, PlayCommand, Receipt, RefusalCode, Reply,
    RoundId, Settled,
};
use serde::Serialize;

use crate::{Ask, CallError, Context, Outcome, ParseError, Problem, Response};

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
        Err(error) => match (error, command(context), context.balance) {
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
    let is_close = matches!(command(context), Some(PlayCommand::CloseRound(_)));
    if settled.replayed && !is_close {
        then.or(now)
    } else {
        now.or(then)
    }
}

fn command<'a>(context: &Context<'a>) -> Option<&'a PlayCommand> {
    match &context.call?.ask {
        Ask::Play { play, .. } => Some(&play.command),
        _ => None,
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
    if let (Some(command), Reply::Settled(settled)) = (command(context), reply) {
        // Ours is theirs: whichever of the two they send later, it is the same.
        body.round_id = round(command).map(RoundId::as_str);
        body.transactions = transactions(command, &settled.receipts, balance.currency);
    }
    Response::json(200, &body)
}

fn round(command: &PlayCommand) -> Option<&RoundId> {
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

/// One for each of the request, in their order, under its ids: a target goes back once, whoever asks.
fn transactions<'a>(
    command: &'a PlayCommand,
    receipts: &[Receipt],
    currency: Currency,
) -> Option<Vec<Transaction<'a>>> {
    let ids: Vec<&ExternalId> = match command {
        PlayCommand::Bet(bet) => vec![&bet.transaction],
        PlayCommand::BetWin(batch) => batch.actions.iter().map(id).collect(),
        PlayCommand::Rollbacks(list) => list.iter().map(|one| &one.transaction).collect(),
        PlayCommand::Win(_)
        | PlayCommand::Rollback(_)
        | PlayCommand::CloseRound(_)
        | PlayCommand::VoidRound(_) => return None,
    };
    let is_rollback = matches!(command, PlayCommand::Rollbacks(_));
    let each = ids.into_iter().zip(receipts);
    let each = each.map(|(id, receipt)| Transaction {
        id_provider: id.as_str(),
        id: if is_rollback && receipt.tombstone {
            String::new()
        } else {
            receipt.transaction.to_string()
        },
        bonus_amount: (!is_rollback)
            .then(|| Money::new(receipt.funding.bonus, currency).to_string()),
    });
    Some(each.collect())
}

fn id(action: &Action) -> &ExternalId {
    match action {
        Action::Bet { transaction, .. } | Action::Win { transaction, .. } => transaction,
    }
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

/// A 400 is final; whatever may have been done, or will be when it is sent again, is a 500.
const fn code(error: &CallError) -> u16 {
    match error {
        CallError::BadSignature(_) | CallError::AddressRefused { .. } => 403,
        CallError::ProviderClosed => 410,
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
            RefusalCode::RolledBack => 409,
            RefusalCode::AlreadySettled | RefusalCode::RoundClosed | RefusalCode::Malformed => 400,
        },
    }
}
