//! What may be asked for of an account: the bodies of the REST API, which the command line fills in itself. Pure.

use std::collections::BTreeMap;

use pitboss_providers::{Dialect, Settings};
use pitboss_schema::{CallbackLogMode, ProviderSettings, ProviderStatus};
use pitboss_wallet::{PolicyChange, ProviderId};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Value};

use super::AccountError;

const NAME_CHARS_MAX: usize = 128;
/// A round that waits for longer than a year is not waiting.
const AUTO_CLOSE_MAX_S: u32 = 365 * 86_400;

/// An account to be made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// Its id, which is part of its callback URL.
    pub id: ProviderId,
    /// For people, 1 to 128 characters; the id, when it is not there.
    pub name: Option<String>,
    /// The wire format that the provider speaks, one of `GET /v1/dialects`.
    #[serde(default = "native")]
    pub dialect: String,
    /// Choices that differ from the dialect's defaults.
    #[serde(default, deserialize_with = "object_of_choices")]
    pub policy: PolicyChange,
    /// What the dialect lets an account choose besides, by name: see `GET /v1/dialects`.
    #[serde(default)]
    pub settings: ProviderSettings,
    /// The callback secret, where the provider gives it: a shared one of 8 to 255 characters, or his public key in
    /// PEM, as the dialect needs it. Never shown again. Without it a secret is made.
    #[schemars(with = "Option<String>")]
    pub secret: Option<SecretString>,
    /// Addresses and networks that callbacks may come from, such as `192.0.2.0/24`. None: anywhere.
    #[serde(default)]
    pub allowed_addresses: Vec<String>,
    /// Which callbacks are logged; null: what `callback_log` of the server's configuration says.
    #[serde(default)]
    pub callback_log: Option<CallbackLogMode>,
}

pub(super) fn native() -> String {
    "native".to_owned()
}

impl NewAccount {
    /// One that makes no choices.
    #[must_use]
    pub fn of(id: ProviderId) -> Self {
        Self {
            id,
            name: None,
            dialect: native(),
            policy: PolicyChange::default(),
            settings: ProviderSettings::new(),
            secret: None,
            allowed_addresses: Vec::new(),
            callback_log: None,
        }
    }
}

/// A change of an account; what is not there stays.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccountChange {
    /// For people, 1 to 128 characters.
    pub name: Option<String>,
    /// The choices to be changed.
    #[serde(deserialize_with = "object_of_choices")]
    pub policy: PolicyChange,
    /// The dialect's settings to be changed, by name; null: the dialect's default.
    pub settings: BTreeMap<String, Option<String>>,
    /// Addresses and networks that callbacks may come from; an empty list: anywhere.
    pub allowed_addresses: Option<Vec<String>>,
    /// An account is disabled before it is closed, and has no open round then.
    pub status: Option<ProviderStatus>,
    /// Which callbacks are logged; null: what `callback_log` of the server's configuration says.
    #[serde(deserialize_with = "there")]
    #[schemars(with = "Option<CallbackLogMode>")]
    pub callback_log: Option<Option<CallbackLogMode>>,
}

/// A value that is there, also `null`.
fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Choices by name: a list of the right values would pass for an object with serde.
fn object_of_choices<'de, D: Deserializer<'de>>(value: D) -> Result<PolicyChange, D::Error> {
    choices(Map::deserialize(value)?).map_err(D::Error::custom)
}

/// Reads choices, and complains with the name of the one that is wrong.
pub(super) fn choices(named: Map<String, Value>) -> Result<PolicyChange, String> {
    serde_path_to_error::deserialize(Value::Object(named)).map_err(|error| {
        let name = error.path().to_string();
        let text = error.into_inner().to_string();
        // Of an unknown name the text tells by itself.
        if name == "." || text.starts_with("unknown field") {
            text
        } else {
            format!("{name}: {text}")
        }
    })
}

/// What an account chooses, as a change wants it.
pub(super) fn changed_settings(
    dialect: &dyn Dialect,
    chosen: &ProviderSettings,
    change: &BTreeMap<String, Option<String>>,
) -> Result<ProviderSettings, AccountError> {
    let mut settings = chosen.clone();
    for (name, value) in change {
        match value {
            Some(value) => drop(settings.insert(name.clone(), value.clone())),
            // One that there is not is named below: it stays.
            None if dialect.settings().iter().all(|known| known.name != name) => {
                settings.insert(name.clone(), String::new());
            }
            None => drop(settings.remove(name)),
        }
    }
    check_settings(dialect, &settings)?;
    Ok(settings)
}

/// # Errors
/// Names each that is wrong.
pub(super) fn check_settings(
    dialect: &dyn Dialect,
    settings: &ProviderSettings,
) -> Result<(), AccountError> {
    Settings::new(dialect.settings(), settings.clone())
        .map(drop)
        .map_err(|error| AccountError::Wrong(format!("settings: {error}")))
}

pub(super) fn check_name(name: &str) -> Result<(), AccountError> {
    let chars = name.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        let text =
            format!("name: must be 1 to {NAME_CHARS_MAX} characters, without control characters");
        return Err(AccountError::Wrong(text));
    }
    Ok(())
}

pub(super) fn check_policy(policy: &PolicyChange) -> Result<(), AccountError> {
    match policy.auto_close_after_s {
        Some(Some(after_s)) if !(1..=AUTO_CLOSE_MAX_S).contains(&after_s) => {
            let text =
                format!("policy.auto_close_after_s: must be null, or from 1 to {AUTO_CLOSE_MAX_S}");
            Err(AccountError::Wrong(text))
        }
        _ => Ok(()),
    }
}
