//! Payments: money that comes from outside, and money that leaves.
//!
//! What lives here: deposits that a payment provider carries out, withdrawals, the states of both, and what leads
//! from one to the next. What must not: postings and events, which are decided in `decide`.

mod deposit;
mod withdrawal;

pub use deposit::{DepositOrder, DepositState, DepositStep, InitiateDeposit};
pub use withdrawal::{
    RequestWithdrawal, ReviewReason, Withdrawal, WithdrawalState, WithdrawalStep, WithdrawalTerms,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{By, Currency, ExternalId, PaymentId, Timestamp};

/// A person with a key, and through whose hands the key went: two persons are two pairs of hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub by: By,
    /// Names as they are compared.
    pub hands: Vec<String>,
}

impl Person {
    /// Whether these are two people. Nobody can tell of a key without a name.
    #[must_use]
    pub fn is_another_than(&self, other: &Self) -> bool {
        let has_names = |person: &Self| {
            !person.hands.is_empty() && person.hands.iter().all(|name| !name.is_empty())
        };
        let shares = |name: &String| other.hands.contains(name);
        self.by.key != other.by.key
            && has_names(self)
            && has_names(other)
            && !self.hands.iter().any(shares)
    }
}

/// Which way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    Deposit,
    Withdrawal,
}

impl PaymentKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
        }
    }
}

/// A payment as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Payment {
    Deposit(DepositOrder),
    Withdrawal(Withdrawal),
}

impl Payment {
    #[must_use]
    pub const fn id(&self) -> PaymentId {
        match self {
            Self::Deposit(order) => order.id,
            Self::Withdrawal(withdrawal) => withdrawal.id,
        }
    }

    #[must_use]
    pub const fn kind(&self) -> PaymentKind {
        match self {
            Self::Deposit(_) => PaymentKind::Deposit,
            Self::Withdrawal(_) => PaymentKind::Withdrawal,
        }
    }

    /// The operator's own id.
    #[must_use]
    pub const fn reference(&self) -> &ExternalId {
        match self {
            Self::Deposit(order) => &order.reference,
            Self::Withdrawal(withdrawal) => &withdrawal.reference,
        }
    }

    #[must_use]
    pub const fn currency(&self) -> Currency {
        match self {
            Self::Deposit(order) => order.currency,
            Self::Withdrawal(withdrawal) => withdrawal.currency,
        }
    }

    /// Without a fee.
    #[must_use]
    pub const fn units(&self) -> i64 {
        match self {
            Self::Deposit(order) => order.units,
            Self::Withdrawal(withdrawal) => withdrawal.units,
        }
    }

    #[must_use]
    pub const fn fee_units(&self) -> i64 {
        match self {
            Self::Deposit(_) => 0,
            Self::Withdrawal(withdrawal) => withdrawal.fee_units,
        }
    }

    #[must_use]
    pub const fn state(&self) -> &'static str {
        match self {
            Self::Deposit(order) => order.state.as_str(),
            Self::Withdrawal(withdrawal) => withdrawal.state.as_str(),
        }
    }

    /// When it began.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        match self {
            Self::Deposit(order) => order.initiated_at,
            Self::Withdrawal(withdrawal) => withdrawal.requested_at,
        }
    }

    /// When it had its last change.
    #[must_use]
    pub const fn changed_at(&self) -> Timestamp {
        match self {
            Self::Deposit(order) => order.changed_at,
            Self::Withdrawal(withdrawal) => withdrawal.changed_at,
        }
    }

    /// When its time is over, while it waits for something.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Deposit(order) => order.expires_at.filter(|_| order.state.is_open()),
            Self::Withdrawal(withdrawal) => {
                withdrawal.expires_at.filter(|_| withdrawal.state.is_held())
            }
        }
    }
}
