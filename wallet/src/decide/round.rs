//! Rounds: closing, and the events that tell of what happens in them.

use super::{
    Stop,
    bet::Stake,
    draft::{Draft, Lookup, Movement},
    keys,
    stored::settled,
};
use crate::{
    BalanceView, CloseRound, Currency, ExternalId, Fact, Kind, Money, Origin, Receipt, Refusal,
    RefusalCode, Reply, Round, RoundKey, RoundState, RoundView, TransactionId, VoidRound, Win,
    event_data::{
        self, BetDebited, BetRolledBack, NegativeBalance, Reversal, RoundClosed, RoundOpened,
        RoundVoided, WinCredited, WinRolledBack,
    },
};

pub(super) fn decide_close(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    close_round: &CloseRound,
) -> Result<Reply, Stop> {
    let key = keys::round_key(origin, &close_round.game, &close_round.round);
    let mut round = existing(draft, key)?;
    let mut movement = Movement::record(
        keys::close_key(origin, &close_round.game, &close_round.round),
        keys::close_fingerprint(&close_round.round),
    );
    movement.amount = Some(Money::new(0, round.currency));
    movement.game = Some(round.game.clone());
    movement.round = Some(round.key.clone());
    let receipt = draft.record(movement);
    if round.state.is_open() {
        close(draft, &mut round);
        draft.put_round(round)?;
    }
    Ok(settled(draft, vec![receipt], false))
}

/// A round that must be there: asked for when memory does not know it.
pub(super) fn existing(draft: &Draft<'_, '_>, key: RoundKey) -> Result<Round, Stop> {
    match draft.round(&key) {
        Lookup::Found(round) => Ok(round),
        Lookup::Unknown => Err(Stop::Need(vec![Fact::Round(key)])),
        Lookup::Absent => {
            let detail = "the player has no such round";
            Err(Stop::refuse(RefusalCode::UnknownBet, detail))
        }
    }
}

/// Closes an open round and tells so. The caller puts it back.
pub(super) fn close(draft: &mut Draft<'_, '_>, round: &mut Round) {
    round.state = RoundState::Closed;
    round.closed_at = Some(draft.now());
    draft.event(None, &RoundClosed(RoundView::from(&*round)));
}

pub(super) fn check_currency(round: &Round, currency: Currency) -> Result<(), Refusal> {
    if round.currency == currency {
        return Ok(());
    }
    let detail = format!("the round is in {}", round.currency);
    Err(Refusal::new(RefusalCode::CurrencyMismatch, detail))
}

/// Tells of a round that begins now.
pub(super) fn announce(draft: &mut Draft<'_, '_>, round: &Round) {
    draft.event(None, &RoundOpened(RoundView::from(round)));
}

pub(super) fn announce_bet(
    draft: &mut Draft<'_, '_>,
    round: &Round,
    receipt: &Receipt,
    stake: &Stake<'_>,
) {
    let debited = BetDebited {
        movement: event_data::Movement {
            game: stake.game,
            ..event_data::Movement::of(round, receipt)
        },
        free_round: stake.free_round,
        jackpot_contribution: stake
            .jackpot_contribution
            .map(|units| Money::new(units, round.currency)),
    };
    draft.event(Some(receipt.transaction), &debited);
}

pub(super) fn announce_win(draft: &mut Draft<'_, '_>, round: &Round, receipt: &Receipt, win: &Win) {
    let credited = WinCredited {
        movement: event_data::Movement {
            game: &win.game,
            ..event_data::Movement::of(round, receipt)
        },
        kind: win.kind,
        bet_transaction_id: win.bet.as_ref(),
    };
    draft.event(Some(receipt.transaction), &credited);
}

/// What a correction takes back.
pub(super) struct Reversed<'a> {
    pub kind: Kind,
    pub transaction: TransactionId,
    pub external_id: &'a ExternalId,
}

pub(super) fn announce_reversal(
    draft: &mut Draft<'_, '_>,
    round: &Round,
    receipt: &Receipt,
    reversed: &Reversed<'_>,
) {
    let reversal = Reversal {
        movement: event_data::Movement::of(round, receipt),
        reverses: reversed.transaction,
        target_transaction_id: reversed.external_id,
    };
    match reversed.kind {
        Kind::Bet => draft.event(Some(receipt.transaction), &BetRolledBack(reversal)),
        _ => draft.event(Some(receipt.transaction), &WinRolledBack(reversal)),
    }
}

pub(super) fn announce_void(
    draft: &mut Draft<'_, '_>,
    round: &Round,
    receipt: &Receipt,
    void: &VoidRound,
) {
    let balance = receipt.balance.map(BalanceView::from);
    let voided = RoundVoided {
        round: RoundView::from(round),
        reason: Some(&void.reason),
        by: void.by.as_ref(),
        balance,
    };
    draft.event(Some(receipt.transaction), &voided);
}

/// Tells that a correction left the player owing `units` more; silent when it did not.
pub(super) fn announce_debt(draft: &mut Draft<'_, '_>, receipt: &Receipt, units: i64) {
    let Some(currency) = receipt.currency.filter(|_| units > 0) else {
        return;
    };
    let Ok(wallet) = draft.wallet(currency) else {
        return;
    };
    let debt = NegativeBalance {
        currency,
        amount: Money::new(units, currency),
        owed: Money::new(wallet.receivable.saturating_neg(), currency),
        balance: wallet.balance().into(),
    };
    draft.event(Some(receipt.transaction), &debt);
}
