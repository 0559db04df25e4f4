//! T1 to T4 and T11: keys, fingerprints, what is stored and what is not.

use pitboss_wallet::{
    Bet, GameStanding, PlayerStatus, Policy, RefusalCode, TransactionScope, WinKind,
};

use crate::harness::*;
use pitboss_wallet::{Command, Receipt, Win};

#[test]
fn t1_a_bet_and_a_win_may_share_one_external_id() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("x", "r", 100));
    table.applied(win("x", "r", 300));
    assert_eq!(table.cash(), 1_200);
    table.replayed(bet("x", "r", 100));
    table.replayed(win("x", "r", 300));
    assert_eq!(table.cash(), 1_200);
}

#[test]
fn t1_external_ids_are_any_text_and_never_numbers() {
    let mut table = Table::with_cash(1_000);
    let long = "🎲".repeat(255);
    for id in ["1", "01", "1.0", " 1", "'; drop table ledger; --", &long] {
        table.applied(bet(id, "r", 10));
        table.replayed(bet(id, "r", 10));
    }
    assert_eq!(table.cash(), 940);
}

#[test]
fn t1_two_players_may_use_one_id_in_the_players_scope() {
    let mut table = Table::with_cash(1_000);
    let mut bob = table.seat("bob");
    bob.send(&mut table.ledger, NOON, &deposit("bobs", 500))
        .unwrap();
    table.applied(bet("x", "r", 100));
    let bobs = Bet {
        session: session(OTHERS_SESSION),
        ..bet("x", "r", 200)
    };
    bob.send(&mut table.ledger, NOON, &bobs.command(&table.policy))
        .unwrap();
    assert_eq!((table.cash(), bob.state.wallets[0].cash), (900, 300));
}

#[test]
fn t1_in_the_provider_scope_an_id_belongs_to_one_player() {
    let policy = Policy {
        transaction_scope: TransactionScope::Provider,
        ..Policy::default()
    };
    let mut table = Table::with_policy(policy).holding(1_000);
    let mut bob = table.seat("bob");
    bob.send(&mut table.ledger, NOON, &deposit("bobs", 500))
        .unwrap();
    table.applied(bet("x", "r", 100));
    let bobs = Bet {
        session: session(OTHERS_SESSION),
        ..bet("x", "r", 100)
    };
    let command = bobs.command(&table.policy);
    let refusal = bob.send(&mut table.ledger, NOON, &command).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::TransactionMismatch);
    assert_eq!(refusal.original, None, "another player's data leaked");
    assert_eq!(bob.state.wallets[0].cash, 500);
}

#[test]
fn t2_the_same_id_and_data_is_answered_from_the_ledger_and_moves_nothing() {
    let mut table = Table::with_cash(1_000);
    let first = table.applied(bet("b", "r", 100));
    table.applied(bet("other", "r", 50));
    let repeat = table.replayed(bet("b", "r", 100));
    assert_eq!(repeat.receipts, vec![first]);
    assert_eq!(table.cash(), 850);
}

#[test]
fn t2_the_same_id_with_another_amount_is_a_mismatch_and_moves_nothing() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.refused(RefusalCode::TransactionMismatch, bet("b", "r", 101));
    table.applied(win("w", "r", 10));
    table.refused(RefusalCode::TransactionMismatch, win("w", "r", 11));
    assert_eq!(table.cash(), 910);
}

#[test]
fn t2_the_same_id_with_another_round_game_currency_or_target_is_a_mismatch() {
    let mut table = Table::with_cash(1_000);
    table.done(&Command::OpenAccount(currency("USD")));
    table.applied(bet("b", "r", 100));
    table.applied(win_of("b", "w", "r", 10));
    let other_game = Bet {
        game: game("slots"),
        ..bet("b", "r", 100)
    };
    let other_currency = Bet {
        amount: pitboss_wallet::Money::new(100, currency("USD")),
        ..bet("b", "r", 100)
    };
    for other in [bet("b", "r2", 100), other_game, other_currency] {
        table.refused(RefusalCode::TransactionMismatch, other);
    }
    table.refused(RefusalCode::TransactionMismatch, win("w", "r", 10));
    table.refused(RefusalCode::TransactionMismatch, win_of("b2", "w", "r", 10));
    table.applied(bet("c", "s", 1));
    table.applied(rollback("rb", "c"));
    table.refused(RefusalCode::TransactionMismatch, rollback("rb", "b"));
}

#[test]
fn t2_a_void_of_the_same_id_for_another_game_or_round_is_a_mismatch() {
    let mut table = Table::with_policy(Policy {
        round_scope: pitboss_wallet::RoundScope::Game,
        ..Policy::default()
    })
    .holding(1_000);
    let slots = Bet {
        game: game("slots"),
        ..bet("b2", "r", 100)
    };
    table.applied(bet("b1", "r", 100));
    table.applied(slots);
    table.applied(void("v", "r"));
    let other_game = pitboss_wallet::VoidRound {
        game: game("slots"),
        ..void("v", "r")
    };
    table.refused(RefusalCode::TransactionMismatch, other_game);
    table.refused(RefusalCode::TransactionMismatch, void("v", "r2"));
    assert_eq!(table.cash(), 900);
}

#[test]
fn t2_what_is_not_meaningful_may_differ_in_a_repeat() {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b", "r", 100));
    table.replayed(Bet {
        session: session(99),
        standing: GameStanding::Unknown,
        closes_round: true,
        jackpot_contribution: Some(1),
        ..bet("b", "r", 100)
    });
    table.applied(win("w", "r", 10));
    table.replayed(Win {
        kind: WinKind::Ordinary,
        standing: GameStanding::Unknown,
        closes_round: true,
        ..win("w", "r", 10)
    });
    assert_eq!(table.held(), 100, "a repeat closed the round");
}

/// Whatever stands in the way of a new bet does not stand in the way of an old one's answer.
#[test]
fn t3_an_accepted_bet_is_answered_when_the_player_is_broke_blocked_or_logged_out() {
    let mut table = Table::with_cash(100);
    let first = table.applied(bet("b", "r", 100));
    let check = |table: &mut Table, why: &str| {
        for forgetful in [false, true] {
            table.node.forgetful = forgetful;
            let repeat = table.replayed(bet("b", "r", 100));
            assert_eq!(repeat.receipts, vec![first.clone()], "{why}");
        }
    };
    check(&mut table, "broke");
    table.done(&status(PlayerStatus::BetsBlocked));
    check(&mut table, "blocked");
    table.done(&Command::EndSession(session(SESSION)));
    check(&mut table, "logged out");
    table.applied(close("r"));
    check(&mut table, "the round is closed");
    table.now = NOON.plus_seconds(1_000_000);
    check(&mut table, "the session expired");
    let disabled = Bet {
        standing: GameStanding::DISABLED,
        ..bet("b", "r", 100)
    };
    table.replayed(disabled);
}

#[test]
fn t3_a_refusal_is_never_answered_from_memory_alone() {
    let mut table = Table::with_cash(10);
    table.restart();
    table.node.state.sessions.extend(
        // The session is in memory, the transaction is not.
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
    let before = table.node.questions;
    table.refused(RefusalCode::InsufficientFunds, bet("b", "r", 100));
    assert_eq!(table.node.questions, before + 1);
}

#[test]
fn t3_an_accepted_new_bet_asks_the_ledger_nothing() {
    let mut table = Table::with_cash(1_000);
    let before = table.node.questions;
    table.applied(bet("b1", "r", 100));
    table.applied(bet("b2", "r", 100));
    table.applied(win("w1", "r", 100));
    assert_eq!(table.node.questions, before);
}

#[test]
fn t4_a_refused_id_may_succeed_after_a_deposit() {
    let mut table = Table::with_cash(10);
    let refusal = table.refused(RefusalCode::InsufficientFunds, bet("b", "r", 100));
    assert_eq!(refusal.balance.unwrap().cash, 10);
    table.done(&deposit("more", 200));
    table.applied(bet("b", "r", 100));
    assert_eq!(table.cash(), 110);
}

fn burning() -> Policy {
    Policy {
        refusal_burns_id: true,
        ..Policy::default()
    }
}

#[test]
fn t4_by_policy_a_refusal_burns_the_id_of_a_bet_for_ever() {
    let mut table = Table::with_policy(burning()).holding(10);
    let refusal = table.play(bet("b", "r", 100)).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::InsufficientFunds);
    table.done(&deposit("more", 200));
    for forgetful in [false, true] {
        table.node.forgetful = forgetful;
        let again = table.refused(RefusalCode::InsufficientFunds, bet("b", "r", 100));
        assert_eq!(
            again, refusal,
            "the stored refusal, balance of then included"
        );
        table.refused(RefusalCode::TransactionMismatch, bet("b", "r", 101));
    }
    assert_eq!(table.cash(), 210);
    assert_eq!(table.ledger.round(&player("alice"), "r"), None);
}

#[test]
fn t4_a_burned_id_has_nothing_to_roll_back() {
    let mut table = Table::with_policy(burning()).holding(10);
    table.play(bet("b", "r", 100)).unwrap_err();
    let receipt = table.applied(rollback("rb", "b"));
    assert!(receipt.tombstone);
    table.replayed(rollback("rb2", "b"));
    table.refused(RefusalCode::InsufficientFunds, bet("b", "r", 100));
    table.refused(RefusalCode::UnknownBet, win_of("b", "w", "r", 5));
    assert_eq!(table.cash(), 10);
}

#[test]
fn t4_a_refused_batch_burns_nothing() {
    let mut table = Table::with_policy(burning()).holding(10);
    table.refused(
        RefusalCode::InsufficientFunds,
        batch("r", vec![a_bet("b", 100)]),
    );
    table.done(&deposit("more", 200));
    table.applied(batch("r", vec![a_bet("b", 100)]));
}

#[test]
fn t11_a_replay_has_the_stored_answer_and_the_balance_of_now() {
    let mut table = Table::with_cash(1_000);
    let first = table.applied(bet("b", "r", 100));
    table.applied(bet("c", "r", 200));
    let repeat = table.replayed(bet("b", "r", 100));
    assert_eq!(repeat.receipts[0], first);
    assert_eq!(repeat.receipts[0].balance.unwrap().cash, 900);
    assert_eq!(repeat.current.unwrap().cash, 700);
}

#[test]
fn t11_a_mismatch_brings_the_original() {
    let mut table = Table::with_cash(1_000);
    let first = table.applied(bet("b", "r", 100));
    let refusal = table.refused(RefusalCode::TransactionMismatch, bet("b", "r", 7));
    assert_eq!(refusal.original.as_deref(), Some(&first));
}

#[test]
fn t11_a_stored_receipt_reads_back_as_it_was_written() {
    let mut table = Table::with_cash(1_000);
    let receipts = [
        table.applied(bet("b", "r", 100)),
        table.applied(win("w", "r", 0)),
        table.applied(rollback("rb", "nobody")),
        table.applied(close("r")),
    ];
    for receipt in receipts {
        let text = serde_json::to_string(&receipt).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&text).unwrap(), receipt);
    }
}

/// One action came before with other data, another was rolled back before it came: which of them memory
/// remembers must not choose the answer.
#[test]
fn t3_what_memory_happens_to_hold_does_not_choose_the_answer_to_a_batch() {
    let mut codes = Vec::new();
    for transactions in [100, 1, 0] {
        let mut table = Table::with_cash(1_000);
        table.applied(rollback("rb", "b1"));
        table.node.limits.transactions = transactions;
        table.applied(bet("b2", "r", 100));
        let actions = vec![a_bet("b1", 100), a_bet("b2", 7)];
        codes.push(table.play(batch("r", actions)).unwrap_err().code);
    }
    assert_eq!(codes, [RefusalCode::RolledBack; 3]);
}

#[test]
fn t3_a_refused_bet_is_told_the_same_reason_when_its_round_fell_out_of_memory() {
    let mut table = Table::with_cash(10);
    table.applied(bet("b1", "r", 10));
    table.applied(close("r"));
    table.refused(RefusalCode::RoundClosed, bet("b2", "r", 100));
    table.restart();
    table.refused(RefusalCode::RoundClosed, bet("b2", "r", 100));
}

#[test]
fn t4_a_burned_bet_leaves_nothing_but_the_record_of_its_refusal() {
    let mut table = Table::with_policy(burning()).holding(10);
    let (seq, count) = (table.last_seq(), table.ledger.len());
    table.play(bet("b", "r", 100)).unwrap_err();
    assert!(table.subjects_after(seq).is_empty());
    assert_eq!(table.ledger.len(), count + 1);
}

/// What was never understood is no transaction, and leaves its id to the one that is meant.
#[test]
fn t4_a_malformed_bet_burns_no_id() {
    let mut table = Table::with_policy(burning()).holding(10);
    table.refused(RefusalCode::Malformed, bet("b", "r", -1));
    table.applied(bet("b", "r", 10));
}
