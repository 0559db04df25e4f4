//! The token, and what is read in bodies.

use std::collections::BTreeMap;

use pitboss_providers::{
    Ask, CallError, Context, Dialect, Found, Known, Lookup, ParseError, Secret, Settings,
    SignatureError, evolution::Evolution,
};
use pitboss_wallet::{GameStanding, PlayCommand, SessionId, WinKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    SESSION, account,
    common::{with, without},
    debit, found, parse, parse_text, play, request,
};

const TOKEN: &str = "lt_live_0123456789012345678901234567890123456789012";

#[test]
fn the_token_is_the_secret_as_it_is_or_with_escapes() {
    let verify = |query: &str| Evolution.verify(&account(&[]), &request("debit", query, b"{}"));
    assert_eq!(verify("authToken=s3cr+t of/now"), Ok(0));
    assert_eq!(verify("x=1&authToken=s3cr%2Bt+of%2fnow&y"), Ok(0));
    assert_eq!(verify("authToken=old"), Ok(1));
    for wrong in [
        "authToken=",
        "authToken",
        "authToken=ol",
        "authToken=old0",
        "authToken=Old",
        "authToken=old%00",
    ] {
        assert_eq!(verify(wrong), Err(SignatureError::Mismatch), "{wrong}");
    }
    let missing = Err(SignatureError::Missing {
        header: "authToken",
    });
    for none in ["", "authtoken=old", "token=old"] {
        assert_eq!(verify(none), missing, "{none}");
    }
    for twice in ["authToken=old&authToken=old", "authToken=x&%61uthToken=old"] {
        assert!(
            matches!(verify(twice), Err(SignatureError::Form { .. })),
            "{twice}"
        );
    }
    let mut keyless = account(&[]);
    keyless.secrets = vec![Secret::new(*b"")];
    let raw = request("debit", "authToken=", b"{}");
    assert!(Evolution.verify(&keyless, &raw).is_err());
    keyless.secrets = Vec::new();
    assert!(Evolution.verify(&keyless, &raw).is_err());
}

#[test]
fn debit_credit_and_cancel_share_the_refid() {
    let PlayCommand::Bet(bet) = play("debit", &debit()) else {
        panic!()
    };
    assert_eq!(
        (bet.transaction.as_str(), bet.amount.units),
        ("bet-1", 1_556_179)
    );
    assert_eq!((bet.round.as_str(), bet.game.as_str()), ("round-1", "dice"));
    assert_eq!(Ok(bet.session), SessionId::parse(SESSION));
    assert!(!bet.closes_round);
    let PlayCommand::Win(win) = play("credit", &debit()) else {
        panic!()
    };
    assert_eq!(
        (win.transaction.as_str(), win.kind),
        ("bet-1", WinKind::Ordinary)
    );
    assert_eq!(win.bet, Some(bet.transaction.clone()));
    assert!(!win.closes_round, "others of the game may be settled later");
    let PlayCommand::Rollback(cancel) = play("cancel", &without(debit(), "game")) else {
        panic!()
    };
    assert_eq!(cancel.target, bet.transaction);
    assert_eq!((cancel.round, cancel.units), (None, Some(1_556_179)));
    let PlayCommand::CloseRound(close) = play("close", &without(debit(), "transaction")) else {
        panic!()
    };
    assert_eq!((close.round, close.game), (bet.round, bet.game));
}

#[test]
fn a_win_needs_no_sid_and_a_debit_does() {
    for action in ["credit", "cancel", "balance", "close"] {
        for sid in [Value::Null, json!("gone"), json!(7)] {
            assert!(
                parse(action, &with(debit(), "sid", sid)).is_ok(),
                "{action}"
            );
        }
    }
    assert!(parse("debit", &without(debit(), "sid")).is_err());
    // A sid that is none is for the wallet to refuse, after it has looked for the stored debit (T3).
    let PlayCommand::Bet(bet) = play("debit", &with(debit(), "sid", json!("gone"))) else {
        panic!()
    };
    assert!(bet.session.0.is_nil());
}

#[test]
fn an_amount_is_a_number_read_from_its_text() {
    let units = |text: &str| {
        let body = debit().to_string().replace("1.556179", text);
        let call = parse_text("debit", &body, None)?;
        match call.ask {
            Ask::Play { play, .. } => match play.command {
                PlayCommand::Bet(bet) => Ok::<_, ParseError>(bet.amount.units),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(units("63727092.34"), Ok(63_727_092_340_000));
    assert_eq!(units("0"), Ok(0));
    assert_eq!(units("0.000001"), Ok(1));
    assert_eq!(units("1.10000000000000000000"), Ok(1_100_000));
    assert_eq!(units("9223372036854.775807"), Ok(i64::MAX));
    for wrong in [
        "-1",
        "-0",
        "1e2",
        "1E0",
        "0.0000001",
        "9223372036854.775808",
        "\"1\"",
        "null",
        "true",
        "[1]",
        "{}",
    ] {
        let error = units(wrong).unwrap_err().to_string();
        assert!(error.contains("transaction.amount"), "{wrong}: {error}");
    }
    // No JSON at all.
    for wrong in ["NaN", "Infinity", "01", "1.", ".5", "+1", "0x1"] {
        assert!(units(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn each_wrong_field_is_named() {
    let wrong = |action: &str, body: Value| parse(action, &body).unwrap_err().to_string();
    assert!(wrong("debit", without(debit(), "userId")).contains("userId"));
    assert!(wrong("debit", with(debit(), "userId", json!("a b"))).contains("userId"));
    assert!(wrong("debit", without(debit(), "game")).contains("game"));
    assert!(wrong("debit", with(debit(), "game", json!({"id": "1"}))).contains("game.details"));
    assert!(wrong("credit", without(debit(), "transaction")).contains("transaction"));
    let no_ref = json!({"id": "1", "amount": 1});
    for action in ["debit", "credit", "cancel"] {
        let body = with(debit(), "transaction", no_ref.clone());
        assert!(wrong(action, body).contains("transaction.refId"));
    }
    assert!(matches!(
        parse("debit", &with(debit(), "currency", json!("XXX"))),
        Err(ParseError::UnknownCurrency(_))
    ));
    assert!(matches!(
        parse("steal", &debit()),
        Err(ParseError::UnknownAction)
    ));
    let body = debit().to_string();
    let mut get = request("debit", "", body.as_bytes());
    get.method = "GET";
    assert_eq!(
        Evolution.lookup(&account(&[]), &get),
        Err(ParseError::Method { allowed: "POST" })
    );
    let twice = debit().to_string().replacen('{', "{\"userId\":\"bob\",", 1);
    assert!(parse_text("debit", &twice, None).is_err());
}

#[test]
fn ids_may_be_any_text_of_255_characters() {
    for id in ["ü'\u{1f3b2}\"; --\\".to_owned(), "\u{1f3b2}".repeat(255)] {
        let mut body = debit();
        body["transaction"]["refId"] = json!(id);
        body["game"]["id"] = json!(id);
        let PlayCommand::Bet(bet) = play("debit", &body) else {
            panic!()
        };
        assert_eq!((bet.transaction.as_str(), bet.round.as_str()), (&*id, &*id));
    }
    let mut body = debit();
    body["transaction"]["refId"] = json!("x".repeat(256));
    assert!(parse("debit", &body).is_err());
}

#[test]
fn a_game_is_a_table_or_a_type_as_the_account_says() {
    let game = |_: &pitboss_wallet::GameId| GameStanding::ENABLED;
    let known = Known {
        game: &game,
        found: None,
    };
    let body = debit().to_string();
    let raw = request("credit", "", body.as_bytes());
    let call = Evolution.parse(&account(&[("game", "type")]), &raw, &known);
    let Ask::Play { play, .. } = call.unwrap().ask else {
        panic!()
    };
    assert!(matches!(play.command, PlayCommand::Win(win) if win.game.as_str() == "blackjack"));
    let other = BTreeMap::from([("game".to_owned(), "vid".to_owned())]);
    assert!(Settings::new(Evolution.settings(), other).is_err());
}

fn lookup(action: &str, sid: &str) -> Option<Lookup> {
    let body = with(debit(), "sid", json!(sid)).to_string();
    let raw = request(action, "", body.as_bytes());
    Evolution.lookup(&account(&[]), &raw).unwrap()
}

#[test]
fn the_launch_token_is_exchanged_at_check_and_the_session_is_kept_alive() {
    let session = SessionId::parse(SESSION).unwrap();
    assert_eq!(
        lookup("check", TOKEN),
        Some(Lookup::LaunchToken(TOKEN.to_owned()))
    );
    assert_eq!(lookup("sid", SESSION), Some(Lookup::Session(session)));
    // The wallet knows the sessions; only a token has to be asked for.
    assert_eq!(lookup("debit", SESSION), None);
    assert_eq!(
        lookup("debit", TOKEN),
        Some(Lookup::LaunchToken(TOKEN.to_owned()))
    );
    for action in ["credit", "cancel", "promo_payout", "balance", "close"] {
        assert_eq!(lookup(action, TOKEN), None, "{action}");
    }
    let check = |sid: &str, found: Option<Found>| {
        let body = json!({"sid": sid, "userId": "alice", "uuid": "u", "channel": {"type": "M"}});
        parse_text("check", &body.to_string(), found)
    };
    let asked = check(TOKEN, Some(found("alice"))).unwrap().ask;
    assert!(matches!(asked, Ask::Authenticate { token } if token == TOKEN));
    let asked = check(SESSION, Some(found("alice"))).unwrap().ask;
    assert!(matches!(asked, Ask::KeepAlive { session: kept, .. } if kept == session));
    // Nobody uses up another player's token.
    assert!(check(TOKEN, Some(found("bob"))).is_err());
    assert!(check(SESSION, Some(found("bob"))).is_err());
    let asked = check(TOKEN, None).unwrap().ask;
    assert!(matches!(asked, Ask::Authenticate { .. }), "the server says");
}

#[test]
fn a_debit_before_check_plays_in_the_launched_session() {
    let body = with(debit(), "sid", json!(TOKEN)).to_string();
    let call = parse_text("debit", &body, Some(found("alice"))).unwrap();
    let Ask::Play { play, .. } = call.ask else {
        panic!()
    };
    assert!(matches!(play.command, PlayCommand::Bet(bet) if bet.session.to_string() == SESSION));
}

fn promo(kind: &str) -> Value {
    json!({
        "sid": null, "userId": "alice", "currency": "EUR", "uuid": "u-1", "game": null,
        "promoTransaction": {"type": kind, "id": "promo-1", "amount": 12.5, "playableBalance": 0},
    })
}

#[test]
fn a_promotion_of_any_type_is_paid_in_a_round_of_its_own() {
    for (kind, expected) in [
        ("FreeRoundPlayableSpent", WinKind::Free),
        ("RtrMonetaryReward", WinKind::Tournament),
        ("JackpotWin", WinKind::Jackpot),
        ("RewardGamePlayableSpent", WinKind::Promo),
        ("RewardGameWinCapReached", WinKind::Promo),
        ("RewardGameMinBetLimitReached", WinKind::Promo),
        ("FromGame", WinKind::Promo),
        ("BrandNew", WinKind::Promo),
    ] {
        let PlayCommand::Win(win) = play("promo_payout", &promo(kind)) else {
            panic!()
        };
        assert_eq!((win.kind, win.amount.units), (expected, 12_500_000));
        assert_eq!(
            (win.transaction.as_str(), win.round.as_str()),
            ("promo-1", "promo-1")
        );
        assert_eq!((win.bet, win.game.as_str()), (None, "promo"));
        assert!(win.closes_round);
    }
    let mut at_table = promo("JackpotWin");
    at_table["game"] = debit()["game"].clone();
    let PlayCommand::Win(win) = play("promo_payout", &at_table) else {
        panic!()
    };
    assert_eq!((win.game.as_str(), win.round.as_str()), ("dice", "promo-1"));
    let none = without(promo("JackpotWin"), "promoTransaction");
    assert!(parse("promo_payout", &none).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_a_call_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        query in "\\PC{0,60}",
        action in "check|sid|balance|debit|credit|cancel|promo_payout|close|[a-z/]{0,9}",
    ) {
        let account = account(&[]);
        let raw = request(&action, &query, &bytes);
        prop_assert!(Evolution.verify(&account, &raw).is_err());
        let _ = Evolution.lookup(&account, &raw);
        let _ = parse_text(&action, &String::from_utf8_lossy(&bytes), None);
        let context = Context { request: &raw, account: Some(&account), call: None, balance: None };
        prop_assert_eq!(Evolution.render(&context, &Err(CallError::Internal)).status, 200);
    }

    #[test]
    fn any_value_in_any_field_is_a_call_or_an_error(
        field in "sid|userId|currency|uuid|game|transaction|promoTransaction",
        value in "null|true|7|-1|\"\"|\"x\"|\\[\\]|\\{\\}|\\{\"id\":1\\}|\\{\"id\":\"1\",\"details\":\\{\"table\":\\[\\]\\}\\}",
        action in "check|sid|balance|debit|credit|cancel|promo_payout|close",
    ) {
        let mut body = debit();
        body["promoTransaction"] = promo("X")["promoTransaction"].clone();
        body[&field] = serde_json::from_str(&value).unwrap();
        let _ = parse(&action, &body);
        let text = body.to_string();
        let raw = request(&action, "", text.as_bytes());
        let _ = Evolution.lookup(&account(&[]), &raw);
    }
}
