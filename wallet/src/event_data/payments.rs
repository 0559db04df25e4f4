//! What the events of deposits and withdrawals say.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    BalanceView, By, Currency, DepositOrder, DepositState, ExternalId, MakerChecker, Money,
    PaymentId, Receipt, ReviewReason, Timestamp, Withdrawal, WithdrawalState,
};

/// A deposit that a payment provider carries out.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DepositEvent")]
pub(crate) struct DepositView<'a> {
    pub deposit: PaymentId,
    /// The operator's own id of the deposit.
    pub reference: &'a ExternalId,
    /// The payment provider's own id, once it told one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<&'a ExternalId>,
    pub amount: Money,
    pub currency: Currency,
    /// What became of it.
    pub state: DepositState,
}

impl<'a> DepositView<'a> {
    pub fn of(order: &'a DepositOrder) -> Self {
        Self {
            deposit: order.id,
            reference: &order.reference,
            provider_reference: order.provider_reference.as_ref(),
            amount: Money::new(order.units, order.currency),
            currency: order.currency,
            state: order.state,
        }
    }
}

/// `wallet.deposit_initiated`
#[derive(Serialize, JsonSchema)]
pub(crate) struct DepositInitiated<'a> {
    #[serde(flatten)]
    pub deposit: DepositView<'a>,
    /// Until when it may be completed without being late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// `wallet.deposit_pending`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct DepositPending<'a>(pub DepositView<'a>);

/// `wallet.deposit_failed`
#[derive(Serialize, JsonSchema)]
pub(crate) struct DepositFailed<'a> {
    #[serde(flatten)]
    pub deposit: DepositView<'a>,
    /// Why, as the payment provider told it; absent when its time was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
}

/// `wallet.deposit_reversed`
#[derive(Serialize, JsonSchema)]
pub(crate) struct DepositReversed<'a> {
    #[serde(flatten)]
    pub deposit: DepositView<'a>,
    /// Why, as the payment provider told it.
    pub reason: &'a str,
    /// After the reversal. More than there was is followed by `wallet.negative_balance`.
    pub balance: Option<BalanceView>,
}

/// Money of a withdrawal that changes its place.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Hold {
    pub withdrawal: PaymentId,
    /// With the fee.
    pub amount: Money,
    pub currency: Currency,
    /// After the movement.
    pub balance: Option<BalanceView>,
}

impl Hold {
    pub fn of(withdrawal: &Withdrawal, units: i64, receipt: &Receipt) -> Self {
        Self {
            withdrawal: withdrawal.id,
            amount: Money::new(units, withdrawal.currency),
            currency: withdrawal.currency,
            balance: receipt.balance.map(BalanceView::from),
        }
    }
}

/// `wallet.hold_placed`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct HoldPlaced(pub Hold);

/// `wallet.hold_released`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct HoldReleased(pub Hold);

/// `wallet.hold_captured`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct HoldCaptured(pub Hold);

/// `wallet.withdrawal_returned`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WithdrawalCredited(pub Hold);

/// A withdrawal as it stands.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WithdrawalEvent")]
pub(crate) struct WithdrawalView<'a> {
    pub withdrawal: PaymentId,
    /// The operator's own id of the withdrawal.
    pub reference: &'a ExternalId,
    /// What is paid out.
    pub amount: Money,
    /// What the player pays for it, besides.
    pub fee: Money,
    pub currency: Currency,
    pub state: WithdrawalState,
}

impl<'a> WithdrawalView<'a> {
    pub fn of(withdrawal: &'a Withdrawal) -> Self {
        let money = |units| Money::new(units, withdrawal.currency);
        Self {
            withdrawal: withdrawal.id,
            reference: &withdrawal.reference,
            amount: money(withdrawal.units),
            fee: money(withdrawal.fee_units),
            currency: withdrawal.currency,
            state: withdrawal.state,
        }
    }
}

/// `withdrawal.requested`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalRequested<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// How many people have to approve it.
    pub approvers_needed: u8,
}

/// `withdrawal.review_started`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalReviewStarted<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// Why the server itself wants it looked at. Reasons may be added.
    pub reasons: &'a [ReviewReason],
    /// Who began; absent when the server did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'a By>,
}

/// `withdrawal.on_hold`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalOnHold<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// What it waits for. Reasons may be added.
    pub reason: ReviewReason,
    pub by: &'a By,
}

/// `withdrawal.hold_cleared`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalHoldCleared<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    pub by: &'a By,
}

/// `withdrawal.approved`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalApproved<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// How many people have approved it by now.
    pub level: usize,
    /// How many have to.
    pub of: u8,
    /// Absent when nobody has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'a By>,
}

/// `withdrawal.cancelled`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalCancelled<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// Whose key told of the player's wish.
    pub by: &'a By,
}

/// `withdrawal.rejected`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalRejected<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// Why, in the words of whoever rejected it.
    pub reason: &'a str,
    pub by: &'a By,
}

/// `withdrawal.expired`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WithdrawalExpired<'a>(pub WithdrawalView<'a>);

/// `withdrawal.confiscated`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalConfiscated<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// Why, in the words of whoever asked for it.
    pub reason: &'a str,
    pub by: &'a MakerChecker,
}

/// `withdrawal.processing`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WithdrawalProcessing<'a>(pub WithdrawalView<'a>);

/// `withdrawal.unknown`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WithdrawalUnknown<'a>(pub WithdrawalView<'a>);

/// `withdrawal.paid`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalPaid<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// The payment provider's own id.
    pub provider_reference: &'a ExternalId,
}

/// `withdrawal.failed`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalFailed<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// Why, as the payment provider told it.
    pub reason: &'a str,
}

/// `withdrawal.returned`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalReturned<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// Why, as the bank told it.
    pub reason: &'a str,
}

/// One of those that took a withdrawal's place.
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalPart {
    pub withdrawal: PaymentId,
    pub amount: Money,
    pub fee: Money,
}

/// `withdrawal.split`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WithdrawalSplit<'a> {
    #[serde(flatten)]
    pub withdrawal: WithdrawalView<'a>,
    /// What took its place, approved as it was.
    pub parts: Vec<WithdrawalPart>,
}
