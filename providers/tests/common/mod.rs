//! What the tests of the dialects share.

#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use pitboss_providers::{
    Account, Ask, Call, Context, Dialect, Known, ParseError, RawRequest, Secret, Settings,
    SignatureError, native::Native,
};
use pitboss_wallet::{
    Balance, Currency, Environment, ExternalId, Funding, GameStanding, Kind, PlayCommand, Policy,
    ProviderId, Receipt, Reply, Settled, Timestamp, TransactionId,
};
use serde_json::{Value, json};

pub const NOW_S: i64 = 1_760_000_000;
pub const SECRET: &[u8] = b"the secret of the tests";

static NO_HEADERS: [(&str, &str); 0] = [];

pub fn account() -> Account {
    Account {
        id: ProviderId::new("demo").unwrap(),
        policy: Arc::new(Policy::default()),
        secrets: vec![Secret::new(SECRET)],
        settings: Settings::default(),
    }
}

pub fn request<'a>(action: &'a str, body: &'a [u8]) -> RawRequest<'a> {
    RawRequest {
        method: "POST",
        path: PATH,
        action,
        query: "",
        headers: &NO_HEADERS,
        body,
        now: Timestamp::from_micros(NOW_S * 1_000_000),
        environment: Environment::Sandbox,
    }
}

/// `dice` is enabled, `old` disabled, everything else unknown.
pub fn parse_bytes(action: &str, body: &[u8]) -> Result<Call, ParseError> {
    let game = |id: &pitboss_wallet::GameId| match id.as_str() {
        "dice" => GameStanding::ENABLED,
        "old" => GameStanding::DISABLED,
        _ => GameStanding::Unknown,
    };
    let known = Known {
        game: &game,
        found: None,
    };
    Native.parse(&account(), &request(action, body), &known)
}

pub fn parse(action: &str, body: &str) -> Result<Call, ParseError> {
    parse_bytes(action, body.as_bytes())
}

pub fn context<'a>(
    request: &'a RawRequest<'a>,
    account: &'a Account,
    call: Option<&'a Call>,
) -> Context<'a> {
    Context {
        request,
        account: Some(account),
        call,
        balance: None,
    }
}

pub fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

pub fn receipt(kind: Kind) -> Receipt {
    Receipt {
        transaction: TransactionId::parse("tx_00000000000000000000000000000001").unwrap(),
        kind,
        external_id: ExternalId::new("x-1").unwrap(),
        currency: Some(eur()),
        units: 1_500_000,
        funding: Funding {
            cash: 1_000_000,
            bonus: 500_000,
        },
        balance: Some(Balance {
            currency: eur(),
            cash: 7_403_604,
            bonus: 2_000_000,
        }),
        tombstone: false,
    }
}

pub fn settled(receipts: Vec<Receipt>, replayed: bool) -> Reply {
    Reply::Settled(Settled {
        receipts,
        replayed,
        current: Some(Balance {
            currency: eur(),
            cash: 1,
            bonus: 1,
        }),
    })
}

pub const PATH: &str = "/callbacks/sandbox/demo/bet";

pub const SESSION: &str = "ses_0192f3a0c0de7000800000000000a11c";

pub fn bet_body() -> Value {
    json!({
        "transaction_id": "b-1", "player": "alice", "session": SESSION, "game": "dice",
        "round": "r-1", "amount": "2.50", "currency": "EUR",
    })
}

pub fn bet_win_body() -> Value {
    json!({
        "player": "alice", "session": SESSION, "game": "dice", "round": "r-1", "currency": "EUR",
        "actions": [
            {"type": "bet", "transaction_id": "b-1", "amount": "1"},
            {"type": "win", "transaction_id": "b-1", "amount": "0.4"},
        ],
    })
}

pub fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

pub fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field).unwrap();
    body
}

pub fn play(action: &str, body: &Value) -> PlayCommand {
    match parse(action, &body.to_string()).unwrap().ask {
        Ask::Play { player, play } => {
            assert_eq!(player.as_str(), "alice");
            assert_eq!(play.origin.provider.as_str(), "demo");
            play.command
        }
        other => panic!("{other:?}"),
    }
}

pub fn verify(
    header: &str,
    path: &str,
    body: &[u8],
    secrets: &[&[u8]],
) -> Result<usize, SignatureError> {
    let mut account = account();
    account.secrets = secrets.iter().map(|secret| Secret::new(*secret)).collect();
    let headers = [("pitboss-signature", header)];
    let request = RawRequest {
        path,
        headers: &headers,
        ..request("bet", body)
    };
    Native.verify(&account, &request)
}
