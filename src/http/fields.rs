//! Fields of requests that more than one route reads: each says what it must be.

use std::fmt;

use pitboss_providers::Code;
use pitboss_wallet::Country;
use serde::{Deserialize, Deserializer};

use super::ApiError;

/// The greatest number of characters of a reason.
pub const REASON_CHARS_MAX: usize = 255;

/// A value that does not fit, by its field.
pub fn malformed(field: &str, what: impl fmt::Display) -> ApiError {
    ApiError::new(Code::Malformed, format!("{field}: {what}"))
}

/// For a field that may be `null`, or not be there, which is not the same: with `#[serde(default)]`.
pub fn there<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A text for people: something to read, of one line, and not too long.
pub fn text(field: &str, value: &str, chars_max: usize) -> Result<String, ApiError> {
    let value = value.trim();
    let is_text = !value.is_empty() && !value.chars().any(char::is_control);
    if is_text && value.chars().count() <= chars_max {
        return Ok(value.to_owned());
    }
    let what = format!("must be 1 to {chars_max} characters on one line");
    Err(malformed(field, what))
}

/// Why somebody does something.
pub fn reason(value: &str) -> Result<String, ApiError> {
    text("reason", value, REASON_CHARS_MAX)
}

/// A country of a query.
pub fn country(value: &str) -> Result<Country, ApiError> {
    Country::from_code(value).ok_or_else(|| {
        let what = "must be a country code of ISO 3166-1 alpha-2, such as SE";
        malformed("country", what)
    })
}

/// A language tag: letters, then parts of letters and digits, such as `pt-BR`.
pub fn language(value: &str) -> Result<(), ApiError> {
    let mut parts = value.split('-');
    let first = parts.next().unwrap_or_default();
    let is_first = (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic());
    let is_part = |part: &str| {
        (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if is_first && value.len() <= 35 && parts.all(is_part) {
        return Ok(());
    }
    Err(malformed(
        "language",
        "must be a language tag such as de or pt-BR",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_in_one_line() {
        assert_eq!(reason(" paid twice ").unwrap(), "paid twice");
        assert!(reason(&"ü".repeat(REASON_CHARS_MAX)).is_ok());
        for wrong in ["", "  ", "a\nb", "a\0", &"x".repeat(REASON_CHARS_MAX + 1)] {
            assert!(reason(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_language_is_a_tag() {
        for good in ["de", "pt-BR", "zh-Hant-TW", "gsw"] {
            assert!(language(good).is_ok(), "{good}");
        }
        for wrong in [
            "", "d", "german", "de-", "-de", "de_DE", "d3", "de-B", "de-\0A",
        ] {
            assert!(language(wrong).is_err(), "{wrong:?}");
        }
    }
}
