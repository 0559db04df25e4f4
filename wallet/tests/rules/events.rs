//! Events: gap-free, in order, with the balance after each movement (INV-7).

use pitboss_wallet::{Command, EventType, PlayerStatus};

use crate::harness::*;

/// A little of everything, with a debt at the end.
fn busy_table() -> Table {
    let mut table = Table::with_cash(1_000);
    table.applied(bet("b1", "r", 100));
    table.applied(win("w1", "r", 300));
    table.accepted(batch("s", vec![a_bet("b2", 200), a_win("w2", 10)]));
    table.applied(rollback("rb0", "nobody"));
    let _ = table.play(bet("nobody", "r", 1));
    table.applied(bet("b3", "s", 1_010));
    table.applied(rollback("rb1", "w1"));
    table.applied(void("v", "s"));
    table.applied(bet("b4", "t", 10));
    table.applied(rollback("rb2", "b4"));
    table.applied(close("r"));
    table.done(&Command::Adjust(credit("a1", 70)));
    table.done(&Command::Adjust(pitboss_wallet::Adjust {
        allow_debt: true,
        ..debit("a2", 100_000)
    }));
    table.done(&status(PlayerStatus::BetsBlocked));
    table.done(&Command::EndSession(session(SESSION)));
    table
}

#[test]
fn inv_7_the_seq_of_a_players_events_has_no_gap() {
    let table = busy_table();
    let seqs: Vec<_> = table
        .ledger
        .events(&player("alice"))
        .iter()
        .map(|event| event.seq)
        .collect();
    let expected: Vec<_> = (1..=table.last_seq()).collect();
    assert_eq!(seqs, expected);
}

#[test]
fn inv_7_every_event_about_money_carries_the_balance_after_it() {
    let table = busy_table();
    let mut told = 0;
    for event in table.ledger.events(&player("alice")) {
        let subject = event.kind.as_str();
        if !subject.starts_with("wallet.") && event.kind != EventType::RoundVoided {
            continue;
        }
        told += 1;
        let envelope: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        let balance = &envelope["data"]["balance"];
        for field in ["currency", "cash", "bonus", "total"] {
            assert!(balance[field].is_string(), "{subject}: {balance}");
        }
        if event.kind != EventType::AccountOpened {
            let id = envelope["transaction"].as_str().unwrap();
            assert!(id.starts_with("tx_"), "{subject}");
        }
    }
    assert!(told > 10);
}

/// The amounts in `wallet.*` alone explain each balance by the one before.
#[test]
fn inv_7_the_events_replay_to_the_balances() {
    let table = busy_table();
    let units = |value: &serde_json::Value| {
        let text = value.as_str().unwrap();
        pitboss_wallet::Money::parse(text, eur()).unwrap().units
    };
    let (mut cash, mut owed) = (0_i64, 0_i64);
    for event in table.ledger.events(&player("alice")) {
        let envelope: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        let data = &envelope["data"];
        match event.kind {
            EventType::DepositCompleted | EventType::WinCredited | EventType::BetRolledBack => {
                cash += units(&data["amount"]);
            }
            EventType::BetDebited | EventType::WinRolledBack => cash -= units(&data["amount"]),
            EventType::Adjusted if data["direction"] == "credit" => cash += units(&data["amount"]),
            EventType::Adjusted => cash -= units(&data["amount"]),
            EventType::NegativeBalance => {
                owed += units(&data["amount"]);
                assert_eq!(units(&data["owed"]), owed);
            }
            _ => {}
        }
    }
    assert_eq!(owed, table.owed());
    assert_eq!(cash + owed, table.cash());
}

#[test]
fn event_ids_are_unique_and_in_the_envelope() {
    let table = busy_table();
    let mut seen = std::collections::HashSet::new();
    for event in table.ledger.events(&player("alice")) {
        assert!(seen.insert(event.id), "{event:?}");
        let envelope: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        assert_eq!(envelope["id"], event.id.to_string());
        assert_eq!(envelope["type"], event.kind.as_str());
        assert_eq!(envelope["time"], event.at.to_string());
        assert_eq!(envelope["player"], "alice");
        assert_eq!(envelope["environment"], "sandbox");
    }
}

#[test]
fn every_type_is_a_subject_of_exactly_two_tokens() {
    for kind in EventType::ALL {
        let subject = kind.as_str();
        let tokens: Vec<_> = subject.split('.').collect();
        assert_eq!(tokens.len(), 2, "{subject}");
        let plain = |token: &&str| {
            !token.is_empty() && token.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        assert!(tokens.iter().all(plain), "{subject}");
    }
}

#[test]
fn a_tombstone_a_replay_and_a_refusal_tell_nothing() {
    let mut table = Table::with_cash(100);
    table.applied(bet("b", "r", 10));
    let seq = table.last_seq();
    table.applied(rollback("rb", "nobody"));
    table.replayed(bet("b", "r", 10));
    table.play(bet("c", "r", 1_000)).unwrap_err();
    assert_eq!(table.last_seq(), seq);
}
