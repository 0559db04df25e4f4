//! What is understood: every action of the native protocol, and every field that is wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{SESSION, account, bet_body, bet_win_body, eur, parse, play, request, with, without};
use pitboss_providers::{
    Ask, CallError, Code, Dialect, ParseError, RawRequest,
    native::{self, Native},
};
use pitboss_wallet::{Action, ExternalId, GameStanding, Money, PlayCommand, SessionId, WinKind};
use serde_json::{Value, json};

fn refused(action: &str, body: &Value) -> ParseError {
    parse(action, &body.to_string()).unwrap_err()
}

#[track_caller]
fn names(action: &str, body: &Value, field: &str) {
    match refused(action, body) {
        ParseError::Malformed(detail) => {
            assert!(detail.starts_with(&format!("{field}: ")), "{detail}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn authenticate_and_balance_are_read() {
    let call = parse("authenticate", r#"{"token":"abc"}"#).unwrap();
    assert!(matches!(call.ask, Ask::Authenticate { token } if token == "abc"));
    names("authenticate", &json!({"token": ""}), "token");
    names("authenticate", &json!({"token": 7}), "token");
    names("authenticate", &json!({}), "token");
    let call = parse("balance", r#"{"player":"alice","currency":"EUR"}"#).unwrap();
    assert!(matches!(call.ask, Ask::Balance { player, currency }
        if player.as_str() == "alice" && currency == eur()));
}

#[test]
fn a_bet_is_read_with_all_its_fields() {
    let PlayCommand::Bet(bet) = play("bet", &bet_body()) else {
        panic!()
    };
    assert_eq!(bet.transaction.as_str(), "b-1");
    assert_eq!(bet.session, SessionId::parse(SESSION).unwrap());
    assert_eq!((bet.game.as_str(), bet.round.as_str()), ("dice", "r-1"));
    assert_eq!(bet.standing, GameStanding::ENABLED);
    assert_eq!(bet.amount, Money::new(2_500_000, eur()));
    assert!(!bet.closes_round && bet.free_round.is_none());
    assert_eq!(bet.jackpot_contribution, None);

    let mut more = with(bet_body(), "round_closed", json!(true));
    more["free_round"] = json!("fr-1");
    more["jackpot_contribution"] = json!("0.01");
    more["some_fake_field"] = json!({"deep": [1, 2.5, null]});
    let PlayCommand::Bet(bet) = play("bet", &more) else {
        panic!()
    };
    assert!(bet.closes_round);
    assert_eq!(bet.free_round, Some(ExternalId::new("fr-1").unwrap()));
    assert_eq!(bet.jackpot_contribution, Some(10_000));
}

#[test]
fn each_field_that_is_missing_or_of_another_type_is_named() {
    for field in [
        "transaction_id",
        "player",
        "session",
        "game",
        "round",
        "amount",
        "currency",
    ] {
        names("bet", &without(bet_body(), field), field);
        for value in [
            json!(null),
            json!(7),
            json!(2.5),
            json!(true),
            json!([]),
            json!({}),
        ] {
            names("bet", &with(bet_body(), field, value), field);
        }
    }
    for (field, value) in [
        ("transaction_id", json!("")),
        ("transaction_id", json!("x".repeat(256))),
        ("transaction_id", json!("a\0b")),
        ("player", json!("a b")),
        ("player", json!("")),
        ("game", json!("")),
        ("round", json!("")),
        ("round_closed", json!("true")),
        ("round_closed", json!(1)),
        ("free_round", json!("")),
        ("jackpot_contribution", json!(0.01)),
        ("jackpot_contribution", json!("-1")),
    ] {
        names("bet", &with(bet_body(), field, value), field);
    }
}

#[test]
fn an_amount_is_a_plain_decimal_text() {
    for text in ["0", "0.000001", "9223372036854.775807"] {
        play("bet", &with(bet_body(), "amount", json!(text)));
    }
    for text in [
        "",
        "-1",
        "+1",
        "1e3",
        "1,5",
        ".5",
        "1.",
        "NaN",
        " 1",
        "0.0000001",
        "9223372036854.775808",
    ] {
        names("bet", &with(bet_body(), "amount", json!(text)), "amount");
    }
}

#[test]
fn a_currency_that_is_not_known_is_a_currency_mismatch() {
    for code in ["XXX", "eur", ""] {
        let error = refused("bet", &with(bet_body(), "currency", json!(code)));
        assert!(matches!(error, ParseError::UnknownCurrency(_)), "{code}");
        assert_eq!(
            Code::from(&CallError::from(error)),
            Code::CurrencyMismatch,
            "{code}"
        );
    }
}

#[test]
fn a_text_that_is_no_session_id_is_left_to_the_wallet_to_refuse() {
    for text in ["", "nonsense", "tx_0192f3a0c0de7000800000000000a11c", "a\0"] {
        let PlayCommand::Bet(bet) = play("bet", &with(bet_body(), "session", json!(text))) else {
            panic!()
        };
        assert!(bet.session.0.is_nil(), "{text}");
    }
}

#[test]
fn a_game_that_is_not_known_or_disabled_is_left_to_the_wallet_to_refuse() {
    for (game, standing) in [
        ("nope", GameStanding::Unknown),
        ("old", GameStanding::DISABLED),
        ("dice", GameStanding::ENABLED),
    ] {
        let PlayCommand::Bet(bet) = play("bet", &with(bet_body(), "game", json!(game))) else {
            panic!()
        };
        assert_eq!(bet.standing, standing);
    }
}

#[test]
fn a_win_is_read_with_all_its_fields() {
    let body = without(bet_body(), "session");
    let PlayCommand::Win(win) = play("win", &body) else {
        panic!()
    };
    assert_eq!(win.kind, WinKind::Ordinary);
    assert_eq!((win.bet, win.closes_round), (None, false));
    let body = with(body, "bet_transaction_id", json!("b-0"));
    for (text, kind) in [
        ("ordinary", WinKind::Ordinary),
        ("free", WinKind::Free),
        ("jackpot", WinKind::Jackpot),
        ("promo", WinKind::Promo),
        ("tournament", WinKind::Tournament),
        ("correction", WinKind::Correction),
    ] {
        let PlayCommand::Win(win) = play("win", &with(body.clone(), "kind", json!(text))) else {
            panic!()
        };
        assert_eq!(win.kind, kind);
        assert_eq!(win.bet, Some(ExternalId::new("b-0").unwrap()));
    }
    names("win", &with(body.clone(), "kind", json!("Promo")), "kind");
    names("win", &with(body, "kind", json!(1)), "kind");
}

#[test]
fn a_bet_win_is_read_in_order() {
    let PlayCommand::BetWin(batch) = play("bet_win", &bet_win_body()) else {
        panic!()
    };
    assert_eq!(batch.currency, eur());
    assert!(matches!(
        &batch.actions[..],
        [
            Action::Bet {
                units: 1_000_000,
                ..
            },
            Action::Win { units: 400_000, .. }
        ]
    ));
}

#[test]
fn an_action_of_a_bet_win_is_named_by_its_place() {
    let with_action = |action: Value| {
        let mut body = bet_win_body();
        body["actions"][1] = action;
        body
    };
    let good = json!({"type": "win", "transaction_id": "w", "amount": "1"});
    for (field, value) in [
        ("type", json!("refund")),
        ("type", json!(1)),
        ("transaction_id", json!("")),
        ("amount", json!(1)),
        ("amount", json!("-1")),
    ] {
        let body = with_action(with(good.clone(), field, value));
        names("bet_win", &body, &format!("actions[1].{field}"));
        let body = with_action(without(good.clone(), field));
        names("bet_win", &body, &format!("actions[1].{field}"));
    }
    names("bet_win", &with_action(json!("bet")), "actions[1]");
    names(
        "bet_win",
        &with(bet_win_body(), "actions", json!({})),
        "actions",
    );
    names("bet_win", &without(bet_win_body(), "actions"), "actions");
}

#[test]
fn a_bet_win_has_1_to_100_actions() {
    let actions = |count: usize| {
        let action = |n| json!({"type": "bet", "transaction_id": format!("b-{n}"), "amount": "1"});
        with(bet_win_body(), "actions", (0..count).map(action).collect())
    };
    play("bet_win", &actions(1));
    play("bet_win", &actions(native::MAX_ACTIONS));
    names("bet_win", &actions(0), "actions");
    names("bet_win", &actions(native::MAX_ACTIONS + 1), "actions");
}

#[test]
fn a_rollback_and_a_close_are_read() {
    let body = json!({"transaction_id": "rb", "player": "alice", "target_transaction_id": "b-1"});
    let PlayCommand::Rollback(rollback) = play("rollback", &body) else {
        panic!()
    };
    assert_eq!(rollback.target.as_str(), "b-1");
    assert_eq!((&rollback.round, rollback.units), (&None, None));
    let PlayCommand::Rollback(rollback) = play("rollback", &with(body, "round", json!("r"))) else {
        panic!()
    };
    assert_eq!(rollback.round.unwrap().as_str(), "r");
    let body = json!({"player": "alice", "game": "dice", "round": "r-1"});
    let PlayCommand::CloseRound(close) = play("close_round", &body) else {
        panic!()
    };
    assert_eq!((close.game.as_str(), close.round.as_str()), ("dice", "r-1"));
}

#[test]
fn an_action_that_does_not_exist_and_another_method_are_refused_before_the_body_is_read() {
    for action in ["", "Bet", "bet/", "bets", "void_round"] {
        assert_eq!(parse(action, "x").unwrap_err(), ParseError::UnknownAction);
    }
    let known = pitboss_providers::Known {
        game: &|_| GameStanding::Unknown,
        found: None,
    };
    let get = RawRequest {
        method: "GET",
        ..request("bet", b"x")
    };
    let refused = Native.parse(&account(), &get, &known).unwrap_err();
    assert_eq!(refused, ParseError::Method { allowed: "POST" });
}
