//! Sessions: launches, their single-use tokens, and what a bet asks of a session.

use pitboss_wallet::{
    Authenticate, Bet, Client, Command, GameStanding, GameSwitch, Launch, Money, OpenSession,
    PlayerStatus, RefusalCode, Reply,
};

use crate::harness::*;

fn in_session(id: u128) -> Bet {
    Bet {
        session: session(id),
        ..bet("b", "r", 10)
    }
}

#[test]
fn a_launch_token_works_once() {
    for forgetful in [false, true] {
        let mut table = Table::with_cash(100);
        table.node.forgetful = forgetful;
        table.done(&Command::Launch(launch(5)));
        let Reply::Session(reply) = table.done(&authenticate(5)) else {
            panic!("no session");
        };
        assert_eq!((reply.session, reply.balance.cash), (session(5), 100));
        table.refused_command(RefusalCode::SessionInvalid, &authenticate(5));
    }
}

#[test]
fn a_launch_token_is_exchanged_once_over_two_nodes_too() {
    let mut table = Table::new();
    table.done(&Command::Launch(launch(5)));
    let mut other = Node::new(table.node.state.clone());
    table.done(&authenticate(5));
    let refusal = other
        .send(&mut table.ledger, NOON, &authenticate(5))
        .unwrap_err();
    assert_eq!(refusal.code, RefusalCode::SessionInvalid);
}

#[test]
fn a_launch_token_that_is_too_old_is_expired() {
    let mut table = Table::new();
    table.done(&Command::Launch(launch(5)));
    table.now = NOON.plus_seconds(60);
    table.refused_command(RefusalCode::SessionExpired, &authenticate(5));
    table.now = NOON.plus_seconds(59);
    table.done(&authenticate(5));
}

#[test]
fn a_launch_token_of_an_ended_session_is_expired() {
    let mut table = Table::new();
    table.done(&Command::Launch(launch(5)));
    table.done(&Command::EndSession(session(5)));
    table.refused_command(RefusalCode::SessionExpired, &authenticate(5));
}

#[test]
fn a_launch_token_is_of_one_provider() {
    let mut table = Table::new();
    table.done(&Command::Launch(launch(5)));
    let other = Command::Authenticate(Authenticate {
        session: session(5),
        provider: provider("other"),
    });
    table.refused_command(RefusalCode::SessionInvalid, &other);
    table.refused_command(RefusalCode::SessionInvalid, &authenticate(99));
}

#[test]
fn a_bet_needs_a_session_of_its_player_and_provider() {
    let mut table = Table::with_cash(100);
    table.seat("bob");
    table.refused(RefusalCode::SessionInvalid, in_session(99));
    table.refused(RefusalCode::SessionInvalid, in_session(OTHERS_SESSION));
    table.done(&Command::Launch(Launch {
        provider: provider("other"),
        ..launch(6)
    }));
    table.refused(RefusalCode::SessionInvalid, in_session(6));
    table.done(&Command::OpenSession(OpenSession {
        session: session(7),
        currency: eur(),
        token_hash: [1; 32],
        expires_at: NOON.plus_seconds(60),
        client: Client::default(),
    }));
    table.refused(RefusalCode::SessionInvalid, in_session(7));
    table.applied(in_session(SESSION));
}

#[test]
fn a_bet_in_a_session_that_is_over_is_expired() {
    let mut table = Table::with_cash(100);
    table.now = NOON.plus_seconds(86_400);
    table.refused(RefusalCode::SessionExpired, in_session(SESSION));
    table.now = NOON.plus_seconds(86_399);
    table.applied(in_session(SESSION));
    table.done(&Command::EndSession(session(SESSION)));
    table.refused(RefusalCode::SessionExpired, bet("b2", "r", 10));
}

#[test]
fn a_bet_is_in_the_currency_of_its_session() {
    let mut table = Table::with_cash(100);
    table.done(&Command::OpenAccount(currency("USD")));
    let usd = Bet {
        amount: Money::new(10, currency("USD")),
        ..in_session(SESSION)
    };
    table.refused(RefusalCode::CurrencyMismatch, usd);
}

#[test]
fn a_session_ends_once() {
    for forgetful in [false, true] {
        let mut table = Table::new();
        table.node.forgetful = forgetful;
        let seq = table.last_seq();
        let end = Command::EndSession(session(SESSION));
        table.done(&end);
        let version = table.version();
        table.done(&end);
        assert_eq!(table.version(), version);
        assert_eq!(table.subjects_after(seq), ["game.session_ended"]);
        let unknown = Command::EndSession(session(99));
        table.refused_command(RefusalCode::SessionInvalid, &unknown);
    }
}

#[test]
fn a_launch_needs_a_player_who_may_play_a_game_that_is_on_and_a_wallet() {
    let mut table = Table::new();
    let standing = |standing| {
        Command::Launch(Launch {
            standing,
            ..launch(5)
        })
    };
    let disabled = standing(GameStanding::Known(GameSwitch::Disabled));
    table.refused_command(RefusalCode::GameDisabled, &disabled);
    table.refused_command(RefusalCode::UnknownGame, &standing(GameStanding::Unknown));
    let usd = Command::Launch(Launch {
        currency: currency("USD"),
        ..launch(5)
    });
    table.refused_command(RefusalCode::CurrencyMismatch, &usd);
    table.done(&Command::SetStatus(PlayerStatus::Blocked));
    table.refused_command(RefusalCode::PlayerBlocked, &Command::Launch(launch(5)));
    table.done(&Command::SetStatus(PlayerStatus::Active));
    table.done(&Command::Launch(launch(5)));
}

/// Memory may be behind: another owner has set another status since. Only the commit knows.
#[test]
fn a_status_is_set_also_when_memory_believes_that_it_is() {
    let mut table = Table::with_cash(100);
    let mut elsewhere = Node::new(table.ledger.load(&player("alice")));
    let block = Command::SetStatus(PlayerStatus::Blocked);
    let unblock = Command::SetStatus(PlayerStatus::Active);
    elsewhere.send(&mut table.ledger, NOON, &block).unwrap();
    table.done(&unblock);
    elsewhere.send(&mut table.ledger, NOON, &block).unwrap();
    table.refused(RefusalCode::PlayerBlocked, bet("b", "r", 10));
}

/// A refusal on memory alone would last for as long as nothing else makes this owner look again; and how many sessions
/// there are only the ledger knows.
#[test]
fn a_launch_asks_the_ledger_once() {
    let mut table = Table::new();
    table.done(&Command::SetStatus(PlayerStatus::Blocked));
    let before = table.node.questions;
    table.refused_command(RefusalCode::PlayerBlocked, &Command::Launch(launch(5)));
    assert_eq!(table.node.questions, before + 1);
    table.done(&Command::SetStatus(PlayerStatus::Active));
    table.done(&Command::Launch(launch(5)));
    assert_eq!(table.node.questions, before + 2);
}

#[test]
fn a_launch_token_does_not_outlive_its_session() {
    let mut table = Table::new();
    table.done(&Command::Launch(Launch {
        token_expires_at: NOON.plus_seconds(60),
        expires_at: NOON.plus_seconds(30),
        ..launch(5)
    }));
    table.now = NOON.plus_seconds(30);
    table.refused_command(RefusalCode::SessionExpired, &authenticate(5));
}
