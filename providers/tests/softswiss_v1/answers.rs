//! From outcomes to bodies.

use pitboss_providers::{
    Account, Answer, Call, CallError, Context, Dialect, ParseError, Response, SignatureError,
    softswiss_v1::SoftswissV1,
};
use pitboss_wallet::{
    Balance, ExternalId, Funding, Kind, PlayerId, Receipt, Refusal, RefusalCode, Reply, Settled,
    TransactionId,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{NO_HEADERS, account, bet, body, eur, parse_as, request, spins, win};

fn balance(units: i64) -> Balance {
    Balance {
        currency: eur(),
        cash: units,
        bonus: 5_000,
    }
}

/// Made at 2025-11-24T10:00:00.123Z.
fn transaction(number: u128) -> TransactionId {
    TransactionId(Uuid::from_u128(
        0x019a_b54e_517b_7000_8000_0000_0000_0000 + number,
    ))
}

fn receipt(kind: Kind, number: u128) -> Receipt {
    Receipt {
        transaction: transaction(number),
        kind,
        external_id: ExternalId::new("stored").unwrap(),
        currency: Some(eur()),
        units: 1,
        funding: Funding::default(),
        balance: Some(balance(10_000_000)),
        tombstone: false,
    }
}

pub fn render(
    account: &Account,
    call: Option<&Call>,
    balance: Option<Balance>,
    outcome: Result<Reply, CallError>,
) -> (Response, Value) {
    let raw = request("play", &NO_HEADERS, b"{}");
    let context = Context {
        request: &raw,
        account: Some(account),
        call,
        balance,
    };
    let player = PlayerId::new("alice").unwrap();
    let outcome = outcome.map(|reply| Answer::from((player, reply)));
    let response = SoftswissV1.render(&context, &outcome);
    assert_eq!(response.content_type, "application/json");
    let told = serde_json::from_slice(&response.body).unwrap();
    (response, told)
}

fn settled(receipts: Vec<Receipt>, current: Option<Balance>) -> Result<Reply, CallError> {
    Ok(Reply::Settled(Settled {
        receipts,
        replayed: true,
        current,
    }))
}

#[test]
fn an_answer_has_our_ids_under_theirs_and_the_balance_of_now() {
    let account = account(&[]);
    let request = body(json!([bet(1), win(1)])).to_string();
    let call = parse_as(&account, "play", &request).unwrap();
    let receipts = vec![receipt(Kind::Bet, 1), receipt(Kind::Win, 2)];
    let outcome = settled(receipts, Some(balance(12_349_999)));
    let (response, told) = render(&account, Some(&call), None, outcome);
    assert_eq!(response.status, 200);
    let id = |number| transaction(number).to_string();
    let at = "2025-11-24T10:00:00.123000Z";
    assert_eq!(
        told,
        json!({
            "balance": 1_235, "game_id": "r-1",
            "transactions": [
                { "action_id": "b-1", "tx_id": id(1), "processed_at": at },
                { "action_id": "w-1", "tx_id": id(2), "processed_at": at },
            ],
        })
    );
}

#[test]
fn a_rollback_of_nothing_has_an_empty_id() {
    let account = account(&[]);
    let actions = json!([
        { "action": "rollback", "action_id": "r-1", "original_action_id": "b-1" },
        { "action": "rollback", "action_id": "r-2", "original_action_id": "w-1" },
    ]);
    let call = parse_as(&account, "rollback", &body(actions).to_string()).unwrap();
    let nothing = Receipt {
        tombstone: true,
        currency: None,
        balance: None,
        ..receipt(Kind::Rollback, 1)
    };
    let receipts = vec![nothing.clone(), receipt(Kind::Rollback, 2)];
    let outcome = settled(receipts, None);
    let (_, told) = render(&account, Some(&call), Some(balance(0)), outcome);
    assert_eq!(told["balance"], 0);
    assert_eq!(told["transactions"][0]["tx_id"], "");
    assert_eq!(told["transactions"][0]["action_id"], "r-1");
    assert_eq!(told["transactions"][1]["tx_id"], transaction(2).to_string());
    // Whatever happened may have happened, and nobody knows the balance.
    let (response, told) = render(&account, Some(&call), None, settled(vec![nothing], None));
    assert_eq!((response.status, &told["code"]), (500, &json!(504)));
}

#[test]
fn an_id_without_a_time_has_that_of_the_answer() {
    let account = account(&[]);
    let call = parse_as(&account, "play", &body(json!([bet(1)])).to_string()).unwrap();
    let receipt = Receipt {
        transaction: TransactionId(Uuid::from_u128(7)),
        ..receipt(Kind::Bet, 1)
    };
    let outcome = settled(vec![receipt], Some(balance(0)));
    let (_, told) = render(&account, Some(&call), None, outcome);
    assert_eq!(
        told["transactions"][0]["processed_at"],
        "2025-10-09T08:53:20.000007Z"
    );
}

#[test]
fn balances_free_spins_and_ends_of_rounds_are_answered_with_the_balance_alone() {
    let account = account(&[]);
    let told = |action: &str, body: &Value, outcome| {
        let call = parse_as(&account, action, &body.to_string()).unwrap();
        let (response, told) = render(&account, Some(&call), Some(balance(0)), outcome);
        assert_eq!(response.status, 200);
        told
    };
    let now = balance(20_000_000);
    let alone = json!({ "balance": 2_000 });
    let asks = body(Value::Null);
    let mut open = asks.clone();
    open["finished"] = json!(false);
    assert_eq!(told("play", &open, Ok(Reply::Balance(now))), alone);
    let paid = settled(vec![receipt(Kind::Win, 1)], Some(now));
    assert_eq!(told("freespins", &spins("played"), paid), alone);
    let closed = settled(vec![receipt(Kind::CloseRound, 1)], Some(now));
    assert_eq!(told("play", &asks, closed), alone);
    // A round that nobody has bet in is as good as closed.
    let unknown = Refusal::new(RefusalCode::UnknownBet, "no round");
    assert_eq!(
        told("play", &asks, Err(unknown.clone().into())),
        json!({ "balance": 0 })
    );
    let call = parse_as(&account, "play", &body(json!([win(1)])).to_string()).unwrap();
    let (response, _) = render(&account, Some(&call), None, Err(unknown.into()));
    assert_eq!(response.status, 412);
}

fn errors() -> Vec<(CallError, u16, u16)> {
    let mut errors: Vec<(CallError, u16, u16)> = RefusalCode::ALL
        .iter()
        .map(|code| {
            let told = match code.as_str() {
                "insufficient_funds" => 100,
                "unknown_player" | "session_invalid" | "session_expired" | "session_limit" => 101,
                "loss_limit" => 105,
                "bet_limit" => 106,
                "game_disabled" => 107,
                "player_blocked" => 110,
                "country_refused" => 153,
                "currency_mismatch" => 154,
                "transaction_mismatch" => 155,
                "unknown_bet" => 404,
                "unknown_game" => 405,
                "rolled_back" | "already_settled" | "round_closed" | "malformed" => 400,
                new => panic!("what is {new} told as?"),
            };
            (CallError::Refused(Refusal::new(*code, "why")), 412, told)
        })
        .collect();
    let address = "192.0.2.1".to_owned();
    errors.extend([
        (SignatureError::Mismatch.into(), 403, 403),
        (CallError::ProviderClosed, 403, 403),
        (CallError::AddressRefused { address }, 403, 403),
        (CallError::UnknownProvider, 412, 404),
        (ParseError::UnknownAction.into(), 412, 404),
        (ParseError::Method { allowed: "POST" }.into(), 412, 400),
        (ParseError::Malformed("x".to_owned()).into(), 412, 400),
        (ParseError::UnknownCurrency("x".to_owned()).into(), 412, 154),
        (CallError::BodyTooLarge { limit_bytes: 1 }, 412, 400),
        (CallError::BodyTooSlow { limit_ms: 1 }, 500, 504),
        (CallError::Retry { retry_after_s: 1 }, 500, 504),
        (CallError::Busy { retry_after_s: 1 }, 500, 503),
        (CallError::Internal, 500, 500),
    ]);
    errors
}

#[test]
fn every_error_has_its_code_and_only_what_is_in_doubt_is_a_500() {
    let account = account(&[]);
    for (error, status, code) in errors() {
        let now = Some(balance(12_349_999));
        let (response, told) = render(&account, None, now, Err(error.clone()));
        assert_eq!(
            (response.status, &told["code"]),
            (status, &json!(code)),
            "{error:?}"
        );
        assert!(!told["message"].as_str().unwrap().is_empty());
        assert_eq!(told["balance"], 1_235);
        // A balance that is not known is not told.
        let (_, told) = render(&account, None, None, Err(error));
        assert!(told.get("balance").is_none());
    }
}

#[test]
fn an_account_may_have_403_as_412() {
    let account = account(&[("forbidden", "412")]);
    let (response, told) = render(&account, None, None, Err(SignatureError::Mismatch.into()));
    assert_eq!((response.status, &told["code"]), (412, &json!(403)));
}
