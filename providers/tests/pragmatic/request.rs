//! From a form to a command.

use pitboss_providers::{
    Account, Ask, Call, Dialect, Found, Known, Lookup, ParseError, RawRequest, pragmatic::Pragmatic,
};
use pitboss_wallet::{Action, Bet, GameStanding, PlayCommand, PlayerId, SessionId, Win, WinKind};
use proptest::prelude::*;

use super::{account, common::eur, raw_request};

pub const SESSION: &str = "ses_0192f3a0c0de7000800000000000a11c";

pub fn found() -> Option<Found> {
    Some(Found {
        player: PlayerId::new("alice").unwrap(),
        currency: eur(),
        session: SessionId::parse(SESSION).ok(),
        game: None,
    })
}

pub fn parse_for(
    account: &Account,
    action: &str,
    body: &[u8],
    found: Option<Found>,
) -> Result<Call, ParseError> {
    let game = |id: &pitboss_wallet::GameId| match id.as_str() {
        "dice" => GameStanding::ENABLED,
        _ => GameStanding::Unknown,
    };
    Pragmatic.parse(
        account,
        &raw_request(action, body),
        &Known { game: &game, found },
    )
}

pub fn parse(action: &str, body: &str) -> Result<Call, ParseError> {
    parse_for(&account(&[], &[]), action, body.as_bytes(), found())
}

fn command(choices: &[(&str, &str)], action: &str, body: &str) -> PlayCommand {
    let call = parse_for(&account(choices, &[]), action, body.as_bytes(), found()).unwrap();
    assert_eq!(call.currency, Some(eur()));
    match call.ask {
        Ask::Play { player, play } => {
            assert_eq!(player.as_str(), "alice");
            play.command
        }
        other => panic!("{other:?}"),
    }
}

fn bet(body: &str) -> Bet {
    match command(&[], "bet.html", body) {
        PlayCommand::Bet(bet) => bet,
        other => panic!("{other:?}"),
    }
}

fn win(choices: &[(&str, &str)], action: &str, body: &str) -> Win {
    match command(choices, action, body) {
        PlayCommand::Win(win) => win,
        other => panic!("{other:?}"),
    }
}

pub const BODY: &str = "hash=x&userId=alice-EUR&gameId=dice&roundId=7&reference=b-1&providerId=pp&token=t&amount=12.5&bonusCode=&new=1";

fn with(name: &str, value: &str) -> String {
    let mut fields: Vec<String> = BODY
        .split('&')
        .filter(|field| field.split('=').next() != Some(name))
        .map(str::to_owned)
        .collect();
    fields.push(format!("{name}={value}"));
    fields.join("&")
}

fn without(name: &str) -> String {
    with(name, "")
}

#[test]
fn a_bet_is_read_from_the_form() {
    let read = bet(BODY);
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
    for name in ["userId", "gameId", "roundId", "reference", "amount"] {
        let error = parse("bet.html", &without(name)).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("missing"), "{error}");
        let twice = format!("{BODY}&{name}=1");
        assert!(
            parse("bet.html", &twice)
                .unwrap_err()
                .to_string()
                .contains("twice"),
            "{name}"
        );
    }
    let long = |count| with("reference", &"%C3%BC".repeat(count));
    assert_eq!(bet(&long(255)).transaction.as_str().chars().count(), 255);
    assert!(parse("bet.html", &long(256)).is_err());
    assert!(parse("bet.html", &with("reference", "%FF")).is_err());
    assert!(parse("bet.html", &with("reference", "%00")).is_err());
    // No session, no token: what the wallet says of one that nobody has.
    let call = parse_for(&account(&[], &[]), "bet.html", BODY.as_bytes(), None).unwrap();
    assert!(matches!(call.ask, Ask::Play { .. }));
}

#[test]
fn amounts_are_exact_or_refused() {
    let units = |text: &str| {
        parse("bet.html", &with("amount", text)).map(|_| bet(&with("amount", text)).amount.units)
    };
    assert_eq!(units("0"), Ok(0));
    assert_eq!(units("0.00"), Ok(0));
    assert_eq!(units("0.01"), Ok(10_000));
    assert_eq!(units("10.000000"), Ok(10_000_000));
    assert_eq!(units("63727092.34"), Ok(63_727_092_340_000));
    assert_eq!(units("9223372036854.775807"), Ok(i64::MAX));
    for wrong in [
        "9223372036854.775808",
        "-1",
        "%2B1",
        "1e3",
        "NaN",
        "Infinity",
        "1,5",
        "1,000.00",
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
fn a_user_id_carries_the_currency_and_others_are_none_of_ours() {
    let lookup = |action: &str, body: &str| {
        Pragmatic.lookup(&account(&[], &[]), &raw_request(action, body.as_bytes()))
    };
    assert_eq!(
        lookup("bet.html", BODY),
        Ok(Some(Lookup::Token("t".to_owned())))
    );
    let player = PlayerId::new("alice").unwrap();
    assert_eq!(
        lookup("bet.html", &without("token")),
        Ok(Some(Lookup::LiveSession {
            player,
            currency: eur()
        }))
    );
    // A win asks for no session, so there is nothing to look up.
    assert_eq!(lookup("result.html", BODY), Ok(None));
    assert_eq!(lookup("authenticate.html", "token=t"), Ok(None));
    for (given, player) in [
        ("bob", "bob"),
        ("bob-ABC", "bob-ABC"),
        ("bob-eur", "bob-eur"),
    ] {
        let player = PlayerId::new(player).unwrap();
        let body = with("userId", given);
        assert_eq!(lookup("bet.html", &body), Ok(Some(Lookup::Player(player))));
        let error = parse("bet.html", &body).unwrap_err().to_string();
        assert!(error.contains("as authenticate told it"), "{error}");
    }
    assert!(lookup("bet.html", &with("userId", "a%20b")).is_err());
    let body = with("userId", "a-b-USD-EUR");
    match parse("balance.html", &body).unwrap().ask {
        Ask::Balance { player, currency } => {
            assert_eq!((player.as_str(), currency), ("a-b-USD", eur()))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_free_bet_costs_nothing_and_a_contribution_never_refuses_one() {
    let free = bet(&with("bonusCode", "gift"));
    assert_eq!(
        (free.amount.units, free.free_round.unwrap().as_str()),
        (0, "gift")
    );
    let part = |text: &str| bet(&with("jackpotContribution", text)).jackpot_contribution;
    assert_eq!(part("0.25"), Some(250_000));
    assert_eq!(part("12.5"), Some(12_500_000));
    for odd in ["0.123456789", "13", "-1", "much", ""] {
        assert_eq!(part(odd), None, "{odd}");
    }
}

#[test]
fn the_wins_of_free_rounds_are_paid_once_by_either_setting() {
    let free = with("bonusCode", "gift");
    let credit = [("bonus_win", "credit")];
    assert_eq!(win(&[], "result.html", &free).amount.units, 12_500_000);
    assert_eq!(win(&credit, "result.html", &free).amount.units, 0);
    assert_eq!(win(&credit, "result.html", BODY).amount.units, 12_500_000);
    let summary = parse("bonusWin.html", &free).unwrap();
    assert!(matches!(summary.ask, Ask::Balance { .. }));
    assert_eq!(summary.echo.as_deref(), Some("b-1"));
    let paid = win(&credit, "bonusWin.html", &free);
    assert_eq!((paid.kind, paid.amount.units), (WinKind::Free, 12_500_000));
    assert_eq!((paid.round.as_str(), paid.closes_round), ("b-1", true));
}

#[test]
fn a_result_is_of_its_round_and_may_bring_a_promotion() {
    let plain = win(&[], "result.html", BODY);
    assert_eq!(
        (plain.kind, plain.bet, plain.closes_round),
        (WinKind::Ordinary, None, false)
    );
    assert!(win(&[("round_end", "result")], "result.html", BODY).closes_round);
    let promo = format!("{BODY}&promoWinAmount=3&promoWinReference=p-1&promoCampaignType=X");
    let PlayCommand::BetWin(both) = command(&[], "result.html", &promo) else {
        panic!()
    };
    let seen: Vec<_> = both
        .actions
        .iter()
        .map(|action| match action {
            Action::Win {
                transaction,
                units,
                kind,
            } => (transaction.as_str(), *units, *kind),
            Action::Bet { .. } => panic!("a result takes nothing"),
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("b-1", 12_500_000, WinKind::Ordinary),
            ("p-1", 3_000_000, WinKind::Promo)
        ]
    );
    let none = format!("{BODY}&promoWinAmount=0.00");
    assert!(matches!(
        command(&[], "result.html", &none),
        PlayCommand::Win(_)
    ));
    // What cannot be told apart from a repeat is not paid.
    let nameless = format!("{BODY}&promoWinAmount=3");
    assert!(
        parse("result.html", &nameless)
            .unwrap_err()
            .to_string()
            .contains("promoWinReference")
    );
}

#[test]
fn what_is_won_outside_of_a_round_has_its_own() {
    let promo = "userId=alice-EUR&campaignId=1&campaignType=X&amount=5&currency=USD&reference=p-1";
    let paid = win(&[], "promoWin.html", promo);
    assert_eq!(
        (paid.kind, paid.amount.currency.code()),
        (WinKind::Promo, "USD")
    );
    assert_eq!(
        (paid.game.as_str(), paid.round.as_str()),
        ("promotion", "p-1")
    );
    let unknown = promo.replace("USD", "ABC");
    assert!(matches!(
        parse("promoWin.html", &unknown),
        Err(ParseError::UnknownCurrency(_))
    ));
    let jackpot = win(&[], "jackpotWin.html", &without("roundId"));
    assert_eq!(
        (jackpot.kind, jackpot.round.as_str()),
        (WinKind::Jackpot, "b-1")
    );
    // In a round it belongs to the bet there: without one it is refused, and sent again.
    let jackpot = win(&[], "jackpotWin.html", BODY);
    assert_eq!(
        (jackpot.kind, jackpot.round.as_str()),
        (WinKind::Ordinary, "7")
    );
    let up = win(&[], "adjustment.html", BODY);
    assert_eq!((up.kind, up.round.as_str()), (WinKind::Ordinary, "7"));
    let zero = parse("adjustment.html", &with("amount", "-0.00"));
    let down = parse("adjustment.html", &with("amount", "-0.01"));
    assert!(down.unwrap_err().to_string().contains("not supported"));
    assert!(zero.is_err());
}

#[test]
fn a_refund_names_the_bet_and_a_round_is_ended_by_its_game() {
    let refund = "userId=alice-EUR&reference=b-1&providerId=pp";
    let PlayCommand::Rollback(back) = command(&[], "refund.html", refund) else {
        panic!()
    };
    assert_eq!(
        (back.transaction.as_str(), back.target.as_str()),
        ("b-1", "b-1")
    );
    assert_eq!((back.round, back.units), (None, None));
    let PlayCommand::CloseRound(end) = command(&[], "endRound.html", BODY) else {
        panic!()
    };
    assert_eq!((end.game.as_str(), end.round.as_str()), ("dice", "7"));
    for unknown in [
        "bet",
        "Bet.html",
        "bet.html/",
        "",
        "bingo/buy.html",
        "roundDetails.html",
    ] {
        assert_eq!(
            parse(unknown, BODY).unwrap_err(),
            ParseError::UnknownAction,
            "{unknown}"
        );
    }
    let get = RawRequest {
        method: "GET",
        ..raw_request("bet.html", BODY.as_bytes())
    };
    let told = Pragmatic.lookup(&account(&[], &[]), &get);
    assert!(matches!(told, Err(ParseError::Method { .. })));
}

proptest! {
    #[test]
    fn every_amount_of_the_ledger_is_read_as_it_is_written(units in 0..=i64::MAX) {
        let text = format!("{}.{:06}", units / 1_000_000, units % 1_000_000);
        prop_assert_eq!(bet(&with("amount", &text)).amount.units, units);
    }
}
