//! Operator keys, made on the command line or by the sandbox.

use pitboss_actors::ports::{Clock, Ids};
use pitboss_schema::{AuditAction, AuditActor, AuditNote, KeyMade, NewKey, Store, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    access::Scopes,
    seams::{SystemClock, SystemIds},
    tokens,
};

/// Characters of a key that may be shown to tell it from others.
const SHOWN_CHARS: usize = 12;

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Wrong(String),
}

/// The characters of a secret that may be shown.
#[must_use]
pub fn shown(secret: &str) -> String {
    secret.chars().take(SHOWN_CHARS).collect()
}

/// An entry of the audit log for what was done on the command line.
#[must_use]
pub fn note(action: AuditAction, subject: String, detail: Value) -> AuditNote {
    let uid = nix::unistd::getuid();
    AuditNote {
        id: SystemIds.uuid(),
        at: SystemClock.now(),
        action,
        actor: AuditActor {
            kind: "command_line",
            id: format!("uid {uid}"),
            person: None,
            address: None,
        },
        subject,
        detail,
    }
}

/// The name of a key in the audit log.
#[must_use]
pub fn subject(id: Uuid) -> String {
    format!("key/{id}")
}

/// What the audit log tells of a new key.
#[must_use]
pub fn told(key: &NewKey) -> Value {
    json!({
        "prefix": key.prefix,
        "name": key.name,
        "person": key.person,
        "scopes": key.scopes,
        "allowed_addresses": key.allowed,
        "rate": key.rate.map(|rate| json!({ "per_s": rate.per_s, "burst": rate.burst })),
        "expires_at": key.expires_at,
    })
}

/// A key for everything, from everywhere, for ever.
#[must_use]
pub fn unrestricted(secret: &str, name: &str, person: &str) -> NewKey {
    NewKey {
        id: SystemIds.uuid(),
        prefix: shown(secret),
        hash: tokens::hash(secret),
        name: name.to_owned(),
        person: person.to_owned(),
        issuers: Vec::new(),
        scopes: Scopes::ALL.names(),
        allowed: Vec::new(),
        rate: None,
        expires_at: None,
        created_at: SystemClock.now(),
    }
}

/// Keeps a key that was made on the command line.
///
/// # Errors
/// [`KeysError`]
pub async fn keep_operator_key(
    store: &Store,
    key: &NewKey,
    live_max: u32,
) -> Result<(), KeysError> {
    let note = note(AuditAction::KeyCreated, subject(key.id), told(key));
    match store.create_operator_key(key, live_max, &note).await? {
        KeyMade::Made => Ok(()),
        KeyMade::Refused => Err(KeysError::Wrong(format!(
            "there are {live_max} live keys already (keys.live_max): revoke one first"
        ))),
    }
}
