//! What is answered: every outcome in the native protocol.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{account, bet_body, bet_win_body, context, parse, receipt, request, settled};
use pitboss_providers::{
    Answer, CallError, Dialect, Outcome, ParseError, Response, SignatureError, native::Native,
};
use pitboss_wallet::{Kind, PlayerId, Receipt, Refusal, RefusalCode, Reply};
use serde_json::{Value, json};

fn render(action: &str, body: &Value, reply: Reply) -> Response {
    let text = body.to_string();
    let request = request(action, text.as_bytes());
    let call = parse(action, &text).unwrap();
    let answer = Answer::from((PlayerId::new("alice").unwrap(), reply));
    Native.render(&context(&request, &account(), Some(&call)), &Ok(answer))
}

fn json_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

#[test]
fn an_answer_shows_the_stored_balance_and_funding() {
    let response = render("bet", &bet_body(), settled(vec![receipt(Kind::Bet)], false));
    assert_eq!(response.content_type, "application/json");
    assert_eq!(
        json_of(&response),
        json!({
            "status": "ok", "transaction_id": "tx_00000000000000000000000000000001",
            "provider_transaction_id": "x-1", "replayed": false,
            "balance": {"currency": "EUR", "cash": "7.403604", "bonus": "2.00", "total": "9.403604"},
            "funding": {"cash": "1.00", "bonus": "0.50"},
        })
    );
}

#[test]
fn a_replay_differs_in_one_word_only() {
    let batch = || vec![receipt(Kind::Bet), receipt(Kind::Win)];
    for (action, body, receipts) in [
        ("bet", bet_body(), vec![receipt(Kind::Bet)]),
        ("bet_win", bet_win_body(), batch()),
    ] {
        let text = |replayed| {
            let response = render(action, &body, settled(receipts.clone(), replayed));
            String::from_utf8(response.body).unwrap()
        };
        let first = text(false).replace("\"replayed\":false", "\"replayed\":true");
        assert_eq!(first, text(true));
    }
}

#[test]
fn a_batch_of_one_still_lists_its_transactions_and_sums_its_bets() {
    let response = render(
        "bet_win",
        &bet_win_body(),
        settled(vec![receipt(Kind::Win)], false),
    );
    let body = json_of(&response);
    assert_eq!(body["funding"], json!({"cash": "0.00", "bonus": "0.00"}));
    assert_eq!(body["transactions"][0]["type"], "win");
    assert_eq!(body["transactions"][0]["amount"], "1.50");
    let bets = vec![receipt(Kind::Bet), receipt(Kind::Bet), receipt(Kind::Win)];
    let body = json_of(&render("bet_win", &bet_win_body(), settled(bets, false)));
    assert_eq!(body["funding"], json!({"cash": "2.00", "bonus": "1.00"}));
    assert_eq!(body["transactions"].as_array().unwrap().len(), 3);
}

#[test]
fn a_close_is_answered_with_the_round_whatever_its_key_is() {
    let body = json!({"player": "alice", "game": "dice", "round": "r-1"});
    let response = render(
        "close_round",
        &body,
        settled(vec![receipt(Kind::CloseRound)], false),
    );
    assert_eq!(json_of(&response)["provider_transaction_id"], "r-1");
}

#[test]
fn an_answer_without_a_receipt_is_never_told_as_a_failure() {
    let response = render("bet", &bet_body(), settled(vec![], false));
    assert_eq!(response.status, 503);
    assert_eq!(json_of(&response)["code"], "retry");
}

fn render_error(error: CallError) -> Response {
    let request = request("bet", b"");
    let outcome: Outcome = Err(error);
    Native.render(&context(&request, &account(), None), &outcome)
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let found = response.headers.iter().find(|(given, _)| *given == name);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn every_refusal_has_the_status_of_the_protocol() {
    let expected = [
        ("unknown_player", 404),
        ("unknown_game", 404),
        ("unknown_bet", 404),
        ("insufficient_funds", 402),
        ("session_expired", 403),
        ("session_invalid", 403),
        ("session_limit", 409),
        ("player_blocked", 403),
        ("game_disabled", 403),
        ("country_refused", 403),
        ("transaction_mismatch", 409),
        ("rolled_back", 409),
        ("already_settled", 409),
        ("round_closed", 409),
        ("bet_limit", 409),
        ("loss_limit", 409),
        ("currency_mismatch", 422),
        ("malformed", 422),
    ];
    assert_eq!(expected.len(), RefusalCode::ALL.len());
    for code in RefusalCode::ALL {
        let response = render_error(CallError::Refused(Refusal::new(*code, "why")));
        let status = expected.iter().find(|(name, _)| *name == code.as_str());
        assert_eq!(response.status, status.unwrap().1, "{code:?}");
        assert_eq!(response.content_type, "application/problem+json");
        let body = json_of(&response);
        assert_eq!(body["code"], code.as_str());
        assert_eq!(body["type"], format!("/docs/errors#{}", code.as_str()));
        assert_eq!(body["status"], response.status);
        assert_eq!(body["detail"], "why");
        assert_eq!(body["retryable"], false);
        assert!(!body["title"].as_str().unwrap().is_empty());
        assert_eq!(header(&response, "Retry-After"), None);
    }
}

#[test]
fn every_error_of_the_edge_has_the_status_of_the_protocol() {
    let stale = SignatureError::Stale {
        skew_s: 412,
        limit_s: 300,
    };
    for (error, status, code) in [
        (stale.into(), 401, "bad_signature"),
        (SignatureError::Mismatch.into(), 401, "bad_signature"),
        (CallError::UnknownProvider, 404, "unknown_provider"),
        (CallError::ProviderClosed, 403, "provider_closed"),
        (
            CallError::AddressRefused {
                address: "192.0.2.1".to_owned(),
            },
            403,
            "address_refused",
        ),
        (ParseError::UnknownAction.into(), 404, "unknown_action"),
        (CallError::unknown_player(), 404, "unknown_player"),
        (CallError::unknown_token(), 403, "session_invalid"),
        (
            ParseError::Malformed(String::new()).into(),
            422,
            "malformed",
        ),
        (
            ParseError::UnknownCurrency(String::new()).into(),
            422,
            "currency_mismatch",
        ),
        (
            CallError::BodyTooLarge { limit_bytes: 9 },
            413,
            "body_too_large",
        ),
        (CallError::BodyTooSlow { limit_ms: 9 }, 408, "body_too_slow"),
        (CallError::Internal, 500, "internal"),
    ] {
        let response = render_error(error);
        assert_eq!(response.status, status);
        assert_eq!(json_of(&response)["code"], code);
    }
    let response = render_error(stale.into());
    let detail = json_of(&response)["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("412 s away"), "{detail}");
    let response = render_error(ParseError::Method { allowed: "POST" }.into());
    assert_eq!(response.status, 405);
    assert_eq!(header(&response, "Allow"), Some("POST"));
}

#[test]
fn what_may_be_sent_again_says_when() {
    for (error, status, code) in [
        (CallError::Busy { retry_after_s: 3 }, 429, "busy"),
        (CallError::Retry { retry_after_s: 3 }, 503, "retry"),
    ] {
        let response = render_error(error);
        assert_eq!(response.status, status);
        assert_eq!(header(&response, "Retry-After"), Some("3"));
        let body = json_of(&response);
        assert_eq!(
            (&body["code"], &body["retryable"]),
            (&json!(code), &json!(true))
        );
    }
}

#[test]
fn a_mismatch_shows_what_the_id_was_used_for() {
    let show = |original: &Receipt| {
        let refusal = Refusal::new(RefusalCode::TransactionMismatch, "why").with_original(original);
        json_of(&render_error(refusal.into()))["original"].clone()
    };
    let id = "tx_00000000000000000000000000000001";
    assert_eq!(
        show(&receipt(Kind::Bet)),
        json!({"transaction_id": id, "amount": "1.50", "currency": "EUR"})
    );
    let tombstone = Receipt {
        currency: None,
        ..receipt(Kind::Rollback)
    };
    assert_eq!(show(&tombstone), json!({"transaction_id": id}));
}
