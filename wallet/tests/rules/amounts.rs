//! Amounts at the edges: zero, negative, and the limits of `i64`. Overflow is an error, never a wrap.

use pitboss_wallet::{Bet, Policy, RefusalCode, RollbackAmount};

use crate::harness::*;

const MAX: i64 = i64::MAX;

#[test]
fn a_bet_of_zero_is_a_record_without_a_movement() {
    let mut table = Table::new();
    let receipt = table.applied(bet("b", "r", 0));
    assert_eq!((receipt.units, table.cash(), table.held()), (0, 0, 0));
    table.replayed(bet("b", "r", 0));
    assert_eq!(table.newest("wallet.bet_debited")["data"]["amount"], "0.00");
}

#[test]
fn negative_amounts_are_malformed() {
    let mut table = Table::with_cash(100);
    for units in [-1, i64::MIN] {
        table.refused(RefusalCode::Malformed, bet("b", "r", units));
        table.refused(RefusalCode::Malformed, win("w", "r", units));
        table.refused(RefusalCode::Malformed, batch("r", vec![a_bet("b", units)]));
        let actions = vec![a_bet("b", 1), a_win("w", units)];
        table.refused(RefusalCode::Malformed, batch("r", actions));
    }
    assert_eq!(table.cash(), 100);
}

#[test]
fn the_whole_range_can_be_held_bet_and_given_back() {
    let mut table = Table::with_cash(MAX);
    assert_eq!(table.cash(), MAX);
    table.applied(bet("b", "r", MAX));
    assert_eq!((table.cash(), table.held()), (0, MAX));
    table.applied(rollback("rb", "b"));
    assert_eq!((table.cash(), table.held()), (MAX, 0));
}

#[test]
fn what_would_overflow_the_balance_is_refused() {
    let mut table = Table::with_cash(MAX);
    table.refused_command(RefusalCode::Malformed, &deposit("d", 1));
    table.refused(RefusalCode::Malformed, win("w", "r", 1));
    table.refused(
        RefusalCode::Malformed,
        batch("r", vec![a_win("w", MAX), a_win("w2", MAX)]),
    );
    table.applied(win("w", "r", 0));
    table.applied(bet("b", "r", 1));
    table.done(&deposit("d", 1));
    table.refused(RefusalCode::AlreadySettled, rollback("rb", "b"));
    table.applied(bet("c", "s", 5));
    table.applied(win("w3", "t", 5));
    table.refused(RefusalCode::Malformed, rollback("rb", "c"));
    assert_eq!(table.cash(), MAX);
}

#[test]
fn a_debt_at_the_limit_is_refused_and_not_wrapped() {
    let mut table = Table::new();
    for id in ["1", "2"] {
        table.applied(win(id, id, MAX));
        table.applied(Bet {
            closes_round: true,
            ..bet(&format!("b{id}"), &format!("spend{id}"), MAX)
        });
    }
    table.applied(rollback("rb1", "1"));
    assert_eq!(table.owed(), MAX);
    let last = table.play(rollback("rb2", "2"));
    assert!(
        matches!(last, Err(ref refusal) if refusal.code == RefusalCode::Malformed),
        "{last:?}"
    );
    assert_eq!(table.owed(), MAX);
}

/// A held stake that was cut off at the limit would be too low for ever after.
#[test]
fn stakes_in_open_rounds_that_do_not_fit_together_are_refused() {
    let mut table = Table::with_cash(MAX);
    table.applied(bet("b1", "r", MAX));
    table.applied(win("w", "s", 10));
    for round in ["r", "s"] {
        table.refused(RefusalCode::Malformed, bet("b2", round, 1));
    }
    let actions = vec![a_bet("b2", 4), a_bet("b3", 6)];
    table.refused(RefusalCode::Malformed, batch("t", actions));
    table.applied(close("r"));
    table.applied(bet("b2", "s", 10));
    assert_eq!((table.cash(), table.held()), (0, 10));
}

#[test]
fn a_bet_beyond_every_balance_is_insufficient_funds() {
    let mut table = Table::with_cash(100);
    table.refused(RefusalCode::InsufficientFunds, bet("b", "r", MAX));
    let actions = vec![a_win("w", MAX - 100), a_bet("b", MAX)];
    table.refused(RefusalCode::InsufficientFunds, batch("r", actions));
}

#[test]
fn a_free_round_costs_nothing() {
    let mut table = Table::with_cash(100);
    let free = |units| Bet {
        free_round: Some(ext("f")),
        ..bet("b", "r", units)
    };
    table.refused(RefusalCode::Malformed, free(1));
    table.applied(free(0));
    assert_eq!(
        table.newest("wallet.bet_debited")["data"]["free_round"],
        "f"
    );
}

#[test]
fn a_jackpot_contribution_is_a_part_of_the_bet() {
    let mut table = Table::with_cash(100);
    let with = |part| Bet {
        jackpot_contribution: Some(part),
        ..bet("b", "r", 10)
    };
    for part in [-1, 11, i64::MIN, MAX] {
        table.refused(RefusalCode::Malformed, with(part));
    }
    table.applied(with(10));
    assert_eq!(table.cash(), 90);
    assert_eq!(
        table.newest("wallet.bet_debited")["data"]["jackpot_contribution"],
        "0.00001"
    );
}

#[test]
fn a_partial_rollback_of_nothing_leaves_the_bet_standing() {
    let mut table = Table::with_policy(Policy {
        rollback_amount: RollbackAmount::Partial,
        ..Policy::default()
    })
    .holding(100);
    table.applied(bet("b", "r", 10));
    table.applied(rollback_units("rb", "b", 0));
    assert_eq!((table.cash(), table.held()), (90, 10));
    table.applied(win("w", "r", 20));
    table.applied(void("v", "r"));
    assert_eq!(table.cash(), 100);
}
