//! From outcomes to bodies.

use pitboss_providers::{
    Account, Answer, Call, CallError, Context, Dialect, ParseError, Response, SignatureError,
    softswiss_v2::SoftswissV2,
};
use pitboss_wallet::{
    Balance, ExternalId, Funding, Kind, PlayerId, Receipt, Refusal, RefusalCode, Reply, Settled,
    TransactionId,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{NO_HEADERS, account, betwin, eur, finish, one, parse, request, rollback};

fn balance(cash: i64, bonus: i64) -> Balance {
    Balance {
        currency: eur(),
        cash,
        bonus,
    }
}

fn id(number: u128) -> TransactionId {
    TransactionId(Uuid::from_u128(number))
}

fn receipt(kind: Kind, number: u128, then: Option<Balance>) -> Receipt {
    Receipt {
        transaction: id(number),
        kind,
        external_id: ExternalId::new("stored").unwrap(),
        currency: Some(eur()),
        units: 1,
        funding: Funding {
            cash: 0,
            bonus: 250_000,
        },
        balance: then,
        tombstone: false,
    }
}

pub fn render(
    account: &Account,
    call: Option<&Call>,
    balance: Option<Balance>,
    outcome: Result<Reply, CallError>,
) -> (Response, Value) {
    let raw = request("betwin", &NO_HEADERS, b"{}");
    let context = Context {
        request: &raw,
        account: Some(account),
        call,
        balance,
    };
    let player = PlayerId::new("alice").unwrap();
    let outcome = outcome.map(|reply| Answer::from((player, reply)));
    let response = SoftswissV2.render(&context, &outcome);
    assert_eq!(response.content_type, "application/json");
    let told = serde_json::from_slice(&response.body).unwrap();
    (response, told)
}

fn settled(
    receipts: Vec<Receipt>,
    replayed: bool,
    current: Option<Balance>,
) -> Result<Reply, CallError> {
    Ok(Reply::Settled(Settled {
        receipts,
        replayed,
        current,
    }))
}

#[test]
fn an_answer_has_our_ids_and_a_repeat_the_balance_of_then() {
    let body = betwin(json!([one("bet", "b-1", "1"), one("win", "w-1", "1")]));
    let call = parse("betwin", &body).unwrap();
    let receipts = || {
        vec![
            receipt(Kind::Bet, 1, Some(balance(80_000_000, 0))),
            receipt(Kind::Win, 2, Some(balance(90_000_000, 500_000))),
        ]
    };
    let told = |replayed| {
        let outcome = settled(receipts(), replayed, Some(balance(7_000_000, 1)));
        let (response, told) = render(&account(&[]), Some(&call), None, outcome);
        assert_eq!(response.status, 200);
        told
    };
    let with = |shown: &str| {
        json!({
            "round_id": "r-1", "balance": shown,
            "transactions": [
                { "id_provider": "b-1", "id": id(1).to_string(), "bonus_amount": "0.25" },
                { "id_provider": "w-1", "id": id(2).to_string(), "bonus_amount": "0.25" },
            ],
        })
    };
    assert_eq!(told(true), with("90.50"));
    assert_eq!(told(false), with("7.000001"));
}

#[test]
fn a_rollback_of_nothing_has_an_empty_id() {
    let call = parse("rollback", &rollback()).unwrap();
    let nothing = Receipt {
        tombstone: true,
        currency: None,
        ..receipt(Kind::Rollback, 1, None)
    };
    let back = receipt(Kind::Rollback, 2, Some(balance(1_000_000, 0)));
    let outcome = settled(
        vec![nothing.clone(), back],
        true,
        Some(balance(5_000_000, 0)),
    );
    let (_, told) = render(&account(&[]), Some(&call), None, outcome);
    assert_eq!(
        told,
        json!({
            "round_id": "r-1", "balance": "1.00",
            "transactions": [
                { "id_provider": "k-1", "id": "" },
                { "id_provider": "k-2", "id": id(2).to_string() },
            ],
        })
    );
    let alone = || settled(vec![nothing.clone()], false, None);
    let (_, told) = render(&account(&[]), Some(&call), Some(balance(0, 0)), alone());
    assert_eq!(told["balance"], "0.00");
    // Whatever happened may have happened, and nobody knows the balance.
    let (response, told) = render(&account(&[]), Some(&call), None, alone());
    assert_eq!(
        (response.status, &told["meta"]["api_code"]),
        (500, &json!("504"))
    );
}

#[test]
fn the_end_of_a_round_tells_the_balance_of_now() {
    let call = parse("finish", &finish()).unwrap();
    let then = receipt(Kind::CloseRound, 1, Some(balance(1, 0)));
    let outcome = settled(vec![then], true, Some(balance(90_000_000, 0)));
    let (_, told) = render(&account(&[]), Some(&call), None, outcome);
    assert_eq!(told, json!({ "balance": "90.00" }));
    let unknown = || Err(Refusal::new(RefusalCode::UnknownBet, "no round").into());
    let (response, told) = render(&account(&[]), Some(&call), Some(balance(0, 0)), unknown());
    assert_eq!((response.status, told), (200, json!({ "balance": "0.00" })));
    let win = parse("betwin", &betwin(json!([one("win", "w-1", "1")]))).unwrap();
    let (response, _) = render(&account(&[]), Some(&win), Some(balance(0, 0)), unknown());
    assert_eq!(response.status, 400);
}

fn errors() -> Vec<(CallError, u16, &'static str)> {
    let mut errors: Vec<(CallError, u16, &'static str)> = RefusalCode::ALL
        .iter()
        .map(|code| {
            let told = match code.as_str() {
                "insufficient_funds" => "100",
                "unknown_player" | "session_invalid" | "session_expired" | "session_limit" => "101",
                "loss_limit" => "105",
                "bet_limit" => "106",
                "game_disabled" => "107",
                "player_blocked" => "110",
                "country_refused" => "153",
                "currency_mismatch" => "154",
                "transaction_mismatch" => "155",
                "unknown_bet" => "404",
                "unknown_game" => "405",
                "rolled_back" => "409",
                "already_settled" | "round_closed" | "malformed" => "400",
                new => panic!("what is {new} told as?"),
            };
            (CallError::Refused(Refusal::new(*code, "why")), 400, told)
        })
        .collect();
    let address = "192.0.2.1".to_owned();
    errors.extend([
        (SignatureError::Mismatch.into(), 400, "403"),
        (CallError::AddressRefused { address }, 400, "403"),
        (CallError::ProviderClosed, 400, "410"),
        (CallError::UnknownProvider, 400, "404"),
        (ParseError::UnknownAction.into(), 400, "404"),
        (ParseError::Method { allowed: "POST" }.into(), 400, "400"),
        (ParseError::Malformed("x".to_owned()).into(), 400, "400"),
        (
            ParseError::UnknownCurrency("x".to_owned()).into(),
            400,
            "154",
        ),
        (CallError::BodyTooLarge { limit_bytes: 1 }, 400, "400"),
        (CallError::BodyTooSlow { limit_ms: 1 }, 500, "504"),
        (CallError::Retry { retry_after_s: 1 }, 500, "504"),
        (CallError::Busy { retry_after_s: 1 }, 500, "503"),
        (CallError::Internal, 500, "500"),
    ]);
    errors
}

#[test]
fn every_error_has_its_code_and_only_what_is_in_doubt_is_a_500() {
    for (error, status, code) in errors() {
        let now = Some(balance(12_340_000, 0));
        let (response, told) = render(&account(&[]), None, now, Err(error.clone()));
        let class = if status == 500 {
            "internal"
        } else {
            "invalid_argument"
        };
        assert_eq!(
            (response.status, &told["code"]),
            (status, &json!(class)),
            "{error:?}"
        );
        assert_eq!(told["meta"]["api_code"], code, "{error:?}");
        assert_eq!(told["meta"]["balance"], "12.34");
        assert_eq!(told["meta"]["api_message"], told["msg"]);
        assert!(!told["msg"].as_str().unwrap().is_empty());
    }
}

#[test]
fn a_shortage_or_a_limit_is_never_told_without_the_balance() {
    for (error, status, code) in errors() {
        let (response, told) = render(&account(&[]), None, None, Err(error));
        assert!(told["meta"].get("balance").is_none());
        let expected = match code {
            "100" | "105" | "106" => (500, "503"),
            _ => (status, code),
        };
        assert_eq!(
            (response.status, told["meta"]["api_code"].as_str().unwrap()),
            expected
        );
        let wanted = RefusalCode::ALL
            .iter()
            .filter(|code| SoftswissV2.wants_balance(**code));
        assert_eq!(wanted.count(), 4);
    }
}
