//! Keys and tokens: random, shown once, kept as hashes. The prefix names kind and environment.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pitboss_wallet::Environment;
use sha2::{Digest, Sha256};

use crate::seams::random_bytes;

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The operator's REST API.
    OperatorKey,
    /// One player's stream.
    PlayerToken,
    /// One launch of a game, once.
    LaunchToken,
}

impl TokenKind {
    const ALL: [Self; 3] = [Self::OperatorKey, Self::PlayerToken, Self::LaunchToken];

    const fn prefix(self, environment: Environment) -> &'static str {
        match (self, environment) {
            (Self::OperatorKey, Environment::Sandbox) => "sk_test_",
            (Self::OperatorKey, Environment::Live) => "sk_live_",
            (Self::PlayerToken, Environment::Sandbox) => "pst_test_",
            (Self::PlayerToken, Environment::Live) => "pst_live_",
            (Self::LaunchToken, Environment::Sandbox) => "lt_test_",
            (Self::LaunchToken, Environment::Live) => "lt_live_",
        }
    }
}

/// A token: its prefix and 256 random bits.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn new_token(kind: TokenKind, environment: Environment) -> std::io::Result<String> {
    let bytes: [u8; 32] = random_bytes()?;
    Ok(format!(
        "{}{}",
        kind.prefix(environment),
        URL_SAFE_NO_PAD.encode(bytes)
    ))
}

/// The SHA-256 by which a token is kept and found.
#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Kind and environment of a text that looks like a token.
#[must_use]
pub fn classify(token: &str) -> Option<(TokenKind, Environment)> {
    let pairs = TokenKind::ALL
        .into_iter()
        .flat_map(|kind| Environment::ALL.map(|environment| (kind, environment)));
    pairs.into_iter().find(|(kind, environment)| {
        token
            .strip_prefix(kind.prefix(*environment))
            .is_some_and(|random| random.len() == 43)
    })
}

/// What every kind of token begins with.
pub fn prefixes() -> impl Iterator<Item = &'static str> {
    TokenKind::ALL
        .into_iter()
        .flat_map(|kind| Environment::ALL.map(|environment| kind.prefix(environment)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_kind_and_environment_and_no_two_are_alike() {
        for kind in TokenKind::ALL {
            for environment in Environment::ALL {
                let token = new_token(kind, environment).unwrap();
                assert_eq!(classify(&token), Some((kind, environment)), "{token}");
                assert_ne!(token, new_token(kind, environment).unwrap());
            }
        }
        for text in ["", "sk_test_", "sk_prod_aaaa", "pst_test_short"] {
            assert_eq!(classify(text), None, "{text}");
        }
    }
}
