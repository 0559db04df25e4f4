//! Operator keys, made on the command line or by the sandbox.

use pitboss_actors::ports::Ids;
use pitboss_schema::{Store, StoreError};
use pitboss_wallet::Environment;

use crate::{
    seams::SystemIds,
    tokens::{self, TokenKind},
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
