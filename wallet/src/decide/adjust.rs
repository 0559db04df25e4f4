//! An adjustment: money that people give or take by hand.

use super::{
    Stop,
    draft::{Draft, Lookup, Movement},
    keys::{adjustment_fingerprint, adjustment_key},
    rollback, round,
    stored::{burn, mismatch, replay, settled},
};
use crate::{
    Account, Adjust, AdjustmentCategory, BalanceView, Direction, Fact, Funding, Money, Posting,
    Refusal, RefusalCode, Reply, event_data::Adjusted,
};

/// Decided once, whatever comes of it: a refusal is stored under the approval's id, so that whoever carries the
/// approval out again after a crash finds what became of it.
pub(super) fn decide(draft: &mut Draft<'_, '_>, adjust: &Adjust) -> Result<Reply, Stop> {
    check(adjust)?;
    let key = adjustment_key(adjust)
        .map_err(|error| Refusal::new(RefusalCode::Malformed, error.to_string()))?;
    let fingerprint = adjustment_fingerprint(adjust);
    match draft.stored(&key) {
        Lookup::Found(stored) if stored.fingerprint != fingerprint => {
            return Err(mismatch(draft, &stored).into());
        }
        Lookup::Found(stored) => {
            return Err(match stored.refusal {
                Some(refusal) => refusal.into(),
                None => Stop::Answer(replay(draft, vec![stored.receipt])),
            });
        }
        Lookup::Unknown => return Err(Stop::Need(vec![Fact::Transaction(key)])),
        Lookup::Absent => {}
    }
    let Money { units, currency } = adjust.amount;
    let signed = match adjust.direction {
        Direction::Credit => units,
        Direction::Debit => -units,
    };
    let mut movement = Movement::record(key, fingerprint);
    movement.amount = Some(Money::new(signed, currency));
    let postings = match post(draft, adjust) {
        Ok(postings) => postings,
        Err(refusal) => return Err(burn(draft, movement, refusal)),
    };
    let owed = rollback::owed(&postings);
    movement.funding = Funding {
        cash: signed,
        bonus: 0,
    };
    movement.postings = postings;
    let receipt = draft.record(movement);
    let adjusted = Adjusted {
        approval: &adjust.reference,
        direction: adjust.direction,
        amount: adjust.amount,
        currency,
        category: adjust.category,
        reason: Some(&adjust.reason),
        by: Some(&adjust.by),
        balance: receipt.balance.map(BalanceView::from),
    };
    draft.event(Some(receipt.transaction), &adjusted);
    round::announce_debt(draft, &receipt, owed);
    Ok(settled(draft, vec![receipt], false))
}

fn check(adjust: &Adjust) -> Result<(), Refusal> {
    let malformed = |detail: &str| Err(Refusal::new(RefusalCode::Malformed, detail));
    if adjust.amount.units <= 0 {
        return malformed("an adjustment is above 0");
    }
    let is_correction = adjust.category == AdjustmentCategory::Correction;
    if adjust.allow_debt && !(is_correction && adjust.direction == Direction::Debit) {
        return malformed("only a debit that is a correction may leave a debt");
    }
    Ok(())
}

fn post(draft: &mut Draft<'_, '_>, adjust: &Adjust) -> Result<Vec<Posting>, Refusal> {
    let Money { units, currency } = adjust.amount;
    let wallet = draft.wallet(currency)?;
    let legs = match adjust.direction {
        Direction::Credit => vec![(Account::Adjustments, -units), (Account::Cash, units)],
        Direction::Debit => {
            let cash = units.min(wallet.cash);
            if cash < units && !adjust.allow_debt {
                let detail = "the balance does not cover the adjustment";
                return Err(Refusal::new(RefusalCode::InsufficientFunds, detail)
                    .with_balance(Some(wallet.balance())));
            }
            vec![
                (Account::Cash, -cash),
                (Account::Receivable, cash - units),
                (Account::Adjustments, units),
            ]
        }
    };
    draft.post(currency, &legs)
}
