//! Accounts: opening, registration, status.

use super::{Stop, draft::Draft, session};
use crate::{
    Currency, Registration, Reply, SessionEnd, SetStatus, Wallet,
    event_data::{AccountOpened, Registered, StatusChanged},
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
        reason: &set.reason,
        by: &set.by,
    };
    draft.event(None, &changed);
    draft.set_status(set.status);
    Ok(Reply::Done)
}
