//! Rollbacks: a correction that names what it takes back (T5, T7).

use super::{
    Stop,
    draft::{Draft, Lookup, Movement, REVERSIBLE},
    keys, round,
    stored::{replay, settled},
};
use crate::{
    Account, Fact, Fingerprint, Funding, Kind, Money, Origin, Posting, Receipt, Refusal,
    RefusalCode, Reply, Rollback, RollbackAfterWin, RollbackAmount, RollbackOfWin, Round, RoundKey,
    StoredTransaction, TransactionId, TransactionKey, TransactionState,
};

pub(super) fn decide(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    rollback: &Rollback,
) -> Result<Reply, Stop> {
    ask_for(draft, origin, std::slice::from_ref(rollback))?;
    match one(draft, origin, rollback)? {
        Done::Now(receipt) => Ok(settled(draft, vec![receipt], false)),
        Done::Before(receipt) => Err(Stop::Answer(replay(draft, vec![receipt]))),
    }
}

/// Several at once, in their order. Those that came before have their answers already.
pub(super) fn decide_list(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    list: &[Rollback],
) -> Result<Reply, Stop> {
    ask_for(draft, origin, list)?;
    let mut receipts = Vec::with_capacity(list.len());
    let mut is_new = false;
    for rollback in list {
        let own = keys::key(origin, Kind::Rollback, &rollback.transaction);
        receipts.push(match draft.stored(&own) {
            Lookup::Found(stored) => stored.receipt,
            Lookup::Absent | Lookup::Unknown => match one(draft, origin, rollback)? {
                Done::Now(receipt) => {
                    is_new = true;
                    receipt
                }
                Done::Before(receipt) => receipt,
            },
        });
    }
    if is_new {
        Ok(settled(draft, receipts, false))
    } else {
        Err(Stop::Answer(replay(draft, receipts)))
    }
}

/// What became of one rollback.
enum Done {
    Now(Receipt),
    /// Its target went back, or was blocked, by an earlier one.
    Before(Receipt),
}

/// A rollback is not decided on memory alone: the ledger knows whether its target has gone back.
fn ask_for(draft: &Draft<'_, '_>, origin: &Origin, rollbacks: &[Rollback]) -> Result<(), Stop> {
    let mut unknown = Vec::new();
    for rollback in rollbacks {
        let targets = REVERSIBLE.map(|kind| keys::key(origin, kind, &rollback.target));
        let of_target = targets
            .into_iter()
            .filter(|key| matches!(draft.stored_in_ledger(key), Lookup::Unknown))
            .map(Fact::Transaction);
        let known = unknown.len();
        unknown.extend(of_target);
        // The ledger must be asked anyway: then also whether this id came before with another target (T2).
        let own = keys::key(origin, Kind::Rollback, &rollback.transaction);
        if unknown.len() > known && matches!(draft.stored(&own), Lookup::Unknown) {
            unknown.push(Fact::Transaction(own));
        }
    }
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Stop::Need(unknown))
    }
}

fn one(draft: &mut Draft<'_, '_>, origin: &Origin, rollback: &Rollback) -> Result<Done, Stop> {
    let targets = REVERSIBLE.map(|kind| keys::key(origin, kind, &rollback.target));
    // A bet and a win may share the id (T1): the bet comes first.
    let mut entombed = None;
    let mut free = Vec::new();
    for key in targets {
        match draft.stored_in_ledger(&key) {
            Lookup::Unknown | Lookup::Absent => free.push(key),
            Lookup::Found(stored) if stored.player != draft.state().id => {
                let detail = "the target belongs to another player";
                return Err(Stop::refuse(RefusalCode::TransactionMismatch, detail));
            }
            Lookup::Found(stored) => match stored.state {
                TransactionState::Applied => {
                    return reverse(draft, origin, rollback, &stored, free);
                }
                TransactionState::Tombstone => entombed = Some(stored),
                // A refused bet never moved and its id is used up: there is nothing to block.
                TransactionState::Refused => {}
            },
        }
    }
    if let Some(tombstone) = entombed {
        return Ok(Done::Before(tombstone.receipt));
    }
    Ok(Done::Now(entomb(draft, origin, rollback, free)))
}

/// The target is unknown: its keys are taken, so that it can never move (T5). The commit decides by the
/// unique keys, whatever is on its way elsewhere.
fn entomb(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    rollback: &Rollback,
    free: Vec<TransactionKey>,
) -> Receipt {
    let id = TransactionId(draft.new_id());
    let own = keys::key(origin, Kind::Rollback, &rollback.transaction);
    let fingerprint = keys::rollback_fingerprint(origin, rollback);
    let receipt = Receipt {
        transaction: id,
        kind: Kind::Rollback,
        external_id: rollback.transaction.clone(),
        currency: None,
        units: 0,
        funding: Funding::default(),
        balance: None,
        tombstone: true,
    };
    let receipt = draft.record_as(id, Movement::record(own, fingerprint), receipt);
    block(draft, free, fingerprint, &receipt);
    receipt
}

/// Takes keys so that they can never move (INV-8).
fn block(
    draft: &mut Draft<'_, '_>,
    keys: Vec<TransactionKey>,
    fingerprint: Fingerprint,
    receipt: &Receipt,
) {
    for key in keys {
        let tombstone = TransactionId(draft.new_id());
        let mut movement = Movement::record(key, fingerprint);
        movement.state = TransactionState::Tombstone;
        draft.record_as(tombstone, movement, receipt.clone());
    }
}

/// `free` are keys that the rollback may have meant as well: a bet of the same id may still be on its way
/// behind its win, and must not be taken once the rollback of this id was answered.
fn reverse(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    rollback: &Rollback,
    target: &StoredTransaction,
    free: Vec<TransactionKey>,
) -> Result<Done, Stop> {
    if let Some(reversal) = &target.reversal {
        // A target goes back once: another amount must not look as if it had gone back as well.
        let ignored = origin.policy.rollback_amount == RollbackAmount::Ignore;
        if !ignored && rollback.units.is_some_and(|units| units != reversal.units) {
            let detail = "the target was rolled back with another amount";
            let refusal = Refusal::new(RefusalCode::TransactionMismatch, detail);
            return Err(refusal.with_original(reversal).into());
        }
        return Ok(Done::Before(reversal.clone()));
    }
    let mut round = round_of(draft, target)?;
    let Some(currency) = target.receipt.currency else {
        return Err(Stop::refuse(
            RefusalCode::Malformed,
            "the target moved nothing",
        ));
    };
    let is_live = round
        .entry(target.key.kind, &rollback.target)
        .is_some_and(super::super::round::RoundEntry::is_live);
    let mut movement = Movement::record(
        keys::key(origin, Kind::Rollback, &rollback.transaction),
        keys::rollback_fingerprint(origin, rollback),
    );
    movement.game = Some(round.game.clone());
    movement.round = Some(round.key.clone());
    if !is_live {
        // Its whole round was voided: it has gone back already.
        movement.amount = Some(Money::new(0, currency));
        return Ok(Done::Now(draft.record(movement)));
    }
    let units = units_back(origin, rollback, target)?;
    let (postings, funding) = match target.key.kind {
        Kind::Bet => {
            if round.is_settled(&rollback.target)
                && origin.policy.rollback_after_win == RollbackAfterWin::Refuse
            {
                return Err(Stop::refuse(
                    RefusalCode::AlreadySettled,
                    "the bet has a win",
                ));
            }
            give_back(draft, &round.key, Money::new(units, currency))?
        }
        _ => {
            if origin.policy.rollback_of_win == RollbackOfWin::Refuse {
                return Err(Stop::refuse(
                    RefusalCode::AlreadySettled,
                    "a win is not rolled back",
                ));
            }
            take_back(draft, &round.key, Money::new(units, currency))?
        }
    };
    movement.amount = Some(Money::new(units, currency));
    movement.funding = funding;
    movement.reverses = Some(target.receipt.transaction);
    movement.postings = postings;
    let owed = owed(&movement.postings);
    let receipt = draft.record(movement);
    let fingerprint = keys::rollback_fingerprint(origin, rollback);
    block(draft, free, fingerprint, &receipt);
    for entry in &mut round.entries {
        if entry.kind == target.key.kind && entry.external_id == rollback.target {
            entry.reversed_units = Some(units);
        }
    }
    let reversed = round::Reversed {
        kind: target.key.kind,
        transaction: target.receipt.transaction,
        external_id: &target.key.external_id,
    };
    round::announce_reversal(draft, &round, &receipt, &reversed);
    round::announce_debt(draft, &receipt, owed);
    draft.put_round(round)?;
    Ok(Done::Now(receipt))
}

fn round_of(draft: &Draft<'_, '_>, target: &StoredTransaction) -> Result<Round, Stop> {
    let Some(key) = &target.round else {
        return Err(Stop::refuse(
            RefusalCode::Malformed,
            "the target belongs to no round",
        ));
    };
    match draft.round(key) {
        Lookup::Found(round) => Ok(round),
        Lookup::Unknown => Err(Stop::Need(vec![Fact::Round(key.clone())])),
        Lookup::Absent => Err(Stop::refuse(
            RefusalCode::Malformed,
            "the target's round is gone",
        )),
    }
}

/// How much goes back, by what the account makes of an amount in the request (T7).
fn units_back(
    origin: &Origin,
    rollback: &Rollback,
    target: &StoredTransaction,
) -> Result<i64, Refusal> {
    let all = target.receipt.units;
    let mismatch = || {
        let detail = "the amount is not that of the target";
        Refusal::new(RefusalCode::TransactionMismatch, detail).with_original(&target.receipt)
    };
    match (origin.policy.rollback_amount, rollback.units) {
        (RollbackAmount::Ignore, _) | (_, None) => Ok(all),
        (RollbackAmount::MustEqual, Some(units)) if units == all => Ok(all),
        (RollbackAmount::Partial, Some(units)) if (0..=all).contains(&units) => Ok(units),
        (RollbackAmount::MustEqual | RollbackAmount::Partial, Some(_)) => Err(mismatch()),
    }
}

/// Returns a bet to where it came from.
pub(super) fn give_back(
    draft: &mut Draft<'_, '_>,
    round: &RoundKey,
    amount: Money,
) -> Result<(Vec<Posting>, Funding), Refusal> {
    let house = Account::House(round.provider.clone());
    let postings = draft.post(
        amount.currency,
        &[(house, -amount.units), (Account::Cash, amount.units)],
    )?;
    Ok((
        postings,
        Funding {
            cash: amount.units,
            bonus: 0,
        },
    ))
}

/// Takes a win back; what the player no longer has, he owes.
pub(super) fn take_back(
    draft: &mut Draft<'_, '_>,
    round: &RoundKey,
    amount: Money,
) -> Result<(Vec<Posting>, Funding), Refusal> {
    let wallet = draft.wallet(amount.currency)?;
    let cash = amount.units.min(wallet.cash);
    let owed = amount
        .units
        .checked_sub(cash)
        .ok_or_else(|| draft.insufficient(amount.currency))?;
    let house = Account::House(round.provider.clone());
    let legs = [
        (Account::Cash, -cash),
        (Account::Receivable, -owed),
        (house, amount.units),
    ];
    let postings = draft.post(amount.currency, &legs)?;
    Ok((
        postings,
        Funding {
            cash: amount.units,
            bonus: 0,
        },
    ))
}

/// What the postings added to the player's debt, in ledger units.
pub(super) fn owed(postings: &[Posting]) -> i64 {
    postings
        .iter()
        .filter(|posting| posting.account == Account::Receivable)
        .fold(0, |sum, posting| sum.saturating_sub(posting.amount.units))
}
