//! Values of bodies and queries that several routes take.

use pitboss_providers::Code;
use pitboss_wallet::Timestamp;
use serde::{Deserialize, Deserializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::ApiError;

/// A value that does not fit, by its field.
pub fn malformed(field: &str, what: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::Malformed, format!("{field}: {what}"))
}

/// A moment, RFC 3339.
pub fn moment(field: &str, text: &str) -> Result<Timestamp, ApiError> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok();
    let micros = moment.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1000).ok());
    micros
        .map(Timestamp::from_micros)
        .ok_or_else(|| malformed(field, "must be a time such as 2026-01-01T12:00:00Z"))
}

/// A text for people: something, on one line, of at most `most` characters.
pub fn line(field: &str, text: &str, most: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        let what = format!("must be 1 to {most} characters on one line");
        return Err(malformed(field, what));
    }
    Ok(text.to_owned())
}

/// For a field that may be `null`, or not be there, which is not the same: with `#[serde(default)]`.
pub fn there<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
