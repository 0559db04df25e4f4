//! Sessions: launches, their single-use tokens, and what a bet asks of a session.

use pitboss_wallet::{
    Authenticate, Bet, Client, Command, GameStanding, Launch, Money, OpenSession, PlayerStatus,
    RefusalCode, Reply,
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
    let disabled = standing(GameStanding::DISABLED);
    table.refused_command(RefusalCode::GameDisabled, &disabled);
    table.refused_command(RefusalCode::UnknownGame, &standing(GameStanding::Unknown));
    let usd = Command::Launch(Launch {
        currency: currency("USD"),
        ..launch(5)
    });
    table.refused_command(RefusalCode::CurrencyMismatch, &usd);
    table.done(&status(PlayerStatus::BetsBlocked));
    table.refused_command(RefusalCode::PlayerBlocked, &Command::Launch(launch(5)));
    table.done(&status(PlayerStatus::Active));
    table.done(&Command::Launch(launch(5)));
}

/// Memory may be behind: another owner has set another status since. Only the commit knows.
#[test]
fn a_status_is_set_also_when_memory_believes_that_it_is() {
    let mut table = Table::with_cash(100);
    let mut elsewhere = Node::new(table.ledger.load(&player("alice")));
    let block = status(PlayerStatus::BetsBlocked);
    let unblock = status(PlayerStatus::Active);
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
    table.done(&status(PlayerStatus::BetsBlocked));
    let before = table.node.questions;
    table.refused_command(RefusalCode::PlayerBlocked, &Command::Launch(launch(5)));
    assert_eq!(table.node.questions, before + 1);
    table.done(&status(PlayerStatus::Active));
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

#[test]
fn each_status_lets_in_what_it_says() {
    use RefusalCode::PlayerBlocked;
    for (new, may_bet, may_enter) in [
        (PlayerStatus::Active, true, true),
        (PlayerStatus::BetsBlocked, false, true),
        (PlayerStatus::Blocked, false, false),
        (PlayerStatus::Closed, false, false),
    ] {
        let mut table = Table::with_cash(100);
        table.applied(bet("open", "r", 10));
        table.done(&status(new));
        let told = table.newest("player.status_changed");
        assert_eq!(told["data"]["status"], new.as_str());
        assert_eq!(told["data"]["from"], "active");
        assert_eq!(told["data"]["by"]["person"], "Mary");
        let tried = [
            (may_bet, bet("b", "s", 10).command(&table.policy)),
            (may_bet, Command::Launch(launch(5))),
            (may_enter, login(6)),
            (may_enter, deposit("d", 5)),
        ];
        for (may, command) in tried {
            if may {
                table.done(&command);
            } else {
                table.refused_command(PlayerBlocked, &command);
            }
        }
        // T8: what is owed to him is paid.
        table.applied(win("w", "r", 50));
        table.applied(rollback("rb", "w"));
        table.applied(close("r"));
    }
}

/// Memory holds a few of them; all end, those of other owners too.
#[test]
fn a_block_ends_all_sessions_and_only_a_block_does() {
    for new in [PlayerStatus::Blocked, PlayerStatus::Closed] {
        let mut table = Table::with_cash(100);
        for id in 10..20 {
            table.done(&login(id));
        }
        table.node.limits.sessions = 2;
        table.restart();
        table.done(&status(PlayerStatus::BetsBlocked));
        table.done(&status(PlayerStatus::Active));
        table.applied(bet("b", "r", 10));
        table.done(&status(new));
        let asked = [pitboss_wallet::Fact::Sessions];
        let live = table.ledger.answer(&player("alice"), &asked).unended;
        assert_eq!(live, Some(Vec::new()));
        table.newest("game.session_ended");
        table.done(&status(PlayerStatus::Active));
        table.refused(RefusalCode::SessionExpired, bet("c", "r", 10));
    }
}

#[test]
fn a_login_is_refused_only_after_the_ledger_was_asked() {
    let mut table = Table::new();
    let mut elsewhere = Node::new(table.ledger.load(&player("alice")));
    table.done(&status(PlayerStatus::Closed));
    elsewhere
        .send(&mut table.ledger, NOON, &status(PlayerStatus::Active))
        .unwrap();
    let before = table.node.questions;
    // The harness tells no version: this owner asks, and refuses on what he knows.
    table.refused_command(RefusalCode::PlayerBlocked, &login(5));
    assert_eq!(table.node.questions, before + 1);
}

#[test]
fn a_player_is_registered_once() {
    let mut table = Table::new();
    let mut bob = Node::new(table.ledger.create("bob"));
    let register = Command::Register(pitboss_wallet::Registration {
        country: Some("DE".to_owned()),
        language: None,
        test: true,
    });
    let mut elsewhere = Node::new(table.ledger.load(&player("bob")));
    for node in [&mut bob, &mut elsewhere] {
        node.send(&mut table.ledger, NOON, &register).unwrap();
        node.send(&mut table.ledger, NOON, &Command::OpenAccount(eur()))
            .unwrap();
    }
    let told: Vec<_> = table.ledger.events(&player("bob")).to_vec();
    let kinds: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["player.registered", "wallet.account_opened"]);
    let data: serde_json::Value = serde_json::from_str(&told[0].body).unwrap();
    assert_eq!(
        data["data"],
        serde_json::json!({"country": "DE", "test": true})
    );
}
