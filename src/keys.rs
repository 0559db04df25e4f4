//! Operator keys and provider accounts, made on the command line or by the sandbox.

use pitboss_actors::ports::{Clock, Ids};
use pitboss_providers::dialect;
use pitboss_schema::{
    AuditAction, AuditActor, AuditNote, KeyMade, NewKey, ProviderRow, Store, StoreError,
};
use pitboss_wallet::{Environment, ProviderId, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    access::Scopes,
    catalogue::secret_place,
    config::Config,
    seams::{SystemClock, SystemIds, random_bytes},
    tokens,
    vault::{Vault, VaultError},
};

/// Characters of a key that may be shown to tell it from others.
const SHOWN_CHARS: usize = 12;

/// Why a key or an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Vault(#[from] VaultError),
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

/// A new callback secret: text, because that is what providers paste.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn new_secret() -> std::io::Result<String> {
    let bytes: [u8; 32] = random_bytes()?;
    Ok(format!("cs_{}", hex::encode(bytes)))
}

/// Makes a provider account; the secret is shown this once.
///
/// # Errors
/// [`KeysError::Wrong`] when there is one of this id, or no such dialect.
pub async fn create_provider(
    store: &Store,
    config: &Config,
    environment: Environment,
    id: &str,
    dialect_name: &str,
) -> Result<String, KeysError> {
    let wrong = |text: String| KeysError::Wrong(text);
    let id = ProviderId::new(id).map_err(|error| wrong(format!("--id: {error}")))?;
    if store.provider(&id).await?.is_some() {
        return Err(wrong(format!("{environment} has a provider {id} already")));
    }
    let secret = new_secret()?;
    let vault = Vault::new(&config.security.master_key)?;
    keep_provider(store, &vault, &id, dialect_name, &secret).await?;
    Ok(secret)
}

/// Keeps a provider account with one secret, sealed, and its dialect's default policy.
///
/// # Errors
/// [`KeysError`]
pub async fn keep_provider(
    store: &Store,
    vault: &Vault,
    id: &ProviderId,
    dialect_name: &str,
    secret: &str,
) -> Result<(), KeysError> {
    let dialect = dialect(dialect_name)
        .ok_or_else(|| KeysError::Wrong(format!("there is no dialect {dialect_name:?}")))?;
    let row = ProviderRow {
        id: id.clone(),
        dialect: dialect_name.to_owned(),
        name: id.as_str().to_owned(),
        policy: dialect.default_policy(),
        secrets: vec![vault.seal(&secret_place(id), secret.as_bytes())?],
        enabled: true,
        created_at: Timestamp::from_micros(0),
    };
    store.put_provider(&row).await?;
    Ok(())
}
