//! From bodies to calls.

use pitboss_providers::{
    Account, Ask, Dialect, Lookup, ParseError, RawRequest, softswiss_v1::SoftswissV1,
};
use pitboss_wallet::{Action, BetWin, Currency, Money, PlayCommand, PlayerId, SessionId, WinKind};
use serde_json::{Value, json};

use super::{NO_HEADERS, SESSION, account, bet, body, eur, parse_as, request, spins, win};

fn command(account: &Account, action: &str, body: &Value) -> PlayCommand {
    let call = parse_as(account, action, &body.to_string()).unwrap();
    assert_eq!(call.currency.map(Currency::code), Some("EUR"));
    match call.ask {
        Ask::Play { player, play } => {
            assert_eq!(player.as_str(), "alice");
            assert_eq!(play.origin.provider.as_str(), "bgaming");
            play.command
        }
        other => panic!("{other:?}"),
    }
}

fn play(body: &Value) -> PlayCommand {
    command(&account(&[]), "play", body)
}

fn refused(action: &str, body: &Value) -> String {
    parse_as(&account(&[]), action, &body.to_string())
        .unwrap_err()
        .to_string()
}

fn batch(body: &Value) -> BetWin {
    match play(body) {
        PlayCommand::BetWin(batch) => batch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn actions_are_one_command_in_their_order() {
    let batch = batch(&body(json!([bet(250), win(495)])));
    assert_eq!(
        (batch.game.as_str(), batch.round.as_str()),
        ("acme:dice", "r-1")
    );
    assert_eq!(Ok(batch.session), SessionId::parse(SESSION));
    assert!(batch.closes_round && batch.currency == eur());
    let [
        Action::Bet {
            units: 2_500_000, ..
        },
        Action::Win {
            units: 4_950_000,
            kind,
            ..
        },
    ] = &batch.actions[..]
    else {
        panic!("{:?}", batch.actions);
    };
    assert_eq!(*kind, WinKind::Ordinary);
}

#[test]
fn a_bet_alone_is_a_bet_with_its_contribution() {
    let of = |contribution: Value| {
        let mut action = bet(250);
        action["jackpot_contribution"] = contribution;
        match play(&body(json!([action]))) {
            PlayCommand::Bet(bet) => {
                assert_eq!(bet.amount.units, 2_500_000);
                assert!(bet.closes_round && bet.free_round.is_none());
                bet.jackpot_contribution
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of(json!(3)), Some(30_000));
    // For information alone: no form of it keeps a bet from being taken.
    for odd in [json!(null), json!(0.5), json!("3"), json!(251), json!(-1)] {
        assert_eq!(of(odd.clone()), None, "{odd}");
    }
}

#[test]
fn a_win_alone_is_a_batch_so_that_a_late_one_can_be_answered_well() {
    let batch = batch(&body(json!([win(0)])));
    assert!(matches!(&batch.actions[..], [Action::Win { units: 0, .. }]));
}

#[test]
fn without_actions_it_is_a_balance_or_the_end_of_a_round() {
    for actions in [Value::Null, json!([])] {
        let mut request = body(actions);
        assert!(
            matches!(play(&request), PlayCommand::CloseRound(close) if close.round.as_str() == "r-1")
        );
        request["finished"] = json!(false);
        let call = parse_as(&account(&[]), "play", &request.to_string()).unwrap();
        assert!(matches!(call.ask, Ask::Balance { .. }));
        request["finished"] = json!(true);
        request.as_object_mut().unwrap().remove("game_id");
        let call = parse_as(&account(&[]), "play", &request.to_string()).unwrap();
        assert!(matches!(call.ask, Ask::Balance { .. }));
    }
}

#[test]
fn what_an_unknown_verb_does_to_money_is_not_guessed() {
    for verb in ["rollback", "Bet", "", "steal"] {
        let mut action = bet(1);
        action["action"] = json!(verb);
        let told = refused("play", &body(json!([bet(1), action])));
        assert!(
            told.contains("actions[1].action: must be \"bet\" or \"win\""),
            "{told}"
        );
    }
    let told = refused("rollback", &body(json!([bet(1)])));
    assert!(told.contains("must be \"rollback\""), "{told}");
}

#[test]
fn every_wrong_field_is_named() {
    let named = |field: &str, value: Value| {
        let mut request = body(json!([bet(1)]));
        request[field] = value;
        refused("play", &request)
    };
    assert!(named("user_id", json!(7)).starts_with("user_id: "));
    assert!(named("user_id", json!("a b")).starts_with("user_id: "));
    assert!(named("currency", json!("XXX")).starts_with("currency: "));
    assert!(named("game", json!("")).starts_with("game: "));
    assert!(named("game_id", json!(null)).starts_with("game_id: is missing"));
    assert!(named("finished", json!("yes")).starts_with("finished: "));
    assert!(named("actions", json!({})).starts_with("actions: "));
    let many: Vec<Value> = (0..101).map(|_| bet(1)).collect();
    assert!(named("actions", json!(many)).contains("1 to 100"));
    let mut long = bet(1);
    long["action_id"] = json!("x".repeat(256));
    assert!(named("actions", json!([long])).contains("actions[0].action_id"));
}

#[test]
fn amounts_are_integers_of_subunits() {
    let units = |text: &str| {
        let body = body(json!([bet(77_777)])).to_string();
        let call = parse_as(&account(&[]), "play", &body.replace("77777", text));
        call.map(|call| match call.ask {
            Ask::Play { play, .. } => match play.command {
                PlayCommand::Bet(bet) => bet.amount.units,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(units("0"), Ok(0));
    assert_eq!(units("1"), Ok(10_000));
    assert_eq!(units("6370000000"), Ok(63_700_000_000_000));
    assert_eq!(units("922337203685477"), Ok(9_223_372_036_854_770_000));
    for wrong in [
        "-1",
        "1.0",
        "1e2",
        "\"1\"",
        "922337203685478",
        "99999999999999999999999",
        "null",
        "true",
        "[]",
    ] {
        assert!(units(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_subunit_of_a_currency_is_known_or_told_and_never_guessed() {
    let units = |account: &Account, currency: &str| {
        let mut request = body(json!([bet(1_000)]));
        request["currency"] = json!(currency);
        parse_as(account, "play", &request.to_string()).map(|call| match call.ask {
            Ask::Play { play, .. } => match play.command {
                PlayCommand::Bet(bet) => bet.amount.units,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
    };
    let plain = account(&[]);
    assert_eq!(units(&plain, "JPY"), Ok(1_000_000_000));
    assert_eq!(units(&plain, "USD"), Ok(10_000_000));
    for open in ["BTC", "ETH", "LTC", "USDC", "USDT"] {
        let told = units(&plain, open).unwrap_err();
        assert!(
            matches!(&told, ParseError::UnknownCurrency(why) if why.contains("subunits")),
            "{told}"
        );
    }
    let told = account(&[("subunits", "BTC=8,ETH=9,USDT=2,JPY=2")]);
    assert_eq!(units(&told, "BTC"), Ok(1_000));
    assert_eq!(units(&told, "ETH"), Ok(1_000));
    assert_eq!(units(&told, "USDT"), Ok(10_000_000));
    assert_eq!(units(&told, "JPY"), Ok(10_000_000));
    assert!(units(&told, "LTC").is_err());
    // Finer than the ledger keeps: exact, or refused.
    let fine = account(&[("subunits", "ETH=18")]);
    assert!(units(&fine, "ETH").is_err());
}

#[test]
fn a_jackpot_is_a_part_of_its_win_or_paid_on_top() {
    let of = |choice: &str, amount: i64, jackpot: i64| {
        let mut action = win(amount);
        action["jackpot_win"] = json!(jackpot);
        let account = account(&[("jackpot_win", choice)]);
        match command(&account, "play", &body(json!([action]))) {
            PlayCommand::BetWin(batch) => match &batch.actions[..] {
                [Action::Win { units, kind, .. }] => (*units, *kind),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of("included", 500, 200), (5_000_000, WinKind::Ordinary));
    assert_eq!(of("included", 500, 500), (5_000_000, WinKind::Jackpot));
    assert_eq!(of("included", 500, 0), (5_000_000, WinKind::Ordinary));
    assert_eq!(of("separate", 500, 200), (7_000_000, WinKind::Ordinary));
    assert_eq!(of("separate", 0, 200), (2_000_000, WinKind::Jackpot));
    let mut action = win(922_337_203_685_477);
    action["jackpot_win"] = json!(1);
    let body = body(json!([action])).to_string();
    assert!(parse_as(&account(&[("jackpot_win", "separate")]), "play", &body).is_err());
}

#[test]
fn a_rollback_is_a_list() {
    let back = |id: &str, target: &str| json!({ "action": "rollback", "action_id": id, "original_action_id": target });
    let request = body(json!([back("r-1", "b-1"), back("r-2", "w-1")]));
    let PlayCommand::Rollbacks(list) = command(&account(&[]), "rollback", &request) else {
        panic!()
    };
    let named: Vec<_> = list
        .iter()
        .map(|one| (one.transaction.as_str(), one.target.as_str(), one.units))
        .collect();
    assert_eq!(named, [("r-1", "b-1", None), ("r-2", "w-1", None)]);
    assert!(refused("rollback", &body(json!([]))).contains("actions: "));
    assert!(refused("rollback", &body(Value::Null)).contains("actions: "));
}

#[test]
fn a_total_of_free_spins_names_its_player_in_the_id_that_the_operator_gave_it() {
    for status in ["played", "expired", "canceled", "something new"] {
        let PlayCommand::Win(win) = command(&account(&[]), "freespins", &spins(status)) else {
            panic!()
        };
        assert_eq!((win.kind, win.bet), (WinKind::Free, None));
        assert_eq!(win.amount, Money::new(12_500_000, eur()));
        assert_eq!(win.transaction.as_str(), "alice/EUR/spring/1");
        assert!(win.closes_round);
    }
    let active = parse_as(&account(&[]), "freespins", &spins("active").to_string()).unwrap();
    assert!(matches!(active.ask, Ask::Balance { .. }));
    for id in ["spring-1", "alice/EUR", "/EUR/1", "a b/EUR/1", ""] {
        let mut request = spins("played");
        request["issue_id"] = json!(id);
        assert!(
            refused("freespins", &request).starts_with("issue_id: "),
            "{id}"
        );
    }
    let mut request = spins("played");
    request["issue_id"] = json!("alice/XXX/1");
    let told = parse_as(&account(&[]), "freespins", &request.to_string());
    assert!(matches!(told, Err(ParseError::UnknownCurrency(_))));
}

#[test]
fn a_session_is_asked_for_only_by_a_bet() {
    let lookup = |account: &Account, action: &str, body: &Value| {
        let bytes = body.to_string().into_bytes();
        SoftswissV1
            .lookup(account, &request(action, &NO_HEADERS, &bytes))
            .unwrap()
    };
    let newest = Some(Lookup::LiveSession {
        player: PlayerId::new("alice").unwrap(),
        currency: eur(),
    });
    let (theirs, ours) = (account(&[]), account(&[("session", "ours")]));
    let mut request = body(json!([win(1), bet(1)]));
    assert_eq!(lookup(&theirs, "play", &request), newest);
    assert_eq!(lookup(&theirs, "play", &body(json!([win(1)]))), None);
    assert_eq!(lookup(&theirs, "play", &body(json!([]))), None);
    assert_eq!(lookup(&theirs, "freespins", &spins("played")), None);
    request["session_id"] = json!(SESSION);
    assert_eq!(lookup(&ours, "play", &request), None);
    assert_eq!(lookup(&theirs, "play", &request), newest);
    request["session_id"] = json!("lt_test_abc");
    assert_eq!(
        lookup(&ours, "play", &request),
        Some(Lookup::Token("lt_test_abc".to_owned()))
    );
    request["session_id"] = json!("");
    assert_eq!(lookup(&ours, "play", &request), newest);
}

#[test]
fn the_session_is_that_of_the_request_or_the_one_that_was_found() {
    let mut request = body(json!([bet(1), win(1)]));
    request["session_id"] = json!("ses_00000000000000000000000000000007");
    let session = |account: &Account| match command(account, "play", &request) {
        PlayCommand::BetWin(batch) => batch.session.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(session(&account(&[])), SESSION);
    assert_eq!(
        session(&account(&[("session", "ours")])),
        "ses_00000000000000000000000000000007"
    );
}

#[test]
fn other_paths_and_methods_are_none() {
    for action in ["", "Play", "play/", "balance", "betwin", "free_spins"] {
        assert_eq!(
            parse_as(&account(&[]), action, "{}").unwrap_err(),
            ParseError::UnknownAction,
            "{action}"
        );
    }
    let raw = RawRequest {
        method: "GET",
        ..request("play", &NO_HEADERS, b"")
    };
    let told = SoftswissV1.lookup(&account(&[]), &raw);
    assert_eq!(told, Err(ParseError::Method { allowed: "POST" }));
}
