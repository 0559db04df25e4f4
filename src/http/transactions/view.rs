//! How a transaction is shown: in a list, and by itself.

use pitboss_schema::{PostingRow, TransactionRow};
use pitboss_wallet::{
    BalanceView, Currency, ExternalId, GameId, Kind, Money, PlayerId, ProviderId, RoundId,
    Timestamp, TransactionId, TransactionState,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::http::rounds::round_id;

/// A transaction, as lists have it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Transaction")]
pub struct TransactionView {
    pub transaction_id: TransactionId,
    pub player: PlayerId,
    /// Counts the player's transactions, from 1 without a gap.
    pub number: i64,
    pub kind: Kind,
    /// `applied`; `tombstone`: its rollback came first and it never moves; `refused`: its id is used up.
    pub state: TransactionState,
    /// The provider account; `cashier` for deposits.
    pub provider: ProviderId,
    /// The id that the other side gave.
    pub provider_transaction_id: ExternalId,
    /// `null` for what has no amount, such as a close.
    pub amount: Option<Money>,
    pub currency: Option<Currency>,
    pub game: Option<GameId>,
    pub round: Option<RoundId>,
    /// The bet that a win names.
    pub bet_transaction_id: Option<ExternalId>,
    /// The transaction that this one takes back.
    pub reverses: Option<TransactionId>,
    /// The transaction that has taken this one back. What a voided round took back is told by the round.
    pub reversed_by: Option<TransactionId>,
    /// The player's balance right after it.
    pub balance: Option<BalanceView>,
    pub created_at: Timestamp,
}

impl From<TransactionRow> for TransactionView {
    fn from(row: TransactionRow) -> Self {
        Self {
            transaction_id: row.id,
            player: row.player,
            number: row.number,
            kind: row.kind,
            state: row.state,
            provider: row.provider,
            provider_transaction_id: row.external_id,
            amount: row.amount,
            currency: row.amount.map(|amount| amount.currency),
            game: row.game,
            round: row.round,
            bet_transaction_id: row.names_bet,
            reverses: row.reverses,
            reversed_by: row.reversed_by,
            balance: row.receipt.balance.map(BalanceView::from),
            created_at: row.created_at,
        }
    }
}

/// One leg of a transaction.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Posting")]
pub struct PostingView {
    /// `CASH` and `RECEIVABLE` are the player's; the others are the house's.
    pub account: String,
    /// Into the account, or out of it when it is below 0. All of a transaction's legs sum to 0.
    pub amount: Money,
    /// What the account then had; `null` for the house's.
    pub balance_after: Option<Money>,
}

impl PostingView {
    pub fn new(posting: &PostingRow, currency: Currency) -> Self {
        Self {
            account: posting.account.clone(),
            amount: Money::new(posting.units, currency),
            balance_after: posting
                .balance_after
                .map(|units| Money::new(units, currency)),
        }
    }
}

/// Where the money of a transaction came from, or went.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TransactionFunding")]
pub struct FundingView {
    pub cash: Money,
    pub bonus: Money,
}

/// An event that told of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TransactionEvent")]
pub struct EventView {
    /// Counts the player's events.
    pub seq: i64,
    /// As it was sent on every channel.
    #[schemars(with = "serde_json::Value")]
    pub event: Box<RawValue>,
}

/// A transaction with everything that is kept of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TransactionDetail {
    #[serde(flatten)]
    pub transaction: TransactionView,
    /// The round's id in this API: `GET /v1/rounds/{id}`.
    pub round_id: Option<String>,
    pub funding: Option<FundingView>,
    pub postings: Vec<PostingView>,
    /// What a repeat of the request is answered from, as it is stored: amounts are units of the ledger, as integers.
    #[schemars(with = "serde_json::Value")]
    pub reply: Box<RawValue>,
    /// Why its id was used up without a movement.
    pub refusal: Option<RefusalView>,
    /// What tells a repeat from another request under the same id: 32 hexadecimal digits.
    pub fingerprint: String,
    /// The events that tell of it, while they are kept (`outbox.keep_h`).
    pub events: Vec<EventView>,
}

/// Why nothing moved.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RefusalView {
    /// One of the error codes.
    pub code: &'static str,
    pub detail: String,
}

impl TransactionDetail {
    /// # Errors
    /// What is stored is no JSON.
    pub fn new(row: TransactionRow, events: Vec<(i64, String)>) -> Result<Self, serde_json::Error> {
        let currency = row.amount.map(|amount| amount.currency);
        let funding = currency.map(|currency| FundingView {
            cash: Money::new(row.receipt.funding.cash, currency),
            bonus: Money::new(row.receipt.funding.bonus, currency),
        });
        let postings = row.postings.iter();
        let postings = currency.map(|currency| {
            postings
                .map(|leg| PostingView::new(leg, currency))
                .collect()
        });
        let event = |(seq, body)| {
            let event = RawValue::from_string(body)?;
            Ok(EventView { seq, event })
        };
        let refusal = row.refusal.as_ref().map(|refusal| RefusalView {
            code: pitboss_providers::Code::from(refusal.code).as_str(),
            detail: refusal.detail.to_string(),
        });
        Ok(Self {
            round_id: row
                .round
                .as_ref()
                .map(|round| round_id(&row.player, &row.provider, row.round_scope.as_ref(), round)),
            funding,
            postings: postings.unwrap_or_default(),
            reply: RawValue::from_string(row.reply.clone())?,
            refusal,
            fingerprint: row.fingerprint.to_string(),
            events: events
                .into_iter()
                .map(event)
                .collect::<Result<_, serde_json::Error>>()?,
            transaction: row.into(),
        })
    }
}

/// What a transaction moved of the player's cash and of his bonus money, in ledger units. A debt is neither.
pub fn moved(postings: &[PostingRow]) -> (i64, i64) {
    let own = postings
        .iter()
        .filter(|posting| posting.balance_after.is_some());
    own.fold((0, 0), |(cash, bonus): (i64, i64), posting| {
        match posting.account.as_str() {
            "CASH" => (cash.saturating_add(posting.units), bonus),
            "RECEIVABLE" => (cash, bonus),
            _ => (cash, bonus.saturating_add(posting.units)),
        }
    })
}
