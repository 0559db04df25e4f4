//! T7: rollbacks.

use pitboss_wallet::{
    Funding, PlayerStatus, Policy, RefusalCode, RollbackAfterWin, RollbackAmount, RollbackOfWin,
    RoundState,
};

use crate::harness::*;

fn partial() -> Policy {
    Policy {
        rollback_amount: RollbackAmount::Partial,
        ..Policy::default()
    }
}

fn reverse_after_win() -> Policy {
    Policy {
        rollback_after_win: RollbackAfterWin::Reverse,
        ..Policy::default()
    }
}

#[test]
fn t7_a_rollback_of_a_bet_returns_what_it_took_to_where_it_came_from() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        let bet = table.applied(bet("b", "r", 100));
        assert_eq!(table.held(), 100);
        let back = table.applied(rollback("rb", "b"));
        assert_eq!((back.units, back.funding), (100, bet.funding));
        assert_eq!((table.cash(), table.held()), (1_000, 0));
        let event = table.newest("wallet.bet_rolled_back");
        assert_eq!(event["data"]["reverses"], bet.transaction.to_string());
        assert_eq!(event["data"]["target_transaction_id"], "b");
    }
}

#[test]
fn t7_a_rollback_twice_is_answered_the_same_whatever_its_id() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        table.applied(bet("b", "r", 100));
        let first = table.applied(rollback("rb", "b"));
        assert_eq!(
            table.replayed(rollback("rb", "b")).receipts,
            vec![first.clone()]
        );
        assert_eq!(table.replayed(rollback("other", "b")).receipts, vec![first]);
        assert_eq!(table.cash(), 1_000);
    }
}

#[test]
fn t7_a_rolled_back_bet_that_is_repeated_is_answered_and_not_taken_again() {
    let mut table = Table::with_cash(1_000);
    let first = table.applied(bet("b", "r", 100));
    table.applied(rollback("rb", "b"));
    assert_eq!(table.replayed(bet("b", "r", 100)).receipts, vec![first]);
    assert_eq!((table.cash(), table.held()), (1_000, 0));
}

#[test]
fn t7_a_rollback_may_have_the_id_of_its_target() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(rollback("b", "b"));
    table.replayed(rollback("b", "b"));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn t7_a_rollback_needs_no_session_and_no_player_in_good_standing() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.done(&status(PlayerStatus::BetsBlocked));
    table.done(&pitboss_wallet::Command::EndSession(session(SESSION)));
    table.applied(rollback("rb", "b"));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn t7_a_bet_with_a_win_is_already_settled() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(win("w", "r", 300));
    table.refused(RefusalCode::AlreadySettled, rollback("rb", "b"));
    assert_eq!(table.cash(), 1_200);
}

#[test]
fn t7_a_win_of_zero_settles_its_bet_too() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(win_of("b", "w", "r", 0));
    table.refused(RefusalCode::AlreadySettled, rollback("rb", "b"));
}

#[test]
fn t7_by_policy_a_rollback_after_the_win_gives_the_bet_alone_back() {
    let mut table = Table::with_policy(reverse_after_win()).holding(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(win("w", "r", 300));
    table.applied(rollback("rb1", "b"));
    assert_eq!(table.cash(), 1_300);
    table.applied(rollback("rb2", "w"));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn t7_a_bet_whose_win_was_taken_back_can_be_rolled_back() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(win("w", "r", 300));
    table.applied(rollback("rb1", "w"));
    table.applied(rollback("rb2", "b"));
    assert_eq!((table.cash(), table.held()), (1_000, 0));
}

#[test]
fn t7_a_win_that_names_its_bet_settles_that_bet_alone() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b1", "r", 100));
    table.applied(bet("b2", "r", 200));
    table.applied(win_of("b1", "w", "r", 50));
    table.refused(RefusalCode::AlreadySettled, rollback("rb1", "b1"));
    table.applied(rollback("rb2", "b2"));
    assert_eq!(table.cash(), 950);
}

/// A table round goes on after a win: a later bet that failed at the provider must come back.
#[test]
fn t7_a_bet_after_the_win_of_an_earlier_bet_is_not_settled_by_it() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b1", "r", 100));
    table.applied(win("w1", "r", 50));
    table.applied(bet("b2", "r", 200));
    table.refused(RefusalCode::AlreadySettled, rollback("rb1", "b1"));
    table.applied(rollback("rb2", "b2"));
    assert_eq!(table.cash(), 950);
}

/// The win overtook its bet on the way: nobody else's bet was there for it to settle.
#[test]
fn t7_a_win_that_came_before_every_bet_settles_the_late_one() {
    let mut table = Table::with_cash(1_000);
    table.applied(win("w", "r", 50));
    table.applied(bet("b", "r", 100));
    table.refused(RefusalCode::AlreadySettled, rollback("rb", "b"));
    assert_eq!(table.cash(), 950);
}

#[test]
fn t7_a_rollback_of_a_win_takes_it_back() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(win("w", "r", 300));
    let back = table.applied(rollback("rb", "w"));
    assert_eq!(back.units, 300);
    assert_eq!((table.cash(), table.owed(), table.held()), (900, 0, 100));
    assert_eq!(
        table.newest("wallet.win_rolled_back")["data"]["amount"],
        "0.0003"
    );
    table.replayed(rollback("rb2", "w"));
    table.applied(win("w2", "r", 1));
}

#[test]
fn t7_by_policy_a_win_is_not_rolled_back() {
    let policy = Policy {
        rollback_of_win: RollbackOfWin::Refuse,
        ..Policy::default()
    };
    let mut table = Table::with_policy(policy).holding(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(win("w", "r", 300));
    table.refused(RefusalCode::AlreadySettled, rollback("rb", "w"));
    assert_eq!(table.cash(), 1_200);
}

#[test]
fn t7_a_shortage_at_the_rollback_of_a_win_is_owed_and_told() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(100);
        table.node.forgetful = forgetful;
        table.applied(bet("b", "r", 100));
        table.applied(win("w", "r", 300));
        table.applied(bet("b2", "s", 250));
        table.applied(rollback("rb", "w"));
        assert_eq!((table.cash(), table.owed()), (0, 250));
        let event = table.newest("wallet.negative_balance");
        assert_eq!(event["data"]["amount"], "0.00025");
        assert_eq!(event["data"]["owed"], "0.00025");
        assert_eq!(event["data"]["balance"]["cash"], "0.00");
        // INV-3: no bet makes the debt larger, and a later one needs cash as ever.
        table.refused(RefusalCode::InsufficientFunds, bet("b3", "s", 1));
        table.done(&deposit("more", 50));
        table.applied(bet("b3", "s", 50));
        assert_eq!((table.cash(), table.owed()), (0, 250));
    }
}

#[test]
fn t7_a_second_shortage_adds_to_the_debt() {
    let mut table = Table::with_cash(10);
    for id in ["1", "2"] {
        table.applied(win(id, id, 300));
        let cash = table.cash();
        table.applied(bet(&format!("b{id}"), "spend", cash));
        table.applied(rollback(&format!("rb{id}"), id));
    }
    assert_eq!((table.cash(), table.owed()), (0, 600));
    let event = table.newest("wallet.negative_balance");
    assert_eq!(event["data"]["amount"], "0.0003");
    assert_eq!(event["data"]["owed"], "0.0006");
}

#[test]
fn t7_by_default_the_amount_of_a_rollback_is_ignored() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    let back = table.applied(rollback_units("rb", "b", 7));
    assert_eq!((back.units, table.cash()), (100, 1_000));
    table.replayed(rollback_units("rb", "b", 8));
    table.replayed(rollback("rb", "b"));
}

#[test]
fn t7_by_policy_the_amount_of_a_rollback_must_be_equal() {
    let policy = Policy {
        rollback_amount: RollbackAmount::MustEqual,
        ..Policy::default()
    };
    let mut table = Table::with_policy(policy).holding(1_000);
    table.applied(bet("b", "r", 100));
    for units in [0, 99, 101, -100, i64::MIN, i64::MAX] {
        table.refused(
            RefusalCode::TransactionMismatch,
            rollback_units("rb", "b", units),
        );
    }
    table.applied(rollback_units("rb", "b", 100));
    table.replayed(rollback_units("rb2", "b", 100));
    table.refused(
        RefusalCode::TransactionMismatch,
        rollback_units("rb", "b", 99),
    );
    table.refused(
        RefusalCode::TransactionMismatch,
        rollback_units("rb3", "b", 99),
    );
    table.applied(bet("c", "r", 100));
    table.applied(rollback("rb4", "c"));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn t7_by_policy_a_rollback_may_give_a_part_back() {
    let mut table = Table::with_policy(partial()).holding(1_000);
    table.applied(bet("b", "r", 100));
    for units in [-1, 101, i64::MIN, i64::MAX] {
        table.refused(
            RefusalCode::TransactionMismatch,
            rollback_units("rb", "b", units),
        );
    }
    let back = table.applied(rollback_units("rb", "b", 40));
    assert_eq!(back.units, 40);
    assert_eq!((table.cash(), table.held()), (940, 60));
    assert_eq!(back.funding, Funding { cash: 40, bonus: 0 });
}

/// A bet is taken back once. A second part must not look as if it had gone back.
#[test]
fn t7_a_second_partial_rollback_with_another_amount_is_a_mismatch() {
    let mut table = Table::with_policy(partial()).holding(1_000);
    table.applied(bet("b", "r", 100));
    let first = table.applied(rollback_units("rb", "b", 40));
    table.replayed(rollback_units("rb", "b", 40));
    table.replayed(rollback_units("rb2", "b", 40));
    table.replayed(rollback("rb3", "b"));
    let refusal = table.refused(
        RefusalCode::TransactionMismatch,
        rollback_units("rb4", "b", 60),
    );
    assert_eq!(refusal.original.as_deref(), Some(&first));
    assert_eq!(table.cash(), 940);
}

#[test]
fn t7_a_bet_that_stands_in_part_still_wins() {
    let mut table = Table::with_policy(partial()).holding(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(rollback_units("rb", "b", 40));
    table.applied(win("w1", "r", 10));
    table.applied(win_of("b", "w2", "r", 10));
    assert_eq!(table.cash(), 960);
}

#[test]
fn t7_a_win_that_stands_in_part_still_settles_its_bet() {
    let mut table = Table::with_policy(partial()).holding(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(win("w", "r", 100));
    table.applied(rollback_units("rb1", "w", 40));
    table.refused(RefusalCode::AlreadySettled, rollback("rb2", "b"));
    assert_eq!(table.cash(), 960);
}

#[test]
fn t7_a_bet_in_a_voided_round_has_gone_back_already() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(void("v", "r"));
    let back = table.applied(rollback("rb", "b"));
    assert_eq!((back.units, back.tombstone), (0, false));
    table.replayed(rollback("rb", "b"));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn t7_a_bet_in_a_closed_round_can_be_rolled_back() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(close("r"));
    table.applied(rollback("rb", "b"));
    assert_eq!((table.cash(), table.held()), (1_000, 0));
    let round = table.ledger.round(&player("alice"), "r").unwrap();
    assert_eq!(round.state, RoundState::Closed);
    assert_eq!(table.newest("wallet.bet_rolled_back")["data"]["late"], true);
}

#[test]
fn t7_of_a_shared_id_the_bet_goes_back_first() {
    let mut table = Table::with_policy(reverse_after_win()).holding(1_000);
    table.applied(bet("x", "r", 100));
    table.applied(win("x", "r", 300));
    table.applied(rollback("rb", "x"));
    assert_eq!(table.cash(), 1_300);
    table.replayed(rollback("rb2", "x"));
    assert_eq!(table.cash(), 1_300);
}

#[test]
fn t7_a_bet_of_zero_is_rolled_back_as_a_record() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 0));
    table.applied(rollback("rb", "b"));
    table.replayed(rollback("rb2", "b"));
    table.refused(RefusalCode::RolledBack, win("w", "r", 100));
    assert_eq!(table.cash(), 1_000);
}
