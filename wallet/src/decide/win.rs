//! A win: money from the house to the player. Never asks for a session, and is paid whoever is blocked,
//! logged out or disabled by now (T8).

use super::{
    Stop,
    draft::{Draft, Lookup, Movement, new_round},
    keys, round,
    stored::settled,
};
use crate::{
    Account, Fact, Funding, GameStanding, Kind, LateWin, Money, Origin, Receipt, Refusal,
    RefusalCode, Reply, Round, RoundEntry, RoundState, TransactionState, Win, WinKind,
    WinWithoutBet,
};

pub(super) fn decide(draft: &mut Draft<'_, '_>, origin: &Origin, win: &Win) -> Result<Reply, Stop> {
    let mut round = round_of(draft, origin, win)?;
    check(draft, origin, &round, win)?;
    let receipt = credit(draft, origin, &mut round, win)?;
    if win.closes_round && round.state.is_open() {
        round::close(draft, &mut round);
    }
    draft.put_round(round)?;
    Ok(settled(draft, vec![receipt], false))
}

/// The round that a win goes to: a closed one, too. One that nobody knows begins with it.
pub(super) fn round_of(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    win: &Win,
) -> Result<Round, Stop> {
    let key = keys::round_key(origin, &win.game, &win.round);
    match draft.round(&key) {
        Lookup::Found(round) => {
            round::check_currency(&round, win.amount.currency)?;
            if round.state == RoundState::Voided {
                return Err(Stop::refuse(
                    RefusalCode::RolledBack,
                    "the round was voided",
                ));
            }
            Ok(round)
        }
        Lookup::Unknown => Err(Stop::Need(vec![Fact::Round(key)])),
        Lookup::Absent => {
            // A game that is known, or was when its round began, pays; a name nobody ever knew does not.
            if win.kind == WinKind::Ordinary && win.standing == GameStanding::Unknown {
                let detail = "the provider has no such game, and no such round";
                return Err(Stop::refuse(RefusalCode::UnknownGame, detail));
            }
            let round = new_round(draft, key, &win.game, win.amount.currency);
            draft.wallet(win.amount.currency)?;
            round::announce(draft, &round);
            Ok(round)
        }
    }
}

/// Whether the round as it is pays this win.
pub(super) fn check(
    draft: &Draft<'_, '_>,
    origin: &Origin,
    round: &Round,
    win: &Win,
) -> Result<(), Stop> {
    check_bet(draft, origin, round, win)?;
    if !round.state.is_open() && origin.policy.late_win == LateWin::Refuse {
        return Err(Stop::refuse(
            RefusalCode::RoundClosed,
            "the round is closed",
        ));
    }
    Ok(())
}

/// The bet that the win belongs to must be there and stand, where it belongs to one.
fn check_bet(draft: &Draft<'_, '_>, origin: &Origin, round: &Round, win: &Win) -> Result<(), Stop> {
    let rolled_back = || Stop::refuse(RefusalCode::RolledBack, "the bet was rolled back");
    let Some(bet) = &win.bet else {
        if win.kind != WinKind::Ordinary {
            return Ok(());
        }
        // Bet and win of one play may share the id (T1): then that is the bet.
        let own = round.entry(Kind::Bet, &win.transaction);
        if round.is_fully_rolled_back() || own.is_some_and(|bet| !bet.is_live()) {
            return Err(rolled_back());
        }
        if !round.has_bets() && origin.policy.win_without_bet == WinWithoutBet::Refuse {
            return Err(Stop::refuse(
                RefusalCode::UnknownBet,
                "the round has no bet",
            ));
        }
        return Ok(());
    };
    match round.entry(Kind::Bet, bet) {
        Some(entry) if entry.is_live() => return Ok(()),
        Some(_) => return Err(rolled_back()),
        None => {}
    }
    let key = keys::key(origin, Kind::Bet, bet);
    match draft.stored(&key) {
        Lookup::Unknown => Err(Stop::Need(vec![Fact::Transaction(key)])),
        // Another player's rollback is none of this caller's business.
        Lookup::Found(stored)
            if stored.state == TransactionState::Tombstone && stored.player == draft.state().id =>
        {
            Err(rolled_back())
        }
        Lookup::Found(_) | Lookup::Absent => Err(Stop::refuse(
            RefusalCode::UnknownBet,
            "the round has no such bet",
        )),
    }
}

/// Pays a win. A win of 0 is a record without a movement.
pub(super) fn credit(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    round: &mut Round,
    win: &Win,
) -> Result<Receipt, Refusal> {
    let Money { units, currency } = win.amount;
    let house = Account::House(origin.provider.clone());
    let postings = draft.post(currency, &[(house, -units), (Account::Cash, units)])?;
    let fingerprint = keys::movement_fingerprint(
        Kind::Win,
        win.amount,
        &win.game,
        &round.key.round,
        win.bet.as_ref(),
    );
    let mut movement =
        Movement::record(keys::key(origin, Kind::Win, &win.transaction), fingerprint);
    movement.amount = Some(win.amount);
    movement.funding = Funding {
        cash: units,
        bonus: 0,
    };
    movement.game = Some(win.game.clone());
    movement.round = Some(round.key.clone());
    movement.names_bet = win.bet.clone();
    movement.postings = postings;
    let receipt = draft.record(movement);
    round.entries.push(RoundEntry {
        transaction: receipt.transaction,
        kind: Kind::Win,
        external_id: win.transaction.clone(),
        units,
        funding: receipt.funding,
        names_bet: win.bet.clone(),
        reversed_units: None,
    });
    round::announce_win(draft, round, &receipt, win);
    Ok(receipt)
}
