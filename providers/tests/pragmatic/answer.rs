//! From an outcome to a body.

use pitboss_providers::{
    Answer, Call, CallError, Context, Dialect, ParseError, SignatureError, pragmatic::Pragmatic,
};
use pitboss_wallet::{
    Balance, Kind, PlayerId, Refusal, RefusalCode, Reply, SessionId, SessionReply, Settled,
    Timestamp,
};
use serde_json::{Value, json};

use super::{
    account,
    common::{eur, receipt, settled},
    raw_request,
    request::{BODY, SESSION, parse},
};

fn render(
    action: &str,
    call: Option<&Call>,
    now: Option<Balance>,
    outcome: Result<Reply, CallError>,
) -> Value {
    let account = account(&[], &[]);
    let raw = raw_request(action, b"\xff");
    let context = Context {
        request: &raw,
        account: Some(&account),
        call,
        balance: now,
    };
    let player = PlayerId::new("alice").unwrap();
    let outcome = outcome.map(|reply| Answer::from((player, reply)));
    let response = Pragmatic.render(&context, &outcome);
    assert_eq!(
        (response.status, response.content_type),
        (200, "application/json")
    );
    serde_json::from_slice(&response.body).unwrap()
}

fn balance(cash: i64, bonus: i64) -> Balance {
    Balance {
        currency: eur(),
        cash,
        bonus,
    }
}

#[test]
fn answers_show_the_balance_of_now_rounded_down() {
    let one = |replayed, current| {
        Ok(Reply::Settled(Settled {
            receipts: vec![receipt(Kind::Bet)],
            replayed,
            current,
        }))
    };
    let told = render(
        "bet.html",
        None,
        None,
        one(true, Some(balance(1_239_999, 5_009_999))),
    );
    assert_eq!(
        told,
        json!({
            "transactionId": "tx_00000000000000000000000000000001", "currency": "EUR", "cash": 1.23, "bonus": 5.00,
            "usedPromo": 0.50, "error": 0, "description": "Success",
        })
    );
    assert_eq!(
        render(
            "bet.html",
            None,
            Some(balance(2_000_000, 0)),
            one(true, None)
        )["cash"],
        json!(2.0)
    );
    let won = render(
        "result.html",
        None,
        None,
        one(false, Some(balance(i64::MAX, 0))),
    );
    assert_eq!(won["cash"].to_string(), "9223372036854.77");
    assert!(won.get("usedPromo").is_none());
    let end = render("endRound.html", None, None, one(false, Some(balance(1, 0))));
    assert_eq!(
        end,
        json!({"currency": "EUR", "cash": 0.0, "bonus": 0.0, "error": 0, "description": "Success"})
    );
    // The result's own id, beside that of the promotion.
    let mut second = receipt(Kind::Win);
    second.transaction =
        pitboss_wallet::TransactionId::parse("tx_00000000000000000000000000000002").unwrap();
    let both = settled(vec![receipt(Kind::Win), second], false);
    let told = render("result.html", None, None, Ok(both));
    assert_eq!(told["transactionId"], "tx_00000000000000000000000000000001");
}

#[test]
fn a_refund_of_nothing_is_a_success_without_an_id() {
    let mut nothing = receipt(Kind::Rollback);
    (nothing.tombstone, nothing.balance, nothing.currency) = (true, None, None);
    let reply = Reply::Settled(Settled {
        receipts: vec![nothing],
        replayed: false,
        current: None,
    });
    let told = render("refund.html", None, None, Ok(reply));
    assert_eq!(
        told,
        json!({"transactionId": "", "error": 0, "description": "Success"})
    );
    let told = render(
        "refund.html",
        None,
        None,
        Ok(settled(vec![receipt(Kind::Rollback)], false)),
    );
    assert_eq!(told["transactionId"], "tx_00000000000000000000000000000001");
}

#[test]
fn authenticate_balance_and_summary_have_what_they_must() {
    let session = SessionReply {
        session: SessionId::parse(SESSION).unwrap(),
        balance: balance(1_500_000, 0),
        expires_at: Timestamp::from_micros(0),
    };
    assert_eq!(
        render("authenticate.html", None, None, Ok(Reply::Session(session))),
        json!({
            "userId": "alice-EUR", "currency": "EUR", "cash": 1.5, "bonus": 0.0, "error": 0, "description": "Success",
        })
    );
    let told = render(
        "balance.html",
        None,
        None,
        Ok(Reply::Balance(balance(0, 0))),
    );
    assert_eq!(
        told,
        json!({"currency": "EUR", "cash": 0.0, "bonus": 0.0, "error": 0, "description": "Success"})
    );
    let call = parse("bonusWin.html", BODY).unwrap();
    let told = render(
        "bonusWin.html",
        Some(&call),
        None,
        Ok(Reply::Balance(balance(0, 0))),
    );
    assert_eq!(told["transactionId"], "b-1");
}

/// Every code of ours by name, on a bet, a result and an endRound.
const ERRORS: &[(RefusalCode, [u16; 3])] = &[
    (RefusalCode::UnknownPlayer, [2, 2, 2]),
    (RefusalCode::UnknownGame, [8, 100, 130]),
    (RefusalCode::UnknownBet, [100, 100, 130]),
    (RefusalCode::InsufficientFunds, [1, 1, 1]),
    (RefusalCode::SessionExpired, [4, 4, 4]),
    (RefusalCode::SessionInvalid, [4, 4, 4]),
    (RefusalCode::SessionLimit, [3, 3, 3]),
    (RefusalCode::PlayerBlocked, [6, 6, 6]),
    (RefusalCode::GameDisabled, [8, 8, 8]),
    (RefusalCode::CountryRefused, [8, 8, 8]),
    (RefusalCode::TransactionMismatch, [7, 7, 7]),
    (RefusalCode::RolledBack, [120, 120, 120]),
    (RefusalCode::AlreadySettled, [120, 120, 120]),
    (RefusalCode::RoundClosed, [3, 120, 120]),
    (RefusalCode::BetLimit, [50, 50, 50]),
    (RefusalCode::LossLimit, [50, 50, 50]),
    (RefusalCode::CurrencyMismatch, [7, 7, 7]),
    (RefusalCode::Malformed, [7, 7, 7]),
];

#[test]
fn every_error_is_200_with_its_number() {
    for code in RefusalCode::ALL {
        assert!(
            ERRORS.iter().any(|(known, _)| known == code),
            "{code:?} is not in the table"
        );
    }
    let mut table: Vec<(CallError, [u16; 3])> = ERRORS
        .iter()
        .map(|(code, numbers)| (CallError::Refused(Refusal::new(*code, "why")), *numbers))
        .collect();
    table.extend([
        (CallError::BadSignature(SignatureError::Mismatch), [5; 3]),
        (CallError::Parse(ParseError::UnknownAction), [7; 3]),
        (
            CallError::Parse(ParseError::Method { allowed: "POST" }),
            [7; 3],
        ),
        (
            CallError::Parse(ParseError::Malformed(String::new())),
            [7; 3],
        ),
        (
            CallError::Parse(ParseError::UnknownCurrency(String::new())),
            [7; 3],
        ),
        (CallError::BodyTooLarge { limit_bytes: 1 }, [7; 3]),
        (CallError::UnknownProvider, [3, 100, 130]),
        (CallError::ProviderClosed, [3, 100, 130]),
        (
            CallError::AddressRefused {
                address: String::new(),
            },
            [3, 100, 130],
        ),
        (CallError::BodyTooSlow { limit_ms: 1 }, [100, 100, 130]),
        (CallError::Busy { retry_after_s: 1 }, [100, 100, 130]),
        (CallError::Retry { retry_after_s: 1 }, [100, 100, 130]),
        (CallError::Internal, [100, 100, 130]),
    ]);
    for (error, numbers) in table {
        for (action, number) in ["bet.html", "result.html", "endRound.html"]
            .into_iter()
            .zip(numbers)
        {
            let told = render(action, None, None, Err(error.clone()));
            assert_eq!(told["error"], number, "{action} {error:?}");
            assert!(!told["description"].as_str().unwrap().is_empty());
            assert!(told.get("cash").is_none() && told.get("transactionId").is_none());
        }
        // A path that nobody knows is answered all the same.
        render("", None, None, Err(error));
    }
    let poor = CallError::Refused(Refusal::new(RefusalCode::InsufficientFunds, "why"));
    let told = render("bet.html", None, Some(balance(1_009_999, 0)), Err(poor));
    assert_eq!((&told["cash"], &told["error"]), (&json!(1.0), &json!(1)));
    assert!(Pragmatic.wants_balance(RefusalCode::InsufficientFunds));
    assert!(!Pragmatic.wants_balance(RefusalCode::RolledBack));
    // What may have happened is never told as done or as failed (T10).
    for reply in [Reply::Done, Reply::Ended(1), settled(Vec::new(), false)] {
        assert_eq!(render("bet.html", None, None, Ok(reply))["error"], 100);
    }
}
