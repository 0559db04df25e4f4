//! A deposit that a payment provider carries out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, ExternalId, Money, PaymentId, Timestamp, TransactionId};

/// What became of a deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepositState {
    /// The player was sent to the payment provider.
    Initiated,
    /// The payment provider has it, and does not know yet.
    Pending,
    /// The money is in the wallet.
    Completed,
    Failed,
    /// Nobody told of it in time.
    Expired,
    /// Taken back by whoever sent it or carried it out.
    Reversed,
    /// Taken back through the player's bank.
    ChargedBack,
}

impl DepositState {
    pub const ALL: [Self; 7] = [
        Self::Initiated,
        Self::Pending,
        Self::Completed,
        Self::Failed,
        Self::Expired,
        Self::Reversed,
        Self::ChargedBack,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Reversed => "reversed",
            Self::ChargedBack => "charged_back",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether it waits for the payment provider.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Initiated | Self::Pending)
    }
}

/// A deposit as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepositOrder {
    pub id: PaymentId,
    /// The operator's own id, unique among all deposits.
    pub reference: ExternalId,
    pub currency: Currency,
    pub units: i64,
    pub state: DepositState,
    /// The payment provider's own id, once it told one.
    pub provider_reference: Option<ExternalId>,
    /// Why it failed or was taken back.
    pub reason: Option<String>,
    /// What brought the money.
    pub completed_by: Option<TransactionId>,
    pub initiated_at: Timestamp,
    pub changed_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// Announces a deposit, once for each reference.
#[derive(Debug, Clone)]
pub struct InitiateDeposit {
    pub reference: ExternalId,
    pub amount: Money,
    pub expires_at: Option<Timestamp>,
}

/// What a payment provider, or the clock, tells of a deposit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DepositStep {
    Pend {
        provider_reference: ExternalId,
    },
    /// The money is here.
    Complete {
        provider_reference: ExternalId,
        /// As the payment provider tells it.
        amount: Money,
    },
    Fail {
        reason: String,
    },
    /// Its time is over.
    Expire,
    Reverse {
        reason: String,
    },
    ChargeBack {
        reason: String,
    },
}

impl DepositStep {
    /// Where it leads to.
    #[must_use]
    pub const fn target(&self) -> DepositState {
        match self {
            Self::Pend { .. } => DepositState::Pending,
            Self::Complete { .. } => DepositState::Completed,
            Self::Fail { .. } => DepositState::Failed,
            Self::Expire => DepositState::Expired,
            Self::Reverse { .. } => DepositState::Reversed,
            Self::ChargeBack { .. } => DepositState::ChargedBack,
        }
    }

    /// The whole table: whether it may be taken from a state. Money that arrived is the player's, however late.
    #[must_use]
    pub const fn is_possible_in(&self, from: DepositState) -> bool {
        use DepositState::{Completed, Expired, Failed, Initiated, Pending};
        match self {
            Self::Pend { .. } => matches!(from, Initiated),
            Self::Complete { .. } => matches!(from, Initiated | Pending | Failed | Expired),
            Self::Fail { .. } | Self::Expire => matches!(from, Initiated | Pending),
            Self::Reverse { .. } | Self::ChargeBack { .. } => matches!(from, Completed),
        }
    }
}
