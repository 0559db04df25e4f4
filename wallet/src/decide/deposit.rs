//! Deposits: at once, or announced and carried out by a payment provider.
//!
//! Only a deposit that was completed has moved money, and it has one ledger transaction for that, under the payment
//! provider's own id: however often, and of whichever deposit, that id is told, it moves once (INV-4).

use super::{
    Stop,
    draft::{Draft, Lookup, Movement},
    keys::{
        deposit_fingerprint, deposit_keys, payment_fingerprint, payment_key, provider_payment_key,
    },
    rollback, round,
    stored::{mismatch, replay, settled},
};
use crate::{
    Account, BalanceView, Deposit, DepositOrder, DepositState, DepositStep, ExternalId, Fact,
    Funding, IdError, InitiateDeposit, Kind, Money, Payment, PaymentId, PaymentReply, Receipt,
    Refusal, RefusalCode, Reply, TransactionKey,
    event_data::{
        DepositCompleted, DepositFailed, DepositInitiated, DepositPending, DepositReversed,
        DepositView,
    },
};

fn malformed(detail: impl std::fmt::Display) -> Refusal {
    Refusal::new(RefusalCode::Malformed, detail.to_string())
}

fn keys<T>(made: Result<T, IdError>) -> Result<T, Refusal> {
    made.map_err(malformed)
}

/// A deposit that is complete when it is told.
pub(super) fn decide(draft: &mut Draft<'_, '_>, deposit: &Deposit) -> Result<Reply, Stop> {
    check_amount(deposit.amount)?;
    let [key, announced] = keys(deposit_keys(&deposit.reference))?;
    let fingerprint = deposit_fingerprint(deposit.amount);
    // The reference is unique among all players, whom this actor does not know: ask at once.
    ask(draft, &[&key, &announced])?;
    match draft.stored(&key) {
        Lookup::Found(stored)
            if stored.player == draft.state().id && stored.fingerprint == fingerprint =>
        {
            return Err(Stop::Answer(replay(draft, vec![stored.receipt])));
        }
        Lookup::Found(stored) => return Err(mismatch(draft, &stored).into()),
        Lookup::Unknown | Lookup::Absent => {}
    }
    // It was announced: only the payment provider's notice completes it.
    if let Lookup::Found(stored) = draft.stored(&announced) {
        return Err(mismatch(draft, &stored).into());
    }
    check_entry(draft)?;
    let receipt = credit(draft, deposit.amount, Movement::record(key, fingerprint))?;
    let order = DepositOrder {
        id: PaymentId(receipt.transaction.0),
        reference: deposit.reference.clone(),
        currency: deposit.amount.currency,
        units: deposit.amount.units,
        state: DepositState::Completed,
        provider_reference: None,
        reason: None,
        completed_by: Some(receipt.transaction),
        initiated_at: draft.now(),
        changed_at: draft.now(),
        expires_at: None,
    };
    announce_completed(draft, &order, &receipt);
    draft.put_payment(Payment::Deposit(order), true);
    Ok(settled(draft, vec![receipt], false))
}

/// Announces a deposit: a record without a movement.
pub(super) fn initiate(
    draft: &mut Draft<'_, '_>,
    initiate: &InitiateDeposit,
) -> Result<Reply, Stop> {
    let Money { units, currency } = initiate.amount;
    check_amount(initiate.amount)?;
    let [completed, key] = keys(deposit_keys(&initiate.reference))?;
    let fingerprint = payment_fingerprint(Kind::DepositRequest, initiate.amount, "");
    ask(draft, &[&completed, &key])?;
    match draft.stored(&key) {
        Lookup::Found(stored)
            if stored.player == draft.state().id && stored.fingerprint == fingerprint =>
        {
            let payment = draft.payment(PaymentId(stored.receipt.transaction.0))?;
            return Err(Stop::Answer(answer(payment, true)));
        }
        Lookup::Found(stored) => return Err(mismatch(draft, &stored).into()),
        Lookup::Unknown | Lookup::Absent => {}
    }
    if let Lookup::Found(stored) = draft.stored(&completed) {
        return Err(mismatch(draft, &stored).into());
    }
    check_entry(draft)?;
    draft.wallet(currency)?;
    let mut movement = Movement::record(key, fingerprint);
    movement.amount = Some(initiate.amount);
    let receipt = draft.record(movement);
    let order = DepositOrder {
        id: PaymentId(receipt.transaction.0),
        reference: initiate.reference.clone(),
        currency,
        units,
        state: DepositState::Initiated,
        provider_reference: None,
        reason: None,
        completed_by: None,
        initiated_at: draft.now(),
        changed_at: draft.now(),
        expires_at: initiate.expires_at,
    };
    let initiated = DepositInitiated {
        deposit: DepositView::of(&order),
        expires_at: order.expires_at,
    };
    draft.event(Some(receipt.transaction), &initiated);
    Ok(put(draft, order, true))
}

/// What a payment provider, or the clock, tells of a deposit.
pub(super) fn step(
    draft: &mut Draft<'_, '_>,
    id: PaymentId,
    step: &DepositStep,
) -> Result<Reply, Stop> {
    let Payment::Deposit(mut order) = draft.payment(id)? else {
        return Err(Stop::refuse(
            RefusalCode::UnknownPayment,
            "the player has no such deposit",
        ));
    };
    check_provider_reference(&order, step)?;
    let from = order.state;
    if is_told_before(from, step) {
        let payment = Payment::Deposit(order);
        return Err(Stop::Answer(answer(payment, true)));
    }
    if !step.is_possible_in(from) {
        let detail = format!("the deposit is {}", from.as_str());
        return Err(Stop::refuse(RefusalCode::PaymentState, detail));
    }
    order.state = step.target();
    order.changed_at = draft.now();
    match step {
        DepositStep::Pend { provider_reference } => {
            order.provider_reference = Some(provider_reference.clone());
            draft.event(None, &DepositPending(DepositView::of(&order)));
        }
        DepositStep::Complete {
            provider_reference,
            amount,
        } => complete(draft, &mut order, provider_reference, *amount)?,
        DepositStep::Fail { reason } => {
            order.reason = Some(reason.clone());
            announce_failed(draft, &order);
        }
        DepositStep::Expire => {
            if order.expires_at.is_none_or(|at| at > draft.now()) {
                let detail = "the deposit has time left";
                return Err(Stop::refuse(RefusalCode::PaymentState, detail));
            }
            announce_failed(draft, &order);
        }
        DepositStep::Reverse { reason } | DepositStep::ChargeBack { reason } => {
            order.reason = Some(reason.clone());
            take_back(draft, &order, reason)?;
        }
    }
    Ok(put(draft, order, false))
}

/// Notices come twice, and out of order: that a payment is pending is no news once more is known.
fn is_told_before(from: DepositState, step: &DepositStep) -> bool {
    from == step.target()
        || matches!(step, DepositStep::Pend { .. }) && from != DepositState::Initiated
}

/// A deposit is one payment at the payment provider.
fn check_provider_reference(order: &DepositOrder, step: &DepositStep) -> Result<(), Refusal> {
    let (DepositStep::Pend { provider_reference }
    | DepositStep::Complete {
        provider_reference, ..
    }) = step
    else {
        return Ok(());
    };
    // One that failed may be paid by another try.
    let is_bound = !matches!(order.state, DepositState::Failed | DepositState::Expired);
    match &order.provider_reference {
        Some(known) if known != provider_reference && is_bound => Err(Refusal::new(
            RefusalCode::TransactionMismatch,
            "the deposit has another payment of the payment provider",
        )),
        _ => Ok(()),
    }
}

fn complete(
    draft: &mut Draft<'_, '_>,
    order: &mut DepositOrder,
    provider_reference: &ExternalId,
    amount: Money,
) -> Result<(), Stop> {
    if amount != Money::new(order.units, order.currency) {
        let detail = "the payment provider tells of another amount than was announced";
        return Err(Stop::refuse(RefusalCode::TransactionMismatch, detail));
    }
    let key = keys(provider_payment_key(provider_reference))?;
    ask(draft, &[&key])?;
    if let Lookup::Found(stored) = draft.stored(&key) {
        return Err(mismatch(draft, &stored).into());
    }
    order.provider_reference = Some(provider_reference.clone());
    order.reason = None;
    let fingerprint = payment_fingerprint(Kind::Deposit, amount, &order.id.to_string());
    let receipt = credit(draft, amount, Movement::record(key, fingerprint))?;
    order.completed_by = Some(receipt.transaction);
    announce_completed(draft, order, &receipt);
    Ok(())
}

/// Brings the money.
fn credit(
    draft: &mut Draft<'_, '_>,
    amount: Money,
    mut movement: Movement,
) -> Result<Receipt, Refusal> {
    let Money { units, currency } = amount;
    movement.postings = draft.post(
        currency,
        &[(Account::PspClearing, -units), (Account::Cash, units)],
    )?;
    movement.amount = Some(amount);
    movement.funding = Funding {
        cash: units,
        bonus: 0,
    };
    Ok(draft.record(movement))
}

/// Takes the money back: what the player no longer has, he owes.
fn take_back(draft: &mut Draft<'_, '_>, order: &DepositOrder, reason: &str) -> Result<(), Stop> {
    let amount = Money::new(order.units, order.currency);
    let key = keys(payment_key(Kind::DepositReversal, order.id))?;
    let fingerprint = payment_fingerprint(Kind::DepositReversal, amount, order.state.as_str());
    let mut movement = Movement::record(key, fingerprint);
    let cash = amount.units.min(draft.wallet(amount.currency)?.cash);
    movement.postings = draft.post(
        amount.currency,
        &[
            (Account::Cash, -cash),
            (Account::Receivable, cash - amount.units),
            (Account::PspClearing, amount.units),
        ],
    )?;
    movement.amount = Some(amount);
    movement.funding = Funding {
        cash: amount.units,
        bonus: 0,
    };
    let owed = rollback::owed(&movement.postings);
    let receipt = draft.record(movement);
    let reversed = DepositReversed {
        deposit: DepositView::of(order),
        reason,
        balance: receipt.balance.map(BalanceView::from),
    };
    draft.event(Some(receipt.transaction), &reversed);
    round::announce_debt(draft, &receipt, owed);
    Ok(())
}

fn announce_completed(draft: &mut Draft<'_, '_>, order: &DepositOrder, receipt: &Receipt) {
    let deposited = DepositCompleted {
        deposit: order.id,
        reference: &order.reference,
        provider_reference: order.provider_reference.as_ref(),
        amount: Money::new(order.units, order.currency),
        currency: order.currency,
        balance: receipt.balance.map(BalanceView::from),
    };
    draft.event(Some(receipt.transaction), &deposited);
}

fn announce_failed(draft: &mut Draft<'_, '_>, order: &DepositOrder) {
    let failed = DepositFailed {
        deposit: DepositView::of(order),
        reason: order.reason.as_deref(),
    };
    draft.event(None, &failed);
}

fn check_amount(amount: Money) -> Result<(), Refusal> {
    if amount.units <= 0 {
        return Err(malformed("a deposit is above 0"));
    }
    Ok(())
}

fn check_entry(draft: &Draft<'_, '_>) -> Result<(), Refusal> {
    if draft.state().status.may_enter() {
        return Ok(());
    }
    let detail = "the player may not bring money";
    Err(Refusal::new(RefusalCode::PlayerBlocked, detail))
}

/// Asks the ledger for all of these at once, unless they are known.
fn ask(draft: &Draft<'_, '_>, keys: &[&TransactionKey]) -> Result<(), Stop> {
    let facts = keys.iter().map(|key| Fact::Transaction((*key).clone()));
    let unknown: Vec<_> = facts.filter(|fact| draft.is_unknown(fact)).collect();
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Stop::Need(unknown))
    }
}

fn put(draft: &mut Draft<'_, '_>, order: DepositOrder, is_new: bool) -> Reply {
    let payment = Payment::Deposit(order);
    draft.put_payment(payment.clone(), is_new);
    answer(payment, false)
}

fn answer(payment: Payment, replayed: bool) -> Reply {
    Reply::Payment(Box::new(PaymentReply { payment, replayed }))
}
