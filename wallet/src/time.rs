//! A moment in time, as the ledger keeps it.

use std::borrow::Cow;

use ::time::{OffsetDateTime, format_description::well_known::Rfc3339};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z: the resolution of a Postgres `timestamptz`.
///
/// Printed, and serialised, as RFC 3339 in UTC. The crate never asks a clock: a timestamp is handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later (earlier when negative), held at the ends of the range.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok());
        // Outside the years that RFC 3339 can write, the raw number is still a truthful answer.
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What [`Serialize`] wrote, and any other RFC 3339.
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(micros) = text.strip_suffix("us") {
            let micros = micros.parse().map_err(serde::de::Error::custom)?;
            return Ok(Self(micros));
        }
        let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(serde::de::Error::custom)?;
        let micros = i64::try_from(at.unix_timestamp_nanos() / 1_000);
        micros.map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A moment: RFC 3339 in UTC, with up to six digits of a second.",
            "type": "string",
            "format": "date-time",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn it_prints_rfc_3339_in_utc() {
        assert_eq!(
            Timestamp::from_micros(0).to_string(),
            "1970-01-01T00:00:00Z"
        );
        let later = Timestamp::from_micros(1_700_000_000_123_456);
        assert_eq!(later.to_string(), "2023-11-14T22:13:20.123456Z");
        assert_eq!(
            Timestamp::from_micros(i64::MAX).to_string(),
            format!("{}us", i64::MAX)
        );
    }

    #[test]
    fn it_reads_back_what_it_wrote() {
        for micros in [0, 1, 1_700_000_000_123_456, -1_000_000, i64::MAX] {
            let at = Timestamp::from_micros(micros);
            let text = serde_json::to_string(&at).unwrap();
            assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), at);
        }
        for wrong in ["\"\"", "\"us\"", "\"yesterday\"", "7"] {
            assert!(serde_json::from_str::<Timestamp>(wrong).is_err(), "{wrong}");
        }
    }
}
