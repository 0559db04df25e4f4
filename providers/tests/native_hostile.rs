//! Requests that look right but for one thing: each is refused for it, whatever else is in it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{
    NOW_S, PATH, SECRET, bet_body, bet_win_body, eur, parse, parse_bytes, verify, with, without,
};
use pitboss_providers::{Ask, Call, SignatureError, json, native};
use pitboss_wallet::{Currency, ExternalId, Money, Play, PlayCommand};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Requests that are understood, with all that may be in them.
fn good() -> Vec<(&'static str, Value)> {
    let also = |mut body: Value, more: Value| {
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        body
    };
    let flag = json!({ "round_closed": true });
    vec![
        ("authenticate", json!({ "token": "t" })),
        ("balance", json!({ "player": "alice", "currency": "EUR" })),
        (
            "bet",
            also(
                also(bet_body(), flag.clone()),
                json!({ "free_round": "f", "jackpot_contribution": "0.1" }),
            ),
        ),
        (
            "win",
            also(
                also(without(bet_body(), "session"), flag.clone()),
                json!({ "bet_transaction_id": "b", "kind": "jackpot" }),
            ),
        ),
        ("bet_win", also(bet_win_body(), flag)),
        (
            "rollback",
            json!({
                "transaction_id": "rb", "player": "alice", "target_transaction_id": "b-1", "round": "r-1",
            }),
        ),
        (
            "close_round",
            json!({ "player": "alice", "game": "dice", "round": "r-1" }),
        ),
    ]
}

/// Fields that are not looked at, or in which any text stands for something.
const UNREAD: [&str; 1] = ["session"];

/// Places of the values in a body, as JSON pointers.
fn places(value: &Value) -> Vec<String> {
    let below = |name: String, value: &Value| {
        let deeper = places(value);
        let deeper = deeper.into_iter().map(|place| format!("/{name}{place}"));
        std::iter::once(format!("/{name}"))
            .chain(deeper.collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| below(name.clone(), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .flat_map(|(index, value)| below(index.to_string(), value))
            .collect(),
        _ => vec![],
    }
}

/// The body's text with these bytes in a place.
fn with_bytes(body: &Value, place: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = body.clone();
    *body.pointer_mut(place).unwrap() = json!("@here@");
    let text = body.to_string();
    let (before, after) = text.split_once("\"@here@\"").unwrap();
    [before.as_bytes(), bytes, after.as_bytes()].concat()
}

/// Bytes that no field may be. Numbers are spelled in every way: none of them is ever an amount or an id.
fn hostile_value() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: String| format!("\"{text}\"").into_bytes();
    prop_oneof![
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?"
            .prop_map(String::into_bytes),
        "[+-]?0[0-9]{1,10}|[+]1|\\.5|1\\.|NaN|-?Infinity|0x10|nul|True|undefined"
            .prop_map(String::into_bytes),
        (120usize..10_000).prop_map(|depth| [b"[".repeat(depth), b"]".repeat(depth)].concat()),
        (120usize..10_000).prop_map(|depth| [
            b"{\"a\":".repeat(depth),
            b"1".to_vec(),
            b"}".repeat(depth)
        ]
        .concat()),
        (256usize..10_000).prop_map(move |length| text("x".repeat(length))),
        (256usize..3_000).prop_map(move |length| text("é".repeat(length))),
        Just(text(String::new())),
        ".{0,10}".prop_map(move |around| text(format!("{}\\u0000", escaped(&around)))),
        prop::sample::select(vec![
            "\\ud800",
            "\\udfff",
            "\\ud800\\ud800",
            "\\udc00\\ud800",
            "\\ud83c\\u0041"
        ])
        .prop_map(move |surrogate| text(surrogate.to_owned())),
        prop::sample::select(vec![
            &b"\xff"[..],
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xe2\x82",
            b"\0",
            b"\n",
            b"\x1f",
        ])
        .prop_map(|bytes| [b"\"", bytes, b"\""].concat()),
    ]
}

/// A text as JSON writes it, without the quotes.
fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A text with every character as `\u`.
fn spelled_out(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

/// Any JSON in which each object's names differ.
fn any_tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..5).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 1..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn the_good_requests_are_understood() {
    for (action, body) in good() {
        assert!(parse(action, &body.to_string()).is_ok(), "{action}");
    }
}

proptest! {
    #[test]
    fn one_hostile_value_anywhere_is_enough_to_be_refused(
        which in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), value in hostile_value(),
    ) {
        let good = good();
        let (action, body) = which.get(&good);
        let places = places(body);
        let place = place.get(&places);
        let bytes = with_bytes(body, place, &value);
        let is_unread = UNREAD.iter().any(|name| place.ends_with(name)) && value.starts_with(b"\"");
        let is_understood = parse_bytes(action, &bytes).is_ok();
        // A session may be any text that JSON can carry: it is the wallet that says there is none.
        let carried = std::str::from_utf8(&bytes).is_ok_and(|text| serde_json::from_str::<Value>(text).is_ok());
        let token_only = *action == "authenticate" && value.len() > 2;
        if is_unread || token_only {
            prop_assert!(carried || !is_understood, "{}", bytes.escape_ascii());
        } else {
            prop_assert!(!is_understood, "{action}: {}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused_at_any_depth_and_in_any_spelling(
        tree in any_tree(), place in any::<prop::sample::Index>(), spelled in any::<bool>(), other in any::<i32>(),
    ) {
        let body = json!({ "tree": tree });
        prop_assert!(json::check(body.to_string().as_bytes()).is_ok());
        let named: Vec<String> = places(&body)
            .into_iter()
            .filter(|place| body.pointer(place.rsplit_once('/').unwrap().0).is_some_and(Value::is_object))
            .collect();
        prop_assume!(!named.is_empty());
        let place = place.get(&named);
        let Some(value) = body.pointer(place) else {
            // A name with a slash or a tilde is no plain pointer.
            return Ok(());
        };
        let name = place.rsplit_once('/').unwrap().1;
        let name = if spelled { spelled_out(name) } else { escaped(name) };
        let twice = with_bytes(&body, place, format!("{value},\"{name}\":{other}").as_bytes());
        let error = json::check(&twice).unwrap_err().to_string();
        prop_assert!(error.contains("is there twice"), "{error}: {}", twice.escape_ascii());
    }

    #[test]
    fn fields_that_are_not_known_change_nothing(tree in any_tree(), name in "[a-z]{1,6}_") {
        for (action, body) in good() {
            let before = parse(action, &body.to_string());
            let after = parse(action, &with(body, &name, tree.clone()).to_string());
            let shown = |call: Call| format!("{:?}", call.ask);
            prop_assert_eq!(before.map(shown), after.map(shown));
        }
    }

    #[test]
    fn an_id_has_1_to_255_characters_however_many_bytes_they_are_and_is_kept(
        length in prop_oneof![Just(0usize), Just(1), 2usize..254, Just(255), Just(256), 257usize..10_000],
        character in prop::sample::select(vec!['x', 'é', '€', '🎲', '\u{202e}', '\u{200b}', '\u{1}', '"', '\\', '\u{fffd}']),
        spelled in any::<bool>(),
    ) {
        let id: String = std::iter::repeat_n(character, length).collect();
        let text = if spelled { spelled_out(&id) } else { escaped(&id) };
        let bytes = with_bytes(&bet_body(), "/transaction_id", format!("\"{text}\"").as_bytes());
        let transaction = match parse_bytes("bet", &bytes).map(|call| call.ask) {
            Ok(Ask::Play { play: Play { command: PlayCommand::Bet(bet), .. }, .. }) => Some(bet.transaction),
            _ => None,
        };
        let expected = (1..=255).contains(&length).then_some(id.as_str());
        prop_assert_eq!(transaction.as_ref().map(ExternalId::as_str), expected);
    }

    #[test]
    fn an_amount_is_what_its_digits_say_or_refused(
        text in prop_oneof![
            "[0-9]{1,25}(\\.[0-9]{1,12})?",
            "[0-9]{12,14}\\.[0-9]{6}",
            "92233720368547758(06|07|08|09)",
            "9223372036854\\.77580[5-9]",
            "[+-]?[0-9]{0,5}[.,]?[0-9]{0,5}([eE][+-]?[0-9]{1,3})?",
            "\\PC{0,12}",
        ],
        index in any::<prop::sample::Index>(),
    ) {
        let all: Vec<Currency> = Currency::all().collect();
        let currency = *index.get(&all);
        let read = Money::parse(&text, currency).map(|money| money.units).ok();
        prop_assert_eq!(read, units_of(&text, currency.ledger_digits()), "{} {:?}", currency, text);
        // Through a request it is the same.
        let body = with(bet_body(), "amount", json!(text));
        let parsed = parse("bet", &with(body, "currency", json!(currency.code())).to_string());
        prop_assert_eq!(parsed.is_ok(), read.is_some());
    }

    #[test]
    fn units_print_and_read_back_in_every_currency(
        units in prop_oneof![0..=i64::MAX, Just(0), Just(i64::MAX), i64::MAX - 10..=i64::MAX],
        zeros in 0usize..30,
    ) {
        for currency in Currency::all() {
            let printed = Money::new(units, currency).to_string();
            let padded = "0".repeat(zeros) + &printed;
            for text in [printed, padded] {
                prop_assert_eq!(Money::parse(&text, currency), Ok(Money::new(units, currency)));
            }
        }
    }

    #[test]
    fn one_good_signature_among_any_others_is_enough_up_to_eight(
        others in prop::collection::vec("[0-9a-fA-F]{64}", 0..12),
        place in any::<prop::sample::Index>(),
        schemes in prop::collection::vec("v[02-9]{1,3}=[^,]{0,100}", 0..50),
        blanks in any::<bool>(),
    ) {
        let good = native::sign(SECRET, NOW_S, PATH, b"{}");
        let (t, good) = good.split_once(',').unwrap();
        let mut parts: Vec<String> = others.iter().map(|tag| format!("v1={tag}")).collect();
        parts.insert(place.index(parts.len() + 1), good.to_owned());
        parts.extend(schemes);
        parts.insert(place.index(parts.len() + 1), t.to_owned());
        let header = parts.join(if blanks { " , " } else { "," });
        let verified = verify(&header, PATH, b"{}", &[SECRET]);
        if others.len() < 8 {
            prop_assert_eq!(verified, Ok(0), "{}", header);
        } else {
            let is_form = matches!(verified, Err(SignatureError::Form { .. }));
            prop_assert!(is_form, "{}", header);
        }
    }

    #[test]
    fn a_header_with_anything_that_is_wrong_in_it_is_refused_for_its_form(
        wrong in prop_oneof![
            Just("t=1760000000".to_owned()),
            "t=[0-9]{20,5000}",
            "t=[^0-9,][^,]{0,10}",
            "v1=[0-9a-f]{0,63}",
            "v1=[0-9a-f]{65,5000}",
            "v1=[0-9a-f]{63}[g-z]",
            "[^=,]{0,5000}",
        ],
        first in any::<bool>(),
    ) {
        let good = native::sign(SECRET, NOW_S, PATH, b"{}");
        let header = if first { format!("{wrong},{good}") } else { format!("{good},{wrong}") };
        let verified = verify(&header, PATH, b"{}", &[SECRET]);
        let is_form = matches!(verified, Err(SignatureError::Form { .. }));
        prop_assert!(is_form, "{header}: {verified:?}");
    }
}

/// The grammar of amounts a second time: digits, and perhaps a point and as many digits as the ledger keeps.
fn units_of(text: &str, ledger_digits: u32) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        None => (text, ""),
        Some((_, "")) => return None,
        Some(parts) => parts,
    };
    let digits = format!("{whole}{fraction}");
    let plain = !whole.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !plain || fraction.len() > ledger_digits as usize {
        return None;
    }
    let missing = ledger_digits as usize - fraction.len();
    let number: u128 = (digits + &"0".repeat(missing)).parse().ok()?;
    i64::try_from(number).ok()
}

#[test]
fn the_limits_of_an_amount_are_those_of_the_ledger() {
    let units = |text: &str| Money::parse(text, eur()).map(|money| money.units);
    assert_eq!(units("9223372036854.775807"), Ok(i64::MAX));
    assert!(units("9223372036854.775808").is_err());
    assert!(units(&"9".repeat(10_000)).is_err());
    assert_eq!(units(&"0".repeat(10_000)), Ok(0));
}
