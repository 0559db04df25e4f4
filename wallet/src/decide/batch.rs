//! Bets and wins in one call: all or nothing, in order, one commit (T9).

use std::collections::HashSet;

use super::{
    Stop,
    bet::{self, Stake},
    draft::Draft,
    round,
    stored::settled,
    win::{self, Prize},
};
use crate::{Action, BetWin, Kind, Money, Origin, RefusalCode, Reply, WinKind, WinWithoutBet};

pub(super) fn decide(
    draft: &mut Draft<'_, '_>,
    origin: &Origin,
    batch: &BetWin,
) -> Result<Reply, Stop> {
    check_form(batch)?;
    bet::admit(draft, origin, batch.session, batch.currency, batch.standing)?;
    let mut round = bet::open(draft, origin, &batch.game, &batch.round, batch.currency)?;
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
            Action::Win { transaction, units } => {
                let without_bet = !round.has_bets();
                if without_bet && origin.policy.win_without_bet == WinWithoutBet::Refuse {
                    return Err(Stop::refuse(
                        RefusalCode::UnknownBet,
                        "the round has no bet",
                    ));
                }
                let prize = Prize {
                    transaction,
                    game: &batch.game,
                    amount: Money::new(*units, batch.currency),
                    bet: None,
                    kind: WinKind::Ordinary,
                };
                // `credit` refuses what would overflow the balance, which is at least this sum.
                won = won.saturating_add(*units);
                win::credit(draft, origin, &mut round, &prize)?
            }
        });
    }
    if batch.closes_round {
        round::close(draft, &mut round);
    }
    draft.put_round(round)?;
    Ok(settled(draft, receipts, false))
}

fn check_form(batch: &BetWin) -> Result<(), Stop> {
    if batch.actions.is_empty() {
        return Err(Stop::refuse(RefusalCode::Malformed, "there is no action"));
    }
    let mut seen = HashSet::new();
    let all_new = batch.actions.iter().all(|action| {
        seen.insert(match action {
            Action::Bet { transaction, .. } => (Kind::Bet, transaction),
            Action::Win { transaction, .. } => (Kind::Win, transaction),
        })
    });
    if !all_new {
        return Err(Stop::refuse(
            RefusalCode::Malformed,
            "two actions have one transaction id",
        ));
    }
    Ok(())
}
