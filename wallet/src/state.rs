//! What is known of one player while a command is decided.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Balance, Country, Currency, ExternalId, Fingerprint, Payment, PaymentId, PlayerId, ProviderId,
    Receipt, Refusal, Round, RoundKey, Session, SessionId, TransactionScope, TransactionState,
};

/// The kinds of transactions. Part of the key: a bet and a win may share one external id (T1).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Deposit,
    Bet,
    Win,
    Rollback,
    CloseRound,
    VoidRound,
    /// Its amount is below 0 when it takes from the player.
    Adjustment,
    /// A deposit was announced: nothing moves.
    DepositRequest,
    /// A deposit was taken back.
    DepositReversal,
    /// Money is held for a withdrawal, its fee included.
    Withdrawal,
    /// Money of a withdrawal goes back to the player: once at most, whatever came of it (INV-9).
    WithdrawalRelease,
    /// A withdrawal is given to the payment provider.
    WithdrawalPayout,
    WithdrawalPaid,
    /// A withdrawal that was paid came back.
    WithdrawalReturn,
    WithdrawalConfiscation,
}

impl Kind {
    pub const ALL: &'static [Self] = &[
        Self::Deposit,
        Self::Bet,
        Self::Win,
        Self::Rollback,
        Self::CloseRound,
        Self::VoidRound,
        Self::Adjustment,
        Self::DepositRequest,
        Self::DepositReversal,
        Self::Withdrawal,
        Self::WithdrawalRelease,
        Self::WithdrawalPayout,
        Self::WithdrawalPaid,
        Self::WithdrawalReturn,
        Self::WithdrawalConfiscation,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Bet => "bet",
            Self::Win => "win",
            Self::Rollback => "rollback",
            Self::CloseRound => "close_round",
            Self::VoidRound => "void_round",
            Self::Adjustment => "adjustment",
            Self::DepositRequest => "deposit_request",
            Self::DepositReversal => "deposit_reversal",
            Self::Withdrawal => "withdrawal",
            Self::WithdrawalRelease => "withdrawal_release",
            Self::WithdrawalPayout => "withdrawal_payout",
            Self::WithdrawalPaid => "withdrawal_paid",
            Self::WithdrawalReturn => "withdrawal_return",
            Self::WithdrawalConfiscation => "withdrawal_confiscation",
        }
    }

    /// Whether it belongs to the play with a game provider.
    #[must_use]
    pub const fn is_of_play(self) -> bool {
        match self {
            Self::Bet | Self::Win | Self::Rollback | Self::CloseRound | Self::VoidRound => true,
            Self::Deposit
            | Self::Adjustment
            | Self::DepositRequest
            | Self::DepositReversal
            | Self::Withdrawal
            | Self::WithdrawalRelease
            | Self::WithdrawalPayout
            | Self::WithdrawalPaid
            | Self::WithdrawalReturn
            | Self::WithdrawalConfiscation => false,
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// What names a transaction for ever (T1, INV-4). The player, or nobody, completes it by the scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TransactionKey {
    // First what tells two of them apart: a player's keys are compared with all that memory holds of him.
    pub external_id: ExternalId,
    pub kind: Kind,
    pub provider: ProviderId,
    pub scope: TransactionScope,
}

/// A transaction as the ledger keeps it, as far as decisions need it.
#[derive(Debug, Clone)]
pub struct StoredTransaction {
    pub key: TransactionKey,
    /// Another player's, where the id's scope is the whole provider account.
    pub player: PlayerId,
    pub state: TransactionState,
    pub fingerprint: Fingerprint,
    pub round: Option<RoundKey>,
    pub receipt: Receipt,
    /// The refusal that burned the id, for [`TransactionState::Refused`].
    pub refusal: Option<Refusal>,
    /// The receipt of the rollback that took this transaction back. Only what was read from the ledger
    /// knows it; the cache does not.
    pub reversal: Option<Receipt>,
}

/// What the player may do. What is owed to him is paid in any of these (T8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlayerStatus {
    #[default]
    Active,
    /// No bets and no launches; logins and deposits go on.
    BetsBlocked,
    /// No login, launch, bet or deposit.
    Blocked,
    /// As blocked, and for good.
    Closed,
}

impl PlayerStatus {
    pub const ALL: [Self; 4] = [Self::Active, Self::BetsBlocked, Self::Blocked, Self::Closed];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::BetsBlocked => "bets_blocked",
            Self::Blocked => "blocked",
            Self::Closed => "closed",
        }
    }

    /// The status with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether he may bet, and launch a game.
    #[must_use]
    pub const fn may_bet(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether he may log in, and bring money.
    #[must_use]
    pub const fn may_enter(self) -> bool {
        matches!(self, Self::Active | Self::BetsBlocked)
    }
}

/// A player's money in one currency, in ledger units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wallet {
    pub currency: Currency,
    pub cash: i64,
    /// 0, or below: what the player owes.
    pub receivable: i64,
    /// Whether the ledger has a row for the receivable account.
    pub has_receivable: bool,
    /// Stakes in open rounds: for information, they have left the player's accounts.
    pub held: i64,
    /// Bonus money, of all grants together.
    pub bonus: i64,
    /// What was won with bonus money and is not the player's own yet, of all grants together.
    pub winnings: i64,
    /// What withdrawals hold that were not sent yet, without their fees.
    pub withdrawal_hold: i64,
    /// The fees of withdrawals that are not paid yet.
    pub fee_hold: i64,
    /// Withdrawals that were sent and are not known to be paid.
    pub in_transit: i64,
    /// Whether the ledger has rows for these three accounts: they are made together.
    pub has_holds: bool,
}

impl Wallet {
    /// An empty one.
    #[must_use]
    pub const fn new(currency: Currency) -> Self {
        Self {
            currency,
            cash: 0,
            receivable: 0,
            has_receivable: false,
            held: 0,
            bonus: 0,
            winnings: 0,
            withdrawal_hold: 0,
            fee_hold: 0,
            in_transit: 0,
            has_holds: false,
        }
    }

    /// Cash, less what the player owes.
    #[must_use]
    pub fn withdrawable(&self) -> i64 {
        self.cash.saturating_add(self.receivable).max(0)
    }

    #[must_use]
    pub const fn balance(&self) -> Balance {
        Balance {
            currency: self.currency,
            cash: self.cash,
            bonus: self.bonus.saturating_add(self.winnings),
        }
    }
}

/// One player as his actor holds him.
///
/// Balances and counters are complete; rounds, transactions and sessions are bounded caches, and what is
/// not in them is asked for as a [`Fact`].
#[derive(Debug, Clone)]
pub struct PlayerState {
    pub id: PlayerId,
    pub status: PlayerStatus,
    /// Where the player lives, as far as is known: some games are offered by country.
    pub country: Option<Country>,
    /// Orders the player's events in the outbox; fixed when the player is created.
    pub lane: u16,
    /// The fence: a commit succeeds only on the version that it was decided on.
    pub version: i64,
    /// Number of the newest ledger transaction, without gaps from 1.
    pub last_transaction: i64,
    /// `seq` of the newest event, without gaps from 1 (INV-7).
    pub last_event: i64,
    pub wallets: Vec<Wallet>,
    pub rounds: VecDeque<Round>,
    pub transactions: VecDeque<StoredTransaction>,
    pub sessions: VecDeque<Session>,
}

impl PlayerState {
    /// A player of whom nothing but the id is known.
    #[must_use]
    pub const fn new(id: PlayerId, lane: u16) -> Self {
        Self {
            id,
            status: PlayerStatus::Active,
            country: None,
            lane,
            version: 0,
            last_transaction: 0,
            last_event: 0,
            wallets: Vec::new(),
            rounds: VecDeque::new(),
            transactions: VecDeque::new(),
            sessions: VecDeque::new(),
        }
    }

    #[must_use]
    pub fn wallet(&self, currency: Currency) -> Option<&Wallet> {
        self.wallets
            .iter()
            .find(|wallet| wallet.currency == currency)
    }

    #[must_use]
    pub fn round(&self, key: &RoundKey) -> Option<&Round> {
        self.rounds.iter().find(|round| round.key == *key)
    }

    #[must_use]
    pub fn transaction(&self, key: &TransactionKey) -> Option<&StoredTransaction> {
        self.transactions.iter().find(|stored| stored.key == *key)
    }

    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id)
    }
}

/// Something that a decision has to know and the state does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Transaction(TransactionKey),
    Round(RoundKey),
    Session(SessionId),
    /// All sessions that have not been ended, whether their time is over or not.
    Sessions,
    /// A deposit or withdrawal of the player.
    Payment(PaymentId),
}

/// What the ledger said to the [`Fact`]s asked for while one command is decided. `None`: there is none.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The player's version at the moment of the answer. A state of another version is stale.
    pub version: Option<i64>,
    pub transactions: Vec<(TransactionKey, Option<StoredTransaction>)>,
    pub rounds: Vec<(RoundKey, Option<Round>)>,
    pub sessions: Vec<(SessionId, Option<Session>)>,
    /// The answer to [`Fact::Sessions`], oldest first.
    pub unended: Option<Vec<Session>>,
    pub payments: Vec<(PaymentId, Option<Payment>)>,
}

impl Facts {
    /// Adds what a later question brought. What was answered at another version is forgotten: together they
    /// would tell of a moment that never was.
    pub fn extend(&mut self, more: Self) {
        let is_other = |version| more.version.is_some_and(|newer| newer != version);
        if self.version.is_some_and(is_other) {
            *self = more;
            return;
        }
        self.version = more.version.or(self.version);
        self.transactions.extend(more.transactions);
        self.rounds.extend(more.rounds);
        self.sessions.extend(more.sessions);
        self.unended = more.unended.or(self.unended.take());
        self.payments.extend(more.payments);
    }
}
