//! Operator keys and provider accounts, made on the command line or by the sandbox.

use pitboss_actors::ports::Ids;
use pitboss_providers::dialect;
use pitboss_schema::{ProviderRow, Store, StoreError};
use pitboss_wallet::{Environment, ProviderId, Timestamp};

use crate::{
    catalogue::secret_place,
    config::Config,
    seams::{SystemIds, random_bytes},
    tokens::{self, TokenKind},
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

/// Makes an operator key; the text is the only copy.
///
/// # Errors
/// [`KeysError`]
pub async fn create_operator_key(
    store: &Store,
    environment: Environment,
    name: &str,
) -> Result<String, KeysError> {
    let key = tokens::new_token(TokenKind::OperatorKey, environment)?;
    keep_operator_key(store, &key, name).await?;
    Ok(key)
}

/// Keeps the hash of a key.
///
/// # Errors
/// [`KeysError`]
pub async fn keep_operator_key(store: &Store, key: &str, name: &str) -> Result<(), KeysError> {
    let shown: String = key.chars().take(SHOWN_CHARS).collect();
    store
        .put_operator_key(SystemIds.uuid(), &shown, &tokens::hash(key), name)
        .await?;
    Ok(())
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
