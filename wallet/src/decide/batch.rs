//! Bets and wins in one call: all or nothing, in order, one commit (T9).

use super::{
    Stop,
    bet::{self, Stake},
    draft::Draft,
    game, round, session,
    stored::settled,
    win,
};
use crate::{Action, BetWin, ExternalId, Money, Origin, Reply, Win, WinKind};

pub(super) fn decide(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    batch: &BetWin,
) -> Result<Reply, Stop> {
    let is_bet = |action: &Action| matches!(action, Action::Bet { .. });
    let mut session = None;
    let mut round = match batch.actions.first() {
        // Wins alone are paid like a single win: without a session, to whomever (T8).
        Some(Action::Win {
            transaction,
            units,
            kind,
        }) if !batch.actions.iter().any(is_bet) => {
            win::round_of(draft, origin, &win_of(batch, transaction, *units, *kind))?
        }
        _ => {
            let BetWin {
                currency, standing, ..
            } = batch;
            let (admitted, switch) = bet::admit(draft, origin, batch.session, *currency, standing)?;
            for action in &batch.actions {
                if let Action::Bet { units, .. } = action {
                    game::check_stake(standing, Money::new(*units, *currency))?;
                }
            }
            session = Some(admitted);
            bet::open(draft, origin, &batch.game, &batch.round, *currency, switch)?
        }
    };
    let mut receipts = Vec::with_capacity(batch.actions.len());
    let mut won: i64 = 0;
    for action in &batch.actions {
        receipts.push(match action {
            Action::Bet { transaction, units } => {
                let stake = Stake {
                    transaction,
                    game: &batch.game,
                    amount: Money::new(*units, batch.currency),
                    free_round: None,
                    jackpot_contribution: None,
                };
                bet::debit(draft, origin, &mut round, &stake, won)?
            }
            Action::Win {
                transaction,
                units,
                kind,
            } => {
                let win = win_of(batch, transaction, *units, *kind);
                win::check(draft, origin, &round, &win)?;
                // `credit` refuses what would overflow the balance, which is at least this sum.
                won = won.saturating_add(*units);
                win::credit(draft, origin, &mut round, &win)?
            }
        });
    }
    if batch.closes_round && round.state.is_open() {
        round::close(draft, &mut round);
    }
    draft.put_round(round)?;
    if let Some(session) = session {
        session::active(draft, session)?;
    }
    Ok(settled(draft, receipts, false))
}

fn win_of(batch: &BetWin, transaction: &ExternalId, units: i64, kind: WinKind) -> Win {
    Win {
        transaction: transaction.clone(),
        game: batch.game.clone(),
        standing: batch.standing.clone(),
        round: batch.round.clone(),
        amount: Money::new(units, batch.currency),
        bet: None,
        kind,
        closes_round: false,
    }
}
