//! Signatures, and what is read in bodies and queries.

use pitboss_providers::{
    Ask, CallError, Context, Dialect, Found, Known, Lookup, ParseError, Secret, SignatureError,
    swipe::Swipe,
};
use pitboss_wallet::{
    Currency, GameStanding, PlayCommand, RollbackAfterWin, RoundScope, SessionId, WinKind,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    SESSION, account, bet,
    common::{with, without},
    found, parse, parse_text, play, request,
};

/// Published by the provider, and made with
/// `printf '%s' "$canonical" | openssl dgst -sha256 -hmac "$key" -r`, where the canonical form of a query is that of
/// `json.dumps(dict(parse_qsl(query, True)), sort_keys=True, separators=(',', ':'), ensure_ascii=False)`.
const SIGNATURES: &str = include_str!("../vectors/swipe-signatures.csv");

fn verify(
    method: &str,
    sent: &str,
    signature: &str,
    keys: &[&[u8]],
) -> Result<usize, SignatureError> {
    let mut account = account();
    account.secrets = keys.iter().map(|key| Secret::new(*key)).collect();
    let headers = vec![("x-request-sign", signature.to_owned())];
    let (action, query, body) = match method {
        "GET" => ("balance", sent, ""),
        _ => ("bet", "", sent),
    };
    Swipe.verify(&account, &request(action, query, &headers, body.as_bytes()))
}

#[test]
fn the_published_signatures_are_good_and_no_others() {
    let rows: Vec<_> = SIGNATURES.lines().skip(1).collect();
    assert_eq!(rows.len(), 9);
    for row in rows {
        let parts: Vec<&str> = row.split(';').collect();
        let [key, method, sent, signature] = parts[..] else {
            panic!("{row}")
        };
        let keys = [key.as_bytes()];
        assert_eq!(verify(method, sent, signature, &keys), Ok(0), "{row}");
        let upper = signature.to_uppercase();
        assert_eq!(verify(method, sent, &upper, &keys), Ok(0));
        let old = [b"new".as_slice(), key.as_bytes()];
        assert_eq!(verify(method, sent, signature, &old), Ok(1));
        let wrong = Err(SignatureError::Mismatch);
        assert_eq!(verify(method, sent, signature, &[b"other"]), wrong);
        assert_eq!(verify(method, sent, signature, &[]), wrong);
        let other = if method == "GET" { "x=1" } else { " " };
        let more = format!("{sent}&{other}");
        assert_eq!(verify(method, &more, signature, &keys), wrong, "{row}");
        let last = if signature.ends_with('0') { "1" } else { "0" };
        let changed = format!("{}{last}", &signature[..63]);
        assert_eq!(verify(method, sent, &changed, &keys), wrong);
        for form in ["", "zz", &signature[1..], &format!("{signature}00")] {
            let told = verify(method, sent, form, &keys);
            assert!(matches!(told, Err(SignatureError::Form { .. })), "{form}");
        }
    }
}

#[test]
fn a_key_that_everybody_knows_and_a_header_that_is_missing_or_there_twice_prove_nothing() {
    // HMAC-SHA256 with an empty key.
    let tag = "6c0e6084444acce7905532fd7c3871c33cfbc5f52a36d27704ffa02b1bb4df78";
    let told = verify("POST", r#"{"test":"value"}"#, tag, &[b""]);
    assert_eq!(told, Err(SignatureError::Mismatch));
    let twice = vec![("X-REQUEST-SIGN", tag.to_owned()); 2];
    for headers in [Vec::new(), twice] {
        let told = Swipe.verify(&account(), &request("bet", "", &headers, b"{}"));
        assert!(matches!(told, Err(SignatureError::Missing { .. })));
    }
    let query = "a=1&%61=1";
    let told = verify("GET", query, tag, &[b"secret-key"]);
    assert!(matches!(told, Err(SignatureError::Form { .. })));
}

#[test]
fn the_session_tells_player_currency_and_game() {
    let PlayCommand::Bet(bet) = play("bet", &bet()) else {
        panic!()
    };
    assert_eq!(
        (bet.transaction.as_str(), bet.amount.units),
        ("tx-1", 2_500_000)
    );
    assert_eq!((bet.round.as_str(), bet.game.as_str()), ("round-1", "dice"));
    assert_eq!(Some(bet.session), found().session);
    assert_eq!(bet.standing, GameStanding::ENABLED);
    assert_eq!((bet.free_round, bet.closes_round), (None, false));
    assert_eq!(Swipe.default_policy().round_scope, RoundScope::Game);
    assert_eq!(
        Swipe.default_policy().rollback_after_win,
        RollbackAfterWin::Reverse
    );
}

#[test]
fn a_session_is_found_by_its_id_or_by_its_launch_token() {
    let lookup = |action: &str, query: &str, body: &str| {
        let headers = Vec::new();
        Swipe.lookup(
            &account(),
            &request(action, query, &headers, body.as_bytes()),
        )
    };
    let session = Lookup::Session(SessionId::parse(SESSION).unwrap());
    let body = bet().to_string();
    for action in ["bet", "win", "refund"] {
        assert_eq!(lookup(action, "", &body), Ok(Some(session.clone())));
    }
    let query = format!("sessionID={SESSION}");
    assert_eq!(lookup("balance", &query, ""), Ok(Some(session)));
    let token = Lookup::Token("lt_x y".to_owned());
    assert_eq!(lookup("balance", "sessionID=lt_x%20y", ""), Ok(Some(token)));
    for (query, body) in [
        ("", ""),
        ("sessionID=", r#"{"sessionID":""}"#),
        ("x=1", "{}"),
    ] {
        for action in ["balance", "bet"] {
            let told = lookup(action, query, body);
            assert!(matches!(told, Err(ParseError::Malformed(_))), "{action}");
        }
    }
    assert_eq!(lookup("steal", "", &body), Err(ParseError::UnknownAction));
    let headers = Vec::new();
    let mut raw = request("balance", &query, &headers, b"");
    raw.method = "POST";
    let told = Swipe.lookup(&account(), &raw);
    assert_eq!(told, Err(ParseError::Method { allowed: "GET" }));
}

#[test]
fn a_session_that_nobody_has_is_told_so_by_the_server() {
    let seatless = [
        None,
        Some(Found {
            session: None,
            ..found()
        }),
        Some(Found {
            game: None,
            ..found()
        }),
    ];
    for found in seatless {
        for action in ["bet", "win", "refund"] {
            let call = parse_text(action, &bet().to_string(), found.clone()).unwrap();
            assert!(matches!(call.ask, Ask::Authenticate { token } if token == SESSION));
        }
    }
}

#[test]
fn the_balance_is_asked_by_query() {
    let game = |_: &pitboss_wallet::GameId| GameStanding::ENABLED;
    let known = Known {
        game: &game,
        found: Some(found()),
    };
    let headers = Vec::new();
    let query = format!("sessionID={SESSION}&more=1");
    let raw = request("balance", &query, &headers, b"");
    let call = Swipe.parse(&account(), &raw, &known).unwrap();
    assert!(matches!(call.ask, Ask::Balance { player, .. } if player == found().player));
}

#[test]
fn an_amount_is_a_text_of_the_documented_form() {
    let units = |text: &str, found: Found| {
        let body = with(bet(), "amount", json!(text)).to_string();
        let call = parse_text("win", &body, Some(found))?;
        match call.ask {
            Ask::Play { play, .. } => match play.command {
                PlayCommand::Win(win) => Ok::<_, ParseError>(win.amount.units),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(units("0", found()), Ok(0));
    assert_eq!(units("0.000001", found()), Ok(1));
    assert_eq!(units("63727092.34", found()), Ok(63_727_092_340_000));
    assert_eq!(units("1.10000000000000000000", found()), Ok(1_100_000));
    assert_eq!(units("9223372036854.775807", found()), Ok(i64::MAX));
    let coin = Found {
        currency: Currency::from_code("BTC").unwrap(),
        ..found()
    };
    assert_eq!(units("0.00000001", coin), Ok(1));
    for wrong in [
        "",
        "-1",
        "+1",
        "01",
        "00",
        "00.5",
        "1.",
        ".5",
        "1e2",
        "1,5",
        " 1",
        "1 ",
        "0.0000001",
        "9223372036854.775808",
        "\u{0661}",
        "NaN",
    ] {
        let error = units(wrong, found()).unwrap_err().to_string();
        assert!(error.contains("amount"), "{wrong}: {error}");
    }
    for wrong in [json!(1), json!(null), json!(["1"]), json!(true)] {
        assert!(parse("bet", &with(bet(), "amount", wrong)).is_err());
    }
}

#[test]
fn what_is_of_free_rounds_moves_nothing_but_their_total() {
    let free = with(bet(), "type", json!("free"));
    let named = with(free.clone(), "frID", json!("gift"));
    for (body, round) in [(&free, "tx-1"), (&named, "gift")] {
        let PlayCommand::Bet(bet) = play("bet", body) else {
            panic!()
        };
        assert_eq!(bet.amount.units, 0);
        assert_eq!(bet.free_round.unwrap().as_str(), round);
    }
    let win = |body: &Value| match play("win", body) {
        PlayCommand::Win(win) => {
            assert_eq!(win.bet, None);
            (win.amount.units, win.kind)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(win(&named), (0, WinKind::Free));
    assert_eq!(
        win(&with(bet(), "frID", json!("gift"))),
        (2_500_000, WinKind::Free)
    );
    assert_eq!(
        win(&with(bet(), "frID", json!(""))),
        (2_500_000, WinKind::Ordinary)
    );
    assert_eq!(win(&bet()), (2_500_000, WinKind::Ordinary));
}

#[test]
fn a_refund_names_its_bet_and_may_name_its_round() {
    let body = json!({"sessionID": SESSION, "txID": "r-1", "origTxID": "tx-1", "amount": "2.50"});
    let PlayCommand::Rollback(refund) = play("refund", &body) else {
        panic!()
    };
    assert_eq!(
        (refund.transaction.as_str(), refund.target.as_str()),
        ("r-1", "tx-1")
    );
    assert_eq!((refund.round, refund.units), (None, Some(2_500_000)));
    let PlayCommand::Rollback(refund) = play("refund", &with(body, "roundID", json!("round-1")))
    else {
        panic!()
    };
    assert_eq!(refund.round.unwrap().as_str(), "round-1");
}

#[test]
fn each_wrong_field_is_named() {
    for (action, field) in [
        ("bet", "type"),
        ("bet", "amount"),
        ("bet", "txID"),
        ("bet", "roundID"),
        ("win", "type"),
        ("win", "amount"),
        ("win", "txID"),
        ("win", "roundID"),
        ("refund", "txID"),
        ("refund", "origTxID"),
        ("refund", "amount"),
    ] {
        let body = with(bet(), "origTxID", json!("tx-0"));
        let error = parse(action, &without(body.clone(), field)).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
        let error = parse(action, &with(body, field, json!({}))).unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
    for kind in ["bonus", "", "Free", "REGULAR"] {
        for action in ["bet", "win"] {
            assert!(parse(action, &with(bet(), "type", json!(kind))).is_err());
        }
    }
    let long = json!("x".repeat(256));
    assert!(parse("bet", &with(bet(), "txID", long)).is_err());
    let id = "\u{1f3b2}".repeat(255);
    assert!(parse("bet", &with(bet(), "txID", json!(id))).is_ok());
    let twice = bet().to_string().replacen('{', "{\"amount\":\"1\",", 1);
    assert!(parse_text("bet", &twice, Some(found())).is_err());
}

proptest! {
    #[test]
    fn any_query_is_signed_as_it_is_understood(
        pairs in proptest::collection::btree_map("\\PC{0,8}", "\\PC{0,8}", 0..4),
    ) {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&pairs);
        let query = query.finish();
        // The other order, and every byte escaped.
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let other: Vec<_> = pairs.iter().rev().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        // A BTreeMap sorts by bytes, which is the same for names without surrogates.
        prop_assume!(pairs.keys().all(|name| name.chars().all(|c| u32::from(c) < 0x1_0000)));
        let canonical = serde_json::to_string(&pairs).unwrap();
        let tag = tag(b"secret-key", canonical.as_bytes());
        prop_assert_eq!(verify("GET", &query, &tag, &[b"secret-key"]), Ok(0));
        // A pair without a name and value cannot be told from none.
        prop_assume!(!other.iter().any(|pair| pair == "="));
        prop_assert_eq!(verify("GET", &other.join("&"), &tag, &[b"secret-key"]), Ok(0));
    }

    #[test]
    fn any_bytes_are_a_call_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        query in "\\PC{0,60}",
        action in "balance|bet|win|refund|[a-z/]{0,9}",
    ) {
        let account = account();
        let headers = vec![("X-REQUEST-SIGN", String::from_utf8_lossy(&bytes).into_owned())];
        let raw = request(&action, &query, &headers, &bytes);
        prop_assert!(Swipe.verify(&account, &raw).is_err());
        let _ = Swipe.lookup(&account, &raw);
        let _ = parse_text(&action, &String::from_utf8_lossy(&bytes), Some(found()));
        let context = Context { request: &raw, account: Some(&account), call: None, balance: None };
        prop_assert_eq!(Swipe.render(&context, &Err(CallError::Internal)).status, 500);
    }
}

fn tag(key: &[u8], message: &[u8]) -> String {
    use hmac::Mac;
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}
