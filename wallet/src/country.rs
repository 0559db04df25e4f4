//! Countries, by ISO 3166-1 alpha-2.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A country that ISO 3166-1 has a code for. The list is closed on purpose: `UK` in a list of denied countries would
/// deny nobody, for the United Kingdom is `GB`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL \
    BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV \
    CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD \
    GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM \
    IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK \
    LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW \
    MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR \
    PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS \
    ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY \
    UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

impl Country {
    /// The country with this code, two capital letters.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let code: [u8; 2] = code.as_bytes().try_into().ok()?;
        let mut known = CODES.as_bytes().chunks(3);
        known.find(|known| known[..2] == code).map(|_| Self(code))
    }

    #[must_use]
    pub fn code(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| {
            serde::de::Error::custom("must be a country code of ISO 3166-1 alpha-2, such as \"SE\"")
        })
    }
}

impl JsonSchema for Country {
    fn schema_name() -> Cow<'static, str> {
        "Country".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A country's code by ISO 3166-1 alpha-2, upper case.",
            "type": "string",
            "pattern": "^[A-Z]{2}$",
        })
    }
}

/// Where a thing is offered. Where either list has something in it, nobody is welcome whose country is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Countries {
    /// Only in these; empty: everywhere.
    #[serde(default)]
    pub allow: Vec<Country>,
    /// Not in these, whatever is allowed.
    #[serde(default)]
    pub deny: Vec<Country>,
}

impl Countries {
    /// A denial that an unknown country got around would be none.
    #[must_use]
    pub fn welcome(&self, country: Option<Country>) -> bool {
        let Some(country) = country else {
            return self.allow.is_empty() && self.deny.is_empty();
        };
        (self.allow.is_empty() || self.allow.contains(&country)) && !self.deny.contains(&country)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_one_of_the_iso_list() {
        for code in ["AD", "GB", "MT", "SE", "ZW"] {
            assert_eq!(Country::from_code(code).unwrap().code(), code);
        }
        for wrong in ["", "S", "se", "UK", "XX", "SWE", "D ", " A", "é"] {
            assert_eq!(Country::from_code(wrong), None, "{wrong:?}");
        }
        assert_eq!(CODES.split(' ').count(), 249);
        assert!(CODES.split(' ').all(|code| code.len() == 2));
    }
}
