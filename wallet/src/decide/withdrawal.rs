//! Withdrawals: what each step of [`WithdrawalStep`] moves and tells. Which step is possible where is one table, beside
//! the states.
//!
//! A hold ends once (INV-9): every step that lets it go is recorded under a key of the withdrawal and its kind, and
//! whatever gives money back to the player has the same kind, so that the ledger itself refuses a second one.

use super::{
    Stop,
    draft::{Draft, Lookup, Movement},
    keys::{cashier_key, payment_fingerprint, payment_key},
    stored::mismatch,
};
use crate::{
    Account, By, Fact, Funding, IdError, Kind, Money, Payment, PaymentId, PaymentReply, Person,
    ProviderId, Receipt, Refusal, RefusalCode, Reply, RequestWithdrawal, Withdrawal,
    WithdrawalState, WithdrawalStep,
    event_data::{
        Hold, HoldCaptured, HoldPlaced, HoldReleased, WithdrawalApproved, WithdrawalCancelled,
        WithdrawalConfiscated, WithdrawalCredited, WithdrawalExpired, WithdrawalFailed,
        WithdrawalHoldCleared, WithdrawalOnHold, WithdrawalPaid, WithdrawalPart,
        WithdrawalProcessing, WithdrawalRejected, WithdrawalRequested, WithdrawalReturned,
        WithdrawalReviewStarted, WithdrawalSplit, WithdrawalUnknown, WithdrawalView,
    },
};

/// Where confiscated money goes to: the house's side of no game provider.
const CASHIER: &str = "cashier";
/// Into how many parts a withdrawal is split at most.
const PARTS_MAX: usize = 20;

fn malformed(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(RefusalCode::Malformed, detail.to_string())
}

fn made<T>(of: Result<T, IdError>) -> Result<T, Refusal> {
    of.map_err(malformed)
}

/// Holds the money, in one transaction with the checks. Whoever is blocked or excluded may still withdraw.
pub(super) fn request(
    draft: &mut Draft<'_, '_>,
    request: &RequestWithdrawal,
) -> Result<Reply, Stop> {
    let Money { units, currency } = request.amount;
    let terms = &request.terms;
    if units <= 0 || terms.fee_units < 0 {
        return Err(malformed("a withdrawal is above 0").into());
    }
    let total = units
        .checked_add(terms.fee_units)
        .ok_or_else(|| malformed("the amount is too large"))?;
    let key = made(cashier_key(Kind::Withdrawal, &request.reference))?;
    let destination = request.destination.as_deref().unwrap_or_default();
    let fingerprint = payment_fingerprint(Kind::Withdrawal, request.amount, destination);
    match draft.stored(&key) {
        Lookup::Found(stored)
            if stored.player == draft.state().id && stored.fingerprint == fingerprint =>
        {
            let payment = draft.payment(PaymentId(stored.receipt.transaction.0))?;
            return Err(Stop::Answer(answer(payment, true)));
        }
        Lookup::Found(stored) => return Err(mismatch(draft, &stored).into()),
        Lookup::Unknown => return Err(Stop::Need(vec![Fact::Transaction(key)])),
        Lookup::Absent => {}
    }
    let wallet = draft.wallet(currency)?;
    if wallet.withdrawable() < total {
        let detail = "not that much may be withdrawn";
        return Err(Refusal::new(RefusalCode::InsufficientFunds, detail)
            .with_balance(Some(wallet.balance()))
            .into());
    }
    let mut movement = Movement::record(key, fingerprint);
    movement.postings = draft.post(
        currency,
        &[
            (Account::Cash, -total),
            (Account::WithdrawalHold, units),
            (Account::WithdrawalFeeHold, terms.fee_units),
        ],
    )?;
    movement.amount = Some(Money::new(total, currency));
    movement.funding = cash(total);
    let receipt = draft.record(movement);
    let mut withdrawal = Withdrawal {
        id: PaymentId(receipt.transaction.0),
        reference: request.reference.clone(),
        currency,
        units,
        fee_units: terms.fee_units,
        state: WithdrawalState::Requested,
        destination: request.destination.clone(),
        // Whatever has to be looked at, somebody has to approve.
        approvers_needed: terms.approvers.max(u8::from(!terms.review.is_empty())),
        may_cancel: terms.may_cancel,
        requester: request.by.clone(),
        approvers: Vec::new(),
        review: terms.review.clone(),
        hold: None,
        reason: None,
        provider_reference: None,
        ended_by: None,
        part_of: None,
        parts: Vec::new(),
        requested_at: draft.now(),
        changed_at: draft.now(),
        expires_at: terms.expires_at,
    };
    let requested = WithdrawalRequested {
        withdrawal: WithdrawalView::of(&withdrawal),
        approvers_needed: withdrawal.approvers_needed,
    };
    draft.event(Some(receipt.transaction), &requested);
    let placed = HoldPlaced(Hold::of(&withdrawal, total, &receipt));
    draft.event(Some(receipt.transaction), &placed);
    begin(draft, &mut withdrawal);
    Ok(put(draft, withdrawal, true))
}

/// What nobody has to approve is approved at once; what there is a reason to look at is in review at once.
fn begin(draft: &mut Draft<'_, '_>, withdrawal: &mut Withdrawal) {
    if withdrawal.approvers_needed == 0 {
        withdrawal.state = WithdrawalState::Approved;
        announce_approval(draft, withdrawal, None);
    } else if !withdrawal.review.is_empty() {
        withdrawal.state = WithdrawalState::InReview;
        announce_review(draft, withdrawal, None);
    }
}

/// Whoever comes second gets the state that the first one made.
pub(super) fn step(
    draft: &mut Draft<'_, '_>,
    id: PaymentId,
    step: &WithdrawalStep,
) -> Result<Reply, Stop> {
    let Payment::Withdrawal(mut withdrawal) = draft.payment(id)? else {
        return Err(Stop::refuse(
            RefusalCode::UnknownPayment,
            "the player has no such withdrawal",
        ));
    };
    let from = withdrawal.state;
    if is_done(&withdrawal, step)? {
        let payment = Payment::Withdrawal(withdrawal);
        return Err(Stop::Answer(answer(payment, true)));
    }
    if !step.is_possible_in(from) {
        let detail = format!("the withdrawal is {}", from.as_str());
        return Err(Stop::refuse(RefusalCode::PaymentState, detail));
    }
    check(draft, &withdrawal, step)?;
    withdrawal.changed_at = draft.now();
    if let WithdrawalStep::Approve { by } = step {
        approve(draft, &mut withdrawal, by);
    } else {
        withdrawal.state = step.target();
        carry_out(draft, &mut withdrawal, from, step)?;
    }
    Ok(put(draft, withdrawal, false))
}

/// Whether the same was done before.
fn is_done(withdrawal: &Withdrawal, step: &WithdrawalStep) -> Result<bool, Refusal> {
    match step {
        WithdrawalStep::Approve { by } => {
            let mut approvers = withdrawal.approvers.iter();
            let is_his = approvers.any(|one| one.by.key == by.by.key);
            let is_approved = withdrawal.state == WithdrawalState::Approved;
            Ok(is_his && (is_approved || step.is_possible_in(withdrawal.state)))
        }
        WithdrawalStep::Hold { reason, .. } => {
            Ok(withdrawal.state == WithdrawalState::OnHold && withdrawal.hold == Some(*reason))
        }
        WithdrawalStep::Pay { provider_reference } => {
            let known = withdrawal.provider_reference.as_ref();
            if known.is_some_and(|known| known != provider_reference) {
                let detail = "it was paid under another id of the payment provider";
                return Err(Refusal::new(RefusalCode::TransactionMismatch, detail));
            }
            Ok(withdrawal.state == WithdrawalState::Paid)
        }
        _ => Ok(withdrawal.state == step.target()),
    }
}

/// What a step asks for besides the state.
fn check(
    draft: &Draft<'_, '_>,
    withdrawal: &Withdrawal,
    step: &WithdrawalStep,
) -> Result<(), Refusal> {
    match step {
        WithdrawalStep::Approve { by } => {
            let mut others = withdrawal.approvers.iter().chain([&withdrawal.requester]);
            if others.all(|other| by.is_another_than(other)) {
                return Ok(());
            }
            let detail = "whoever asked for it or approved it is not another person";
            Err(Refusal::new(RefusalCode::SamePerson, detail))
        }
        WithdrawalStep::Cancel { .. } if !withdrawal.may_cancel => {
            let detail = "a withdrawal is not cancelled by the player here";
            Err(Refusal::new(RefusalCode::CancelRefused, detail))
        }
        WithdrawalStep::Expire if withdrawal.expires_at.is_none_or(|at| at > draft.now()) => {
            let detail = "the withdrawal has time left";
            Err(Refusal::new(RefusalCode::PaymentState, detail))
        }
        WithdrawalStep::Split { parts } => {
            let sum: i128 = parts.iter().map(|units| i128::from(*units)).sum();
            let is_whole = sum == i128::from(withdrawal.units);
            let is_sound = (2..=PARTS_MAX).contains(&parts.len());
            if is_whole && is_sound && parts.iter().all(|units| *units > 0) {
                return Ok(());
            }
            Err(malformed(format!(
                "the parts are 2 to {PARTS_MAX}, above 0, and come to the amount"
            )))
        }
        _ => Ok(()),
    }
}

fn approve(draft: &mut Draft<'_, '_>, withdrawal: &mut Withdrawal, by: &Person) {
    withdrawal.approvers.push(by.clone());
    if withdrawal.approvers.len() >= usize::from(withdrawal.approvers_needed) {
        withdrawal.state = WithdrawalState::Approved;
    }
    announce_approval(draft, withdrawal, Some(&by.by));
}

/// What follows from a step that was found possible; the withdrawal has its new state.
fn carry_out(
    draft: &mut Draft<'_, '_>,
    withdrawal: &mut Withdrawal,
    from: WithdrawalState,
    step: &WithdrawalStep,
) -> Result<(), Refusal> {
    match step {
        // Carried out apart: it may leave the state as it was.
        WithdrawalStep::Approve { .. } => {}
        WithdrawalStep::StartReview { by } => announce_review(draft, withdrawal, Some(by)),
        WithdrawalStep::Hold { reason, by } => {
            withdrawal.hold = Some(*reason);
            let on_hold = WithdrawalOnHold {
                withdrawal: WithdrawalView::of(withdrawal),
                reason: *reason,
                by,
            };
            draft.event(None, &on_hold);
        }
        WithdrawalStep::ClearHold { by } => {
            withdrawal.hold = None;
            let cleared = WithdrawalHoldCleared {
                withdrawal: WithdrawalView::of(withdrawal),
                by,
            };
            draft.event(None, &cleared);
        }
        WithdrawalStep::Cancel { by } => {
            let receipt = release(draft, withdrawal, from)?;
            let cancelled = WithdrawalCancelled {
                withdrawal: WithdrawalView::of(withdrawal),
                by,
            };
            draft.event(Some(receipt.transaction), &cancelled);
            announce_release(draft, withdrawal, &receipt);
        }
        WithdrawalStep::Reject { reason, by } => {
            withdrawal.reason = Some(reason.clone());
            let receipt = release(draft, withdrawal, from)?;
            let rejected = WithdrawalRejected {
                withdrawal: WithdrawalView::of(withdrawal),
                reason,
                by,
            };
            draft.event(Some(receipt.transaction), &rejected);
            announce_release(draft, withdrawal, &receipt);
        }
        WithdrawalStep::Expire => {
            let receipt = release(draft, withdrawal, from)?;
            let expired = WithdrawalExpired(WithdrawalView::of(withdrawal));
            draft.event(Some(receipt.transaction), &expired);
            announce_release(draft, withdrawal, &receipt);
        }
        WithdrawalStep::Confiscate { reason, by } => {
            withdrawal.reason = Some(reason.clone());
            let house = Account::House(made(ProviderId::new(CASHIER))?);
            let (units, fee) = (withdrawal.units, withdrawal.fee_units);
            let legs = [
                (Account::WithdrawalHold, -units),
                (Account::WithdrawalFeeHold, -fee),
                (house, units.saturating_add(fee)),
            ];
            let receipt = record(draft, withdrawal, Kind::WithdrawalConfiscation, &legs)?;
            withdrawal.ended_by = Some(receipt.transaction);
            let confiscated = WithdrawalConfiscated {
                withdrawal: WithdrawalView::of(withdrawal),
                reason,
                by,
            };
            draft.event(Some(receipt.transaction), &confiscated);
            announce_capture(draft, withdrawal, &receipt);
        }
        WithdrawalStep::Send => {
            let legs = [
                (Account::WithdrawalHold, -withdrawal.units),
                (Account::PspTransit, withdrawal.units),
            ];
            let receipt = record(draft, withdrawal, Kind::WithdrawalPayout, &legs)?;
            let processing = WithdrawalProcessing(WithdrawalView::of(withdrawal));
            draft.event(Some(receipt.transaction), &processing);
        }
        WithdrawalStep::LoseSight => {
            let unknown = WithdrawalUnknown(WithdrawalView::of(withdrawal));
            draft.event(None, &unknown);
        }
        WithdrawalStep::Pay { provider_reference } => {
            withdrawal.provider_reference = Some(provider_reference.clone());
            let (units, fee) = (withdrawal.units, withdrawal.fee_units);
            let legs = [
                (Account::PspTransit, -units),
                (Account::PspClearing, units),
                (Account::WithdrawalFeeHold, -fee),
                (Account::Fees, fee),
            ];
            let receipt = record(draft, withdrawal, Kind::WithdrawalPaid, &legs)?;
            withdrawal.ended_by = Some(receipt.transaction);
            let paid = WithdrawalPaid {
                withdrawal: WithdrawalView::of(withdrawal),
                provider_reference,
            };
            draft.event(Some(receipt.transaction), &paid);
            announce_capture(draft, withdrawal, &receipt);
        }
        WithdrawalStep::Fail { reason } => {
            withdrawal.reason = Some(reason.clone());
            let receipt = release(draft, withdrawal, from)?;
            let failed = WithdrawalFailed {
                withdrawal: WithdrawalView::of(withdrawal),
                reason,
            };
            draft.event(Some(receipt.transaction), &failed);
            announce_release(draft, withdrawal, &receipt);
        }
        WithdrawalStep::Return { reason } => {
            withdrawal.reason = Some(reason.clone());
            // The fee was earned when it was paid.
            let legs = [
                (Account::PspClearing, -withdrawal.units),
                (Account::Cash, withdrawal.units),
            ];
            let receipt = record(draft, withdrawal, Kind::WithdrawalReturn, &legs)?;
            let returned = WithdrawalReturned {
                withdrawal: WithdrawalView::of(withdrawal),
                reason,
            };
            draft.event(Some(receipt.transaction), &returned);
            let credited = Hold::of(withdrawal, withdrawal.units, &receipt);
            draft.event(Some(receipt.transaction), &WithdrawalCredited(credited));
        }
        WithdrawalStep::Split { parts } => split(draft, withdrawal, parts),
    }
    Ok(())
}

/// The money stays where it is held; the parts are approved as the whole was, and the first bears the fee.
fn split(draft: &mut Draft<'_, '_>, whole: &mut Withdrawal, parts: &[i64]) {
    let mut fee_units = whole.fee_units;
    let mut told = Vec::with_capacity(parts.len());
    for units in parts {
        let part = Withdrawal {
            id: PaymentId(draft.new_id()),
            units: *units,
            fee_units,
            state: WithdrawalState::Approved,
            part_of: Some(whole.id),
            ..whole.clone()
        };
        let money = |units| Money::new(units, part.currency);
        told.push(WithdrawalPart {
            withdrawal: part.id,
            amount: money(part.units),
            fee: money(part.fee_units),
        });
        fee_units = 0;
        draft.put_payment(Payment::Withdrawal(part), true);
    }
    whole.parts = told.iter().map(|part| part.withdrawal).collect();
    let split = WithdrawalSplit {
        withdrawal: WithdrawalView::of(whole),
        parts: told,
    };
    draft.event(None, &split);
}

/// The one way back to the player, wherever the money is by now.
fn release(
    draft: &mut Draft<'_, '_>,
    withdrawal: &mut Withdrawal,
    from: WithdrawalState,
) -> Result<Receipt, Refusal> {
    let held = if from.is_in_transit() {
        Account::PspTransit
    } else {
        Account::WithdrawalHold
    };
    let (units, fee) = (withdrawal.units, withdrawal.fee_units);
    let legs = [
        (held, -units),
        (Account::WithdrawalFeeHold, -fee),
        (Account::Cash, units.saturating_add(fee)),
    ];
    let receipt = record(draft, withdrawal, Kind::WithdrawalRelease, &legs)?;
    withdrawal.ended_by = Some(receipt.transaction);
    Ok(receipt)
}

/// Moves money of a withdrawal. The record tells what that is for the player's cash, or what is sent on without it.
fn record(
    draft: &mut Draft<'_, '_>,
    withdrawal: &Withdrawal,
    kind: Kind,
    legs: &[(Account, i64)],
) -> Result<Receipt, Refusal> {
    let to_player = legs.iter().find(|(account, _)| *account == Account::Cash);
    let to_player = to_player.map_or(0, |(_, units)| *units);
    let amount = Money::new(to_player.max(withdrawal.units), withdrawal.currency);
    let key = made(payment_key(kind, withdrawal.id))?;
    let mut movement = Movement::record(key, payment_fingerprint(kind, amount, ""));
    movement.postings = draft.post(withdrawal.currency, legs)?;
    movement.amount = Some(amount);
    movement.funding = cash(to_player);
    Ok(draft.record(movement))
}

const fn cash(units: i64) -> Funding {
    Funding {
        cash: units,
        bonus: 0,
    }
}

fn announce_review(draft: &mut Draft<'_, '_>, withdrawal: &Withdrawal, by: Option<&By>) {
    let started = WithdrawalReviewStarted {
        withdrawal: WithdrawalView::of(withdrawal),
        reasons: &withdrawal.review,
        by,
    };
    draft.event(None, &started);
}

fn announce_approval(draft: &mut Draft<'_, '_>, withdrawal: &Withdrawal, by: Option<&By>) {
    let approved = WithdrawalApproved {
        withdrawal: WithdrawalView::of(withdrawal),
        level: withdrawal.approvers.len(),
        of: withdrawal.approvers_needed,
        by,
    };
    draft.event(None, &approved);
}

fn announce_release(draft: &mut Draft<'_, '_>, withdrawal: &Withdrawal, receipt: &Receipt) {
    let released = HoldReleased(Hold::of(withdrawal, receipt.units, receipt));
    draft.event(Some(receipt.transaction), &released);
}

fn announce_capture(draft: &mut Draft<'_, '_>, withdrawal: &Withdrawal, receipt: &Receipt) {
    let units = withdrawal.units.saturating_add(withdrawal.fee_units);
    let captured = HoldCaptured(Hold::of(withdrawal, units, receipt));
    draft.event(Some(receipt.transaction), &captured);
}

fn put(draft: &mut Draft<'_, '_>, withdrawal: Withdrawal, is_new: bool) -> Reply {
    let payment = Payment::Withdrawal(withdrawal);
    draft.put_payment(payment.clone(), is_new);
    answer(payment, false)
}

fn answer(payment: Payment, replayed: bool) -> Reply {
    Reply::Payment(Box::new(PaymentReply { payment, replayed }))
}
