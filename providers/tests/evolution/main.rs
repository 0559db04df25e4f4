//! Evolution's One Wallet: what its documents say of the token, of fields and of answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
#[path = "../casino/mod.rs"]
mod casino;
#[path = "../common/mod.rs"]
mod common;
mod requests;

use std::{collections::BTreeMap, sync::Arc};

use common::{NOW_S, eur};
use pitboss_providers::{
    Account, Ask, Call, Dialect, Found, Known, ParseError, RawRequest, Secret, Settings,
    evolution::Evolution,
};
use pitboss_wallet::{
    Environment, GameStanding, PlayCommand, PlayerId, ProviderId, SessionId, Timestamp,
};
use serde_json::{Value, json};

pub const SESSION: &str = "ses_0192f3a0c0de7000800000000000a11c";
const NO_HEADERS: [(&str, &str); 0] = [];

#[test]
fn every_case_of_the_provider_ends_as_his_documents_say() {
    for choices in [&[][..], &[("game", "type")]] {
        let wrong = casino::play_all(&Evolution, choices);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

pub fn account(choices: &[(&str, &str)]) -> Account {
    let choices: BTreeMap<String, String> = choices
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Account {
        id: ProviderId::new("evo").unwrap(),
        policy: Arc::new(Evolution.default_policy()),
        secrets: vec![Secret::new(*b"s3cr+t of/now"), Secret::new(*b"old")],
        settings: Settings::new(Evolution.settings(), choices).unwrap(),
    }
}

pub fn request<'a>(action: &'a str, query: &'a str, body: &'a [u8]) -> RawRequest<'a> {
    RawRequest {
        method: "POST",
        path: "/callbacks/live/evo/x",
        action,
        query,
        headers: &NO_HEADERS,
        body,
        now: Timestamp::from_micros(NOW_S * 1_000_000),
        environment: Environment::Live,
    }
}

pub fn debit() -> Value {
    json!({
        "sid": SESSION, "userId": "alice", "currency": "EUR", "uuid": "u-1", "someFakeField": {"a": [1e300]},
        "game": {"id": "round-1", "type": "blackjack", "details": {"table": {"id": "dice", "vid": "v"}}},
        "transaction": {"id": "call-1", "refId": "bet-1", "amount": 1.556179},
    })
}

pub fn found(player: &str) -> Found {
    Found {
        player: PlayerId::new(player).unwrap(),
        currency: eur(),
        session: SessionId::parse(SESSION).ok(),
        game: None,
    }
}

pub fn parse_text(action: &str, body: &str, found: Option<Found>) -> Result<Call, ParseError> {
    let game = |id: &pitboss_wallet::GameId| match id.as_str() {
        "dice" => GameStanding::ENABLED,
        _ => GameStanding::Unknown,
    };
    let known = Known { game: &game, found };
    let raw = request(action, "", body.as_bytes());
    Evolution.parse(&account(&[]), &raw, &known)
}

pub fn parse(action: &str, body: &Value) -> Result<Call, ParseError> {
    parse_text(action, &body.to_string(), None)
}

pub fn play(action: &str, body: &Value) -> PlayCommand {
    let call = parse(action, body).unwrap();
    assert_eq!(call.wallet(), Some((&found("alice").player, eur())));
    match call.ask {
        Ask::Play { play, .. } => play.command,
        other => panic!("{other:?}"),
    }
}
