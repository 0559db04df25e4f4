//! T12: what people decide by hand: adjustments, and voids with the names of who decided.

use pitboss_wallet::{
    Adjust, AdjustmentCategory, Command, Kind, Money, RefusalCode, Reply, Settled,
    TransactionState, VoidRound,
};

use crate::harness::*;

fn adjusted(table: &mut Table, adjust: Adjust) -> Settled {
    match table.done(&Command::Adjust(adjust)) {
        Reply::Settled(settled) => settled,
        other => panic!("not settled: {other:?}"),
    }
}

/// A refusal that uses the approval's id up.
fn burned(table: &mut Table, code: RefusalCode, adjust: Adjust) {
    let (version, cash, seq) = (table.version(), table.cash(), table.last_seq());
    let command = Command::Adjust(adjust);
    let first = table.send(&command).expect_err("accepted");
    assert_eq!(first.code, code);
    assert_eq!(table.version(), version + 1, "it is stored");
    assert_eq!(
        (table.cash(), table.last_seq()),
        (cash, seq),
        "nothing moved"
    );
    table.restart();
    let again = table.send(&command).expect_err("accepted");
    assert_eq!((again, table.version()), (first, version + 1));
}

#[test]
fn t12_an_adjustment_moves_once_for_each_approval() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        let first = adjusted(&mut table, credit("a1", 500));
        let again = adjusted(&mut table, credit("a1", 500));
        assert!(!first.replayed && again.replayed);
        assert_eq!(first.receipts, again.receipts);
        assert_eq!(table.cash(), 1_500);
        let taken = adjusted(&mut table, debit("a2", 1_500));
        assert_eq!((taken.receipts[0].units, table.cash()), (-1_500, 0));
        assert_eq!(table.owed(), 0);
    }
}

#[test]
fn t12_an_adjustment_tells_who_decided_it_and_why() {
    let mut table = Table::with_cash(1_000);
    adjusted(&mut table, debit("a1", 400));
    let event = table.newest("wallet.adjusted");
    let data = &event["data"];
    assert_eq!(data["approval"], "a1");
    assert_eq!(data["direction"], "debit");
    assert_eq!(data["amount"], "0.0004");
    assert_eq!(data["category"], "correction");
    assert_eq!(data["reason"], "paid twice");
    assert_eq!(data["by"]["maker"]["person"], "Mary");
    assert_eq!(data["by"]["checker"]["person"], "Carl");
    assert_eq!(data["balance"]["cash"], "0.0006");
}

#[test]
fn t12_a_debit_beyond_the_balance_is_refused_once_and_for_ever() {
    let mut table = Table::with_cash(100);
    burned(&mut table, RefusalCode::InsufficientFunds, debit("a1", 101));
    // The money that came later changes nothing: the decision was carried out.
    table.done(&deposit("more", 1_000));
    let refusal = table.send(&Command::Adjust(debit("a1", 101))).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::InsufficientFunds);
    assert_eq!(table.cash(), 1_100);
}

#[test]
fn t12_a_correction_may_leave_a_debt_and_tells_of_it() {
    let mut table = Table::with_cash(100);
    let adjust = Adjust {
        allow_debt: true,
        ..debit("a1", 130)
    };
    adjusted(&mut table, adjust);
    assert_eq!((table.cash(), table.owed()), (0, 30));
    assert_eq!(
        table.newest("wallet.negative_balance")["data"]["owed"],
        "0.00003"
    );
}

#[test]
fn t12_only_a_debit_that_is_a_correction_may_leave_a_debt() {
    let mut table = Table::with_cash(100);
    for adjust in [
        credit("a1", 10),
        Adjust {
            category: AdjustmentCategory::Correction,
            ..credit("a1", 10)
        },
        Adjust {
            category: AdjustmentCategory::Fraud,
            ..debit("a1", 10)
        },
    ] {
        let adjust = Adjust {
            allow_debt: true,
            ..adjust
        };
        table.refused_command(RefusalCode::Malformed, &Command::Adjust(adjust));
    }
    for units in [0, -1, i64::MIN] {
        table.refused_command(
            RefusalCode::Malformed,
            &Command::Adjust(credit("a1", units)),
        );
        table.refused_command(RefusalCode::Malformed, &Command::Adjust(debit("a1", units)));
    }
}

#[test]
fn t12_an_approval_with_other_data_is_a_mismatch() {
    let mut table = Table::with_cash(1_000);
    adjusted(&mut table, credit("a1", 10));
    for other in [
        credit("a1", 11),
        debit("a1", 10),
        Adjust {
            reason: "another".to_owned(),
            ..credit("a1", 10)
        },
    ] {
        table.refused_command(RefusalCode::TransactionMismatch, &Command::Adjust(other));
    }
    assert_eq!(table.cash(), 1_010);
}

#[test]
fn t12_what_cannot_be_posted_uses_the_approval_up() {
    let mut table = Table::with_cash(1_000);
    burned(&mut table, RefusalCode::Malformed, credit("a1", i64::MAX));
    let usd = Adjust {
        amount: Money::new(5, currency("USD")),
        ..credit("a2", 5)
    };
    burned(&mut table, RefusalCode::CurrencyMismatch, usd);
}

#[test]
fn t12_a_blocked_player_is_corrected_all_the_same() {
    use pitboss_wallet::PlayerStatus;
    for blocked in [
        PlayerStatus::BetsBlocked,
        PlayerStatus::Blocked,
        PlayerStatus::Closed,
    ] {
        let mut table = Table::with_cash(100);
        table.done(&status(blocked));
        adjusted(&mut table, credit("a1", 10));
        adjusted(&mut table, debit("a2", 60));
        assert_eq!(table.cash(), 50);
    }
}

/// INV-3: nobody plays with what he owes, and no adjustment makes cash of it.
#[test]
fn inv_3_a_debt_is_on_receivable_alone() {
    let mut table = Table::with_cash(100);
    let adjust = Adjust {
        allow_debt: true,
        ..debit("a1", 150)
    };
    adjusted(&mut table, adjust);
    table.refused(RefusalCode::InsufficientFunds, bet("b", "r", 1));
}

#[test]
fn t12_a_void_that_people_decided_tells_who() {
    let mut table = Table::with_cash(100);
    table.applied(bet("b", "r", 40));
    let decided = VoidRound {
        by: Some(two()),
        ..void("v", "r")
    };
    table.applied(decided);
    assert_eq!(
        table.newest("game.round_voided")["data"]["by"]["maker"]["person"],
        "Mary"
    );
    assert_eq!(table.cash(), 100);
}

#[test]
fn t12_a_void_that_people_decided_is_refused_once_and_for_ever() {
    let mut table = Table::with_cash(100);
    let decided = VoidRound {
        by: Some(two()),
        ..void("v", "r")
    };
    let refusal = table.play(decided.clone()).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::UnknownBet);
    table.applied(bet("b", "r", 40));
    table.refused(RefusalCode::UnknownBet, decided);
    assert_eq!(table.cash(), 60);
    let kept = table.ledger.transactions();
    let kept: Vec<_> = kept.filter(|row| row.key.kind == Kind::VoidRound).collect();
    assert!(kept.len() == 1 && kept[0].state == TransactionState::Refused);
    // One that nobody decided may be sent again.
    table.refused(RefusalCode::UnknownBet, void("v2", "other"));
}
