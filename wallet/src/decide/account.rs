//! Accounts: opening, deposits, status.

use super::{
    Stop,
    draft::{Draft, Lookup, Movement},
    keys::{deposit_fingerprint, deposit_key},
    session,
    stored::{mismatch, replay, settled},
};
use crate::{
    Account, BalanceView, Currency, Deposit, Fact, Funding, Money, Refusal, RefusalCode,
    Registration, Reply, SessionEnd, SetStatus, Wallet,
    event_data::{AccountOpened, DepositCompleted, Registered, StatusChanged},
};

pub(super) fn open(draft: &mut Draft<'_, '_>, currency: Currency) -> Result<Reply, Stop> {
    if let Ok(balance) = draft.balance(currency) {
        return Ok(Reply::Balance(balance));
    }
    let wallet = Wallet::new(currency);
    draft.put_wallet(wallet);
    let opened = AccountOpened {
        currency,
        balance: wallet.balance().into(),
    };
    draft.event(None, &opened);
    Ok(Reply::Balance(wallet.balance()))
}

pub(super) fn deposit(draft: &mut Draft<'_, '_>, deposit: &Deposit) -> Result<Reply, Stop> {
    let malformed = |detail: String| Refusal::new(RefusalCode::Malformed, detail);
    let Money { units, currency } = deposit.amount;
    if units <= 0 {
        return Err(malformed("a deposit is above 0".to_owned()).into());
    }
    let key = deposit_key(deposit).map_err(|error| malformed(error.to_string()))?;
    let fingerprint = deposit_fingerprint(deposit.amount);
    match draft.stored(&key) {
        Lookup::Found(stored)
            if stored.player == draft.state().id && stored.fingerprint == fingerprint =>
        {
            return Err(Stop::Answer(replay(draft, vec![stored.receipt])));
        }
        Lookup::Found(stored) => return Err(mismatch(draft, &stored).into()),
        // The reference is unique among all players, whom this actor does not know: ask at once.
        Lookup::Unknown => return Err(Stop::Need(vec![Fact::Transaction(key)])),
        Lookup::Absent => {}
    }
    if !draft.state().status.may_enter() {
        let detail = "the player may not bring money";
        return Err(Refusal::new(RefusalCode::PlayerBlocked, detail).into());
    }
    let postings = draft.post(
        currency,
        &[(Account::PspClearing, -units), (Account::Cash, units)],
    )?;
    let mut movement = Movement::record(key, fingerprint);
    movement.amount = Some(deposit.amount);
    movement.funding = Funding {
        cash: units,
        bonus: 0,
    };
    movement.postings = postings;
    let receipt = draft.record(movement);
    let deposited = DepositCompleted {
        reference: &deposit.reference,
        amount: deposit.amount,
        currency,
        balance: receipt.balance.map(BalanceView::from),
    };
    draft.event(Some(receipt.transaction), &deposited);
    Ok(settled(draft, vec![receipt], false))
}

/// The first thing that is told of a player: whoever registers him again changes nothing.
pub(super) fn register(
    draft: &mut Draft<'_, '_>,
    registration: &Registration,
) -> Result<Reply, Stop> {
    if draft.state().last_event == 0 {
        let registered = Registered {
            country: &registration.country,
            language: &registration.language,
            test: registration.test,
        };
        draft.event(None, &registered);
    }
    Ok(Reply::Done)
}

/// A player who may not enter has no session either: all of them end in the same decision.
pub(super) fn set_status(draft: &mut Draft<'_, '_>, set: &SetStatus) -> Result<Reply, Stop> {
    if !set.status.may_enter() {
        session::end_all(draft, SessionEnd::Blocked)?;
    }
    let changed = StatusChanged {
        status: set.status,
        from: draft.state().status,
        reason: Some(&set.reason),
        by: Some(&set.by),
    };
    draft.event(None, &changed);
    draft.set_status(set.status);
    Ok(Reply::Done)
}
