//! Amounts in the units of a wire format: exact, or refused; what is shown in fewer digits is rounded down.

use pitboss_wallet::{Currency, Money, MoneyError};
use serde_json::value::RawValue;

/// An amount in integer units of `10^-digits` major units, such as cents (2): `"356000"` with 5 is 3.56.
///
/// # Errors
/// [`MoneyError`]: not digits alone, finer than the ledger keeps, or beyond it.
pub(crate) fn from_integer(
    text: &str,
    digits: u32,
    currency: Currency,
) -> Result<Money, MoneyError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MoneyError::Form);
    }
    let given: i128 = text.parse().map_err(|_| MoneyError::TooLarge)?;
    let ledger = currency.ledger_digits();
    let units = if digits <= ledger {
        given.checked_mul(10_i128.pow(ledger - digits))
    } else {
        let divisor = 10_i128.pow(digits - ledger);
        if given % divisor != 0 {
            return Err(MoneyError::Digits { digits: ledger });
        }
        Some(given / divisor)
    };
    let units = units.and_then(|units| i64::try_from(units).ok());
    units
        .map(|units| Money::new(units, currency))
        .ok_or(MoneyError::TooLarge)
}

/// A plain decimal number of major units. Zeros at its end, however many, change nothing.
///
/// # Errors
/// [`MoneyError`], as [`Money::parse`]
pub(crate) fn from_decimal(text: &str, currency: Currency) -> Result<Money, MoneyError> {
    let most = currency.ledger_digits() as usize;
    let Some((whole, fraction)) = text.split_once('.') else {
        return Money::parse(text, currency);
    };
    let kept = fraction.get(..most).unwrap_or(fraction);
    let rest = &fraction[kept.len()..];
    if rest.bytes().any(|byte| !byte.is_ascii_digit()) {
        return Err(MoneyError::Form);
    }
    if rest.bytes().any(|byte| byte != b'0') {
        return Err(MoneyError::Digits {
            digits: currency.ledger_digits(),
        });
    }
    Money::parse(&text[..whole.len() + 1 + kept.len()], currency)
}

/// In integer units of `10^-digits` major units, rounded down.
pub(crate) fn to_integer(units: i64, digits: u32, currency: Currency) -> i128 {
    let ledger = currency.ledger_digits();
    let units = i128::from(units);
    if digits >= ledger {
        units * 10_i128.pow(digits - ledger)
    } else {
        units.div_euclid(10_i128.pow(ledger - digits))
    }
}

/// As a decimal number of major units with exactly so many digits behind the point, rounded down.
pub(crate) fn to_decimal(units: i64, digits: u32, currency: Currency) -> String {
    let scaled = to_integer(units, digits, currency);
    let sign = if scaled < 0 { "-" } else { "" };
    let divisor = 10_u128.pow(digits);
    let (whole, fraction) = (
        scaled.unsigned_abs() / divisor,
        scaled.unsigned_abs() % divisor,
    );
    if digits == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{fraction:0width$}", width = digits as usize)
}

/// The same as a number in JSON. `None` never comes: it is for the library, which reads the text once more.
pub(crate) fn to_number(units: i64, digits: u32, currency: Currency) -> Option<Box<RawValue>> {
    RawValue::from_string(to_decimal(units, digits, currency)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn integers_are_exact_or_refused() {
        let units = |text: &str, digits, code| {
            from_integer(text, digits, currency(code)).map(|money| money.units)
        };
        assert_eq!(units("356000", 5, "EUR"), Ok(3_560_000));
        assert_eq!(units("1", 5, "JPY"), Ok(10));
        assert_eq!(units("1", 8, "BTC"), Ok(1));
        assert_eq!(units("100", 8, "EUR"), Ok(1));
        assert_eq!(units("1", 8, "EUR"), Err(MoneyError::Digits { digits: 6 }));
        assert_eq!(
            units("922337203685478", 2, "EUR"),
            Err(MoneyError::TooLarge)
        );
        for text in ["", "-1", "+1", "1.0", "1e2", " 1", "\u{0661}"] {
            assert_eq!(units(text, 2, "EUR"), Err(MoneyError::Form), "{text:?}");
        }
        assert_eq!(units(&"9".repeat(60), 2, "EUR"), Err(MoneyError::TooLarge));
    }

    #[test]
    fn decimals_may_end_in_zeros() {
        let units = |text: &str| from_decimal(text, currency("EUR")).map(|money| money.units);
        assert_eq!(units("12.5000000000000000"), Ok(12_500_000));
        assert_eq!(units("0.0000001"), Err(MoneyError::Digits { digits: 6 }));
        for text in [
            "1.",
            ".5",
            "1.00000000x",
            "1.5e1",
            "1.0000000\u{0660}",
            "-1.0",
            "1.2.3",
        ] {
            assert_eq!(units(text), Err(MoneyError::Form), "{text:?}");
        }
    }

    #[test]
    fn what_is_shown_is_rounded_down() {
        let eur = currency("EUR");
        assert_eq!(to_decimal(12_349_999, 2, eur), "12.34");
        assert_eq!(to_decimal(5, 2, eur), "0.00");
        assert_eq!(to_decimal(-1, 2, eur), "-0.01");
        assert_eq!(to_decimal(12_000_000, 0, eur), "12");
        assert_eq!(to_decimal(1, 9, currency("BTC")), "0.000000010");
        assert_eq!(to_integer(3_560_009, 5, eur), 356_000);
    }

    proptest! {
        #[test]
        fn what_the_ledger_keeps_comes_back(units in 0..=i64::MAX, digits in 6_u32..12) {
            let eur = currency("EUR");
            let text = to_integer(units, digits, eur).to_string();
            prop_assert_eq!(from_integer(&text, digits, eur).map(|money| money.units), Ok(units));
            let text = to_decimal(units, digits, eur);
            prop_assert_eq!(from_decimal(&text, eur).map(|money| money.units), Ok(units));
            let number = to_number(units, digits, eur);
            prop_assert_eq!(number.as_deref().map(RawValue::get), Some(text.as_str()));
        }

        #[test]
        fn any_text_is_an_amount_or_an_error(text in "\\PC*", digits in 0_u32..12) {
            let _ = from_integer(&text, digits, currency("EUR"));
            let _ = from_decimal(&text, currency("EUR"));
        }
    }
}
