//! The whole envelope of each type of event, to the byte: it is a public contract.

use pitboss_wallet::{Bet, Command, EventType, Launch, PlayerStatus, Registration, Win};

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
    let events = table.ledger.events(&player("alice"));
    events
        .iter()
        .chain(table.ledger.events(&player("bob")))
        .map(|event| (event.kind, event.body.clone()))
        .collect()
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
