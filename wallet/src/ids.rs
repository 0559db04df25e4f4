//! Typed identifiers. A value that breaks its own rule cannot be built.

use std::{borrow::Cow, fmt, sync::Arc};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::Fingerprint;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most {max} characters")]
    TooLong { max: usize },
    #[error("has a character that is not allowed: {allowed}")]
    Character { allowed: &'static str },
    #[error("is not an id of the form {prefix}<32 hexadecimal digits>")]
    Form { prefix: &'static str },
}

fn check(
    text: &str,
    max: usize,
    allowed: &'static str,
    rule: fn(char) -> bool,
) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.chars().count() > max {
        return Err(IdError::TooLong { max });
    }
    if !text.chars().all(rule) {
        return Err(IdError::Character { allowed });
    }
    Ok(())
}

macro_rules! text_id {
    ($(#[doc = $doc:literal])+ $name:ident, max $max:expr, $allowed:literal, $rule:expr) => {
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The greatest number of characters.
            pub const MAX_CHARS: usize = $max;

            /// # Errors
            /// [`IdError`] says which rule the text breaks.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, IdError> {
                let text = text.into();
                check(&text, Self::MAX_CHARS, $allowed, $rule)?;
                Ok(Self(text))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!($($doc),+).trim(),
                    "type": "string",
                    "minLength": 1,
                    "maxLength": Self::MAX_CHARS,
                })
            }
        }
    };
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '@' | '-')
}

text_id!(
    /// A player, by the operator's own id.
    PlayerId, max 64, "letters, digits and . _ : @ - only", is_name_char
);
text_id!(
    /// A provider account: one integration with one game provider.
    ProviderId, max 64, "letters, digits and . _ : @ - only", is_name_char
);
text_id!(
    /// A game, by the id that its provider uses in callbacks.
    GameId, max 128, "no control characters", |c| !c.is_control()
);
text_id!(
    /// A transaction id given by the other side (T1): text, any characters, never parsed.
    ///
    /// U+0000 alone is refused: Postgres cannot keep it in a text, and no provider's format carries it.
    ExternalId, max 255, "U+0000 is not allowed", |c| c != '\0'
);
text_id!(
    /// A round id given by the provider: text, any characters but U+0000, never parsed.
    RoundId, max 255, "U+0000 is not allowed", |c| c != '\0'
);

impl From<&RoundId> for ExternalId {
    /// Both have the same rule.
    fn from(round: &RoundId) -> Self {
        Self(round.0.clone())
    }
}

impl From<Fingerprint> for ExternalId {
    /// Its 32 hexadecimal digits.
    fn from(fingerprint: Fingerprint) -> Self {
        Self(fingerprint.to_string().into())
    }
}

macro_rules! uuid_id {
    ($(#[doc = $doc:literal])+ $name:ident, $prefix:literal) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl $name {
            /// # Errors
            /// [`IdError::Form`] when the text is not this id's prefix and 32 hexadecimal digits.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                text.strip_prefix($prefix)
                    .filter(|hex| hex.len() == 32)
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or(IdError::Form { prefix: $prefix })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": concat!($($doc),+).trim(),
                    "type": "string",
                    "pattern": concat!("^", $prefix, "[0-9a-f]{32}$"),
                })
            }
        }
    };
}

uuid_id!(
    /// Our id of a ledger transaction: `tx_` and the 32 hexadecimal digits of a UUID.
    TransactionId, "tx_"
);
uuid_id!(
    /// Our id of a player's or game's session: `ses_` and the 32 hexadecimal digits of a UUID.
    SessionId, "ses_"
);
uuid_id!(
    /// Our id of a deposit or withdrawal: `pay_` and the 32 hexadecimal digits of a UUID.
    PaymentId, "pay_"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_may_be_any_text_up_to_255_characters() {
        for text in [
            "7",
            "ünïcødé 🎲",
            "'; drop table ledger; --",
            "a/b?c=d&e",
            "\u{1}\n\t\\",
        ] {
            assert!(ExternalId::new(text).is_ok(), "{text:?}");
        }
        assert!(ExternalId::new("🎲".repeat(255)).is_ok());
        assert_eq!(
            ExternalId::new("x".repeat(256)),
            Err(IdError::TooLong { max: 255 })
        );
        assert_eq!(ExternalId::new(""), Err(IdError::Empty));
        assert!(ExternalId::new("a\0b").is_err());
    }

    #[test]
    fn a_player_id_has_no_blanks_or_control_characters() {
        assert!(PlayerId::new("alice@example:1.2-x_y").is_ok());
        for text in ["a b", "a\n", "ä", "a/b"] {
            assert!(PlayerId::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn our_own_ids_read_back_what_they_print() {
        let id = TransactionId(Uuid::from_u128(42));
        assert_eq!(TransactionId::parse(&id.to_string()), Ok(id));
        assert!(SessionId::parse(&id.to_string()).is_err());
        assert!(TransactionId::parse("tx_42").is_err());
    }
}
