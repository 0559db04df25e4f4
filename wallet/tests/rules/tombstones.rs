//! T5: a rollback that comes before its target.

use pitboss_wallet::{Bet, Kind, LateBet, Policy, RefusalCode, TransactionScope, TransactionState};

use crate::harness::*;

#[test]
fn t5_a_rollback_before_its_bet_blocks_the_bet() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        let receipt = table.applied(rollback("rb", "b"));
        assert!(receipt.tombstone);
        assert_eq!(receipt.units, 0);
        table.refused(RefusalCode::RolledBack, bet("b", "r", 100));
        table.refused(RefusalCode::RolledBack, bet("b", "other", 7));
        assert_eq!(table.cash(), 1_000);
    }
}

#[test]
fn t5_by_policy_the_late_bet_is_answered_as_success_without_a_movement() {
    let policy = Policy {
        late_bet: LateBet::Accept,
        ..Policy::default()
    };
    let mut table = Table::with_policy(policy).holding(1_000);
    let rollback = table.applied(rollback("rb", "b"));
    let late = table.replayed(bet("b", "r", 100));
    let receipt = &late.receipts[0];
    assert_eq!((receipt.kind, receipt.units), (Kind::Bet, 0));
    assert_eq!(receipt.external_id, ext("b"));
    assert_eq!(receipt.transaction, rollback.transaction);
    assert_eq!(receipt.balance.unwrap().cash, 1_000);
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn t5_a_rollback_before_its_win_blocks_the_win() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.applied(rollback("rb", "w"));
    table.refused(RefusalCode::RolledBack, win("w", "r", 500));
    assert_eq!(table.cash(), 900);
}

#[test]
fn t5_a_win_that_names_a_tombstoned_bet_is_rolled_back() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        table.applied(rollback("rb", "b"));
        table.refused(RefusalCode::RolledBack, win_of("b", "w", "r", 500));
        assert_eq!(table.cash(), 1_000);
    }
}

#[test]
fn t5_a_batch_with_a_tombstoned_action_moves_nothing() {
    let mut table = Table::with_cash(1_000);
    table.applied(rollback("rb", "b2"));
    let actions = vec![a_bet("b1", 100), a_bet("b2", 100), a_win("w", 500)];
    table.refused(RefusalCode::RolledBack, batch("r", actions));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn t5_a_second_rollback_of_an_unknown_target_has_the_first_answer() {
    let mut table = Table::with_cash(1_000);
    let first = table.applied(rollback("rb", "b"));
    assert_eq!(
        table.replayed(rollback("rb", "b")).receipts,
        vec![first.clone()]
    );
    assert_eq!(table.replayed(rollback("rb2", "b")).receipts, vec![first]);
}

#[test]
fn t5_a_tombstone_is_a_durable_record_under_the_targets_keys() {
    let mut table = Table::with_cash(1_000);
    table.applied(rollback("rb", "b"));
    let mut entombed: Vec<_> = table
        .ledger
        .transactions()
        .filter(|transaction| transaction.state == TransactionState::Tombstone)
        .map(|transaction| {
            assert!(transaction.postings.is_empty(), "INV-8");
            (transaction.key.kind, transaction.key.external_id.clone())
        })
        .collect();
    entombed.sort();
    assert_eq!(entombed, vec![(Kind::Bet, ext("b")), (Kind::Win, ext("b"))]);
}

#[test]
fn t5_a_tombstone_blocks_its_own_player_only_in_the_players_scope() {
    let mut table = Table::with_cash(1_000);
    let mut bob = table.seat("bob");
    let command = rollback("rb", "b").command(&table.policy);
    bob.send(&mut table.ledger, NOON, &command).unwrap();
    table.applied(bet("b", "r", 100));
}

/// Whose id it is comes first: neither the refusal nor the late answer may tell of another player's rollback.
#[test]
fn t5_in_the_provider_scope_another_players_tombstone_is_a_mismatch() {
    for late_bet in [LateBet::Refuse, LateBet::Accept] {
        let policy = Policy {
            transaction_scope: TransactionScope::Provider,
            late_bet,
            ..Policy::default()
        };
        let mut table = Table::with_policy(policy).holding(1_000);
        let mut bob = table.seat("bob");
        let command = rollback("rb", "b").command(&table.policy);
        bob.send(&mut table.ledger, NOON, &command).unwrap();
        table.refused(RefusalCode::TransactionMismatch, bet("b", "r", 100));
        table.refused(RefusalCode::TransactionMismatch, rollback("rb2", "b"));
        table.refused(RefusalCode::UnknownBet, win_of("b", "w", "r", 5));
    }
}

/// The bet was on its way when the rollback of its unknown id was committed by another node.
#[test]
fn t5_the_commit_decides_between_a_bet_and_its_rollback() {
    let mut table = Table::with_cash(1_000);
    let mut elsewhere = Node::new(table.ledger.load(&player("alice")));
    let command = rollback("rb", "b").command(&table.policy);
    elsewhere.send(&mut table.ledger, NOON, &command).unwrap();
    // This node's memory knows nothing of it.
    let late: Bet = bet("b", "r", 100);
    table.refused(RefusalCode::RolledBack, late);
    assert_eq!(table.node.reloads, 1);
}

/// A win of this id is taken back, but the rollback may have meant a bet of this id that is still on its way.
#[test]
fn t5_a_rollback_that_finds_only_the_win_of_a_shared_id_blocks_the_late_bet() {
    let mut table = Table::with_cash(1_000);
    table.applied(win("x", "r", 500));
    table.applied(rollback("rb", "x"));
    assert_eq!(table.cash(), 1_000);
    table.refused(RefusalCode::RolledBack, bet("x", "r", 100));
    let again = table.replayed(rollback("rb2", "x"));
    assert_eq!(again.receipts[0].units, 500);
}

#[test]
fn t5_the_late_bet_of_a_shared_id_is_answered_without_the_amount_of_its_win() {
    let policy = Policy {
        late_bet: LateBet::Accept,
        ..Policy::default()
    };
    let mut table = Table::with_policy(policy).holding(1_000);
    table.applied(win("x", "r", 500));
    table.applied(rollback("rb", "x"));
    let late = table.replayed(bet("x", "r", 100));
    let receipt = &late.receipts[0];
    assert_eq!(
        (receipt.units, receipt.funding.cash, receipt.tombstone),
        (0, 0, true)
    );
    assert_eq!(table.cash(), 1_000);
}
