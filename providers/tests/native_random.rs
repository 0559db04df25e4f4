//! Anything at all may be sent, and nothing panics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{
    NOW_S, PATH, SECRET, bet_body, bet_win_body, eur, parse, parse_bytes, play, verify, with,
};
use pitboss_providers::{SignatureError, native};
use pitboss_wallet::{Money, PlayCommand};
use proptest::prelude::*;
use serde_json::{Value, json};

const ACTIONS: [&str; 7] = [
    "authenticate",
    "balance",
    "bet",
    "win",
    "bet_win",
    "rollback",
    "close_round",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("EUR")),
        Just(json!("2.50")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![
            Just("player".to_owned()),
            Just("amount".to_owned()),
            Just("currency".to_owned()),
            Just("actions".to_owned()),
            ".{0,8}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        for action in ACTIONS {
            prop_assert!(parse_bytes(action, &body).is_err());
        }
    }

    #[test]
    fn random_json_never_panics(body in any_json()) {
        for action in ACTIONS {
            let _ = parse(action, &body.to_string());
        }
    }

    #[test]
    fn a_good_body_with_one_random_field_never_panics(
        field in 0_usize..6, value in any_json(), cut in any::<prop::sample::Index>(),
    ) {
        for (action, body) in [("bet", bet_body()), ("bet_win", bet_win_body()), ("win", bet_body())] {
            let name = body.as_object().unwrap().keys().nth(field).unwrap().clone();
            let text = with(body, &name, value.clone()).to_string();
            let _ = parse(action, &text);
            let bytes = text.as_bytes();
            let _ = parse_bytes(action, &bytes[..cut.index(bytes.len())]);
        }
    }

    #[test]
    fn what_is_signed_verifies_and_nothing_else_does(
        secret in prop::collection::vec(any::<u8>(), 1..100),
        body in prop::collection::vec(any::<u8>(), 1..200),
        skew in -300_i64..=300,
        flip in any::<prop::sample::Index>(),
    ) {
        let header = native::sign(&secret, NOW_S + skew, PATH, &body);
        prop_assert_eq!(verify(&header, PATH, &body, &[&secret]), Ok(0));
        let mut other = body.clone();
        other[flip.index(body.len())] ^= 1;
        prop_assert_eq!(verify(&header, PATH, &other, &[&secret]), Err(SignatureError::Mismatch));
    }

    #[test]
    fn random_headers_never_panic(header in "(t=[0-9]{0,20},?)?(v1=[0-9a-f]{0,70},?){0,3}\\PC{0,20}") {
        let refused = verify(&header, PATH, b"{}", &[SECRET]).is_err();
        prop_assert!(refused);
    }

    #[test]
    fn an_amount_is_read_as_it_is_printed(units in 0..=i64::MAX) {
        let money = Money::new(units, eur());
        let body = with(bet_body(), "amount", json!(money.to_string()));
        match play("bet", &body) {
            PlayCommand::Bet(bet) => prop_assert_eq!(bet.amount, money),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn ids_are_kept_to_the_character(id in "[^\0]{1,40}") {
        let body = with(bet_body(), "transaction_id", json!(&id));
        match play("bet", &body) {
            PlayCommand::Bet(bet) => prop_assert_eq!(bet.transaction.as_str(), id),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
