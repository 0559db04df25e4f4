//! How long sessions live, how many there may be, and what ends with what.

use pitboss_wallet::{
    Bet, Command, Launch, RefusalCode, Reply, Session, SessionEnd, SessionReply, SessionRules,
    WhenFull, Win,
};
use proptest::prelude::*;

use crate::harness::*;

/// Half an hour idle, a minute between two notes.
const SHORT: SessionRules = SessionRules {
    player_idle_s: 1_800,
    game_idle_s: 1_800,
    player_max: 2,
    game_max: 3,
    per_game_max: 1,
    ..RULES
};
/// The login of these tests, and the game that was launched from it.
const LOGIN: u128 = 40;
const GAME: u128 = 41;

/// A player with money, logged in, in a game that he launched from his login.
fn seated() -> Table {
    let mut table = Table::with_cash(1_000);
    table.done(&Command::EndSession(session(SESSION)));
    table.node.rules = SHORT;
    table.done(&login(LOGIN));
    table.done(&Command::Launch(from_login(GAME)));
    table.done(&authenticate(GAME));
    table
}

fn from_login(id: u128) -> Launch {
    Launch {
        login: Some(session(LOGIN)),
        ..launch(id)
    }
}

fn at(id: &str, session_id: u128) -> Bet {
    Bet {
        session: session(session_id),
        ..bet(id, &format!("r-{id}"), 1)
    }
}

/// As the ledger has it.
fn stored(table: &Table, id: u128) -> Session {
    let asked = [pitboss_wallet::Fact::Session(session(id))];
    let facts = table.ledger.answer(&player("alice"), &asked);
    facts.sessions[0].1.clone().unwrap()
}

fn keep_alive(id: u128) -> Command {
    Command::KeepAlive(session(id))
}

#[test]
fn a_session_without_activity_ends_after_its_idle_time() {
    for forgetful in [false, true] {
        let mut table = seated();
        table.node.forgetful = forgetful;
        table.now = NOON.plus_seconds(1_799);
        table.applied(at("b1", GAME));
        table.now = NOON.plus_seconds(1_799 + 1_800);
        table.refused(RefusalCode::SessionExpired, at("b2", GAME));
        table.refused_command(RefusalCode::SessionExpired, &keep_alive(LOGIN));
    }
}

/// What is noted is in the commit of the bet, and no bet within the minute after it writes a session.
#[test]
fn activity_is_noted_once_in_a_while_and_only_with_a_bet() {
    let mut table = seated();
    let noted = |table: &Table| [LOGIN, GAME].map(|id| stored(table, id).last_active_at);
    for (after, expected) in [(1, 0), (59, 0), (60, 60), (119, 60), (121, 121)] {
        table.now = NOON.plus_seconds(after);
        table.applied(at(&format!("b{after}"), GAME));
        assert_eq!(noted(&table), [NOON.plus_seconds(expected); 2], "{after}");
    }
    table.now = NOON.plus_seconds(300);
    table.applied(Win {
        bet: Some(ext("b1")),
        ..win("w", "r-b1", 5)
    });
    table.applied(rollback("rb", "b59"));
    table.applied(close("r-b60"));
    table.refused(
        RefusalCode::InsufficientFunds,
        Bet {
            amount: cents(9_999),
            ..at("b300", GAME)
        },
    );
    let late = [NOON.plus_seconds(121); 2];
    assert_eq!(
        noted(&table),
        late,
        "a win, a rollback, a close and a refusal are no activity"
    );
}

/// Never later than the idle time after the last bet, and less than a minute sooner: on this node, and on one that
/// knows nothing but the ledger.
#[test]
fn a_player_who_is_loaded_anew_has_no_longer_and_hardly_a_shorter_time() {
    for last in [60, 61, 90, 119] {
        for reloaded in [false, true] {
            let mut table = seated();
            table.now = NOON.plus_seconds(60);
            table.applied(at("b1", GAME));
            table.now = NOON.plus_seconds(last);
            table.applied(at("b2", GAME));
            if reloaded {
                table.restart();
            }
            let mut elsewhere = Node::new(table.ledger.load(&player("alice")));
            elsewhere.rules = SHORT;
            table.now = NOON.plus_seconds(last + 1_800);
            table.refused(RefusalCode::SessionExpired, at("too-late", GAME));
            table.now = NOON.plus_seconds(last + 1_800 - 60);
            table.applied(at("in-time", GAME));
            let bet = at("there", GAME).command(&table.policy);
            elsewhere.send(&mut table.ledger, table.now, &bet).unwrap();
        }
    }
}

#[test]
fn no_activity_goes_beyond_the_absolute_end() {
    let mut table = seated();
    for minute in 1..1_440 {
        table.now = NOON.plus_seconds(60 * minute);
        table.done(&keep_alive(GAME));
    }
    assert_eq!(stored(&table, GAME).expires_at, NOON.plus_seconds(86_400));
    table.now = NOON.plus_seconds(86_400);
    table.refused(RefusalCode::SessionExpired, at("b", GAME));
    table.done(&Command::ExpireSessions);
    for id in [LOGIN, GAME] {
        assert_eq!(stored(&table, id).end, Some(SessionEnd::Expired));
    }
}

#[test]
fn a_keep_alive_is_activity_and_says_when_the_session_ends() {
    let mut table = seated();
    table.now = NOON.plus_seconds(30);
    let version = table.version();
    let Reply::Session(SessionReply { expires_at, .. }) = table.done(&keep_alive(LOGIN)) else {
        panic!("no session");
    };
    assert_eq!(
        (expires_at, table.version()),
        (NOON.plus_seconds(1_800), version)
    );
    table.now = NOON.plus_seconds(60);
    let Reply::Session(SessionReply { expires_at, .. }) = table.done(&keep_alive(LOGIN)) else {
        panic!("no session");
    };
    assert_eq!(expires_at, NOON.plus_seconds(1_860));
    assert_eq!(
        stored(&table, GAME).expires_at,
        NOON.plus_seconds(1_800),
        "not of its games"
    );
    table.done(&keep_alive(GAME));
    assert_eq!(stored(&table, GAME).expires_at, NOON.plus_seconds(1_860));
    table.refused_command(RefusalCode::SessionInvalid, &keep_alive(99));
}

/// Another node has noted an activity that this one does not know of.
#[test]
fn nobody_is_refused_on_an_old_memory_of_his_session() {
    let mut table = seated();
    let mut elsewhere = Node::new(table.ledger.load(&player("alice")));
    elsewhere.rules = SHORT;
    let now = NOON.plus_seconds(1_000);
    elsewhere
        .send(&mut table.ledger, now, &keep_alive(GAME))
        .unwrap();
    table.now = NOON.plus_seconds(1_900);
    let before = table.node.questions;
    let _ = table.send(&keep_alive(LOGIN));
    assert!(
        table.node.questions > before,
        "refused without asking the ledger"
    );
}

#[test]
fn wins_rollbacks_and_closes_never_need_a_session() {
    let ends: [fn(&mut Table); 5] = [
        |table| table.now = NOON.plus_seconds(1_801),
        |table| table.now = NOON.plus_seconds(86_401),
        |table| drop(table.done(&Command::EndSession(session(GAME)))),
        |table| drop(table.done(&Command::EndSession(session(LOGIN)))),
        |table| drop(table.done(&Command::EndSessions(SessionEnd::Blocked))),
    ];
    for end in ends {
        let mut table = seated();
        for id in ["b1", "b2", "b3"] {
            table.applied(at(id, GAME));
        }
        end(&mut table);
        table.refused(RefusalCode::SessionExpired, at("b4", GAME));
        table.applied(Win {
            bet: Some(ext("b1")),
            ..win("w1", "r-b1", 5)
        });
        table.applied(rollback("rb", "b2"));
        table.applied(close("r-b3"));
        table.applied(void("v", "r-b3"));
        table.replayed(at("b1", GAME));
    }
}

#[test]
fn a_game_ends_with_the_login_that_it_was_launched_from() {
    let mut table = seated();
    table.done(&login(50));
    let seq = table.last_seq();
    table.done(&Command::EndSession(session(LOGIN)));
    assert_eq!(
        table.subjects_after(seq),
        ["game.session_ended", "player.logged_out"]
    );
    assert_eq!(stored(&table, GAME).end, Some(SessionEnd::LoggedOut));
    assert_eq!(stored(&table, LOGIN).end, Some(SessionEnd::Ended));
    assert_eq!(stored(&table, 50).end, None, "another login goes on");
    table.refused_command(
        RefusalCode::SessionExpired,
        &Command::Launch(from_login(60)),
    );
    let unknown = Launch {
        login: Some(session(99)),
        ..launch(60)
    };
    table.refused_command(RefusalCode::SessionInvalid, &Command::Launch(unknown));
    let a_game = Launch {
        login: Some(session(GAME)),
        ..launch(60)
    };
    table.refused_command(RefusalCode::SessionInvalid, &Command::Launch(a_game));
}

/// Whatever the rules for games say, and however late in the login the game begins.
#[test]
fn a_game_is_promised_no_more_than_its_login() {
    let mut table = seated();
    table.node.rules.game_idle_s = 86_000;
    table.now = NOON.plus_seconds(600);
    table.done(&Command::Launch(Launch {
        expires_at: NOON.plus_seconds(200_000),
        ..from_login(60)
    }));
    let (game, login) = (stored(&table, 60), stored(&table, LOGIN));
    assert_eq!(game.idle_s, login.idle_s);
    assert_eq!(game.absolute_until, login.absolute_until);
    assert_eq!(game.expires_at, login.expires_at);
}

#[test]
fn all_sessions_end_at_once_and_once() {
    let mut table = seated();
    table.done(&Command::Launch(Launch {
        game: game("other"),
        ..launch(60)
    }));
    let seq = table.last_seq();
    table.done(&Command::EndSessions(SessionEnd::Blocked));
    assert_eq!(
        table.subjects_after(seq),
        [
            "game.session_ended",
            "game.session_ended",
            "player.logged_out"
        ]
    );
    assert_eq!(stored(&table, 60).end, Some(SessionEnd::Blocked));
    let version = table.version();
    table.done(&Command::EndSessions(SessionEnd::Ended));
    table.done(&Command::EndSession(session(LOGIN)));
    table.done(&Command::ExpireSessions);
    assert_eq!(table.version(), version);
}

#[test]
fn an_expired_session_tells_so_once_whoever_finds_it() {
    let mut table = seated();
    let mut elsewhere = Node::new(table.ledger.load(&player("alice")));
    table.now = NOON.plus_seconds(1_800);
    let seq = table.last_seq();
    table.done(&Command::ExpireSessions);
    let expire = &Command::ExpireSessions;
    elsewhere
        .send(&mut table.ledger, table.now, expire)
        .unwrap();
    table.done(&login(50));
    assert_eq!(
        table.subjects_after(seq),
        [
            "player.session_expired",
            "game.session_expired",
            "player.logged_in"
        ]
    );
    let over = stored(&table, GAME);
    assert_eq!(over.end, Some(SessionEnd::ExpiredIdle));
    assert_eq!(
        over.ended_at,
        Some(NOON.plus_seconds(1_800)),
        "when, not when it was noticed"
    );
}

#[test]
fn one_login_too_many_ends_the_oldest_or_is_refused() {
    let mut table = seated();
    table.done(&login(50));
    let seq = table.last_seq();
    table.done(&login(51));
    assert_eq!(
        table.subjects_after(seq),
        [
            "game.session_ended",
            "player.logged_out",
            "player.logged_in"
        ]
    );
    assert_eq!(stored(&table, LOGIN).end, Some(SessionEnd::Replaced));
    table.node.rules.when_full = WhenFull::Refuse;
    table.refused_command(RefusalCode::SessionLimit, &login(52));
    table.done(&Command::EndSession(session(50)));
    table.done(&login(52));
}

#[test]
fn the_same_game_again_ends_its_earlier_session_and_goes_on_with_its_round() {
    for when_full in [WhenFull::Replace, WhenFull::Refuse] {
        let mut table = seated();
        table.node.rules.when_full = when_full;
        table.applied(Bet {
            session: session(GAME),
            ..bet("b1", "long", 10)
        });
        table.done(&Command::Launch(from_login(60)));
        table.done(&authenticate(60));
        assert_eq!(stored(&table, GAME).end, Some(SessionEnd::Replaced));
        table.refused(RefusalCode::SessionExpired, at("b2", GAME));
        table.applied(Bet {
            session: session(60),
            ..bet("b3", "long", 10)
        });
        assert_eq!(table.held(), cents(20).units);
    }
}

#[test]
fn a_game_may_have_a_number_of_its_own_within_that_of_all_games() {
    let mut table = seated();
    let more = |id| {
        Command::Launch(Launch {
            per_game_max: Some(3),
            ..launch(id)
        })
    };
    table.done(&more(60));
    table.done(&more(61));
    assert_eq!(stored(&table, GAME).end, None);
    let other = |id| {
        Command::Launch(Launch {
            game: game("other"),
            ..launch(id)
        })
    };
    table.node.rules.when_full = WhenFull::Refuse;
    table.refused_command(RefusalCode::SessionLimit, &other(62));
    table.node.rules.when_full = WhenFull::Replace;
    table.done(&other(62));
    assert_eq!(stored(&table, GAME).end, Some(SessionEnd::Replaced));
    assert_eq!(stored(&table, LOGIN).end, None);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Wait(i64),
    Bet(u128),
    KeepAlive(u128),
    LogIn,
    Launch(u128),
    End(u128),
    EndAll,
    Expire,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..1_000_i64).prop_map(Step::Wait),
        4 => (100..110_u128).prop_map(Step::Bet),
        2 => (100..110_u128).prop_map(Step::KeepAlive),
        2 => Just(Step::LogIn),
        3 => (100..110_u128).prop_map(Step::Launch),
        1 => (100..110_u128).prop_map(Step::End),
        1 => Just(Step::EndAll),
        1 => Just(Step::Expire),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    /// Whatever happens: no game outlives its login, nothing lives beyond its idle time or its absolute end, and
    /// there are never more than there may be.
    #[test]
    fn sessions_keep_their_bounds(steps in prop::collection::vec(step(), 1..60), caches in any::<bool>()) {
        let mut table = Table::with_cash(1_000);
        table.done(&Command::EndSession(session(SESSION)));
        table.node.rules = SessionRules { game_idle_s: 600, ..SHORT };
        table.node.limits.sessions = if caches { 100 } else { 1 };
        let mut next = 100;
        let mut active = std::collections::HashMap::new();
        for (place, step) in steps.into_iter().enumerate() {
            let command = match step {
                Step::Wait(seconds) => {
                    table.now = table.now.plus_seconds(seconds);
                    continue;
                }
                Step::Restart => {
                    table.restart();
                    continue;
                }
                Step::LogIn => login(next),
                Step::Launch(login) => Command::Launch(Launch {
                    login: Some(session(login)),
                    game: game(&format!("g{}", next % 3)),
                    ..launch(next)
                }),
                Step::Bet(id) => at(&format!("b{place}"), id).command(&table.policy),
                Step::KeepAlive(id) => keep_alive(id),
                Step::End(id) => Command::EndSession(session(id)),
                Step::EndAll => Command::EndSessions(SessionEnd::Ended),
                Step::Expire => Command::ExpireSessions,
            };
            let done = table.send(&command).is_ok();
            match step {
                Step::LogIn | Step::Launch(_) if done => {
                    active.insert(next, table.now);
                    if let Step::Launch(login) = step {
                        active.insert(login, table.now);
                    }
                    next += 1;
                }
                Step::Bet(id) | Step::KeepAlive(id) if done => {
                    active.insert(id, table.now);
                    if let Some(login) = stored(&table, id).login {
                        active.insert(login.0.as_u128(), table.now);
                    }
                }
                _ => {}
            }
            let all: Vec<Session> = (100..next).map(|id| stored(&table, id)).collect();
            let live: Vec<&Session> = all.iter().filter(|one| one.is_live(table.now)).collect();
            for one in &all {
                let until = active[&one.id.0.as_u128()].plus_seconds(one.idle_s);
                prop_assert!(one.expires_at <= until && one.expires_at <= one.absolute_until);
                let strict = active[&one.id.0.as_u128()].plus_seconds(one.idle_s - 60);
                prop_assert!(one.expires_at > strict || one.expires_at == one.absolute_until);
            }
            for one in &live {
                let login = one.login.map(|login| live.iter().any(|other| other.id == login));
                prop_assert!(login != Some(false), "{one:?} outlives its login");
            }
            prop_assert!(live.iter().filter(|one| one.login.is_none()).count() <= 2);
            prop_assert!(live.iter().filter(|one| one.login.is_some()).count() <= 3);
        }
    }
}
