//! Accounts: opening, deposits, status.

use super::{
    Stop,
    draft::{Draft, Lookup, Movement},
    keys::{deposit_fingerprint, deposit_key},
    stored::{mismatch, replay, settled},
};
use crate::{
    Account, BalanceView, Currency, Deposit, Fact, Funding, Money, PlayerStatus, Refusal,
    RefusalCode, Reply, Wallet,
    event_data::{AccountOpened, DepositCompleted},
};

pub(super) fn open(draft: &mut Draft<'_, '_>, currency: Currency) -> Result<Reply, Stop> {
    if let Ok(balance) = draft.balance(currency) {
        return Ok(Reply::Balance(balance));
    }
    let wallet = Wallet {
        currency,
        cash: 0,
        receivable: 0,
        has_receivable: false,
        held: 0,
    };
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

pub(super) fn set_status(draft: &mut Draft<'_, '_>, status: PlayerStatus) -> Result<Reply, Stop> {
    draft.set_status(status);
    Ok(Reply::Done)
}
