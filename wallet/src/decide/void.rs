//! Voiding: a whole round taken back in one transaction, its wins first, then its bets, newest first.

use super::{
    Stop,
    draft::{Draft, Movement},
    keys, rollback, round,
    stored::settled,
};
use crate::{Funding, Kind, Money, Origin, Receipt, Reply, RoundState, VoidRound};

pub(super) fn decide(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    void: &VoidRound,
) -> Result<Reply, Stop> {
    let key = keys::round_key(origin, &void.game, &void.round);
    let mut round = round::existing(draft, key)?;
    let mut movement = Movement::record(
        keys::key(origin, Kind::VoidRound, &void.transaction),
        keys::round_fingerprint(Kind::VoidRound, &void.game, &void.round),
    );
    movement.game = Some(round.game.clone());
    movement.round = Some(round.key.clone());
    let mut back: i64 = 0;
    let mut reversals = Vec::new();
    for kind in [Kind::Win, Kind::Bet] {
        for entry in round.entries.iter_mut().rev() {
            if entry.kind != kind || !entry.is_live() {
                continue;
            }
            // A partial rollback gave some of it back before.
            let units = entry.standing_units();
            let amount = Money::new(units, round.currency);
            let (postings, funding) = match kind {
                Kind::Bet => rollback::give_back(draft, &round.key, amount)?,
                _ => rollback::take_back(draft, &round.key, amount)?,
            };
            if kind == Kind::Bet {
                back = back.saturating_add(units);
            }
            movement.postings.extend(postings);
            entry.reversed_units = Some(entry.units);
            let balance = draft.balance(round.currency)?;
            reversals.push((entry.clone(), units, funding, balance));
        }
    }
    movement.amount = Some(Money::new(back, round.currency));
    movement.funding = Funding {
        cash: back,
        bonus: 0,
    };
    let owed = rollback::owed(&movement.postings);
    let receipt = draft.record(movement);
    // Whoever follows `wallet.*` alone must see each movement with the balance after it (INV-7).
    for (entry, units, funding, balance) in &reversals {
        let movement = Receipt {
            units: *units,
            funding: *funding,
            balance: Some(*balance),
            ..receipt.clone()
        };
        let reversed = round::Reversed {
            kind: entry.kind,
            transaction: entry.transaction,
            external_id: &entry.external_id,
        };
        round::announce_reversal(draft, &round, &movement, &reversed);
    }
    if round.state != RoundState::Voided {
        round.state = RoundState::Voided;
        round.closed_at = Some(draft.now());
        round::announce_void(draft, &round, &receipt, void);
    }
    round::announce_debt(draft, &receipt, owed);
    draft.put_round(round)?;
    Ok(settled(draft, vec![receipt], false))
}
