//! Callback secrets: made here, or given by the provider. A given one is never shown again.

use pitboss_providers::Dialect;
use secrecy::{ExposeSecret, SecretString};

use super::AccountError;
use crate::seams::random_bytes;

/// What callback secrets begin with that are made here.
pub const SECRET_PREFIX: &str = "cs_";
/// A shared secret that is shorter can be tried out.
const GIVEN_CHARS_MIN: usize = 8;
const GIVEN_CHARS_MAX: usize = 255;

/// A new callback secret: text, because that is what providers paste.
///
/// # Errors
/// The operating system gives no random bytes.
pub fn new_secret() -> std::io::Result<String> {
    let bytes: [u8; 32] = random_bytes()?;
    Ok(format!("{SECRET_PREFIX}{}", hex::encode(bytes)))
}

/// The secret that an account gets.
pub(super) enum Chosen {
    Given(SecretString),
    /// Of which this is the only copy.
    Made(String),
}

impl Chosen {
    /// # Errors
    /// The given one is none of this dialect, or there has to be one.
    pub fn new(dialect: &dyn Dialect, given: Option<SecretString>) -> Result<Self, AccountError> {
        let wrong = |why: String| AccountError::Wrong(format!("secret: {why}"));
        let Some(secret) = given else {
            if dialect.key_is_given() {
                let why = "must be the key that the provider gives for this dialect";
                return Err(wrong(why.to_owned()));
            }
            return Ok(Self::Made(new_secret()?));
        };
        let text = secret.expose_secret();
        if !dialect.key_is_given() {
            check_shared(text).map_err(wrong)?;
        }
        dialect.secret(text.as_bytes().to_vec()).map_err(wrong)?;
        Ok(Self::Given(secret))
    }

    pub fn text(&self) -> &str {
        match self {
            Self::Given(secret) => secret.expose_secret(),
            Self::Made(secret) => secret,
        }
    }

    /// What is to be shown, once.
    pub fn shown(self) -> Option<String> {
        match self {
            Self::Given(_) => None,
            Self::Made(secret) => Some(secret),
        }
    }
}

/// Blanks around a secret were copied with it by mistake, and no request would ever verify.
fn check_shared(text: &str) -> Result<(), String> {
    let is_text = text.trim() == text && !text.chars().any(char::is_control);
    if is_text && (GIVEN_CHARS_MIN..=GIVEN_CHARS_MAX).contains(&text.chars().count()) {
        Ok(())
    } else {
        Err(format!(
            "must have {GIVEN_CHARS_MIN} to {GIVEN_CHARS_MAX} characters, no control characters, and no blanks around it"
        ))
    }
}

#[cfg(test)]
mod tests {
    use pitboss_providers::{hub88::Hub88, native::Native};

    use super::*;

    fn chosen(dialect: &dyn Dialect, given: Option<&str>) -> Result<Chosen, String> {
        let given = given.map(|text| SecretString::from(text.to_owned()));
        Chosen::new(dialect, given).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_made_where_none_is_given_and_shown_only_then() {
        let made = chosen(&Native, None).unwrap();
        assert!(made.text().starts_with(SECRET_PREFIX) && made.shown().is_some());
        let given = chosen(&Native, Some("from the provider")).unwrap();
        assert_eq!(given.text(), "from the provider");
        assert!(given.shown().is_none());
    }

    #[test]
    fn what_no_secret_can_be_is_refused_by_name() {
        let long = "x".repeat(256);
        for wrong in [
            "",
            "short",
            " with blanks around ",
            "with\nlines in it",
            &long,
        ] {
            let refused = chosen(&Native, Some(wrong)).err().unwrap();
            assert!(refused.starts_with("secret: "), "{refused}");
        }
        // A public key has to come from the provider, and has to be one.
        for wrong in [None, Some("no key at all")] {
            let refused = chosen(&Hub88, wrong).err().unwrap();
            assert!(
                refused.starts_with("secret: ") && refused.contains("key"),
                "{refused}"
            );
        }
    }
}
