//! Times and days in queries and bodies.

use pitboss_providers::Code;
use pitboss_wallet::Timestamp;
use time::{Date, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use super::ApiError;

/// A moment such as `2026-01-31T12:00:00Z`. `name` says in an error which field it was.
pub fn moment(name: &str, text: &str) -> Result<Timestamp, ApiError> {
    parse(text).ok_or_else(|| {
        let detail = format!("{name}: must be a time such as 2026-01-31T12:00:00Z");
        ApiError::new(Code::Malformed, detail)
    })
}

/// A moment, or a day such as `2026-01-31`: its midnight at this offset.
pub fn moment_or_day(name: &str, text: &str, offset: UtcOffset) -> Result<Timestamp, ApiError> {
    let day = day(text).and_then(|day| micros(day.midnight().assume_offset(offset)));
    day.or_else(|| parse(text)).ok_or_else(|| {
        let detail = format!(
            "{name}: must be a day such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z"
        );
        ApiError::new(Code::Malformed, detail)
    })
}

/// Both ends of a period, of which either may be left open: from the first up to before the second.
pub fn period(
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let from = from.map(|from| moment("from", from)).transpose()?;
    let to = to.map(|to| moment("to", to)).transpose()?;
    in_order(from, to)?;
    Ok((from, to))
}

/// Refuses a period that ends before it begins.
pub fn in_order(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(), ApiError> {
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(ApiError::new(Code::Malformed, "to: must be after from"));
    }
    Ok(())
}

/// An offset from UTC such as `02:00`, `+02:00` or `-05:30`. In a query an unescaped `+` arrives as a blank.
pub fn offset(text: &str) -> Option<UtcOffset> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' | b' ' => (1, &text[1..]),
        _ => (1, text),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two_digits = |part: &str| {
        let is_number = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse::<i8>().ok()).flatten()
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok()
}

fn parse(text: &str) -> Option<Timestamp> {
    micros(OffsetDateTime::parse(text, &Rfc3339).ok()?)
}

/// Of the years that Postgres and every calendar can write.
fn micros(at: OffsetDateTime) -> Option<Timestamp> {
    if !(1..=9998).contains(&at.year()) {
        return None;
    }
    let micros = i64::try_from(at.unix_timestamp_nanos().div_euclid(1000)).ok()?;
    Some(Timestamp::from_micros(micros))
}

fn day(text: &str) -> Option<Date> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(text, format).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_a_zone_and_a_year_that_the_database_knows() {
        assert_eq!(
            moment("from", "1970-01-01T01:00:00.000001+01:00").unwrap(),
            Timestamp::from_micros(1)
        );
        for wrong in [
            "",
            "2026-01-01",
            "2026-01-01T12:00:00",
            "9999-12-31T23:59:59Z",
            "0000-01-01T00:00:00Z",
            "now",
        ] {
            assert!(moment("from", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_of_its_offset() {
        let at = |text, shift| {
            let offset = offset(shift).unwrap();
            moment_or_day("from", text, offset).unwrap().to_string()
        };
        assert_eq!(at("2026-01-31", "00:00"), "2026-01-31T00:00:00Z");
        assert_eq!(at("2026-01-31", "+02:00"), "2026-01-30T22:00:00Z");
        assert_eq!(at("2026-01-31", "-05:30"), "2026-01-31T05:30:00Z");
        assert_eq!(at("2026-01-31T01:02:03Z", "+02:00"), "2026-01-31T01:02:03Z");
        for wrong in [
            "",
            "2026",
            "2026-02-30",
            "31.01.2026",
            "2026-01-31T25:00:00Z",
        ] {
            assert!(
                moment_or_day("from", wrong, UtcOffset::UTC).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn an_offset_is_hours_and_minutes() {
        assert_eq!(offset(" 02:00"), offset("+02:00"));
        assert_eq!(offset("02:00"), offset("+02:00"));
        for wrong in [
            "", "+", "2", "2:00", "+15:00", "+02:60", "02:0é", "é2:00", "--2:00",
        ] {
            assert_eq!(offset(wrong), None, "{wrong}");
        }
    }
}
