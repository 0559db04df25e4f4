//! What a decision writes, and what it answers.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Account, Balance, Client, Currency, Event, ExternalId, Fingerprint, Funding, GameId, Kind,
    Money, Payment, PlayerStatus, Posting, Refusal, Round, RoundKey, Session, SessionId, Timestamp,
    TransactionId, TransactionKey, Wallet,
};

/// What became of a transaction key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionState {
    Applied,
    /// A rollback came before its target: the key never moves (T5, INV-8).
    Tombstone,
    /// A refusal that used the id up (T4, by policy).
    Refused,
}

impl TransactionState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Tombstone => "tombstone",
            Self::Refused => "refused",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Applied, Self::Tombstone, Self::Refused]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// The neutral answer of a transaction, stored with it: every dialect renders its own from this (T11).
/// Amounts are ledger units. Stored as text, so that a repeat is equal to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub transaction: TransactionId,
    pub kind: Kind,
    pub external_id: ExternalId,
    pub currency: Option<Currency>,
    pub units: i64,
    pub funding: Funding,
    /// The player's balance right after the transaction.
    pub balance: Option<Balance>,
    /// A rollback that found no target.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tombstone: bool,
}

/// One new ledger transaction.
#[derive(Debug, Clone)]
pub struct Transaction {
    pub id: TransactionId,
    /// Its number among the player's transactions.
    pub number: i64,
    pub key: TransactionKey,
    pub state: TransactionState,
    pub fingerprint: Fingerprint,
    pub amount: Option<Money>,
    pub game: Option<GameId>,
    pub round: Option<RoundKey>,
    /// The bet that a win names.
    pub names_bet: Option<ExternalId>,
    /// The transaction that this one takes back.
    pub reverses: Option<TransactionId>,
    /// Two or more that sum to zero, or none when nothing moves.
    pub postings: Vec<Posting>,
    pub receipt: Receipt,
    pub refusal: Option<Refusal>,
}

/// An account balance of the player after the decision, in ledger units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceChange {
    pub currency: Currency,
    pub account: Account,
    pub units: i64,
    /// The account had no row before.
    pub is_new: bool,
}

/// A round after the decision.
#[derive(Debug, Clone)]
pub struct RoundChange {
    pub round: Round,
    /// The round must not exist before: the commit fails when it does.
    pub is_new: bool,
}

/// A session after the decision.
#[derive(Debug, Clone)]
pub struct SessionChange {
    pub session: Session,
    /// SHA-256 of the token, for a session that is new.
    pub token_hash: Option<[u8; 32]>,
    /// From where the player logged in, for a session that is new.
    pub client: Client,
}

/// A payment after the decision.
#[derive(Debug, Clone)]
pub struct PaymentChange {
    pub payment: Payment,
    pub is_new: bool,
}

/// Everything that a command changes. It is committed as a whole or not at all, then [`apply()`](crate::apply)ed.
#[derive(Debug, Clone)]
pub struct Decision {
    pub player: crate::PlayerId,
    pub lane: u16,
    /// When it was taken, by the clock of the seam.
    pub at: Timestamp,
    /// The version that the decision was taken on; the commit makes it one more.
    pub expected_version: i64,
    pub last_transaction: i64,
    pub last_event: i64,
    pub status: PlayerStatus,
    pub transactions: Vec<Transaction>,
    /// All wallets that changed, whole.
    pub wallets: Vec<Wallet>,
    pub balances: Vec<BalanceChange>,
    pub rounds: Vec<RoundChange>,
    pub sessions: Vec<SessionChange>,
    pub payments: Vec<PaymentChange>,
    pub events: Vec<Arc<Event>>,
    /// The answer, once the decision is durable.
    pub outcome: Outcome,
}

/// The answer to a settled transaction or batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// One for a single transaction; one per action, in order, for a batch. Never empty.
    pub receipts: Vec<Receipt>,
    /// The same request was answered before: these are its stored receipts.
    pub replayed: bool,
    /// The balance now; a replay's receipts have the balance of then.
    pub current: Option<Balance>,
}

/// The answer to a session command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionReply {
    pub session: SessionId,
    pub balance: Balance,
    /// When it ends if the player does nothing more.
    pub expires_at: Timestamp,
}

/// The answer to a command about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentReply {
    /// As it stands now.
    pub payment: Payment,
    /// Nothing was left to do: it was done before.
    pub replayed: bool,
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Settled(Settled),
    Session(SessionReply),
    Balance(Balance),
    Payment(Box<PaymentReply>),
    /// So many sessions were ended.
    Ended(usize),
    /// Done, and there is nothing to tell.
    Done,
}

/// How a command ends.
pub type Outcome = Result<Reply, Refusal>;
