//! Accounts of the double-entry ledger, postings and what a player sees of his balances.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Currency, Money, ProviderId};

/// An account of the ledger.
///
/// Player accounts belong to the player of the transaction; house accounts are one per database and their
/// balances are derived, never kept in a row that every bet would lock.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Account {
    /// The player's money.
    Cash,
    /// What a player owes after a correction that found too little: the only player account below zero.
    Receivable,
    /// What the player has asked to withdraw, until it is sent.
    WithdrawalHold,
    /// The fees of withdrawals that are not paid yet.
    WithdrawalFeeHold,
    /// Withdrawals on their way, as far as anybody knows: still owed to the player.
    PspTransit,
    /// Our side of the play with one provider.
    House(ProviderId),
    /// Our side of payments, in and out.
    PspClearing,
    /// Fees that were earned.
    Fees,
    /// Our side of what people correct by hand.
    Adjustments,
}

impl Account {
    /// Whether the account belongs to the player, and so has a balance of its own.
    #[must_use]
    pub const fn is_player(&self) -> bool {
        match self {
            Self::Cash
            | Self::Receivable
            | Self::WithdrawalHold
            | Self::WithdrawalFeeHold
            | Self::PspTransit => true,
            Self::House(_) | Self::PspClearing | Self::Fees | Self::Adjustments => false,
        }
    }
}

/// As the ledger names it: `CASH`, `RECEIVABLE`, `WITHDRAWAL_HOLD`, `W_FEE_HOLD`, `PSP_TRANSIT`, `HOUSE:<provider>`,
/// `PSP_CLEARING`, `FEES`, `ADJUSTMENTS`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cash => f.write_str("CASH"),
            Self::Receivable => f.write_str("RECEIVABLE"),
            Self::WithdrawalHold => f.write_str("WITHDRAWAL_HOLD"),
            Self::WithdrawalFeeHold => f.write_str("W_FEE_HOLD"),
            Self::PspTransit => f.write_str("PSP_TRANSIT"),
            Self::House(provider) => write!(f, "HOUSE:{provider}"),
            Self::PspClearing => f.write_str("PSP_CLEARING"),
            Self::Fees => f.write_str("FEES"),
            Self::Adjustments => f.write_str("ADJUSTMENTS"),
        }
    }
}

/// One leg of a transaction: ledger units moved to (+) or from (-) an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    pub account: Account,
    pub amount: Money,
    /// The account's balance after this posting; `None` for house accounts.
    pub balance_after: Option<i64>,
}

/// Where the money of a bet came from, in ledger units. A rollback returns exactly this vector (T7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funding {
    pub cash: i64,
    /// Bonus money; 0 until a bonus grant funds a bet.
    pub bonus: i64,
}

/// What a player can see of one currency, in ledger units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    pub currency: Currency,
    pub cash: i64,
    pub bonus: i64,
}

impl Balance {
    /// Cash and bonus together.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.cash.saturating_add(self.bonus)
    }
}
