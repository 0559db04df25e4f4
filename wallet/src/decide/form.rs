//! The form of a request: what can be told from the request alone. It comes before the stored transaction, as a
//! request without a form cannot be one that was accepted.

use std::collections::HashSet;

use crate::{Action, Bet, BetWin, Kind, PlayCommand, Refusal, RefusalCode, Rollback};

pub(super) fn check(command: &PlayCommand) -> Result<(), Refusal> {
    match command {
        PlayCommand::Bet(bet) => check_bet(bet),
        PlayCommand::Win(win) if win.amount.units < 0 => malformed("a win is never negative"),
        PlayCommand::BetWin(batch) => check_batch(batch),
        PlayCommand::Rollbacks(list) => check_rollbacks(list),
        PlayCommand::Win(_)
        | PlayCommand::Rollback(_)
        | PlayCommand::CloseRound(_)
        | PlayCommand::VoidRound(_) => Ok(()),
    }
}

fn malformed(detail: &str) -> Result<(), Refusal> {
    Err(Refusal::new(RefusalCode::Malformed, detail))
}

fn check_bet(bet: &Bet) -> Result<(), Refusal> {
    let units = bet.amount.units;
    if units < 0 {
        return malformed("a bet is never negative");
    }
    if bet.free_round.is_some() && units != 0 {
        return malformed("a bet of a free round costs 0");
    }
    let is_part = |part: &i64| (0..=units).contains(part);
    if bet.jackpot_contribution.is_some_and(|part| !is_part(&part)) {
        return malformed("the jackpot contribution is not a part of the amount");
    }
    Ok(())
}

fn check_batch(batch: &BetWin) -> Result<(), Refusal> {
    if batch.actions.is_empty() {
        return malformed("there is no action");
    }
    let mut seen = HashSet::new();
    for action in &batch.actions {
        let (kind, transaction, units) = match action {
            Action::Bet { transaction, units } => (Kind::Bet, transaction, *units),
            Action::Win {
                transaction, units, ..
            } => (Kind::Win, transaction, *units),
        };
        if units < 0 {
            return malformed("an amount is never negative");
        }
        if !seen.insert((kind, transaction)) {
            return malformed("two actions have one transaction id");
        }
    }
    Ok(())
}

fn check_rollbacks(list: &[Rollback]) -> Result<(), Refusal> {
    if list.is_empty() {
        return malformed("there is no rollback");
    }
    let (mut ids, mut targets) = (HashSet::new(), HashSet::new());
    for rollback in list {
        if !ids.insert(&rollback.transaction) {
            return malformed("two rollbacks have one transaction id");
        }
        if !targets.insert(&rollback.target) {
            return malformed("two rollbacks name one target");
        }
    }
    Ok(())
}
