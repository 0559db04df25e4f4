//! Hub88: its published signatures, and what its documents say of fields and answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use pitboss_providers::{
    Account, Ask, Call, CallError, Context, Dialect, Found, Known, ParseError, RawRequest, Secret,
    Settings, SignatureError, hub88::Hub88,
};
use pitboss_wallet::{
    Currency, Environment, GameStanding, PlayCommand, PlayerId, ProviderId, Refusal, RefusalCode,
    SessionId, Timestamp, WinKind,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const PUBLIC: &[u8] = include_bytes!("vectors/hub88-public.pem");
const SIGNATURES: &str = include_str!("vectors/hub88-signatures.csv");

fn account(choices: &[(&str, &str)]) -> Account {
    let choices: BTreeMap<String, String> = choices
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Account {
        id: ProviderId::new("hub").unwrap(),
        policy: Arc::new(Hub88.default_policy()),
        secrets: vec![Hub88.secret(PUBLIC.to_vec()).unwrap()],
        settings: Settings::new(Hub88.settings(), choices).unwrap(),
    }
}

fn request<'a>(
    action: &'a str,
    headers: &'a Vec<(&'static str, String)>,
    body: &'a [u8],
) -> RawRequest<'a> {
    RawRequest {
        method: "POST",
        path: "/callbacks/sandbox/hub/x",
        action,
        query: "",
        headers,
        body,
        now: Timestamp::from_micros(0),
        environment: Environment::Sandbox,
    }
}

fn verify(
    header: &'static str,
    signature: &str,
    body: &[u8],
    account: &Account,
) -> Result<(), SignatureError> {
    let headers = vec![(header, signature.to_owned())];
    Hub88
        .verify(account, &request("transaction/bet", &headers, body))
        .map(|_| ())
}

#[test]
fn the_published_signatures_are_good_and_no_others() {
    let account = account(&[]);
    let rows: Vec<_> = SIGNATURES
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .collect();
    assert!(rows.len() >= 3);
    for row in rows {
        let (body, signature) = row.rsplit_once(';').unwrap();
        assert_eq!(
            verify("X-Hub88-Signature", signature, body.as_bytes(), &account),
            Ok(())
        );
        let other = format!("{body} ");
        let told = verify("X-Hub88-Signature", signature, other.as_bytes(), &account);
        assert_eq!(told, Err(SignatureError::Mismatch));
        let mut bytes = STANDARD.decode(signature).unwrap();
        bytes[7] ^= 1;
        let told = verify(
            "X-Hub88-Signature",
            &STANDARD.encode(bytes),
            body.as_bytes(),
            &account,
        );
        assert_eq!(told, Err(SignatureError::Mismatch));
        assert!(verify("X-Signature", signature, body.as_bytes(), &account).is_err());
    }
}

#[test]
fn the_relatives_have_a_header_and_paths_of_their_own() {
    let caleta = account(&[("header", "X-Auth-Signature"), ("paths", "wallet")]);
    let (body, signature) = SIGNATURES.lines().nth(1).unwrap().rsplit_once(';').unwrap();
    assert_eq!(
        verify("x-auth-signature", signature, body.as_bytes(), &caleta),
        Ok(())
    );
    let bet = bet().to_string();
    assert!(parse(&caleta, "wallet/bet", &bet).is_ok());
    assert!(matches!(
        parse(&caleta, "transaction/bet", &bet),
        Err(ParseError::UnknownAction)
    ));
}

#[test]
fn signatures_that_are_none_are_told_apart() {
    let account = account(&[]);
    for wrong in ["", "%%%", "AAAA"] {
        assert!(
            verify("X-Hub88-Signature", wrong, b"test", &account).is_err(),
            "{wrong}"
        );
    }
    let keyless = Account {
        secrets: Vec::new(),
        ..account
    };
    let (body, signature) = SIGNATURES.lines().nth(1).unwrap().rsplit_once(';').unwrap();
    assert!(verify("X-Hub88-Signature", signature, body.as_bytes(), &keyless).is_err());
    // A key is read when it is given, and never by a request: its bytes alone verify nothing.
    let unread = Account {
        secrets: vec![Secret::new(PUBLIC)],
        ..keyless
    };
    let told = verify("X-Hub88-Signature", signature, body.as_bytes(), &unread);
    assert_eq!(told, Err(SignatureError::Mismatch));
    assert!(
        Hub88
            .secret(b"no key".to_vec())
            .unwrap_err()
            .contains("PEM")
    );
    assert!(Hub88.secret(b"\xff".to_vec()).is_err());
}

const SESSION: &str = "ses_0192f3a0c0de7000800000000000a11c";

fn parse(account: &Account, action: &str, body: &str) -> Result<Call, ParseError> {
    let game = |_: &pitboss_wallet::GameId| GameStanding::ENABLED;
    let found = Some(Found {
        player: PlayerId::new("alice").unwrap(),
        currency: Currency::from_code("EUR").unwrap(),
        session: SessionId::parse(SESSION).ok(),
        game: None,
    });
    let headers = Vec::new();
    Hub88.parse(
        account,
        &request(action, &headers, body.as_bytes()),
        &Known { game: &game, found },
    )
}

fn bet() -> Value {
    json!({
        "user": "alice", "token": "t", "request_uuid": "r-1", "transaction_uuid": "b-1", "round": "1",
        "round_closed": false, "game_code": "dice", "currency": "EUR", "amount": 356_000, "is_free": false,
        "reward_uuid": null, "unknown": {"a": [1e300]},
    })
}

fn play(action: &str, body: &Value) -> PlayCommand {
    match parse(&account(&[]), action, &body.to_string()).unwrap().ask {
        Ask::Play { player, play } => {
            assert_eq!(player.as_str(), "alice");
            play.command
        }
        other => panic!("{other:?}"),
    }
}

fn with(field: &str, value: Value) -> Value {
    let mut body = bet();
    body[field] = value;
    body
}

#[test]
fn an_amount_is_in_hundred_thousandths() {
    let PlayCommand::Bet(bet) = play("transaction/bet", &bet()) else {
        panic!()
    };
    assert_eq!(bet.amount.units, 3_560_000);
    assert_eq!(Ok(bet.session), SessionId::parse(SESSION));
    for wrong in [
        "-1",
        "1.5",
        "1e3",
        "\"356000\"",
        "99999999999999999999",
        "null",
    ] {
        let body = with("amount", serde_json::from_str(wrong).unwrap_or(Value::Null)).to_string();
        let body = if wrong == "99999999999999999999" {
            body.replace("\"amount\":1e20", "\"amount\":99999999999999999999")
        } else {
            body
        };
        assert!(
            parse(&account(&[]), "transaction/bet", &body).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn a_free_bet_costs_nothing_and_a_promotion_needs_no_bet() {
    let mut free = with("is_free", json!(true));
    free["reward_uuid"] = json!("gift");
    let PlayCommand::Bet(bet) = play("transaction/bet", &free) else {
        panic!()
    };
    assert_eq!(
        (bet.amount.units, bet.free_round.unwrap().as_str()),
        (0, "gift")
    );
    let mut promo = with("is_supplier_promo", json!(true));
    promo.as_object_mut().unwrap().remove("round");
    let PlayCommand::Win(win) = play("transaction/win", &promo) else {
        panic!()
    };
    assert_eq!((win.kind, win.bet), (WinKind::Promo, None));
    let without = parse(&account(&[]), "transaction/win", &bet_json());
    assert!(
        without
            .unwrap_err()
            .to_string()
            .contains("reference_transaction_uuid")
    );
}

fn bet_json() -> String {
    bet().to_string()
}

#[test]
fn every_refusal_is_200_with_a_status_and_the_request_s_own_id() {
    let account = account(&[]);
    let body = bet_json();
    let headers = Vec::new();
    let raw = request("transaction/bet", &headers, body.as_bytes());
    let mut errors: Vec<CallError> = RefusalCode::ALL
        .iter()
        .map(|code| CallError::Refused(Refusal::new(*code, "why")))
        .collect();
    errors.extend([
        CallError::BadSignature(SignatureError::Mismatch),
        CallError::Parse(ParseError::UnknownAction),
        CallError::Busy { retry_after_s: 1 },
        CallError::Retry { retry_after_s: 1 },
        CallError::BodyTooLarge { limit_bytes: 1 },
        CallError::BodyTooSlow { limit_ms: 1 },
        CallError::Internal,
    ]);
    for error in errors {
        let context = Context {
            request: &raw,
            account: Some(&account),
            call: None,
            balance: None,
        };
        let response = Hub88.render(&context, &Err(error.clone()));
        assert_eq!(response.status, 200, "{error:?}");
        let told: Value = serde_json::from_slice(&response.body).unwrap();
        assert!(
            told["status"].as_str().unwrap().starts_with("RS_ERROR_"),
            "{error:?}"
        );
        assert_eq!(told["request_uuid"], "r-1", "{error:?}");
        // What may have happened must be asked for again, never be told as a failure (T10).
        let in_doubt = matches!(error, CallError::Retry { .. } | CallError::Busy { .. });
        assert_eq!(
            told["status"] == "RS_ERROR_TIMEOUT",
            in_doubt || matches!(error, CallError::BodyTooSlow { .. })
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_call_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300), action in "[a-z/]{0,20}") {
        let account = account(&[]);
        let headers = vec![("X-Hub88-Signature", String::from_utf8_lossy(&bytes).into_owned())];
        let raw = request(&action, &headers, &bytes);
        let _ = Hub88.verify(&account, &raw);
        let _ = Hub88.lookup(&account, &raw);
        let _ = parse(&account, "transaction/bet", &String::from_utf8_lossy(&bytes));
        let context = Context { request: &raw, account: Some(&account), call: None, balance: None };
        prop_assert_eq!(Hub88.render(&context, &Err(CallError::Internal)).status, 200);
    }
}
