//! The stored transaction comes first (T3): repeats, mismatches, tombstones, burned ids.

use super::{
    Stop,
    draft::{Draft, Lookup, Movement},
    keys::{OwnKey, play_facts},
};
use crate::{
    Fact, Fingerprint, Funding, LateBet, Play, PlayCommand, Receipt, Refusal, RefusalCode, Reply,
    Settled, StoredTransaction, TransactionState,
};

/// Stops with the stored answer when the request came before; goes on when it is new, as far as is known.
pub(super) fn answer_repeat(
    draft: &Draft<'_, '_>,
    play: &Play,
    own: &[OwnKey],
) -> Result<(), Stop> {
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for OwnKey { key, fingerprint } in own {
        match draft.stored(key) {
            Lookup::Found(stored) => found.push((stored, fingerprint)),
            Lookup::Unknown => unknown.push(Fact::Transaction(key.clone())),
            Lookup::Absent => {}
        }
    }
    // Of several rollbacks each is answered for itself: what came before, and what is new.
    if found.is_empty() || matches!(play.command, PlayCommand::Rollbacks(_)) {
        return refuse_mismatches(draft, &found);
    }
    // What memory happens to know of a batch must not choose its answer: all of it is known, or asked for.
    if !unknown.is_empty() {
        return Err(Stop::Need(unknown));
    }
    let mut receipts = Vec::with_capacity(found.len());
    let mut is_late = false;
    for (stored, fingerprint) in found {
        if stored.player != draft.state().id {
            return Err(mismatch(draft, &stored).into());
        }
        if stored.state == TransactionState::Tombstone {
            receipts.push(late(draft, play, &stored)?);
            is_late = true;
            continue;
        }
        if stored.fingerprint != *fingerprint {
            return Err(mismatch(draft, &stored).into());
        }
        if let Some(refusal) = stored.refusal {
            return Err(refusal.into());
        }
        receipts.push(stored.receipt);
    }
    if receipts.len() == own.len() {
        return Err(Stop::Answer(replay(draft, receipts)));
    }
    if is_late {
        let detail = "a part of this batch was rolled back before it came";
        return Err(Stop::refuse(RefusalCode::RolledBack, detail));
    }
    let detail = "a part of this batch came before, and a part did not";
    Err(Stop::refuse(RefusalCode::TransactionMismatch, detail))
}

/// Whoever has an id with other data is refused before anything is done.
fn refuse_mismatches(
    draft: &Draft<'_, '_>,
    found: &[(StoredTransaction, &Fingerprint)],
) -> Result<(), Stop> {
    let is_other = |(stored, fingerprint): &&(StoredTransaction, &Fingerprint)| {
        stored.player != draft.state().id || stored.fingerprint != **fingerprint
    };
    match found.iter().find(is_other) {
        Some((stored, _)) => Err(mismatch(draft, stored).into()),
        None => Ok(()),
    }
}

/// Receipts of a request that was carried out before.
pub(super) fn replay(draft: &Draft<'_, '_>, receipts: Vec<Receipt>) -> Reply {
    settled(draft, receipts, true)
}

/// The answer made of receipts, with the balance as it is now in the draft.
pub(super) fn settled(draft: &Draft<'_, '_>, receipts: Vec<Receipt>, replayed: bool) -> Reply {
    let currency = receipts.iter().rev().find_map(|receipt| receipt.currency);
    let current = currency.and_then(|currency| draft.balance(currency).ok());
    Reply::Settled(Settled {
        receipts,
        replayed,
        current,
    })
}

pub(super) fn mismatch(draft: &Draft<'_, '_>, stored: &StoredTransaction) -> Refusal {
    let detail = format!(
        "{} {:?} came before with other data",
        stored.key.kind.as_str(),
        stored.key.external_id.as_str()
    );
    let refusal = Refusal::new(RefusalCode::TransactionMismatch, detail);
    // Another player's data is none of this caller's business.
    if stored.player == draft.state().id {
        refusal.with_original(&stored.receipt)
    } else {
        refusal
    }
}

/// A bet or win whose rollback came first (T5).
fn late(
    draft: &Draft<'_, '_>,
    play: &Play,
    tombstone: &StoredTransaction,
) -> Result<Receipt, Stop> {
    // In a batch also a win: a provider that has both in one call means both.
    let currency = match &play.command {
        PlayCommand::Bet(bet) => Some(bet.amount.currency),
        PlayCommand::BetWin(batch) => Some(batch.currency),
        _ => None,
    };
    match currency {
        Some(currency) if play.origin.policy.late_bet == LateBet::Accept => Ok(Receipt {
            kind: tombstone.key.kind,
            external_id: tombstone.key.external_id.clone(),
            currency: Some(currency),
            units: 0,
            funding: Funding::default(),
            tombstone: true,
            balance: draft.balance(currency).ok(),
            ..tombstone.receipt.clone()
        }),
        _ => Err(Stop::refuse(
            RefusalCode::RolledBack,
            "it was rolled back before it came",
        )),
    }
}

/// A refusal goes out only when the ledger has been asked for the request's own keys (T3), and for all else
/// that it may turn on, so that it says the same whatever memory holds. By policy, the refusal of a bet uses
/// its id up (T4); what people decided is decided once, so its refusal always does.
pub(super) fn refuse(
    draft: &mut Draft<'_, '_>,
    play: &Play,
    own: &[OwnKey],
    refusal: Refusal,
) -> Result<Reply, Stop> {
    let mut unknown = play_facts(play);
    unknown.retain(|fact| draft.is_unknown(fact));
    if !unknown.is_empty() {
        return Err(Stop::Need(unknown));
    }
    let (amount, game) = match &play.command {
        PlayCommand::Bet(bet) if play.origin.policy.refusal_burns_id => {
            (Some(bet.amount), &bet.game)
        }
        PlayCommand::VoidRound(void) if void.by.is_some() => (None, &void.game),
        _ => return Err(refusal.into()),
    };
    let [only] = own else {
        return Err(refusal.into());
    };
    // Another transaction has the id: there is nothing to use up.
    if !matches!(draft.stored(&only.key), Lookup::Absent) {
        return Err(refusal.into());
    }
    draft.clear();
    let mut burned = Movement::record(only.key.clone(), only.fingerprint);
    burned.amount = amount;
    burned.game = Some(game.clone());
    Err(burn(draft, burned, refusal))
}

/// Records that an id was used up by a refusal.
pub(super) fn burn(draft: &mut Draft<'_, '_>, mut burned: Movement, refusal: Refusal) -> Stop {
    burned.state = TransactionState::Refused;
    burned.refusal = Some(refusal.clone());
    draft.record(burned);
    Stop::Burn(refusal)
}
