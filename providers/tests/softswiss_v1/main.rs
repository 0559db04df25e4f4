//! SoftSwiss version 1: its signatures, and what is known of its fields and answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod properties;
mod requests;
mod signatures;

use std::{collections::BTreeMap, sync::Arc};

use pitboss_providers::{
    Account, Call, Dialect, Found, Known, ParseError, RawRequest, Secret, Settings,
    softswiss_v1::SoftswissV1,
};
use pitboss_wallet::{
    Currency, Environment, GameId, GameStanding, PlayerId, ProviderId, SessionId, Timestamp,
};
use serde_json::{Value, json};

const SESSION: &str = "ses_0192f3a0c0de7000800000000000a11c";
const NOW: Timestamp = Timestamp::from_micros(1_760_000_000_000_007);

fn account(choices: &[(&str, &str)]) -> Account {
    let choices: BTreeMap<String, String> = choices
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Account {
        id: ProviderId::new("bgaming").unwrap(),
        policy: Arc::new(SoftswissV1.default_policy()),
        secrets: vec![Secret::new(*b"token of the tests")],
        settings: Settings::new(SoftswissV1.settings(), choices).unwrap(),
    }
}

fn request<'a>(
    action: &'a str,
    headers: &'a Vec<(String, String)>,
    body: &'a [u8],
) -> RawRequest<'a> {
    RawRequest {
        method: "POST",
        path: "/callbacks/sandbox/bgaming/play",
        action,
        query: "",
        headers,
        body,
        now: NOW,
        environment: Environment::Sandbox,
    }
}

static NO_HEADERS: Vec<(String, String)> = Vec::new();

fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn found() -> Found {
    Found {
        player: PlayerId::new("alice").unwrap(),
        currency: eur(),
        session: SessionId::parse(SESSION).ok(),
        game: None,
    }
}

fn parse_as(account: &Account, action: &str, body: &str) -> Result<Call, ParseError> {
    let game = |_: &GameId| GameStanding::ENABLED;
    let known = Known {
        game: &game,
        found: Some(found()),
    };
    SoftswissV1.parse(
        account,
        &request(action, &NO_HEADERS, body.as_bytes()),
        &known,
    )
}

fn bet(amount: i64) -> Value {
    json!({ "action": "bet", "amount": amount, "action_id": "b-1" })
}

fn win(amount: i64) -> Value {
    json!({ "action": "win", "amount": amount, "action_id": "w-1" })
}

fn body(actions: Value) -> Value {
    json!({
        "user_id": "alice", "currency": "EUR", "game": "acme:dice", "game_id": "r-1", "finished": true,
        "session_id": 5, "actions": actions, "unknown": {"a": [1e300]},
    })
}

fn spins(status: &str) -> Value {
    json!({ "issue_id": "alice/EUR/spring/1", "status": status, "total_amount": 1_250 })
}
