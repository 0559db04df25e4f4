//! Fields of requests that more than one route reads: each says what it must be.

use pitboss_providers::Code;
use pitboss_wallet::Timestamp;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::ApiError;

/// The greatest number of characters of a reason.
pub const REASON_CHARS_MAX: usize = 255;

/// A text for people: something to read, of one line, and not too long.
pub fn text(field: &str, value: &str, chars_max: usize) -> Result<String, ApiError> {
    let value = value.trim();
    let is_text = !value.is_empty() && !value.chars().any(char::is_control);
    if is_text && value.chars().count() <= chars_max {
        return Ok(value.to_owned());
    }
    let detail =
        format!("{field}: must be 1 to {chars_max} characters, without control characters");
    Err(ApiError::new(Code::Malformed, detail))
}

/// Why somebody does something.
pub fn reason(value: &str) -> Result<String, ApiError> {
    text("reason", value, REASON_CHARS_MAX)
}

/// A moment of a query.
pub fn time(field: &str, value: &str) -> Result<Timestamp, ApiError> {
    let at = OffsetDateTime::parse(value, &Rfc3339).ok();
    // The years that Postgres and every calendar can write.
    let at = at.filter(|at| (1..=9998).contains(&at.year()));
    let micros = at.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1000).ok());
    micros.map(Timestamp::from_micros).ok_or_else(|| {
        let detail = format!("{field}: must be a time such as 2026-01-01T12:00:00Z");
        ApiError::new(Code::Malformed, detail)
    })
}

/// A country by ISO 3166-1 alpha-2.
pub fn country(value: &str) -> Result<(), ApiError> {
    if value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    let detail = "country: must be two capital letters (ISO 3166-1 alpha-2)";
    Err(ApiError::new(Code::Malformed, detail))
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
    let detail = "language: must be a language tag such as de or pt-BR";
    Err(ApiError::new(Code::Malformed, detail))
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

    #[test]
    fn a_time_has_a_zone_and_a_year_that_the_database_knows() {
        assert_eq!(
            time("from", "1970-01-01T01:00:00.000001+01:00").unwrap(),
            Timestamp::from_micros(1)
        );
        for wrong in [
            "",
            "2026-01-01",
            "2026-01-01T12:00:00",
            "9999-12-31T23:59:59Z",
            "now",
        ] {
            assert!(time("from", wrong).is_err(), "{wrong:?}");
        }
    }
}
