//! Deposits: idempotent on a reference that is unique among all players.

use pitboss_wallet::{Command, Deposit, Money, RefusalCode, Reply};

use crate::harness::*;

#[test]
fn a_deposit_is_credited_once() {
    for forgetful in [false, true] {
        let mut table = Table::new();
        table.node.forgetful = forgetful;
        let Reply::Settled(first) = table.done(&deposit("d", 500)) else {
            panic!("not settled");
        };
        let Reply::Settled(again) = table.done(&deposit("d", 500)) else {
            panic!("not settled");
        };
        assert!(!first.replayed && again.replayed);
        assert_eq!(first.receipts, again.receipts);
        assert_eq!(table.cash(), 500);
        assert_eq!(
            table.newest("wallet.deposit_completed")["data"]["reference"],
            "d"
        );
    }
}

#[test]
fn a_deposit_with_a_known_reference_and_other_data_is_a_mismatch() {
    let mut table = Table::new();
    table.done(&Command::OpenAccount(currency("USD")));
    let Reply::Settled(first) = table.done(&deposit("d", 500)) else {
        panic!("not settled");
    };
    let refusal = table.refused_command(RefusalCode::TransactionMismatch, &deposit("d", 501));
    assert_eq!(refusal.original.as_deref(), first.receipts.first());
    let usd = Command::Deposit(Deposit {
        reference: ext("d"),
        amount: Money::new(500, currency("USD")),
    });
    table.refused_command(RefusalCode::TransactionMismatch, &usd);
    assert_eq!(table.cash(), 500);
}

#[test]
fn a_deposit_with_another_players_reference_is_a_mismatch_without_his_data() {
    let mut table = Table::new();
    let mut bob = table.seat("bob");
    bob.send(&mut table.ledger, NOON, &deposit("d", 500))
        .unwrap();
    let refusal = table.refused_command(RefusalCode::TransactionMismatch, &deposit("d", 500));
    assert_eq!(refusal.original, None);
    assert_eq!(table.cash(), 0);
}

#[test]
fn a_deposit_is_above_zero_and_in_a_currency_that_the_player_has() {
    // The form comes first, whatever the reference was used for.
    let mut table = Table::with_cash(5);
    for units in [0, -1, i64::MIN] {
        table.refused_command(RefusalCode::Malformed, &deposit("initial", units));
    }
    let usd = Command::Deposit(Deposit {
        reference: ext("d"),
        amount: Money::new(500, currency("USD")),
    });
    table.refused_command(RefusalCode::CurrencyMismatch, &usd);
}

#[test]
fn a_wallet_is_opened_once_per_currency() {
    let mut table = Table::with_cash(70);
    let version = table.version();
    let Reply::Balance(balance) = table.done(&Command::OpenAccount(eur())) else {
        panic!("no balance");
    };
    assert_eq!((balance.cash, table.version()), (70, version));
    table.done(&Command::OpenAccount(currency("BTC")));
    assert_eq!(
        table.newest("wallet.account_opened")["data"]["currency"],
        "BTC"
    );
    let balance = |code| Command::Balance(currency(code));
    assert!(matches!(table.done(&balance("BTC")), Reply::Balance(balance) if balance.cash == 0));
    table.refused_command(RefusalCode::CurrencyMismatch, &balance("USD"));
}
