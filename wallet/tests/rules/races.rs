//! T6 and T10, as far as they are pure: two decisions on one state, of which one commits.

use pitboss_wallet::{Facts, Reply, RoundState, Verdict};

use crate::harness::*;

fn committed(verdict: Verdict) -> Box<pitboss_wallet::Decision> {
    match verdict {
        Verdict::Commit(decision) => decision,
        other => panic!("not a commit: {other:?}"),
    }
}

#[test]
fn t6_of_two_identical_requests_in_flight_one_applies_and_the_other_replays() {
    let mut table = Table::with_cash(1_000);
    let command = bet("b", "r", 100).command(&table.policy);
    let mut other = Node::new(table.node.state.clone());
    let here = committed(table.node.decide(&table.ledger, NOON, &command));
    let there = committed(other.decide(&table.ledger, NOON, &command));
    table
        .node
        .commit(&mut table.ledger, &here)
        .unwrap()
        .unwrap();
    other.commit(&mut table.ledger, &there).unwrap_err();
    let Reply::Settled(settled) = other.send(&mut table.ledger, NOON, &command).unwrap() else {
        panic!("not settled");
    };
    assert!(settled.replayed);
    assert_eq!(settled.receipts, vec![here.transactions[0].receipt.clone()]);
    assert_eq!(table.cash(), 900);
}

/// The key alone stops the second one, even where the version does not.
#[test]
fn t6_a_known_key_fails_the_commit_even_on_the_right_version() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.restart();
    table.node.state.sessions.extend(
        table
            .ledger
            .answer(
                &player("alice"),
                &[pitboss_wallet::Fact::Session(session(SESSION))],
            )
            .sessions
            .into_iter()
            .filter_map(|(_, session)| session),
    );
    table.node.questions = 0;
    let repeat = table.replayed(bet("b", "r", 100));
    assert_eq!(repeat.receipts.len(), 1);
    assert_eq!((table.node.reloads, table.node.questions), (1, 0));
}

#[test]
fn t6_two_different_bets_in_flight_cannot_spend_the_same_money() {
    let mut table = Table::with_cash(100);
    let one = bet("b1", "r1", 100).command(&table.policy);
    let two = bet("b2", "r2", 100).command(&table.policy);
    let mut other = Node::new(table.node.state.clone());
    let there = committed(other.decide(&table.ledger, NOON, &two));
    table.send(&one).unwrap();
    other.commit(&mut table.ledger, &there).unwrap_err();
    other.send(&mut table.ledger, NOON, &two).unwrap_err();
    assert_eq!(table.cash(), 0);
}

/// The answer was lost, not the money: the actor drops its state, and the same id brings the answer.
#[test]
fn t10_after_an_unknown_outcome_the_same_id_is_answered_from_the_ledger() {
    let mut table = Table::with_cash(1_000);
    let command = bet("b", "r", 100).command(&table.policy);
    let decision = committed(table.node.decide(&table.ledger, NOON, &command));
    // It was durable, but nobody heard: no apply, no answer.
    table.ledger.commit(&decision).unwrap();
    table.restart();
    let repeat = table.replayed(bet("b", "r", 100));
    assert_eq!(
        repeat.receipts,
        vec![decision.transactions[0].receipt.clone()]
    );
    assert_eq!(table.cash(), 900);
}

#[test]
fn t10_an_outcome_that_was_not_durable_is_applied_by_the_retry_once() {
    let mut table = Table::with_cash(1_000);
    let command = bet("b", "r", 100).command(&table.policy);
    committed(table.node.decide(&table.ledger, NOON, &command));
    table.restart();
    table.applied(bet("b", "r", 100));
    table.replayed(bet("b", "r", 100));
    assert_eq!(table.cash(), 900);
}

#[test]
fn a_round_that_fell_out_of_memory_while_open_is_found_again() {
    let mut table = Table::with_cash(1_000);
    table.node.limits.rounds = 1;
    table.applied(bet("b1", "r1", 100));
    table.applied(bet("b2", "r2", 200));
    table.applied(bet("b3", "r1", 300));
    assert_eq!(table.held(), 600);
    let round = table.ledger.round(&player("alice"), "r1").unwrap();
    assert_eq!((round.entries.len(), round.stake()), (2, 400));
    table.applied(close("r1"));
    assert_eq!(table.held(), 200);
}

#[test]
fn a_closed_round_that_fell_out_of_memory_takes_no_bet() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b1", "r1", 100));
    table.applied(close("r1"));
    table.restart();
    table.refused(
        pitboss_wallet::RefusalCode::RoundClosed,
        bet("b2", "r1", 100),
    );
    assert_eq!(table.cash(), 900);
}

/// A stale node believes that the bet stands; its rollback was committed elsewhere.
#[test]
fn a_rollback_on_a_stale_state_is_answered_with_the_reversal_it_missed() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    let mut other = Node::new(table.node.state.clone());
    let first = table.applied(rollback("rb", "b"));
    let command = rollback("rb2", "b").command(&table.policy);
    let Reply::Settled(settled) = other.send(&mut table.ledger, NOON, &command).unwrap() else {
        panic!("not settled");
    };
    assert_eq!((settled.replayed, settled.receipts), (true, vec![first]));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn a_rollback_on_a_state_that_missed_the_bet_gives_it_back() {
    let mut table = Table::with_cash(1_000);
    let mut other = Node::new(table.node.state.clone());
    table.applied(bet("b", "r", 100));
    let command = rollback("rb", "b").command(&table.policy);
    other.send(&mut table.ledger, NOON, &command).unwrap();
    assert_eq!(other.state.wallets[0].cash, 1_000);
    let round = table.ledger.round(&player("alice"), "r").unwrap();
    assert_eq!((round.state, round.stake()), (RoundState::Open, 0));
}

/// What the ledger said about a key is not asked for again within one decision, and a refusal is not given
/// before every own key was asked for.
#[test]
fn a_rollback_needs_its_own_key_and_both_of_its_targets_at_once() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.restart();
    let command = rollback("rb", "b").command(&table.policy);
    let mut new_id = || uuid::Uuid::nil();
    let mut seam = pitboss_wallet::Seam {
        now: NOON,
        environment: pitboss_wallet::Environment::Sandbox,
        sessions: RULES,
        new_id: &mut new_id,
    };
    let verdict = pitboss_wallet::decide(&table.node.state, &Facts::default(), &command, &mut seam);
    let Verdict::Need(asked) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(asked.len(), 3);
    assert!(command.facts().iter().all(|fact| asked.contains(fact)));
}

/// Decides with facts that were asked for earlier.
fn decide_on(table: &Table, facts: &Facts, command: &pitboss_wallet::Command) -> Verdict {
    let mut next = 1_000;
    let mut new_id = || {
        next += 1;
        uuid::Uuid::from_u128(next)
    };
    let mut seam = pitboss_wallet::Seam {
        now: NOON,
        environment: pitboss_wallet::Environment::Sandbox,
        sessions: RULES,
        new_id: &mut new_id,
    };
    pitboss_wallet::decide(&table.node.state, facts, command, &mut seam)
}

/// What the ledger says about a command now, and of which version of the player that is.
fn asked_now(table: &Table, command: &pitboss_wallet::Command) -> Facts {
    let facts = table.ledger.answer(&player("alice"), &command.facts());
    Facts {
        version: Some(table.version()),
        ..facts
    }
}

/// Between the question and the load another owner gave a part of the bet back: the bet that was asked for has no
/// reversal, and its round has only a part left. Both together would give that part back twice.
#[test]
fn t7_facts_of_another_version_than_the_states_are_not_used() {
    let policy = pitboss_wallet::Policy {
        rollback_amount: pitboss_wallet::RollbackAmount::Partial,
        ..pitboss_wallet::Policy::default()
    };
    let mut table = Table::with_policy(policy).holding(1_000);
    table.applied(bet("b", "r", 100));
    let command = rollback("rb2", "b").command(&table.policy);
    let old = asked_now(&table, &command);
    table.applied(rollback_units("rb1", "b", 40));
    let verdict = decide_on(&table, &old, &command);
    assert!(matches!(verdict, Verdict::Need(_)), "{verdict:?}");
    let verdict = decide_on(&table, &asked_now(&table, &command), &command);
    let Verdict::Answer(Reply::Settled(settled)) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!((settled.replayed, settled.receipts[0].units), (true, 40));
}

/// The same with two questions: the bet before the partial rollback, its round after it.
#[test]
fn t7_facts_of_two_versions_are_not_mixed() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    let command = rollback("rb2", "b").command(&table.policy);
    let mut facts = asked_now(&table, &command);
    table.applied(rollback("rb1", "b"));
    let round = table.ledger.round(&player("alice"), "r").unwrap();
    let question = [pitboss_wallet::Fact::Round(round.key.clone())];
    let newer = Facts {
        version: Some(table.version()),
        ..table.ledger.answer(&player("alice"), &question)
    };
    facts.extend(newer);
    assert!(facts.transactions.is_empty() && facts.rounds.len() == 1);
    table.restart();
    let verdict = decide_on(&table, &facts, &command);
    assert!(matches!(verdict, Verdict::Need(_)), "{verdict:?}");
}
