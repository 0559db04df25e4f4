//! What outcomes are told as.

use pitboss_providers::{
    Answer, Ask, CallError, Context, Dialect, Outcome, ParseError, SignatureError,
    evolution::Evolution,
};
use pitboss_wallet::{
    Balance, Currency, Kind, PlayCommand, PlayerId, Refusal, RefusalCode, Reply, SessionId,
    SessionReply, Timestamp,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    SESSION, account,
    common::{eur, receipt, settled},
    debit, parse_text, request,
};

fn rendered(action: &str, outcome: &Outcome, balance: Option<Balance>) -> String {
    let body = debit().to_string();
    let raw = request(action, "authToken=old", body.as_bytes());
    let account = account(&[]);
    let context = Context {
        request: &raw,
        account: Some(&account),
        call: None,
        balance,
    };
    let response = Evolution.render(&context, outcome);
    assert_eq!(response.status, 200);
    assert_eq!(response.content_type, "application/json");
    String::from_utf8(response.body).unwrap()
}

fn answered(action: &str, reply: Reply, balance: Option<Balance>) -> String {
    let answer = Answer::from((PlayerId::new("alice").unwrap(), reply));
    rendered(action, &Ok(answer), balance)
}

fn cash(units: i64, bonus: i64) -> Balance {
    Balance {
        currency: eur(),
        cash: units,
        bonus,
    }
}

#[test]
fn answers_are_these_to_the_byte() {
    let told = |action: &str, reply: Reply| answered(action, reply, None);
    assert_eq!(
        told("balance", Reply::Balance(cash(999_350_000, 1_000_000))),
        r#"{"status":"OK","balance":999.35,"bonus":1.00,"retransmission":false,"uuid":"u-1"}"#
    );
    let session = SessionReply {
        session: SessionId::parse(SESSION).unwrap(),
        balance: cash(1, 0),
        expires_at: Timestamp::from_micros(0),
    };
    assert_eq!(
        told("check", Reply::Session(session)),
        format!(r#"{{"status":"OK","sid":"{SESSION}","uuid":"u-1"}}"#)
    );
    // The balance of now: `settled` has it as 0.000001 of each.
    for (action, kind, replayed, status) in [
        ("debit", Kind::Bet, false, "OK"),
        ("debit", Kind::Bet, true, "BET_ALREADY_EXIST"),
        ("credit", Kind::Win, false, "OK"),
        ("credit", Kind::Win, true, "BET_ALREADY_SETTLED"),
        ("cancel", Kind::Rollback, false, "OK"),
        ("cancel", Kind::Rollback, true, "BET_ALREADY_SETTLED"),
        ("promo_payout", Kind::Win, false, "OK"),
        ("promo_payout", Kind::Win, true, "OK"),
        ("close", Kind::CloseRound, false, "OK"),
        ("close", Kind::CloseRound, true, "OK"),
    ] {
        assert_eq!(
            told(action, settled(vec![receipt(kind)], replayed)),
            format!(
                r#"{{"status":"{status}","balance":0.000001,"bonus":0.000001,"retransmission":false,"uuid":"u-1"}}"#
            ),
            "{action}"
        );
    }
}

#[test]
fn a_tombstone_is_told_as_no_bet_and_never_as_one_that_was_taken() {
    let mut tombstone = receipt(Kind::Rollback);
    (tombstone.tombstone, tombstone.balance) = (true, None);
    let mut reply = settled(vec![tombstone], false);
    if let Reply::Settled(settled) = &mut reply {
        settled.current = None;
    }
    let shown = Some(cash(5_000_000, 0));
    assert_eq!(
        answered("cancel", reply.clone(), shown),
        r#"{"status":"BET_DOES_NOT_EXIST","balance":5.00,"bonus":0.00,"retransmission":false,"uuid":"u-1"}"#
    );
    assert!(answered("cancel", reply.clone(), None).contains("BET_DOES_NOT_EXIST"));
    // With the policy `late_bet: accept` the wallet says yes without a movement.
    assert!(answered("debit", reply.clone(), shown).contains("FINAL_ERROR_ACTION_FAILED"));
    // A success of which the balance is not known is asked for again.
    if let Reply::Settled(settled) = &mut reply {
        settled.receipts[0].tombstone = false;
    }
    assert_eq!(
        answered("debit", reply, None),
        r#"{"status":"TEMPORARY_ERROR","retransmission":true,"uuid":"u-1"}"#
    );
}

#[test]
fn every_error_has_its_status() {
    let actions = ["debit", "credit", "cancel", "promo_payout", "check"];
    let same = |status: &'static str| [status; 5];
    let (last, settled) = ("FINAL_ERROR_ACTION_FAILED", "BET_ALREADY_SETTLED");
    let (parameter, none) = ("INVALID_PARAMETER", "BET_DOES_NOT_EXIST");
    let table = |code: RefusalCode| match code {
        RefusalCode::UnknownPlayer
        | RefusalCode::TransactionMismatch
        | RefusalCode::CurrencyMismatch
        | RefusalCode::Malformed => same(parameter),
        RefusalCode::UnknownGame => [parameter, none, parameter, parameter, parameter],
        RefusalCode::UnknownBet => same(none),
        RefusalCode::InsufficientFunds => same("INSUFFICIENT_FUNDS"),
        RefusalCode::SessionExpired | RefusalCode::SessionInvalid => same("INVALID_SID"),
        RefusalCode::PlayerBlocked => same("ACCOUNT_LOCKED"),
        RefusalCode::RolledBack => [last, settled, settled, last, last],
        RefusalCode::AlreadySettled => same(settled),
        RefusalCode::SessionLimit
        | RefusalCode::GameDisabled
        | RefusalCode::CountryRefused
        | RefusalCode::RoundClosed
        | RefusalCode::BetLimit
        | RefusalCode::LossLimit => same(last),
    };
    let shown = Some(cash(1_230_000, 0));
    for code in RefusalCode::ALL {
        let error = CallError::Refused(Refusal::new(*code, "why"));
        for (action, expected) in actions.iter().zip(table(*code)) {
            let text = rendered(action, &Err(error.clone()), shown);
            let told: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(told["status"], expected, "{code:?} at {action}");
            assert_eq!(
                (&told["uuid"], &told["balance"]),
                (&json!("u-1"), &json!(1.23))
            );
            let again = told.get("retransmission");
            assert_eq!(again.is_some(), *action != "check");
            assert_ne!(again, Some(&json!(true)));
        }
        // What the documents want a balance with.
        let wanted = matches!(
            code,
            RefusalCode::InsufficientFunds | RefusalCode::UnknownBet
        );
        assert!(!wanted || Evolution.wants_balance(*code), "{code:?}");
    }
}

#[test]
fn every_failure_is_200_and_what_is_in_doubt_is_asked_for_again() {
    let address = "192.0.2.1".to_owned();
    for (error, status) in [
        (
            CallError::BadSignature(SignatureError::Mismatch),
            "INVALID_TOKEN_ID",
        ),
        (CallError::UnknownProvider, "INVALID_TOKEN_ID"),
        (CallError::ProviderClosed, "INVALID_TOKEN_ID"),
        (CallError::AddressRefused { address }, "INVALID_TOKEN_ID"),
        (
            CallError::Parse(ParseError::UnknownAction),
            "INVALID_PARAMETER",
        ),
        (
            CallError::Parse(ParseError::Method { allowed: "POST" }),
            "INVALID_PARAMETER",
        ),
        (
            CallError::Parse(ParseError::Malformed("x".into())),
            "INVALID_PARAMETER",
        ),
        (
            CallError::Parse(ParseError::UnknownCurrency("x".into())),
            "INVALID_PARAMETER",
        ),
        (
            CallError::BodyTooLarge { limit_bytes: 1 },
            "INVALID_PARAMETER",
        ),
        (CallError::BodyTooSlow { limit_ms: 1 }, "TEMPORARY_ERROR"),
        (CallError::Busy { retry_after_s: 1 }, "TEMPORARY_ERROR"),
        (CallError::Retry { retry_after_s: 1 }, "TEMPORARY_ERROR"),
        (CallError::Internal, "TEMPORARY_ERROR"),
    ] {
        let text = rendered("credit", &Err(error.clone()), None);
        let again = status == "TEMPORARY_ERROR";
        assert_eq!(
            text,
            format!(r#"{{"status":"{status}","retransmission":{again},"uuid":"u-1"}}"#),
            "{error:?}"
        );
    }
    // Also where there is no body, no account and no such path.
    let raw = request("", "", b"\xff");
    let context = Context {
        request: &raw,
        account: None,
        call: None,
        balance: None,
    };
    let response = Evolution.render(&context, &Err(CallError::UnknownProvider));
    assert_eq!(response.status, 200);
    assert_eq!(
        response.body,
        br#"{"status":"INVALID_TOKEN_ID","retransmission":false}"#
    );
}

/// The number of a field as it is written.
fn shown(balance: Balance) -> String {
    let text = answered("balance", Reply::Balance(balance), None);
    let (_, rest) = text.split_once(r#""balance":"#).unwrap();
    rest.split_once(',').unwrap().0.to_owned()
}

#[test]
fn a_balance_is_rounded_down_to_six_digits() {
    assert_eq!(shown(cash(63_727_092_340_000, 0)), "63727092.34");
    assert_eq!(shown(cash(0, 0)), "0.00");
    assert_eq!(shown(cash(100_000_000, 0)), "100.00");
    assert_eq!(shown(cash(1_500_001, 0)), "1.500001");
    let coin = Balance {
        currency: Currency::from_code("BTC").unwrap(),
        cash: 199_999_999,
        bonus: 0,
    };
    assert_eq!(shown(coin), "1.999999");
}

proptest! {
    #[test]
    fn a_balance_that_is_shown_is_the_amount_that_is_read(units in 0..=i64::MAX) {
        let body = debit().to_string().replace("1.556179", &shown(cash(units, 0)));
        let call = parse_text("credit", &body, None).unwrap();
        let Ask::Play { play, .. } = call.ask else { panic!() };
        prop_assert!(matches!(play.command, PlayCommand::Win(win) if win.amount.units == units));
    }
}
