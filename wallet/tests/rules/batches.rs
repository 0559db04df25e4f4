//! T9: several bets and wins in one call.

use pitboss_wallet::{BetWin, RefusalCode, RoundState};

use crate::harness::*;

#[test]
fn t9_a_batch_is_carried_out_in_order_in_one_commit() {
    let mut table = Table::with_cash(1_000);
    let version = table.version();
    let actions = vec![
        a_bet("b1", 100),
        a_win("w1", 50),
        a_bet("b2", 200),
        a_win("w2", 0),
    ];
    let settled = table.accepted(batch("r", actions));
    let balances: Vec<_> = settled
        .receipts
        .iter()
        .map(|receipt| (receipt.external_id.as_str(), receipt.balance.unwrap().cash))
        .collect();
    assert_eq!(
        balances,
        [("b1", 900), ("w1", 950), ("b2", 750), ("w2", 750)]
    );
    assert_eq!(settled.current.unwrap().cash, 750);
    assert_eq!(table.version(), version + 1);
    assert_eq!((table.cash(), table.held()), (750, 300));
}

#[test]
fn t9_a_bet_must_be_affordable_before_the_wins_of_its_batch() {
    let mut table = Table::with_cash(100);
    let one = vec![a_win("w", 500), a_bet("b", 101)];
    table.refused(RefusalCode::InsufficientFunds, batch("r", one));
    let several = vec![a_bet("b1", 60), a_win("w", 500), a_bet("b2", 41)];
    table.refused(RefusalCode::InsufficientFunds, batch("r", several));
    let covered = vec![a_bet("b1", 60), a_win("w", 500), a_bet("b2", 40)];
    table.accepted(batch("r", covered));
    assert_eq!(table.cash(), 500);
}

#[test]
fn t9_a_batch_that_fails_at_its_last_action_moves_nothing() {
    let mut table = Table::with_cash(100);
    let actions = vec![a_bet("b1", 60), a_win("w", 10), a_bet("b2", 60)];
    let refusal = table.refused(RefusalCode::InsufficientFunds, batch("r", actions));
    assert_eq!(
        refusal.balance.unwrap().cash,
        100,
        "the balance as it is, not as it was drafted"
    );
    assert_eq!((table.cash(), table.held()), (100, 0));
    assert_eq!(table.ledger.round(&player("alice"), "r"), None);
    table.applied(bet("b1", "r", 60));
}

#[test]
fn t9_a_repeated_batch_is_answered_as_before() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        let actions = vec![a_bet("b", 100), a_win("w", 50)];
        let first = table.accepted(batch("r", actions.clone()));
        table.applied(bet("c", "s", 7));
        let repeat = table.replayed(batch("r", actions));
        assert_eq!(repeat.receipts, first.receipts);
        assert_eq!(repeat.current.unwrap().cash, 943);
    }
}

#[test]
fn t9_an_action_of_a_batch_is_a_transaction_of_its_own() {
    let mut table = Table::with_cash(1_000);
    let settled = table.accepted(batch("r", vec![a_bet("b", 100), a_win("w", 50)]));
    assert_eq!(
        table.replayed(bet("b", "r", 100)).receipts[0],
        settled.receipts[0]
    );
    assert_eq!(
        table.replayed(win("w", "r", 50)).receipts[0],
        settled.receipts[1]
    );
    table.applied(rollback("rb1", "w"));
    table.applied(rollback("rb2", "b"));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn t9_a_batch_of_which_a_part_came_before_is_a_mismatch() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        table.applied(bet("b1", "r", 100));
        for actions in [
            vec![a_bet("b1", 100), a_bet("b2", 100)],
            vec![a_bet("b2", 100), a_bet("b1", 100)],
            vec![a_bet("b1", 99), a_bet("b2", 100)],
        ] {
            table.refused(RefusalCode::TransactionMismatch, batch("r", actions));
        }
        assert_eq!(table.cash(), 900);
        table.applied(bet("b2", "r", 100));
    }
}

#[test]
fn t9_a_batch_with_one_changed_action_is_a_mismatch() {
    let mut table = Table::with_cash(1_000);
    table.accepted(batch("r", vec![a_bet("b", 100), a_win("w", 50)]));
    let changed = vec![a_bet("b", 100), a_win("w", 51)];
    table.refused(RefusalCode::TransactionMismatch, batch("r", changed));
    assert_eq!(table.cash(), 950);
}

#[test]
fn t9_two_actions_with_one_id_are_malformed() {
    let mut table = Table::with_cash(1_000);
    let bets = vec![a_bet("b", 100), a_bet("b", 100)];
    table.refused(RefusalCode::Malformed, batch("r", bets));
    let wins = vec![a_win("w", 1), a_win("w", 2)];
    table.refused(RefusalCode::Malformed, batch("r", wins));
    table.accepted(batch("r", vec![a_bet("x", 100), a_win("x", 200)]));
    assert_eq!(table.cash(), 1_100);
}

/// Such a batch was never accepted, so it cannot be the repeat of one.
#[test]
fn t9_two_actions_with_one_id_are_malformed_also_when_the_id_came_before() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    let bets = vec![a_bet("b", 100), a_bet("b", 100)];
    table.refused(RefusalCode::Malformed, batch("r", bets));
    assert_eq!(table.cash(), 900);
}

#[test]
fn t9_an_empty_batch_is_malformed() {
    let mut table = Table::with_cash(1_000);
    table.refused(RefusalCode::Malformed, batch("r", Vec::new()));
}

#[test]
fn t9_a_batch_closes_its_round_after_its_last_action() {
    let mut table = Table::with_cash(1_000);
    table.accepted(BetWin {
        closes_round: true,
        ..batch("r", vec![a_bet("b", 100), a_win("w", 50)])
    });
    let round = table.ledger.round(&player("alice"), "r").unwrap();
    assert_eq!(round.state, RoundState::Closed);
    assert_eq!((table.cash(), table.held()), (950, 0));
    table.refused(RefusalCode::RoundClosed, batch("r", vec![a_bet("b2", 1)]));
}
