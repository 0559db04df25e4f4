//! Currencies and amounts of money.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is fixed about a currency.
struct CurrencyRow {
    code: &'static str,
    /// Decimal digits of one ledger unit. Fixed once used: stored amounts are meaningless without it.
    ledger_digits: u32,
    /// Decimal digits that a person sees at least.
    display_digits: u32,
}

const fn row(code: &'static str, ledger_digits: u32, display_digits: u32) -> CurrencyRow {
    CurrencyRow {
        code,
        ledger_digits,
        display_digits,
    }
}

/// Display digits follow ISO 4217; ledger digits leave room for the fractions of a cent that providers bet.
const CURRENCIES: &[CurrencyRow] = &[
    row("AUD", 6, 2),
    row("BRL", 6, 2),
    row("BTC", 8, 8),
    row("CAD", 6, 2),
    row("CHF", 6, 2),
    row("CZK", 6, 2),
    row("DKK", 6, 2),
    row("ETH", 9, 9),
    row("EUR", 6, 2),
    row("GBP", 6, 2),
    row("INR", 6, 2),
    row("JPY", 6, 0),
    row("LTC", 8, 8),
    row("MXN", 6, 2),
    row("NOK", 6, 2),
    row("NZD", 6, 2),
    row("PLN", 6, 2),
    row("SEK", 6, 2),
    row("TRY", 6, 2),
    row("USD", 6, 2),
    row("USDC", 6, 2),
    row("USDT", 6, 2),
    row("ZAR", 6, 2),
];

/// A currency that the ledger knows. There is no way to build another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(u8);

impl Currency {
    /// The currency with this code (upper case, as in ISO 4217 or its common ticker).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let index = CURRENCIES.iter().position(|row| row.code == code)?;
        u8::try_from(index).ok().map(Self)
    }

    /// Every currency, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        CURRENCIES
            .iter()
            .filter_map(|row| Self::from_code(row.code))
    }

    fn row(self) -> &'static CurrencyRow {
        &CURRENCIES[usize::from(self.0)]
    }

    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// Decimal digits of one ledger unit: 6 for fiat and stablecoins, 8 for BTC and LTC, 9 for ETH.
    #[must_use]
    pub fn ledger_digits(self) -> u32 {
        self.row().ledger_digits
    }

    /// Decimal digits that a printed amount has at least.
    #[must_use]
    pub fn display_digits(self) -> u32 {
        self.row().display_digits
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code)
            .ok_or_else(|| serde::de::Error::custom(format_args!("unknown currency {code:?}")))
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<&str> = Self::all().map(Self::code).collect();
        json_schema!({
            "description": format!("A currency's code, upper case. Today: {}. Others may be added.", codes.join(", ")),
            "type": "string",
            "pattern": "^[A-Z]{3,8}$",
        })
    }
}

/// Why a text is not an amount, or a sum not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("is not a plain decimal number (digits, at most one point, no sign and no exponent)")]
    Form,
    #[error("has more than {digits} decimal digits")]
    Digits { digits: u32 },
    #[error("is too large")]
    TooLarge,
}

/// An amount in the ledger units of a currency. An integer: there is no float anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    pub units: i64,
    pub currency: Currency,
}

impl Money {
    #[must_use]
    pub const fn new(units: i64, currency: Currency) -> Self {
        Self { units, currency }
    }

    /// Reads a plain decimal number of major units, such as `12.50`: exact, or refused. Never negative.
    ///
    /// # Errors
    /// [`MoneyError`]: another form, more digits than the ledger keeps, or beyond `i64`.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let point = text.contains('.');
        let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || (point && fraction.is_empty()) {
            return Err(MoneyError::Form);
        }
        if !digits_only(whole) || !digits_only(fraction) {
            return Err(MoneyError::Form);
        }
        let digits = currency.ledger_digits();
        let scale = digits as usize;
        if fraction.len() > scale {
            return Err(MoneyError::Digits { digits });
        }
        let padding = std::iter::repeat_n(b'0', scale - fraction.len());
        let mut units: i64 = 0;
        for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
            units = units
                .checked_mul(10)
                .and_then(|units| units.checked_add(i64::from(digit - b'0')))
                .ok_or(MoneyError::TooLarge)?;
        }
        Ok(Self { units, currency })
    }
}

/// Exact, with at least the currency's display digits: `12.50`, `0.403604`, `-3.00`.
///
/// Written from the last digit to the first into a buffer on the stack: every event has ten amounts.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 20 digits of an i64 at most, a sign, a point, and zeros that the scale brings in front.
        let mut text = [0_u8; 40];
        let mut start = text.len();
        let mut put = |byte: u8| {
            start -= 1;
            text[start] = byte;
        };
        let mut rest = self.units.unsigned_abs();
        let mut shown = false;
        for place in (1..=self.currency.ledger_digits()).rev() {
            let digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            shown |= digit != b'0' || place <= self.currency.display_digits();
            if shown {
                put(digit);
            }
        }
        if shown {
            put(b'.');
        }
        loop {
            put(b'0' + (rest % 10) as u8);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if self.units < 0 {
            put(b'-');
        }
        f.write_str(str::from_utf8(&text[start..]).unwrap_or_default())
    }
}

/// As the decimal text of [`Display`](fmt::Display), never as a JSON number.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount in major units of the currency beside it, as exact decimal text: `12.50`, \
                            `0.403604`. Never a JSON number.",
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn amounts_are_read_exactly_or_refused() {
        let eur = currency("EUR");
        let units = |text: &str| Money::parse(text, eur).map(|money| money.units);
        assert_eq!(units("12.50"), Ok(12_500_000));
        assert_eq!(units("0.403604"), Ok(403_604));
        assert_eq!(units("0"), Ok(0));
        assert_eq!(units("007"), Ok(7_000_000));
        assert_eq!(units("9223372036854.775807"), Ok(i64::MAX));
        assert_eq!(units("9223372036854.775808"), Err(MoneyError::TooLarge));
        assert_eq!(units("0.0000001"), Err(MoneyError::Digits { digits: 6 }));
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1 ", "NaN", "٣", "1.2.3", "0x1",
        ] {
            assert_eq!(units(text), Err(MoneyError::Form), "{text:?}");
        }
    }

    #[test]
    fn amounts_print_at_least_the_display_digits() {
        let print = |units, code| Money::new(units, currency(code)).to_string();
        assert_eq!(print(12_500_000, "EUR"), "12.50");
        assert_eq!(print(403_604, "EUR"), "0.403604");
        assert_eq!(print(-3_000_000, "EUR"), "-3.00");
        assert_eq!(print(150_000_000, "JPY"), "150");
        assert_eq!(print(150_500_000, "JPY"), "150.5");
        assert_eq!(print(1, "BTC"), "0.00000001");
        assert_eq!(print(i64::MIN, "ETH"), "-9223372036.854775808");
    }

    #[test]
    fn the_promised_currencies_are_there() {
        for (code, ledger, display) in [
            ("EUR", 6, 2),
            ("USD", 6, 2),
            ("GBP", 6, 2),
            ("SEK", 6, 2),
            ("JPY", 6, 0),
            ("BRL", 6, 2),
            ("BTC", 8, 8),
            ("ETH", 9, 9),
            ("USDT", 6, 2),
        ] {
            let currency = currency(code);
            assert_eq!(
                (currency.ledger_digits(), currency.display_digits()),
                (ledger, display)
            );
        }
        assert!(Currency::from_code("eur").is_none());
        assert!(Currency::from_code("XXX").is_none());
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(units in 0..=i64::MAX, index in 0..CURRENCIES.len()) {
            let money = Money::new(units, currency(CURRENCIES[index].code));
            prop_assert_eq!(Money::parse(&money.to_string(), money.currency), Ok(money));
        }

        #[test]
        fn any_text_is_an_amount_or_an_error(text in "\\PC*") {
            let _ = Money::parse(&text, currency("EUR"));
        }
    }
}
