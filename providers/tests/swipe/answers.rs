//! What outcomes are told as: the HTTP status decides what the provider does next.

use pitboss_providers::{
    Answer, CallError, Context, Dialect, Outcome, ParseError, Response, SignatureError,
    swipe::Swipe,
};
use pitboss_wallet::{Balance, Currency, Kind, PlayerId, Refusal, RefusalCode, Reply};
use serde_json::{Value, json};

use crate::{
    account,
    common::{receipt, settled},
    request,
};

fn rendered(outcome: &Outcome, balance: Option<Balance>) -> Response {
    let account = account();
    let headers = Vec::new();
    let raw = request("bet", "", &headers, b"{}");
    let context = Context {
        request: &raw,
        account: Some(&account),
        call: None,
        balance,
    };
    let response = Swipe.render(&context, outcome);
    assert_eq!(response.content_type, "application/json");
    response
}

fn done(reply: Reply, balance: Option<Balance>) -> (u16, String) {
    let answer = Answer::from((PlayerId::new("alice").unwrap(), reply));
    let response = rendered(&Ok(answer), balance);
    (response.status, String::from_utf8(response.body).unwrap())
}

fn cash(code: &str, units: i64) -> Balance {
    Balance {
        currency: Currency::from_code(code).unwrap(),
        cash: units,
        bonus: 0,
    }
}

#[test]
fn a_balance_is_a_text_in_the_digits_of_its_currency() {
    let shown = |balance: Balance| done(Reply::Balance(balance), None).1;
    assert_eq!(shown(cash("EUR", 97_509_999)), r#"{"balance":"97.50"}"#);
    assert_eq!(shown(cash("EUR", 0)), r#"{"balance":"0.00"}"#);
    assert_eq!(shown(cash("JPY", 1_999_999)), r#"{"balance":"1"}"#);
    assert_eq!(shown(cash("BTC", 1)), r#"{"balance":"0.00000001"}"#);
    let both = Balance {
        bonus: 2_000_000,
        ..cash("EUR", 1_000_000)
    };
    assert_eq!(shown(both), r#"{"balance":"3.00"}"#);
}

#[test]
fn a_repeat_has_the_answer_of_then() {
    let first = done(settled(vec![receipt(Kind::Bet)], false), None);
    let again = done(
        settled(vec![receipt(Kind::Bet)], true),
        Some(cash("EUR", 7)),
    );
    let expected = r#"{"balance":"9.40","txID":"tx_00000000000000000000000000000001"}"#;
    assert_eq!(first, (200, expected.to_owned()));
    assert_eq!(again, first);
}

#[test]
fn a_refund_of_nothing_is_200_whatever_is_known() {
    let mut tombstone = receipt(Kind::Rollback);
    (tombstone.tombstone, tombstone.balance) = (true, None);
    let mut reply = settled(vec![tombstone], false);
    if let Reply::Settled(settled) = &mut reply {
        settled.current = None;
    }
    let told = |balance| done(reply.clone(), balance);
    let expected = |balance: &str| {
        let body =
            format!(r#"{{"balance":"{balance}","txID":"tx_00000000000000000000000000000001"}}"#);
        (200, body)
    };
    assert_eq!(told(Some(cash("EUR", 5_000_000))), expected("5.00"));
    assert_eq!(told(None), expected("0"));
}

#[test]
fn a_success_without_a_balance_is_asked_for_again() {
    let mut receipt = receipt(Kind::Bet);
    receipt.balance = None;
    let mut reply = settled(vec![receipt], false);
    if let Reply::Settled(settled) = &mut reply {
        settled.current = None;
    }
    assert_eq!(done(reply, None).0, 500);
    assert_eq!(done(Reply::Done, None).0, 500);
}

/// Status, code and action.
fn failed(error: CallError) -> (u16, Option<String>, Option<String>) {
    let response = rendered(&Err(error), Some(cash("EUR", 1)));
    let told: Value = serde_json::from_slice(&response.body).unwrap();
    assert!(!told["message"].as_str().unwrap().is_empty());
    assert!(told.get("balance").is_none());
    let text = |name: &str| told[name].as_str().map(str::to_owned);
    (response.status, text("code"), text("action"))
}

#[test]
fn every_refusal_is_a_4xx_with_its_code() {
    for code in RefusalCode::ALL {
        let expected = match code {
            RefusalCode::UnknownPlayer | RefusalCode::SessionInvalid => {
                (404, Some("session_not_found"))
            }
            RefusalCode::SessionExpired => (400, Some("session_expired")),
            RefusalCode::PlayerBlocked => (400, Some("account_blocked")),
            RefusalCode::UnknownGame | RefusalCode::GameDisabled => (400, Some("game_not_found")),
            RefusalCode::InsufficientFunds => (400, Some("insufficient_funds")),
            RefusalCode::BetLimit => (400, Some("bet_limit")),
            RefusalCode::LossLimit => (400, Some("loss_limit")),
            RefusalCode::CurrencyMismatch => (400, Some("currency_not_supported")),
            RefusalCode::SessionLimit
            | RefusalCode::CountryRefused
            | RefusalCode::UnknownBet
            | RefusalCode::TransactionMismatch
            | RefusalCode::RolledBack
            | RefusalCode::AlreadySettled
            | RefusalCode::RoundClosed
            | RefusalCode::Malformed => (400, None),
        };
        let (status, told, action) = failed(CallError::Refused(Refusal::new(*code, "why")));
        assert_eq!((status, told.as_deref()), expected, "{code:?}");
        let refresh = matches!(
            told.as_deref(),
            Some("session_expired" | "session_not_found")
        );
        assert_eq!(action.as_deref(), refresh.then_some("refresh"));
    }
}

#[test]
fn what_is_in_doubt_is_a_500_and_what_was_not_done_is_none() {
    let failure = Some("client_connection_error".to_owned());
    for (error, status, code) in [
        (CallError::BadSignature(SignatureError::Mismatch), 401, None),
        (
            CallError::AddressRefused {
                address: "192.0.2.1".to_owned(),
            },
            401,
            None,
        ),
        (CallError::UnknownProvider, 404, None),
        (CallError::Parse(ParseError::UnknownAction), 404, None),
        (
            CallError::Parse(ParseError::Method { allowed: "GET" }),
            400,
            None,
        ),
        (
            CallError::Parse(ParseError::Malformed("x".into())),
            400,
            None,
        ),
        (
            CallError::Parse(ParseError::UnknownCurrency("x".into())),
            400,
            Some("currency_not_supported".to_owned()),
        ),
        (CallError::BodyTooLarge { limit_bytes: 1 }, 400, None),
        (
            CallError::ProviderClosed,
            400,
            Some("game_not_found".to_owned()),
        ),
        (CallError::BodyTooSlow { limit_ms: 1 }, 500, failure.clone()),
        (CallError::Busy { retry_after_s: 1 }, 500, failure.clone()),
        (CallError::Retry { retry_after_s: 1 }, 500, failure.clone()),
        (CallError::Internal, 500, failure.clone()),
    ] {
        let (told, told_code, _) = failed(error.clone());
        assert_eq!((told, told_code), (status, code), "{error:?}");
    }
    let refused = CallError::Refused(Refusal::new(RefusalCode::RolledBack, "it was rolled back"));
    let response = rendered(&Err(refused), None);
    let told: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(
        told,
        json!({"message": "The request is not accepted.", "details": "it was rolled back"})
    );
}
