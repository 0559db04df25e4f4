//! From a form to a command.

use pitboss_providers::{
    Ask, Call, Dialect, Found, Known, Lookup, ParseError, RawRequest, slotegrator::Slotegrator,
};
use pitboss_wallet::{Bet, GameStanding, PlayCommand, PlayerId, Rollback, SessionId, Win, WinKind};
use proptest::prelude::*;
use uuid::Uuid;

use super::{account, common::eur, raw_request};

const SESSION: &str = "ses_0192f3a0c0de7000800000000000a11c";

pub const BODY: &str = "action=bet&player_id=alice&currency=EUR&amount=12.5&game_uuid=dice&transaction_id=b-1&session_id=ses_0192f3a0c0de7000800000000000a11c&type=bet&round_id=7&new=1&freespin_id=";

pub fn parse_as(body: &[u8], found: Option<Found>) -> Result<Call, ParseError> {
    let game = |id: &pitboss_wallet::GameId| match id.as_str() {
        "dice" => GameStanding::ENABLED,
        _ => GameStanding::Unknown,
    };
    let known = Known { game: &game, found };
    Slotegrator.parse(&account(&[], &[]), &raw_request(body), &known)
}

pub fn parse(body: &str) -> Result<Call, ParseError> {
    parse_as(body.as_bytes(), None)
}

/// Encoded already.
fn with(changes: &[(&str, &str)]) -> String {
    let mut fields: Vec<String> = BODY
        .split('&')
        .filter(|field| {
            changes
                .iter()
                .all(|(name, _)| field.split('=').next() != Some(name))
        })
        .map(str::to_owned)
        .collect();
    fields.extend(
        changes
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    fields.join("&")
}

fn command(body: &str) -> PlayCommand {
    let call = parse(body).unwrap();
    assert_eq!(call.currency, Some(eur()));
    match call.ask {
        Ask::Play { player, play } => {
            assert_eq!(player.as_str(), "alice");
            play.command
        }
        other => panic!("{other:?}"),
    }
}

fn bet(changes: &[(&str, &str)]) -> Bet {
    match command(&with(changes)) {
        PlayCommand::Bet(bet) => bet,
        other => panic!("{other:?}"),
    }
}

fn win(changes: &[(&str, &str)]) -> Win {
    match command(&with(&[&[("action", "win")], changes].concat())) {
        PlayCommand::Win(win) => win,
        other => panic!("{other:?}"),
    }
}

fn rollbacks(list: &str) -> Result<(Vec<Rollback>, String), ParseError> {
    let body = format!(
        "action=rollback&player_id=alice&currency=EUR&transaction_id=r-1&round_id=7&{list}"
    );
    let call = parse(&body)?;
    match call.ask {
        Ask::Play { play, .. } => match play.command {
            PlayCommand::Rollbacks(list) => Ok((list, call.echo.unwrap())),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bet_is_read_from_the_form() {
    let read = bet(&[]);
    assert_eq!(read.amount.units, 12_500_000);
    assert_eq!(
        (read.transaction.as_str(), read.round.as_str()),
        ("b-1", "7")
    );
    assert_eq!(Ok(read.session), SessionId::parse(SESSION));
    assert_eq!(
        (read.standing, read.free_round, read.closes_round),
        (GameStanding::ENABLED, None, false)
    );
    for name in [
        "action",
        "player_id",
        "currency",
        "amount",
        "game_uuid",
        "transaction_id",
    ] {
        let error = parse(&with(&[(name, "")])).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("missing"), "{error}");
        let twice = parse(&format!("{BODY}&{name}=1")).unwrap_err().to_string();
        assert!(twice.contains("twice"), "{twice}");
    }
    for (finished, closes) in [
        ("1", true),
        ("true", true),
        ("0", false),
        ("false", false),
        ("", false),
    ] {
        assert_eq!(
            bet(&[("finished", finished)]).closes_round,
            closes,
            "{finished}"
        );
    }
    let long = |count| with(&[("transaction_id", &"%C3%BC".repeat(count))]);
    assert!(parse(&long(255)).is_ok() && parse(&long(256)).is_err());
    for wrong in ["%FF", "%00"] {
        assert!(
            parse(&with(&[("transaction_id", wrong)])).is_err(),
            "{wrong}"
        );
    }
    assert!(matches!(
        parse(&with(&[("currency", "eur")])),
        Err(ParseError::UnknownCurrency(_))
    ));
    // What is no session of ours is none: the stored transaction is looked for first (T3).
    assert_eq!(
        bet(&[("session_id", "qwerty")]).session,
        SessionId(Uuid::nil())
    );
}

#[test]
fn amounts_are_exact_or_refused() {
    let units = |text: &str| {
        parse(&with(&[("amount", text)])).map(|_| bet(&[("amount", text)]).amount.units)
    };
    assert_eq!(units("0"), Ok(0));
    assert_eq!(units("0.0001"), Ok(100));
    assert_eq!(units("63727092.3400"), Ok(63_727_092_340_000));
    assert_eq!(units("9223372036854.775807"), Ok(i64::MAX));
    for wrong in [
        "9223372036854.775808",
        "-1",
        "%2B1",
        "1e3",
        "NaN",
        "1,5",
        ".5",
        "1.",
        "%201",
        "0x1",
        "0.0000001",
        "%D9%A1",
    ] {
        assert!(units(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_free_spin_costs_nothing_and_types_that_nobody_knows_take_nothing() {
    let free = bet(&[("type", "freespin"), ("freespin_id", "gift")]);
    assert_eq!(
        (free.amount.units, free.free_round.unwrap().as_str()),
        (0, "gift")
    );
    let nameless = bet(&[("type", "freespin")]);
    assert_eq!(nameless.free_round.unwrap().as_str(), "b-1");
    for paid in ["bet", "tip", ""] {
        assert_eq!(bet(&[("type", paid)]).amount.units, 12_500_000, "{paid}");
    }
    let error = parse(&with(&[("type", "gift")])).unwrap_err().to_string();
    assert!(error.contains("type: \"gift\""), "{error}");
}

#[test]
fn a_win_of_any_type_is_paid() {
    for (text, kind) in [
        ("win", WinKind::Ordinary),
        ("", WinKind::Ordinary),
        ("freespin", WinKind::Free),
        ("jackpot", WinKind::Jackpot),
        ("pragmatic+prize", WinKind::Promo),
        ("of%20tomorrow", WinKind::Promo),
    ] {
        let paid = win(&[("type", text), ("session_id", "")]);
        assert_eq!(
            (paid.kind, paid.amount.units, paid.bet),
            (kind, 12_500_000, None),
            "{text}"
        );
    }
    let alone = win(&[("round_id", "")]);
    assert_eq!((alone.round.as_str(), alone.closes_round), ("b-1", true));
    assert!(win(&[("finished", "1")]).closes_round);
}

#[test]
fn a_refund_names_its_bet() {
    let body = with(&[
        ("action", "refund"),
        ("bet_transaction_id", "b-0"),
        ("transaction_id", "r-1"),
    ]);
    let PlayCommand::Rollback(back) = command(&body) else {
        panic!()
    };
    assert_eq!(
        (back.transaction.as_str(), back.target.as_str()),
        ("r-1", "b-0")
    );
    assert_eq!(back.units, Some(12_500_000));
    let error = parse(&with(&[("action", "refund")]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("bet_transaction_id"), "{error}");
}

#[test]
fn a_rollback_takes_wins_back_before_bets_and_tells_its_own_order() {
    let list = "rollback_transactions[0][action]=bet&rollback_transactions[0][transaction_id]=b%201&rollback_transactions[0][amount]=x\
        &rollback_transactions%5B1%5D%5Btransaction_id%5D=w-1&rollback_transactions%5B1%5D%5Baction%5D=win\
        &rollback_transactions[2][action]=bet&rollback_transactions[2][transaction_id]=b-2&rollback_transactions[2][type]=new";
    let (read, echo) = rollbacks(list).unwrap();
    let seen: Vec<_> = read
        .iter()
        .map(|one| (one.transaction.as_str(), one.target.as_str()))
        .collect();
    assert_eq!(seen, [("w-1", "w-1"), ("b 1", "b 1"), ("b-2", "b-2")]);
    assert_eq!(echo, r#"["b 1","w-1","b-2"]"#);
    let entry = |index: usize, action: &str, id: &str| {
        format!(
            "rollback_transactions[{index}][action]={action}&rollback_transactions[{index}][transaction_id]={id}"
        )
    };
    let many = |count: usize| {
        let list = (0..count).map(|index| entry(index, "bet", &format!("b-{index}")));
        list.collect::<Vec<_>>().join("&")
    };
    assert_eq!(rollbacks(&many(100)).unwrap().0.len(), 100);
    for wrong in [
        many(101),
        many(0),
        "rollback_transactions=".to_owned(),
        "rollback_transactions[0]=b".to_owned(),
        "rollback_transactions[]=b".to_owned(),
        "rollback_transactions[0][transaction_id]=b".to_owned(),
        "rollback_transactions[0][action]=bet".to_owned(),
        entry(0, "refund", "b"),
        entry(0, "", "b"),
        entry(0, "bet", ""),
        entry(0, "bet", "%FF"),
        format!("{}&{}", entry(0, "bet", "b"), entry(0, "bet", "c")),
    ] {
        assert!(rollbacks(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_looked_up_is_what_the_request_does_not_say() {
    let lookup = |body: &str| Slotegrator.lookup(&account(&[], &[]), &raw_request(body.as_bytes()));
    let alice = || PlayerId::new("alice").unwrap();
    assert_eq!(lookup(BODY), Ok(None));
    let live = Lookup::LiveSession {
        player: alice(),
        currency: eur(),
    };
    assert_eq!(lookup(&with(&[("session_id", "")])), Ok(Some(live)));
    for action in ["balance", "refund", "rollback"] {
        let body = with(&[("action", action), ("currency", "")]);
        assert_eq!(lookup(&body), Ok(Some(Lookup::Player(alice()))), "{action}");
    }
    // A win is never paid in a currency that was guessed.
    let win = with(&[("action", "win"), ("currency", "")]);
    assert_eq!(lookup(&win), Ok(None));
    assert!(parse(&win).unwrap_err().to_string().contains("currency"));
    let found = Some(Found {
        player: alice(),
        currency: eur(),
        session: None,
        game: None,
    });
    let call = parse_as(
        with(&[("action", "balance"), ("currency", "")]).as_bytes(),
        found,
    )
    .unwrap();
    assert!(matches!(call.ask, Ask::Balance { currency, .. } if currency == eur()));
}

#[test]
fn there_is_one_address_and_five_actions() {
    for action in ["Bet", "steal", "bet%20", "roll"] {
        assert_eq!(
            parse(&with(&[("action", action)])).unwrap_err(),
            ParseError::UnknownAction,
            "{action}"
        );
    }
    let of = |method: &'static str, action: &'static str| {
        let raw = RawRequest {
            method,
            action,
            ..raw_request(BODY.as_bytes())
        };
        Slotegrator.lookup(&account(&[], &[]), &raw)
    };
    assert!(of("POST", "").is_ok());
    assert_eq!(of("POST", "bet"), Err(ParseError::UnknownAction));
    assert_eq!(of("GET", ""), Err(ParseError::Method { allowed: "POST" }));
}

proptest! {
    #[test]
    fn every_amount_of_the_ledger_is_read_as_it_is_written(units in 0..=i64::MAX) {
        let text = format!("{}.{:06}", units / 1_000_000, units % 1_000_000);
        prop_assert_eq!(bet(&[("amount", &text)]).amount.units, units);
    }

    #[test]
    fn any_id_is_read_as_it_was_sent(id in "[^\\x00\u{fffd}]{1,255}") {
        let text: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let read = bet(&[("transaction_id", &text)]);
        prop_assert_eq!(read.transaction.as_str(), id.as_str());
        let entry = format!("rollback_transactions[0][action]=bet&rollback_transactions[0][transaction_id]={text}");
        let (list, echo) = rollbacks(&entry).unwrap();
        prop_assert_eq!(list[0].target.as_str(), id.as_str());
        prop_assert_eq!(serde_json::from_str::<Vec<String>>(&echo).unwrap(), [id]);
    }
}
