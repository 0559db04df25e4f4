//! From an outcome of the wallet to a body.

use pitboss_wallet::{
    BalanceView, BetWin, Currency, Funding, Kind, Money, PlayCommand, PlayerId, Receipt, Reply,
    SessionId, Settled, TransactionId,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::{Answer, Ask, Call, Code, Problem, Response};

/// The part of each kind of money.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CallbackFunding")]
struct FundingView {
    cash: Money,
    bonus: Money,
}

impl FundingView {
    const fn new(funding: Funding, currency: Currency) -> Self {
        Self {
            cash: Money::new(funding.cash, currency),
            bonus: Money::new(funding.bonus, currency),
        }
    }
}

/// One action of a `bet_win`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CallbackAction")]
struct ActionView<'a> {
    r#type: Kind,
    transaction_id: TransactionId,
    provider_transaction_id: &'a str,
    amount: Money,
    funding: FundingView,
}

/// The order of the fields is the order on the wire: a repeat differs in `replayed` alone.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CallbackSettled")]
struct SettledView<'a> {
    /// `ok`
    status: &'static str,
    transaction_id: TransactionId,
    provider_transaction_id: &'a str,
    /// The request came before: this is the answer of then.
    replayed: bool,
    /// The target of the rollback was not known; its id is blocked now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tombstone: bool,
    /// Right after the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<BalanceView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    funding: Option<FundingView>,
    /// Of `bet_win`: one for each action.
    #[serde(skip_serializing_if = "Option::is_none")]
    transactions: Option<Vec<ActionView<'a>>>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CallbackSession")]
struct SessionView<'a> {
    status: &'static str,
    player: &'a PlayerId,
    session: SessionId,
    currency: Currency,
    balance: BalanceView,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CallbackBalance")]
struct BalanceAnswer<'a> {
    status: &'static str,
    player: &'a PlayerId,
    balance: BalanceView,
}

#[derive(Serialize)]
struct Done {
    status: &'static str,
}

const OK: &str = "ok";

/// The schema of what an action answers.
pub(super) fn schema(action: &str, generator: &mut SchemaGenerator) -> Schema {
    match action {
        "authenticate" => generator.subschema_for::<SessionView<'_>>(),
        "balance" => generator.subschema_for::<BalanceAnswer<'_>>(),
        _ => generator.subschema_for::<SettledView<'_>>(),
    }
}

pub(super) fn render(call: Option<&Call>, answer: &Answer) -> Response {
    let player = &answer.player;
    match &answer.reply {
        Reply::Settled(settled) => render_settled(call, settled),
        Reply::Session(session) => Response::json(
            200,
            &SessionView {
                status: OK,
                player,
                session: session.session,
                currency: session.balance.currency,
                balance: session.balance.into(),
            },
        ),
        Reply::Balance(balance) => Response::json(
            200,
            &BalanceAnswer {
                status: OK,
                player,
                balance: (*balance).into(),
            },
        ),
        Reply::Payment(_) | Reply::Ended(_) | Reply::Done => {
            Response::json(200, &Done { status: OK })
        }
    }
}

fn render_settled(call: Option<&Call>, settled: &Settled) -> Response {
    let Some(last) = settled.receipts.last() else {
        // The wallet never answers so. Whatever happened may have happened.
        let detail = "the outcome is not known; send the same request, with the same ids, again";
        return (&Problem::new(Code::Retry, detail)).into();
    };
    let command = match call.map(|call| &call.ask) {
        Some(Ask::Play { play, .. }) => Some(&play.command),
        _ => None,
    };
    let batch = match command {
        Some(PlayCommand::BetWin(batch)) => Some(batch),
        _ => None,
    };
    let provider_transaction_id = match command {
        // A close has no id but its round, and the ledger may keep that in another form.
        Some(PlayCommand::CloseRound(close)) => close.round.as_str(),
        _ => last.external_id.as_str(),
    };
    let funding = match batch {
        Some(_) => staked(&settled.receipts),
        None => last.funding,
    };
    Response::json(
        200,
        &SettledView {
            status: OK,
            transaction_id: last.transaction,
            provider_transaction_id,
            replayed: settled.replayed,
            tombstone: last.tombstone,
            // Stored with the transaction, so that a repeat shows the balance of then.
            balance: last.balance.map(BalanceView::from),
            funding: last
                .currency
                .map(|currency| FundingView::new(funding, currency)),
            transactions: batch.map(|batch| actions(batch, &settled.receipts)),
        },
    )
}

/// Where the money of a batch's bets came from.
fn staked(receipts: &[Receipt]) -> Funding {
    receipts
        .iter()
        .filter(|receipt| receipt.kind == Kind::Bet)
        .fold(Funding::default(), |sum, receipt| Funding {
            // The bets of a batch are covered by one balance, so their sum fits.
            cash: sum.cash.saturating_add(receipt.funding.cash),
            bonus: sum.bonus.saturating_add(receipt.funding.bonus),
        })
}

fn actions<'a>(batch: &BetWin, receipts: &'a [Receipt]) -> Vec<ActionView<'a>> {
    receipts
        .iter()
        .map(|receipt| ActionView {
            r#type: receipt.kind,
            transaction_id: receipt.transaction,
            provider_transaction_id: receipt.external_id.as_str(),
            amount: Money::new(receipt.units, batch.currency),
            funding: FundingView::new(receipt.funding, batch.currency),
        })
        .collect()
}
