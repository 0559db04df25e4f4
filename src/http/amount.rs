//! Sums of money: exact decimal text, with more bits than one amount has. And ratios of them.

use std::{borrow::Cow, fmt};

use pitboss_wallet::{Currency, Money};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

/// A sum of amounts, in the ledger units of a currency. An integer: there is no float anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    pub units: i128,
    pub currency: Currency,
}

impl Amount {
    pub const fn new(units: i128, currency: Currency) -> Self {
        Self { units, currency }
    }
}

/// As [`Money`] is printed.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Ok(units) = i64::try_from(self.units) {
            return Money::new(units, self.currency).fmt(f);
        }
        let digits = self.currency.ledger_digits() as usize;
        let least = self.currency.display_digits() as usize;
        let scale = 10_u128.pow(self.currency.ledger_digits());
        let units = self.units.unsigned_abs();
        let sign = if self.units < 0 { "-" } else { "" };
        let fraction = format!("{:0digits$}", units % scale);
        let shown = fraction.trim_end_matches('0').len().max(least);
        write!(f, "{sign}{}", units / scale)?;
        match &fraction[..shown] {
            "" => Ok(()),
            fraction => write!(f, ".{fraction}"),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        Money::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Money::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Money::json_schema(generator)
    }
}

/// `part` of `whole` in percent, with four digits, the last of them rounded (a half away from 0). `None`: of nothing.
pub fn percent(part: i128, whole: i128) -> Option<String> {
    if whole <= 0 {
        return None;
    }
    // In ten-thousandths of a percent, doubled to round by a halving.
    let doubled = part.checked_mul(2_000_000)?.checked_div(whole)?;
    Some(four_digits((doubled + doubled.signum()) / 2))
}

/// So many ten-thousandths.
fn four_digits(parts: i128) -> String {
    let sign = if parts < 0 { "-" } else { "" };
    let parts = parts.unsigned_abs();
    format!("{sign}{}.{:04}", parts / 10_000, parts % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_prints_as_an_amount_does_however_large() {
        let print =
            |units, code| Amount::new(units, Currency::from_code(code).unwrap()).to_string();
        assert_eq!(print(12_500_000, "EUR"), "12.50");
        assert_eq!(print(-403_604, "EUR"), "-0.403604");
        let large = i128::from(i64::MAX) * 10;
        assert_eq!(print(large, "EUR"), "92233720368547.75807");
        assert_eq!(print(-large, "EUR"), "-92233720368547.75807");
        assert_eq!(print(10_i128.pow(25), "EUR"), "10000000000000000000.00");
        assert_eq!(print(10_i128.pow(25), "JPY"), "10000000000000000000");
    }

    #[test]
    fn a_ratio_is_exact_to_its_last_digit() {
        assert_eq!(percent(1, 3).unwrap(), "33.3333");
        assert_eq!(percent(2, 3).unwrap(), "66.6667");
        assert_eq!(percent(1, 2_000_000).unwrap(), "0.0001");
        assert_eq!(percent(-2, 3).unwrap(), "-66.6667");
        assert_eq!(percent(5, 4).unwrap(), "125.0000");
        assert_eq!(percent(0, 5).unwrap(), "0.0000");
        assert_eq!(percent(5, 0), None);
        assert_eq!(percent(i128::MAX, 5), None);
    }
}
