//! From an outcome to a body.

use pitboss_providers::{
    Answer, Call, CallError, Context, Dialect, ParseError, SignatureError, slotegrator::Slotegrator,
};
use pitboss_wallet::{Balance, Kind, PlayerId, Refusal, RefusalCode, Reply, Settled};
use serde_json::{Value, json};

use super::{
    account,
    common::{eur, receipt},
    raw_request,
    request::parse,
};

fn render(call: Option<&Call>, now: Option<Balance>, outcome: Result<Reply, CallError>) -> Value {
    let account = account(&[], &[]);
    let raw = raw_request(b"\xff");
    let context = Context {
        request: &raw,
        account: Some(&account),
        call,
        balance: now,
    };
    let player = PlayerId::new("alice").unwrap();
    let outcome = outcome.map(|reply| Answer::from((player, reply)));
    let response = Slotegrator.render(&context, &outcome);
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
    let told = render(None, None, one(true, Some(balance(1_239_999, 1_000_000))));
    let id = "tx_00000000000000000000000000000001";
    assert_eq!(told, json!({"balance": 2.2399, "transaction_id": id}));
    assert_eq!(
        render(None, Some(balance(5, 0)), one(true, None))["balance"],
        json!(0.0)
    );
    let large = render(None, None, one(false, Some(balance(i64::MAX, 0))));
    assert_eq!(large["balance"].to_string(), "9223372036854.775");
    let told = render(None, None, Ok(Reply::Balance(balance(100, 0))));
    assert_eq!(told, json!({"balance": 0.0001}));
}

#[test]
fn a_rollback_tells_its_list_and_one_of_nothing_has_an_id_too() {
    let list = "rollback_transactions[0][action]=bet&rollback_transactions[0][transaction_id]=b&rollback_transactions[1][action]=win&rollback_transactions[1][transaction_id]=w";
    let call = parse(&format!(
        "action=rollback&player_id=alice&currency=EUR&{list}"
    ))
    .unwrap();
    let mut nothing = receipt(Kind::Rollback);
    (nothing.tombstone, nothing.balance, nothing.currency) = (true, None, None);
    let receipts = vec![nothing.clone(), nothing];
    let reply = Reply::Settled(Settled {
        receipts,
        replayed: false,
        current: None,
    });
    assert_eq!(
        render(Some(&call), Some(balance(1_000_000, 0)), Ok(reply)),
        json!({
            "balance": 1.0, "transaction_id": "tx_00000000000000000000000000000001", "rollback_transactions": ["b", "w"],
        })
    );
}

#[test]
fn every_error_is_200_and_only_the_lack_of_money_has_its_own_code() {
    let mut errors: Vec<CallError> = RefusalCode::ALL
        .iter()
        .map(|code| {
            CallError::Refused(Refusal::new(*code, "why").with_balance(Some(balance(1, 0))))
        })
        .collect();
    errors.extend([
        CallError::BadSignature(SignatureError::Mismatch),
        CallError::Parse(ParseError::UnknownAction),
        CallError::Parse(ParseError::Method { allowed: "POST" }),
        CallError::Parse(ParseError::Malformed(String::new())),
        CallError::Parse(ParseError::UnknownCurrency(String::new())),
        CallError::UnknownProvider,
        CallError::ProviderClosed,
        CallError::AddressRefused {
            address: String::new(),
        },
        CallError::BodyTooLarge { limit_bytes: 1 },
        CallError::BodyTooSlow { limit_ms: 1 },
        CallError::Busy { retry_after_s: 1 },
        CallError::Retry { retry_after_s: 1 },
        CallError::Internal,
    ]);
    for error in errors {
        let told = render(None, Some(balance(1, 0)), Err(error.clone()));
        let is_poor = matches!(&error, CallError::Refused(refusal) if refusal.code == RefusalCode::InsufficientFunds);
        let code = if is_poor {
            "INSUFFICIENT_FUNDS"
        } else {
            "INTERNAL_ERROR"
        };
        assert_eq!(told["error_code"], code, "{error:?}");
        assert!(!told["error_description"].as_str().unwrap().is_empty());
        assert!(told.get("balance").is_none(), "{error:?}");
    }
    // What may have happened is never told as done (T10).
    let nothing = Reply::Settled(Settled {
        receipts: Vec::new(),
        replayed: false,
        current: None,
    });
    let unshown = Reply::Settled(Settled {
        receipts: vec![pitboss_wallet::Receipt {
            balance: None,
            ..receipt(Kind::Bet)
        }],
        replayed: false,
        current: None,
    });
    for reply in [Reply::Done, Reply::Ended(1), nothing, unshown] {
        assert_eq!(
            render(None, None, Ok(reply))["error_code"],
            "INTERNAL_ERROR"
        );
    }
}
