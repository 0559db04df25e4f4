//! A withdrawal: its states, and the one table of what leads from one to the next.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Person;
use crate::{By, Currency, ExternalId, MakerChecker, Money, PaymentId, Timestamp, TransactionId};

/// Where a withdrawal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalState {
    /// The money is held.
    Requested,
    InReview,
    /// The review waits for something.
    OnHold,
    /// To be paid out.
    Approved,
    /// The payment provider has it.
    Processing,
    /// Nobody knows whether it was paid: only the payment provider's answer to an inquiry tells.
    Unknown,
    Paid,
    /// It could not be paid: the money is back.
    Failed,
    /// It was paid, and came back.
    Returned,
    Cancelled,
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// The house keeps it.
    Confiscated,
    /// Its parts took its place.
    Split,
}

impl WithdrawalState {
    pub const ALL: [Self; 14] = [
        Self::Requested,
        Self::InReview,
        Self::OnHold,
        Self::Approved,
        Self::Processing,
        Self::Unknown,
        Self::Paid,
        Self::Failed,
        Self::Returned,
        Self::Cancelled,
        Self::Rejected,
        Self::Expired,
        Self::Confiscated,
        Self::Split,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::InReview => "in_review",
            Self::OnHold => "on_hold",
            Self::Approved => "approved",
            Self::Processing => "processing",
            Self::Unknown => "unknown",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Confiscated => "confiscated",
            Self::Split => "split",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether its money is held and nothing was sent.
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(
            self,
            Self::Requested | Self::InReview | Self::OnHold | Self::Approved
        )
    }

    /// Whether its money is on its way, as far as anybody knows.
    #[must_use]
    pub const fn is_in_transit(self) -> bool {
        matches!(self, Self::Processing | Self::Unknown)
    }
}

/// Why a withdrawal is looked at, or waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewReason {
    /// The player is not identified well enough.
    Kyc,
    /// Suspicion of money laundering.
    Aml,
    /// An authority or a bank has frozen it.
    Frozen,
    HighRisk,
    LargeAmount,
}

impl ReviewReason {
    pub const ALL: [Self; 5] = [
        Self::Kyc,
        Self::Aml,
        Self::Frozen,
        Self::HighRisk,
        Self::LargeAmount,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kyc => "kyc",
            Self::Aml => "aml",
            Self::Frozen => "frozen",
            Self::HighRisk => "high_risk",
            Self::LargeAmount => "large_amount",
        }
    }

    /// The reason with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// What was in force when a withdrawal was asked for. Kept with it: a later setting changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalTerms {
    /// What the player pays for it, besides the amount.
    pub fee_units: i64,
    /// How many people have to approve it; with 0 it is approved at once.
    pub approvers: u8,
    /// Why it is looked at from the beginning; none: it waits until somebody does.
    pub review: Vec<ReviewReason>,
    /// Whether the player may cancel it.
    pub may_cancel: bool,
    /// When it expires unless it was sent.
    pub expires_at: Option<Timestamp>,
}

/// A withdrawal as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    pub id: PaymentId,
    /// The operator's own id, unique among all withdrawals; parts have that of the whole.
    pub reference: ExternalId,
    pub currency: Currency,
    /// What is paid out.
    pub units: i64,
    /// What the player pays for it, besides.
    pub fee_units: i64,
    pub state: WithdrawalState,
    /// Where the money goes to, in words of the operator and his payment provider.
    pub destination: Option<String>,
    pub approvers_needed: u8,
    pub may_cancel: bool,
    /// Whose key asked for it.
    pub requester: Person,
    pub approvers: Vec<Person>,
    /// Why it is looked at.
    pub review: Vec<ReviewReason>,
    /// What it waits for.
    pub hold: Option<ReviewReason>,
    /// Why it ended as it did.
    pub reason: Option<String>,
    /// The payment provider's own id, once it was paid.
    pub provider_reference: Option<ExternalId>,
    /// What let the money go that was held.
    pub ended_by: Option<TransactionId>,
    /// The whole that this is a part of.
    pub part_of: Option<PaymentId>,
    pub parts: Vec<PaymentId>,
    pub requested_at: Timestamp,
    pub changed_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// Asks for a withdrawal, once for each reference.
#[derive(Debug, Clone)]
pub struct RequestWithdrawal {
    /// Unique among all withdrawals, whoever the player is.
    pub reference: ExternalId,
    pub amount: Money,
    pub destination: Option<String>,
    pub terms: WithdrawalTerms,
    pub by: Person,
}

/// What is done about a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithdrawalStep {
    StartReview {
        by: By,
    },
    Hold {
        reason: ReviewReason,
        by: By,
    },
    ClearHold {
        by: By,
    },
    Approve {
        by: Person,
    },
    /// The player does not want it any more.
    Cancel {
        by: By,
    },
    Reject {
        reason: String,
        by: By,
    },
    /// Its time is over.
    Expire,
    Confiscate {
        reason: String,
        by: MakerChecker,
    },
    /// It is about to be given to the payment provider, under its own id.
    Send,
    /// The payment provider did not answer.
    LoseSight,
    Pay {
        provider_reference: ExternalId,
    },
    /// It was not paid, and will not be.
    Fail {
        reason: String,
    },
    Return {
        reason: String,
    },
    /// Into parts that are paid one by one, in ledger units.
    Split {
        parts: Vec<i64>,
    },
}

impl WithdrawalStep {
    /// Where it leads to: an approval, once there are enough.
    #[must_use]
    pub const fn target(&self) -> WithdrawalState {
        match self {
            Self::StartReview { .. } | Self::ClearHold { .. } => WithdrawalState::InReview,
            Self::Hold { .. } => WithdrawalState::OnHold,
            Self::Approve { .. } => WithdrawalState::Approved,
            Self::Cancel { .. } => WithdrawalState::Cancelled,
            Self::Reject { .. } => WithdrawalState::Rejected,
            Self::Expire => WithdrawalState::Expired,
            Self::Confiscate { .. } => WithdrawalState::Confiscated,
            Self::Send => WithdrawalState::Processing,
            Self::LoseSight => WithdrawalState::Unknown,
            Self::Pay { .. } => WithdrawalState::Paid,
            Self::Fail { .. } => WithdrawalState::Failed,
            Self::Return { .. } => WithdrawalState::Returned,
            Self::Split { .. } => WithdrawalState::Split,
        }
    }

    /// The whole table: whether it may be taken from a state. What was sent is never held again: it is paid or it
    /// failed, and only the payment provider knows which.
    #[must_use]
    pub const fn is_possible_in(&self, from: WithdrawalState) -> bool {
        use WithdrawalState::{Approved, InReview, OnHold, Paid, Processing, Requested, Unknown};
        match self {
            Self::StartReview { .. } => matches!(from, Requested),
            Self::Hold { .. } | Self::Approve { .. } => matches!(from, InReview),
            Self::ClearHold { .. } => matches!(from, OnHold),
            Self::Cancel { .. } => matches!(from, Requested | InReview | OnHold),
            Self::Reject { .. } | Self::Expire | Self::Confiscate { .. } => {
                matches!(from, Requested | InReview | OnHold | Approved)
            }
            Self::Send | Self::Split { .. } => matches!(from, Approved),
            Self::LoseSight => matches!(from, Processing),
            Self::Pay { .. } | Self::Fail { .. } => matches!(from, Processing | Unknown),
            Self::Return { .. } => matches!(from, Paid),
        }
    }
}
