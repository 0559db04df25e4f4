//! What one unit of an amount on the wire is worth: a cent, a satoshi.

use pitboss_wallet::Currency;

use crate::{Account, Allowed, ParseError, Setting, json::quoted};

/// No provider counts in less.
const MAX_DIGITS: u32 = 18;

/// The currencies that ISO 4217 does not settle.
pub(super) const SUBUNITS: Setting = Setting {
    name: "subunits",
    meaning: "Digits behind the point of the provider's amounts, by currency: BTC=8,USDT=6. Currencies of ISO 4217 have its digits (EUR 2, JPY 0) unless they are named; all others are refused until they are.",
    default: "",
    allowed: Allowed::Text(check),
};

/// How many digits an amount in this currency has behind its point.
pub(super) fn digits(account: &Account, currency: Currency) -> Option<u32> {
    let chosen = account.settings.get(&SUBUNITS);
    named(chosen)
        .find_map(|entry| entry.ok().filter(|(of, _)| *of == currency))
        .map(|(_, digits)| digits)
        .or_else(|| iso(currency))
}

/// As [`digits`], for a request: without them no amount of it means anything.
pub(super) fn needed(account: &Account, currency: Currency) -> Result<u32, ParseError> {
    digits(account, currency).ok_or_else(|| {
        let detail = format!(
            "currency: the account's setting {} does not say what a unit of {currency} is",
            SUBUNITS.name
        );
        ParseError::UnknownCurrency(detail)
    })
}

/// A list of names and no rule: of a currency that is added one day, nothing is guessed.
fn iso(currency: Currency) -> Option<u32> {
    match currency.code() {
        "JPY" => Some(0),
        "AUD" | "BRL" | "CAD" | "CHF" | "CZK" | "DKK" | "EUR" | "GBP" | "INR" | "MXN" | "NOK"
        | "NZD" | "PLN" | "SEK" | "TRY" | "USD" | "ZAR" => Some(2),
        _ => None,
    }
}

fn named(text: &str) -> impl Iterator<Item = Result<(Currency, u32), String>> {
    let entries = text.split(',').filter(|_| !text.is_empty());
    entries.map(|entry| {
        let wrong = || format!("{} must be like BTC=8", quoted(entry));
        let (code, digits) = entry.trim().split_once('=').ok_or_else(wrong)?;
        let currency = Currency::from_code(code);
        let currency = currency.ok_or_else(|| format!("{} is no currency", quoted(code)))?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let digits: u32 = digits.parse().map_err(|_| wrong())?;
        if !is_plain || digits > MAX_DIGITS {
            return Err(format!("{code} must have 0 to {MAX_DIGITS} digits"));
        }
        Ok((currency, digits))
    })
}

fn check(text: &str) -> Result<(), String> {
    let mut seen = Vec::new();
    for entry in named(text) {
        let (currency, _) = entry?;
        if seen.contains(&currency) {
            return Err(format!("{currency} is there twice"));
        }
        seen.push(currency);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_each_currency_once() {
        for good in ["", "BTC=8", "BTC=8,USDT=6", "BTC=8, ETH=18", "EUR=0"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "BTC",
            "BTC=",
            "BTC=x",
            "BTC=+8",
            "BTC=-1",
            "BTC=19",
            "XXX=2",
            "BTC=8,",
            "BTC=8,BTC=8",
            "btc=8",
            ",",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_currency_is_settled_or_must_be_named() {
        let open: Vec<_> = Currency::all()
            .filter(|currency| iso(*currency).is_none())
            .map(Currency::code)
            .collect();
        assert_eq!(open, ["BTC", "ETH", "LTC", "USDC", "USDT"]);
        for currency in Currency::all() {
            if let Some(digits) = iso(currency) {
                assert_eq!(digits, currency.display_digits(), "{currency}");
            }
        }
    }
}
