//! Each refusal code that this crate gives, and the order in which refusals come.

use pitboss_wallet::{Bet, Command, GameStanding, Money, PlayerStatus, RefusalCode, Win};

use crate::harness::*;

#[test]
fn every_code_that_the_wallet_gives_is_given_in_a_test() {
    // Not given here: an unknown player has no state to decide on, and limits on losses come later.
    let elsewhere = [RefusalCode::UnknownPlayer, RefusalCode::LossLimit];
    let tests = [
        include_str!("amounts.rs"),
        include_str!("batches.rs"),
        include_str!("games.rs"),
        include_str!("idempotency.rs"),
        include_str!("lifetimes.rs"),
        include_str!("payments.rs"),
        include_str!("refusals.rs"),
        include_str!("rollbacks.rs"),
        include_str!("rounds.rs"),
        include_str!("sessions.rs"),
        include_str!("tombstones.rs"),
        include_str!("wins.rs"),
        include_str!("withdrawal_terms.rs"),
        include_str!("withdrawals.rs"),
    ]
    .concat();
    for code in RefusalCode::ALL
        .iter()
        .filter(|code| !elsewhere.contains(code))
    {
        let given = [
            format!("refused(RefusalCode::{code:?}"),
            format!("refused_command(RefusalCode::{code:?}"),
        ];
        assert!(given.iter().any(|given| tests.contains(given)), "{code:?}");
    }
}

#[test]
fn codes_are_stable_snake_case_and_serialise_as_they_print() {
    for code in RefusalCode::ALL {
        let text = code.as_str();
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        );
        assert_eq!(serde_json::to_value(code).unwrap(), text);
    }
}

#[test]
fn a_blocked_player_may_not_bet() {
    let mut table = Table::with_cash(100);
    table.done(&status(PlayerStatus::BetsBlocked));
    table.refused(RefusalCode::PlayerBlocked, bet("b", "r", 10));
    table.refused(RefusalCode::PlayerBlocked, batch("r", vec![a_bet("b", 10)]));
    table.done(&status(PlayerStatus::Active));
    table.applied(bet("b", "r", 10));
}

#[test]
fn a_game_that_is_disabled_or_unknown_takes_no_bet() {
    let mut table = Table::with_cash(100);
    let standing = |standing| Bet {
        standing,
        ..bet("b", "r", 10)
    };
    table.refused(RefusalCode::GameDisabled, standing(GameStanding::DISABLED));
    table.refused(RefusalCode::UnknownGame, standing(GameStanding::Unknown));
}

#[test]
fn a_currency_without_a_wallet_is_a_mismatch() {
    let mut table = Table::with_cash(100);
    let usd = Money::new(10, currency("USD"));
    table.refused(
        RefusalCode::CurrencyMismatch,
        Win {
            amount: usd,
            ..win("w", "r", 0)
        },
    );
}

#[test]
fn insufficient_funds_come_with_the_balance() {
    let mut table = Table::with_cash(99);
    let refusal = table.refused(RefusalCode::InsufficientFunds, bet("b", "r", 100));
    assert_eq!(refusal.balance.unwrap().cash, 99);
    table.applied(bet("b", "r", 99));
}

/// Form, stored transaction, session, player, game, round, balance: what comes first is told first.
#[test]
fn refusals_come_in_the_order_of_the_protocol() {
    let mut table = Table::with_cash(100);
    table.applied(bet("old", "r", 100));
    table.applied(close("r"));
    table.done(&status(PlayerStatus::BetsBlocked));
    table.done(&Command::EndSession(session(SESSION)));
    let bad = |id: &str| Bet {
        standing: GameStanding::Unknown,
        ..bet(id, "r", 101)
    };
    let without_form = Bet {
        amount: Money::new(-1, eur()),
        ..bad("old")
    };
    table.refused(RefusalCode::Malformed, without_form);
    table.refused(RefusalCode::TransactionMismatch, bad("old"));
    table.refused(RefusalCode::SessionExpired, bad("new"));
    table.done(&status(PlayerStatus::Active));
    table.done(&Command::Launch(launch(5)));
    table.done(&status(PlayerStatus::BetsBlocked));
    let bad = Bet {
        session: session(5),
        ..bad("new")
    };
    table.refused(RefusalCode::PlayerBlocked, bad.clone());
    table.done(&status(PlayerStatus::Active));
    table.refused(RefusalCode::UnknownGame, bad.clone());
    let bad = Bet {
        standing: GameStanding::ENABLED,
        ..bad
    };
    table.refused(RefusalCode::RoundClosed, bad.clone());
    table.refused(
        RefusalCode::InsufficientFunds,
        Bet {
            round: round_id("s"),
            ..bad
        },
    );
}
