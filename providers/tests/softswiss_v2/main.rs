//! SoftSwiss version 2: what its published documents say of signatures, fields and answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod properties;
mod requests;

use std::{collections::BTreeMap, sync::Arc};

use pitboss_providers::{
    Account, Ask, Call, Dialect, Found, Known, ParseError, RawRequest, Secret, Settings,
    softswiss_v2::SoftswissV2,
};
use pitboss_wallet::{
    Currency, Environment, GameId, GameStanding, PlayCommand, PlayerId, ProviderId, SessionId,
    Timestamp,
};
use serde_json::{Value, json};

const SESSION: &str = "ses_0192f3a0c0de7000800000000000a11c";

static NO_HEADERS: Vec<(String, String)> = Vec::new();

fn account(choices: &[(&str, &str)]) -> Account {
    let choices: BTreeMap<String, String> = choices
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Account {
        id: ProviderId::new("beexar").unwrap(),
        policy: Arc::new(SoftswissV2.default_policy()),
        secrets: vec![Secret::new(*b"conformance-secret-do-not-use-in-production")],
        settings: Settings::new(SoftswissV2.settings(), choices).unwrap(),
    }
}

fn request<'a>(
    action: &'a str,
    headers: &'a Vec<(String, String)>,
    body: &'a [u8],
) -> RawRequest<'a> {
    RawRequest {
        method: "POST",
        path: "/callbacks/sandbox/beexar/betwin",
        action,
        query: "",
        headers,
        body,
        now: Timestamp::from_micros(0),
        environment: Environment::Sandbox,
    }
}

fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn parse_as(account: &Account, action: &str, body: &str) -> Result<Call, ParseError> {
    let game = |_: &GameId| GameStanding::ENABLED;
    let known = Known {
        game: &game,
        found: Some(Found {
            player: PlayerId::new("alice").unwrap(),
            currency: eur(),
            session: SessionId::parse(SESSION).ok(),
            game: None,
        }),
    };
    SoftswissV2.parse(
        account,
        &request(action, &NO_HEADERS, body.as_bytes()),
        &known,
    )
}

fn parse(action: &str, body: &Value) -> Result<Call, ParseError> {
    parse_as(&account(&[]), action, &body.to_string())
}

fn command(action: &str, body: &Value) -> PlayCommand {
    let call = parse(action, body).unwrap();
    assert_eq!(call.currency, Some(eur()));
    match call.ask {
        Ask::Play { player, play } => {
            assert_eq!(player.as_str(), "alice");
            assert_eq!(play.origin.provider.as_str(), "beexar");
            play.command
        }
        other => panic!("{other:?}"),
    }
}

fn one(verb: &str, id: &str, amount: &str) -> Value {
    json!({ "type": verb, "id_provider": id, "amount": amount })
}

fn betwin(transactions: Value) -> Value {
    json!({
        "account_id": "alice", "currency": "EUR", "game_id": "dice", "round_id": "r-1", "finished": true,
        "session_id": 5, "transactions": transactions, "unknown": {"a": [1e300]},
    })
}

fn rollback() -> Value {
    let back = |id: &str, target: &str| json!({ "type": "rollback", "id_provider": id, "original_id_provider": target });
    json!({
        "account_id": "alice", "currency": "EUR", "round_id_provider": "r-1", "finished": true,
        "transactions": [back("k-1", "b-1"), back("k-2", "w-1")],
    })
}

fn finish() -> Value {
    json!({ "account_id": "alice", "currency": "EUR", "round_id": "r-1" })
}
