//! From signed bodies to calls.

use pitboss_providers::{
    Ask, Dialect, Lookup, ParseError, RawRequest, SignatureError, softswiss_v2::SoftswissV2,
};
use pitboss_wallet::{Action, PlayCommand, PlayerId, SessionId};
use serde_json::{Value, json};

use super::{
    NO_HEADERS, SESSION, account, betwin, command, eur, finish, one, parse, parse_as, request,
    rollback,
};

#[test]
fn the_published_signatures_are_good_and_no_others() {
    let account = account(&[]);
    let secret = str::from_utf8(account.secrets[0].expose()).unwrap();
    let rows = include_str!("../vectors/softswiss-signatures.csv").lines();
    let mut published = 0;
    for row in rows.filter(|row| row.starts_with(secret)) {
        let mut parts = row.splitn(3, ';').skip(1);
        let (signature, body) = (parts.next().unwrap(), parts.next().unwrap());
        let headers = vec![("x-request-sign".to_owned(), signature.to_owned())];
        let verify = |body: &str| {
            SoftswissV2.verify(&account, &request("betwin", &headers, body.as_bytes()))
        };
        assert_eq!(verify(body), Ok(0));
        assert_eq!(verify(&format!(" {body}")), Err(SignatureError::Mismatch));
        published += 1;
    }
    assert_eq!(published, 2);
    let unsigned = SoftswissV2.verify(&account, &request("betwin", &NO_HEADERS, b""));
    assert!(matches!(unsigned, Err(SignatureError::Missing { .. })));
}

#[test]
fn transactions_are_one_command_in_their_order() {
    let body = betwin(json!([
        one("bet", "b-1", "2.50"),
        one("win", "w-1", "4.95")
    ]));
    let PlayCommand::BetWin(batch) = command("betwin", &body) else {
        panic!()
    };
    assert_eq!((batch.game.as_str(), batch.round.as_str()), ("dice", "r-1"));
    assert_eq!(Ok(batch.session), SessionId::parse(SESSION));
    assert!(batch.closes_round);
    assert!(matches!(
        &batch.actions[..],
        [
            Action::Bet {
                units: 2_500_000,
                ..
            },
            Action::Win {
                units: 4_950_000,
                ..
            }
        ]
    ));
    let alone = command("betwin", &betwin(json!([one("bet", "b-1", "2.50")])));
    assert!(
        matches!(alone, PlayCommand::Bet(bet) if bet.closes_round && bet.amount.units == 2_500_000)
    );
    let alone = command("betwin", &betwin(json!([one("win", "w-1", "2.50")])));
    assert!(matches!(alone, PlayCommand::BetWin(_)));
}

#[test]
fn the_end_of_the_path_tells_what_is_asked() {
    let body = betwin(json!([one("bet", "b-1", "1")])).to_string();
    let account = account(&[]);
    for action in ["betwin", "api/v2/psp/betwin", "betwin/"] {
        assert!(parse_as(&account, action, &body).is_ok(), "{action}");
    }
    for action in ["", "/", "BetWin", "xbetwin", "betwin/x", "play"] {
        let told = parse_as(&account, action, &body).unwrap_err();
        assert_eq!(told, ParseError::UnknownAction, "{action}");
    }
    let raw = RawRequest {
        method: "PUT",
        ..request("betwin", &NO_HEADERS, b"")
    };
    let told = SoftswissV2.lookup(&account, &raw);
    assert_eq!(told, Err(ParseError::Method { allowed: "POST" }));
}

fn units(amount: &Value) -> Result<i64, ParseError> {
    let mut transaction = one("bet", "b-1", "");
    transaction["amount"] = amount.clone();
    parse("betwin", &betwin(json!([transaction]))).map(|call| match call.ask {
        Ask::Play { play, .. } => match play.command {
            PlayCommand::Bet(bet) => bet.amount.units,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    })
}

#[test]
fn amounts_are_decimal_texts_above_0() {
    assert_eq!(units(&json!("0.90")), Ok(900_000));
    assert_eq!(units(&json!("1")), Ok(1_000_000));
    assert_eq!(units(&json!("0.000001")), Ok(1));
    assert_eq!(
        units(&json!("63727092.3400000000000000")),
        Ok(63_727_092_340_000)
    );
    assert_eq!(
        units(&json!("00000000000000000000000001.0000000000000")),
        Ok(1_000_000)
    );
    for wrong in [
        "0",
        "0.00",
        "",
        "-1",
        "+1",
        "1e2",
        "1.",
        ".5",
        "1,5",
        " 1",
        "1 ",
        "NaN",
        "0.0000001",
        "1.00000000000000000",
        "00000000000000000000000000000000000000001",
        "9223372036855",
    ] {
        let told = units(&json!(wrong));
        assert!(
            matches!(&told, Err(ParseError::Malformed(why)) if why.starts_with("transactions[0].amount")),
            "{wrong}: {told:?}"
        );
    }
    for wrong in [json!(1), json!(0.9), json!(null), json!(["1"])] {
        assert!(units(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_currency_has_a_form_before_it_may_be_unknown() {
    let told = |code: Value| {
        let mut body = finish();
        body["currency"] = code;
        parse("finish", &body).unwrap_err()
    };
    for unknown in ["XXX", "UBTC", "A_1", "USDT_TRC20"] {
        assert!(
            matches!(told(json!(unknown)), ParseError::UnknownCurrency(_)),
            "{unknown}"
        );
    }
    let long = "A".repeat(33);
    for wrong in ["eur", "EU", "1EUR", "_EUR", "E R", "\u{c9}UR", "", &long] {
        assert!(
            matches!(told(json!(wrong)), ParseError::Malformed(_)),
            "{wrong}"
        );
    }
}

#[test]
fn every_wrong_field_is_named() {
    let named = |field: &str, value: Value| {
        let mut body = betwin(json!([one("bet", "b-1", "1")]));
        body[field] = value;
        parse("betwin", &body).unwrap_err().to_string()
    };
    for field in [
        "account_id",
        "currency",
        "game_id",
        "round_id",
        "transactions",
    ] {
        assert!(named(field, Value::Null).starts_with(&format!("{field}: is missing")));
    }
    assert!(named("finished", json!(1)).starts_with("finished: "));
    assert!(named("transactions", json!([])).contains("1 to 100"));
    let many: Vec<Value> = (0..101).map(|n| one("bet", &n.to_string(), "1")).collect();
    assert!(named("transactions", json!(many)).contains("1 to 100"));
    assert!(
        named("transactions", json!([one("bet", "", "1")])).contains("transactions[0].id_provider")
    );
    for verb in ["rollback", "BET", ""] {
        let told = named(
            "transactions",
            json!([one("bet", "b", "1"), one(verb, "x", "1")]),
        );
        assert!(
            told.contains("transactions[1].type: must be \"bet\" or \"win\""),
            "{told}"
        );
    }
}

#[test]
fn a_rollback_is_a_list_and_asks_for_no_game() {
    let PlayCommand::Rollbacks(list) = command("rollback", &rollback()) else {
        panic!()
    };
    let named: Vec<_> = list
        .iter()
        .map(|one| (one.transaction.as_str(), one.target.as_str(), one.units))
        .collect();
    assert_eq!(named, [("k-1", "b-1", None), ("k-2", "w-1", None)]);
    assert_eq!(list[0].round.as_ref().unwrap().as_str(), "r-1");
    let mut body = rollback();
    body["transactions"][1]["type"] = json!("bet");
    assert!(
        parse("rollback", &body)
            .unwrap_err()
            .to_string()
            .contains("must be \"rollback\"")
    );
    // Its round has another name than that of a bet.
    let mut body = rollback();
    body["round_id"] = json!("r-1");
    body.as_object_mut().unwrap().remove("round_id_provider");
    assert!(
        parse("rollback", &body)
            .unwrap_err()
            .to_string()
            .contains("round_id_provider")
    );
}

#[test]
fn the_end_of_a_round_and_a_balance_name_what_they_must() {
    assert!(
        matches!(command("finish", &finish()), PlayCommand::CloseRound(close) if close.round.as_str() == "r-1")
    );
    let mut body =
        json!({ "account_id": "alice", "currency": "EUR", "game_id": "caf\u{e9}-royale" });
    assert!(matches!(
        parse("balance", &body).unwrap().ask,
        Ask::Balance { .. }
    ));
    body["game_id"] = Value::Null;
    assert!(parse("balance", &body).is_err());
}

#[test]
fn a_session_is_asked_for_only_by_a_bet() {
    let lookup = |choices: &[(&str, &str)], action: &str, body: &Value| {
        let bytes = body.to_string().into_bytes();
        SoftswissV2
            .lookup(&account(choices), &request(action, &NO_HEADERS, &bytes))
            .unwrap()
    };
    let newest = Some(Lookup::LiveSession {
        player: PlayerId::new("alice").unwrap(),
        currency: eur(),
    });
    let mut bet = betwin(json!([one("win", "w", "1"), one("bet", "b", "1")]));
    assert_eq!(lookup(&[], "betwin", &bet), newest);
    assert_eq!(lookup(&[], "x/betwin", &bet), newest);
    assert_eq!(
        lookup(&[], "betwin", &betwin(json!([one("win", "w", "1")]))),
        None
    );
    assert_eq!(lookup(&[], "rollback", &rollback()), None);
    assert_eq!(lookup(&[], "finish", &finish()), None);
    bet["session_id"] = json!("lt_test_abc");
    let ours = [("session", "ours")];
    assert_eq!(
        lookup(&ours, "betwin", &bet),
        Some(Lookup::Token("lt_test_abc".to_owned()))
    );
    bet["session_id"] = json!(SESSION);
    assert_eq!(lookup(&ours, "betwin", &bet), None);
}
