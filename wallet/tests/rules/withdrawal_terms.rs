//! Withdrawals: what is asked for, by whom it is approved, and what was in force then.

use pitboss_wallet::{
    Command, RefusalCode, RequestWithdrawal, ReviewReason, Timestamp, WithdrawalStep,
    WithdrawalTerms,
};

use crate::harness::*;

fn terms() -> WithdrawalTerms {
    withdrawal("w", 1).terms
}

#[test]
fn what_is_owed_is_not_withdrawn() {
    let mut table = Table::with_cash(100);
    table.done(&Command::Adjust(pitboss_wallet::Adjust {
        allow_debt: true,
        ..debit("a", 150)
    }));
    table.done(&deposit("more", 80));
    table.refused_command(
        RefusalCode::InsufficientFunds,
        &withdraw(withdrawal("w", 31)),
    );
    table.paid(&withdraw(withdrawal("w", 30)));
}

#[test]
fn a_reference_asks_once_and_is_unique_among_all_players() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(1_000);
        table.node.forgetful = forgetful;
        let asked = withdraw(withdrawal("w", 400));
        let first = table.paid(&asked).payment;
        assert_eq!(table.paid_before(&asked), first);
        assert_eq!(table.cash(), 600);
        // The repeat gets the state of now.
        table.paid(&step(first.id(), cancel()));
        assert_eq!(table.paid_before(&asked).state(), "cancelled");
        let other = withdraw(withdrawal("w", 401));
        table.refused_command(RefusalCode::TransactionMismatch, &other);
        let mut bob = table.seat("bob");
        bob.send(&mut table.ledger, NOON, &deposit("bobs", 500))
            .unwrap();
        let refusal = bob.send(&mut table.ledger, NOON, &asked).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::TransactionMismatch);
        assert_eq!(refusal.original, None);
    }
}

#[test]
fn amounts_are_above_zero_and_fit() {
    let mut table = Table::with_cash(1_000);
    for units in [0, -1, i64::MIN] {
        table.refused_command(RefusalCode::Malformed, &withdraw(withdrawal("w", units)));
    }
    for (units, fee_units) in [(1, -1), (i64::MAX, 1)] {
        let terms = WithdrawalTerms {
            fee_units,
            ..terms()
        };
        let asked = RequestWithdrawal {
            terms,
            ..withdrawal("w", units)
        };
        table.refused_command(RefusalCode::Malformed, &withdraw(asked));
    }
    let usd = RequestWithdrawal {
        amount: pitboss_wallet::Money::new(1, currency("USD")),
        ..withdrawal("w", 1)
    };
    table.refused_command(RefusalCode::CurrencyMismatch, &withdraw(usd));
}

#[test]
fn two_approvers_are_two_people_and_neither_asked_for_it() {
    let mut table = Table::with_cash(1_000);
    let asked = RequestWithdrawal {
        terms: WithdrawalTerms {
            approvers: 2,
            ..terms()
        },
        ..withdrawal("w", 400)
    };
    let id = table.paid(&withdraw(asked)).payment.id();
    table.paid(&step(id, start_review()));
    // Whoever asked, in whatever name, and whoever has no name.
    let mut in_another_name = person("Zoe");
    in_another_name.hands.push("kate".to_owned());
    let mut nameless = person("");
    nameless.hands = vec![String::new()];
    for by in [person("Kate"), in_another_name, nameless] {
        let approve = step(id, WithdrawalStep::Approve { by });
        table.refused_command(RefusalCode::SamePerson, &approve);
    }
    let reply = table.paid(&step(id, approve("Carl")));
    assert_eq!(reply.payment.state(), "in_review");
    let told = table.newest("withdrawal.approved");
    assert_eq!(
        (&told["data"]["level"], &told["data"]["of"]),
        (&1.into(), &2.into())
    );
    // The same person again is the same approval; with another key he is no other person.
    table.paid_before(&step(id, approve("Carl")));
    let mut again = person("Carla");
    again.hands = vec!["carl".to_owned()];
    let approve_again = step(id, WithdrawalStep::Approve { by: again });
    table.refused_command(RefusalCode::SamePerson, &approve_again);
    table.refused_command(RefusalCode::PaymentState, &step(id, WithdrawalStep::Send));
    let reply = table.paid(&step(id, approve("Dora")));
    assert_eq!(reply.payment.state(), "approved");
    table.paid_before(&step(id, approve("Carl")));
}

#[test]
fn with_no_approvers_it_is_approved_at_once_unless_there_is_something_to_look_at() {
    let mut table = Table::with_cash(1_000);
    let of = |reference: &str, review: Vec<ReviewReason>| {
        withdraw(RequestWithdrawal {
            terms: WithdrawalTerms {
                approvers: 0,
                review,
                ..terms()
            },
            ..withdrawal(reference, 10)
        })
    };
    let seq = table.last_seq();
    assert_eq!(table.paid(&of("w", vec![])).payment.state(), "approved");
    assert_eq!(
        table.subjects_after(seq),
        [
            "withdrawal.requested",
            "wallet.hold_placed",
            "withdrawal.approved"
        ]
    );
    let seq = table.last_seq();
    let reply = table.paid(&of("x", vec![ReviewReason::LargeAmount]));
    assert_eq!(reply.payment.state(), "in_review");
    assert_eq!(
        table.subjects_after(seq),
        [
            "withdrawal.requested",
            "wallet.hold_placed",
            "withdrawal.review_started"
        ]
    );
    let told = table.newest("withdrawal.review_started");
    assert_eq!(told["data"]["reasons"], serde_json::json!(["large_amount"]));
    // Then somebody has to.
    table.refused_command(
        RefusalCode::PaymentState,
        &step(reply.payment.id(), WithdrawalStep::Send),
    );
    table.paid(&step(reply.payment.id(), approve("Carl")));
}

#[test]
fn a_player_cancels_only_where_he_may() {
    let mut table = Table::with_cash(1_000);
    let asked = RequestWithdrawal {
        terms: WithdrawalTerms {
            may_cancel: false,
            ..terms()
        },
        ..withdrawal("w", 400)
    };
    let id = table.paid(&withdraw(asked)).payment.id();
    table.refused_command(RefusalCode::CancelRefused, &step(id, cancel()));
    table.paid(&step(id, reject()));
    assert_eq!(table.cash(), 1_000);
}

#[test]
fn it_expires_when_its_time_is_over_and_not_before() {
    let mut table = Table::with_cash(1_000);
    let of = |reference: &str, expires_at: Option<Timestamp>| {
        withdraw(RequestWithdrawal {
            terms: WithdrawalTerms {
                expires_at,
                ..terms()
            },
            ..withdrawal(reference, 10)
        })
    };
    for (reference, at) in [("w", None), ("x", Some(NOON.plus_seconds(1)))] {
        let id = table.paid(&of(reference, at)).payment.id();
        let expire = step(id, WithdrawalStep::Expire);
        table.refused_command(RefusalCode::PaymentState, &expire);
    }
    let id = table
        .paid(&of("x", Some(NOON.plus_seconds(1))))
        .payment
        .id();
    table.now = NOON.plus_seconds(1);
    table.paid(&step(id, WithdrawalStep::Expire));
    assert_eq!(table.cash(), 990);
}
