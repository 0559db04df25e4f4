//! Swipe Games: its published signatures, and what its documents say of fields and answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
#[path = "../casino/mod.rs"]
mod casino;
#[path = "../common/mod.rs"]
mod common;
mod requests;

use std::sync::Arc;

use common::{NOW_S, eur};
use pitboss_providers::{
    Account, Ask, Call, Dialect, Found, Known, ParseError, RawRequest, Secret, Settings,
    swipe::Swipe,
};
use pitboss_wallet::{
    Environment, GameId, GameStanding, PlayCommand, PlayerId, ProviderId, SessionId, Timestamp,
};
use serde_json::{Value, json};

pub const SESSION: &str = "ses_0192f3a0c0de7000800000000000a11c";

#[test]
fn every_case_of_the_provider_ends_as_his_documents_say() {
    let wrong = casino::play_all(&Swipe, &[]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub fn account() -> Account {
    Account {
        id: ProviderId::new("swipe").unwrap(),
        policy: Arc::new(Swipe.default_policy()),
        secrets: vec![Secret::new(*b"secret-key"), Secret::new(*b"old")],
        settings: Settings::new(Swipe.settings(), [].into()).unwrap(),
    }
}

pub fn request<'a>(
    action: &'a str,
    query: &'a str,
    headers: &'a Vec<(&'static str, String)>,
    body: &'a [u8],
) -> RawRequest<'a> {
    RawRequest {
        method: if action == "balance" { "GET" } else { "POST" },
        path: "/callbacks/live/swipe/x",
        action,
        query,
        headers,
        body,
        now: Timestamp::from_micros(NOW_S * 1_000_000),
        environment: Environment::Live,
    }
}

pub fn bet() -> Value {
    json!({
        "type": "regular", "sessionID": SESSION, "amount": "2.50", "txID": "tx-1", "roundID": "round-1",
        "unknown": {"a": [1e300]},
    })
}

pub fn found() -> Found {
    Found {
        player: PlayerId::new("alice").unwrap(),
        currency: eur(),
        session: SessionId::parse(SESSION).ok(),
        game: GameId::new("dice").ok(),
    }
}

pub fn parse_text(action: &str, body: &str, found: Option<Found>) -> Result<Call, ParseError> {
    let game = |id: &GameId| match id.as_str() {
        "dice" => GameStanding::ENABLED,
        _ => GameStanding::Unknown,
    };
    let known = Known { game: &game, found };
    let headers = Vec::new();
    let raw = request(action, "", &headers, body.as_bytes());
    Swipe.parse(&account(), &raw, &known)
}

pub fn parse(action: &str, body: &Value) -> Result<Call, ParseError> {
    parse_text(action, &body.to_string(), Some(found()))
}

pub fn play(action: &str, body: &Value) -> PlayCommand {
    let call = parse(action, body).unwrap();
    assert_eq!(call.wallet(), Some((&found().player, eur())));
    match call.ask {
        Ask::Play { play, .. } => play.command,
        other => panic!("{other:?}"),
    }
}
