//! A bet: money from the player to the house.

use super::{
    Stop,
    draft::{Draft, Lookup, Movement, new_round},
    game, keys, round, session,
    stored::settled,
};
use crate::{
    Account, Bet, Currency, ExternalId, Funding, GameId, GameStanding, GameSwitch, Kind, Money,
    Origin, Receipt, Refusal, RefusalCode, Reply, Round, RoundEntry, RoundId, Session, SessionId,
    SessionKind,
};

pub(super) fn decide(draft: &mut Draft<'_, '_>, origin: &Origin, bet: &Bet) -> Result<Reply, Stop> {
    let currency = bet.amount.currency;
    let (session, switch) = admit(draft, origin, bet.session, currency, &bet.standing)?;
    game::check_stake(&bet.standing, bet.amount)?;
    let mut round = open(draft, origin, &bet.game, &bet.round, currency, switch)?;
    let stake = Stake {
        transaction: &bet.transaction,
        game: &bet.game,
        amount: bet.amount,
        free_round: bet.free_round.as_ref(),
        jackpot_contribution: bet.jackpot_contribution,
    };
    let receipt = debit(draft, origin, &mut round, &stake, 0)?;
    if bet.closes_round {
        round::close(draft, &mut round);
    }
    draft.put_round(round)?;
    session::active(draft, session)?;
    Ok(settled(draft, vec![receipt], false))
}

/// The session of a bet, if this player may bet in it and in this game at all, and how far the game is switched on:
/// what a win is never asked.
pub(super) fn admit(
    draft: &Draft<'_, '_>,
    origin: &Origin,
    session: SessionId,
    currency: Currency,
    standing: &GameStanding,
) -> Result<(Session, GameSwitch), Stop> {
    let session = draft.session(session)?;
    let of_provider = session.provider.as_ref() == Some(&origin.provider);
    if session.kind != SessionKind::Game || !of_provider {
        return Err(Stop::refuse(
            RefusalCode::SessionInvalid,
            "not a game session of this provider",
        ));
    }
    let blocked = || Stop::refuse(RefusalCode::PlayerBlocked, "the player may not bet");
    if !session.is_live(draft.now()) {
        // A block ends the sessions: it is why.
        if !draft.state().status.may_enter() {
            return Err(blocked());
        }
        return Err(Stop::refuse(
            RefusalCode::SessionExpired,
            "the session is over",
        ));
    }
    if session.currency != currency {
        let detail = format!("the session is in {}", session.currency);
        return Err(Stop::refuse(RefusalCode::CurrencyMismatch, detail));
    }
    if !draft.state().status.may_bet() {
        return Err(blocked());
    }
    let switch = game::admit(standing, draft.state().country, currency)?;
    Ok((session, switch))
}

/// The round that a bet goes to. One that memory does not know is taken for new: the commit fails if it
/// is not, and the ledger is asked then.
pub(super) fn open(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    game: &GameId,
    round: &RoundId,
    currency: Currency,
    switch: GameSwitch,
) -> Result<Round, Stop> {
    let finishes = switch != GameSwitch::Enabled;
    let key = keys::round_key(origin, game, round);
    match draft.round(&key) {
        Lookup::Found(round) if !round.state.is_open() => Err(Stop::refuse(
            RefusalCode::RoundClosed,
            "the round takes no more bets",
        )),
        Lookup::Found(round) => {
            round::check_currency(&round, currency)?;
            Ok(round)
        }
        // Of a round that memory does not know, the refusal asks the ledger before it goes out (T3).
        Lookup::Absent | Lookup::Unknown if finishes => Err(game::finishing().into()),
        Lookup::Absent | Lookup::Unknown => {
            let round = new_round(draft, key, game, currency);
            round::announce(draft, &round);
            Ok(round)
        }
    }
}

/// One bet to be taken.
pub(super) struct Stake<'a> {
    pub transaction: &'a ExternalId,
    pub game: &'a GameId,
    pub amount: Money,
    pub free_round: Option<&'a ExternalId>,
    pub jackpot_contribution: Option<i64>,
}

/// Takes a bet. `won_in_batch` is what wins of the same call brought: it cannot pay for this bet (T9).
pub(super) fn debit(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    round: &mut Round,
    stake: &Stake<'_>,
    won_in_batch: i64,
) -> Result<Receipt, Refusal> {
    let Money { units, currency } = stake.amount;
    let wallet = draft.wallet(currency)?;
    if wallet.cash.saturating_sub(won_in_batch) < units {
        return Err(draft.insufficient(currency));
    }
    let house = Account::House(origin.provider.clone());
    let postings = draft.post(currency, &[(Account::Cash, -units), (house, units)])?;
    let fingerprint =
        keys::movement_fingerprint(Kind::Bet, stake.amount, stake.game, &round.key.round, None);
    let mut movement =
        Movement::record(keys::key(origin, Kind::Bet, stake.transaction), fingerprint);
    movement.amount = Some(stake.amount);
    movement.funding = Funding {
        cash: units,
        bonus: 0,
    };
    movement.game = Some(stake.game.clone());
    movement.round = Some(round.key.clone());
    movement.postings = postings;
    let receipt = draft.record(movement);
    round.entries.push(RoundEntry {
        transaction: receipt.transaction,
        kind: Kind::Bet,
        external_id: stake.transaction.clone(),
        units,
        funding: receipt.funding,
        names_bet: None,
        reversed_units: None,
    });
    round::announce_bet(draft, round, &receipt, stake);
    Ok(receipt)
}
