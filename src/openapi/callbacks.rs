//! The native callback protocol, as paths: what a game provider's server sends.

use pitboss_providers::{
    Code,
    native::{ACTIONS, Action},
};
use serde_json::{Map, Value, json};

use super::{reference_to, refusals, schemas::Schemas};

pub const TAG: &str = "callbacks";

/// What every action may be refused with before the wallet is asked.
const AT_THE_DOOR: &[Code] = &[
    Code::BadSignature,
    Code::UnknownProvider,
    Code::AddressRefused,
    Code::ProviderClosed,
    Code::BodyTooSlow,
    Code::BodyTooLarge,
    Code::Malformed,
    Code::Busy,
    Code::Retry,
    Code::Internal,
];

/// What the wallet may refuse.
fn refused(action: &str) -> &'static [Code] {
    match action {
        "authenticate" => &[
            Code::SessionExpired,
            Code::SessionInvalid,
            Code::PlayerBlocked,
        ],
        "balance" => &[Code::UnknownPlayer, Code::CurrencyMismatch],
        "bet" | "bet_win" => &[
            Code::InsufficientFunds,
            Code::SessionExpired,
            Code::SessionInvalid,
            Code::PlayerBlocked,
            Code::GameDisabled,
            Code::CountryRefused,
            Code::UnknownPlayer,
            Code::UnknownGame,
            Code::TransactionMismatch,
            Code::RolledBack,
            Code::RoundClosed,
            Code::BetLimit,
            Code::LossLimit,
            Code::CurrencyMismatch,
        ],
        "win" => &[
            Code::UnknownPlayer,
            Code::UnknownGame,
            Code::UnknownBet,
            Code::TransactionMismatch,
            Code::RolledBack,
            Code::AlreadySettled,
            Code::RoundClosed,
            Code::CurrencyMismatch,
        ],
        "rollback" => &[
            Code::UnknownPlayer,
            Code::TransactionMismatch,
            Code::AlreadySettled,
        ],
        _ => &[
            Code::UnknownPlayer,
            Code::UnknownGame,
            Code::UnknownBet,
            Code::TransactionMismatch,
        ],
    }
}

pub fn add(paths: &mut Map<String, Value>, schemas: &mut Schemas) {
    for action in ACTIONS {
        let path = format!("/callbacks/{{environment}}/{{provider}}/{}", action.name);
        paths.insert(path, json!({ "post": operation(action, schemas) }));
    }
}

fn operation(action: &Action, schemas: &mut Schemas) -> Value {
    let example: Value = serde_json::from_str(action.example).unwrap_or_default();
    let codes = [AT_THE_DOOR, refused(action.name)].concat();
    let codes: Vec<Code> = Code::ALL
        .iter()
        .copied()
        .filter(|code| codes.contains(code))
        .collect();
    let mut responses = json!({
        "200": {
            "description": "It is done; a repeat gets the same answer.",
            "headers": { "Request-Id": reference_to("headers", "Request-Id") },
            "content": { "application/json": { "schema": action.answer(schemas.writer()) } },
        },
    });
    if let Some(responses) = responses.as_object_mut() {
        responses.extend(refusals::answers(&codes));
    }
    json!({
        "operationId": format!("callback_{}", action.name),
        "tags": [TAG],
        "summary": action.summary,
        "description": "The manual is /docs/callbacks. Fields that are not listed are ignored; a body of any content type \
                        is read as JSON.",
        "security": [{ "callbackSignature": [] }],
        "parameters": [
            {
                "name": "environment",
                "in": "path",
                "required": true,
                "description": "The environment of the provider account.",
                "schema": { "type": "string", "enum": ["sandbox", "live"] },
                "example": "sandbox",
            },
            {
                "name": "provider",
                "in": "path",
                "required": true,
                "description": "The id of the provider account.",
                "schema": { "type": "string", "pattern": "^[A-Za-z0-9._:@-]{1,64}$" },
                "example": "demo",
            },
        ],
        "requestBody": {
            "required": true,
            "content": {
                "application/json": { "schema": action.request(schemas.reader()), "example": example },
            },
        },
        "responses": responses,
    })
}
