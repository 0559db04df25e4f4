//! The whole envelope of each type of event, to the byte: it is a public contract.

use pitboss_wallet::{
    Bet, Command, DepositStep, EventType, Launch, PaymentId, PlayerStatus, Registration, Reply,
    RequestWithdrawal, ReviewReason, Win, WithdrawalStep, WithdrawalTerms,
};

use crate::harness::*;

/// One event of each type at least.
fn told() -> Vec<(EventType, String)> {
    let mut table = Table::with_cash(1_000_000);
    table.applied(Bet {
        jackpot_contribution: Some(1_000),
        ..bet("b1", "r1", 403_604)
    });
    table.applied(Win {
        closes_round: true,
        ..win_of("b1", "w1", "r1", 12_500_000)
    });
    table.applied(Bet {
        free_round: Some(ext("f1")),
        ..bet("b2", "r2", 0)
    });
    table.applied(rollback("rb1", "b2"));
    table.applied(bet("b3", "r3", 13_000_000));
    table.applied(rollback("rb2", "w1"));
    table.applied(void("v1", "r3"));
    table.done(&Command::EndSession(session(SESSION)));
    table.done(&Command::Adjust(credit("a1", 2_500_000)));
    let mut bob = Node::new(table.ledger.create("bob"));
    let register = Command::Register(Registration {
        country: Some("DE".to_owned()),
        language: Some("de".to_owned()),
        test: false,
    });
    bob.send(&mut table.ledger, NOON, &register).unwrap();
    table.done(&login(8));
    table.done(&Command::EndSession(session(8)));
    table.done(&login(9));
    table.done(&Command::Launch(Launch {
        login: Some(session(9)),
        ..launch(10)
    }));
    table.now = NOON.plus_seconds(86_400);
    table.done(&Command::ExpireSessions);
    table.done(&status(PlayerStatus::Blocked));
    tell_payments(&mut table);
    let events = table.ledger.events(&player("alice"));
    events
        .iter()
        .chain(table.ledger.events(&player("bob")))
        .chain(table.ledger.events(&player("carl")))
        .map(|event| (event.kind, event.body.clone()))
        .collect()
}

/// The deposits and withdrawals of a third player.
fn tell_payments(table: &mut Table) {
    let mut carl = Node::new(table.ledger.create("carl"));
    let mut send = |command: &Command| -> Option<PaymentId> {
        match carl.send(&mut table.ledger, NOON, command).unwrap() {
            Reply::Payment(reply) => Some(reply.payment.id()),
            _ => None,
        }
    };
    send(&Command::OpenAccount(eur()));
    let id = send(&initiate("d1", 9_000_000)).unwrap();
    let pend = DepositStep::Pend {
        provider_reference: ext("psp-1"),
    };
    send(&notice(id, pend));
    send(&notice(id, complete("psp-1", 9_000_000)));
    let failed = send(&initiate("d2", 1_000_000)).unwrap();
    let reason = "the card was refused".to_owned();
    send(&notice(failed, DepositStep::Fail { reason }));
    let reason = "not my purchase".to_owned();
    let reversed = send(&initiate("d3", 1_000_000)).unwrap();
    send(&notice(reversed, complete("psp-3", 1_000_000)));
    send(&notice(reversed, DepositStep::ChargeBack { reason }));
    let terms = WithdrawalTerms {
        fee_units: 10_000,
        review: vec![ReviewReason::LargeAmount],
        expires_at: Some(NOON),
        ..withdrawal("w1", 1).terms
    };
    let mut request = |reference: &str| {
        let asked = withdrawal(reference, 1_000_000);
        let terms = terms.clone();
        send(&withdraw(RequestWithdrawal { terms, ..asked })).unwrap()
    };
    let ids: Vec<_> = ["w1", "w2", "w3", "w4", "w5"].map(&mut request).into();
    let hold = WithdrawalStep::Hold {
        reason: ReviewReason::Kyc,
        by: by("Rita"),
    };
    let clear = WithdrawalStep::ClearHold { by: by("Rita") };
    let sent = [hold, clear, approve("Mary"), WithdrawalStep::Send];
    for one in sent
        .into_iter()
        .chain([WithdrawalStep::LoseSight, pay("psp-4"), give_back()])
    {
        send(&step(ids[0], one));
    }
    for one in [approve("Mary"), WithdrawalStep::Send, fail()] {
        send(&step(ids[1], one));
    }
    for one in [
        approve("Mary"),
        WithdrawalStep::Split {
            parts: vec![600_000, 400_000],
        },
    ] {
        send(&step(ids[2], one));
    }
    send(&step(ids[3], confiscate()));
    send(&step(ids[4], WithdrawalStep::Expire));
    for (reference, end) in [("w6", cancel()), ("w7", reject())] {
        let id = send(&withdraw(withdrawal(reference, 10_000))).unwrap();
        send(&step(id, end));
    }
}

/// `events.jsonl` has one envelope per line. A change in it is a change for every consumer: think first.
#[test]
fn the_envelope_of_each_type_of_event_is_fixed_to_the_byte() {
    let golden: Vec<_> = include_str!("events.jsonl").lines().collect();
    let told = told();
    for ((kind, body), golden) in told.iter().zip(&golden) {
        assert_eq!(body, golden, "{kind:?}");
    }
    let more: Vec<_> = told.iter().skip(golden.len()).collect();
    assert!(more.is_empty(), "no golden envelope: {more:#?}");
    assert_eq!(told.len(), golden.len());
}

#[test]
fn each_type_of_event_has_a_golden_envelope() {
    let told = told();
    for kind in EventType::ALL {
        assert!(told.iter().any(|(told, _)| told == kind), "{kind:?}");
    }
}
