//! Bodies and queries of `key=value` pairs: as they were received, and decoded.

use std::{borrow::Cow, fmt};

use pitboss_wallet::{Currency, IdError, Money};

use crate::{ParseError, amount, json::quoted};

/// The greatest number of pairs.
const MAX_PAIRS: usize = 1_000;

/// One pair.
#[derive(Debug, Clone)]
pub(crate) struct Pair<'a> {
    /// As received.
    pub raw_key: &'a str,
    pub raw_value: &'a str,
    /// Decoded: `%41` is `A`, `+` is a blank. Bytes that are no UTF-8 become U+FFFD.
    pub key: Cow<'a, str>,
    pub value: Cow<'a, str>,
}

/// All pairs, in the order in which they were received.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form<'a> {
    pub pairs: Vec<Pair<'a>>,
}

impl<'a> Form<'a> {
    /// # Errors
    /// It is not UTF-8, or has too many pairs.
    pub fn read(text: &'a [u8]) -> Result<Self, ParseError> {
        let malformed = |detail: &str| ParseError::Malformed(detail.to_owned());
        let text = str::from_utf8(text).map_err(|_| malformed("the form is not UTF-8"))?;
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == MAX_PAIRS {
                return Err(malformed("the form has too many fields"));
            }
            let (raw_key, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push(Pair {
                raw_key,
                raw_value,
                key: decoded(raw_key),
                value: decoded(raw_value),
            });
        }
        Ok(Self { pairs })
    }

    /// The value of a field; `None` when it is not there.
    ///
    /// # Errors
    /// It is there twice: which of two amounts counts must not depend on the reader.
    pub fn get(&self, key: &str) -> Result<Option<&str>, ParseError> {
        let mut values = self.pairs.iter().filter(|pair| pair.key == key);
        let value = values.next().map(|pair| &*pair.value);
        if values.next().is_some() {
            let detail = format!("the field {} is there twice", quoted(key));
            return Err(ParseError::Malformed(detail));
        }
        Ok(value)
    }

    /// The text of a field; an empty one is the same as none.
    pub fn optional_text(&self, key: &str) -> Result<Option<&str>, ParseError> {
        Ok(self.get(key)?.filter(|text| !text.is_empty()))
    }

    /// A text that must be there.
    pub fn text(&self, key: &str) -> Result<&str, ParseError> {
        required(key, self.optional_text(key)?)
    }

    /// An id. Bytes that are no UTF-8 are refused: two ids must not become one.
    pub fn optional_id<'f, T>(
        &'f self,
        key: &str,
        new: impl FnOnce(&'f str) -> Result<T, IdError>,
    ) -> Result<Option<T>, ParseError> {
        let Some(text) = self.optional_text(key)? else {
            return Ok(None);
        };
        if text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(wrong(key, "is not UTF-8"));
        }
        new(text).map(Some).map_err(|error| wrong(key, error))
    }

    /// An id that must be there.
    pub fn id<'f, T>(
        &'f self,
        key: &str,
        new: impl FnOnce(&'f str) -> Result<T, IdError>,
    ) -> Result<T, ParseError> {
        required(key, self.optional_id(key, new)?)
    }

    /// A plain decimal number of major units.
    pub fn optional_amount(
        &self,
        key: &str,
        currency: Currency,
    ) -> Result<Option<Money>, ParseError> {
        let Some(text) = self.optional_text(key)? else {
            return Ok(None);
        };
        amount::from_decimal(text, currency)
            .map(Some)
            .map_err(|error| wrong(key, format_args!("{} {error}", quoted(text))))
    }

    /// An amount that must be there.
    pub fn amount(&self, key: &str, currency: Currency) -> Result<Money, ParseError> {
        required(key, self.optional_amount(key, currency)?)
    }
}

/// A complaint that names its field.
pub(crate) fn wrong(key: &str, why: impl fmt::Display) -> ParseError {
    ParseError::Malformed(format!("{key}: {why}"))
}

fn required<T>(key: &str, value: Option<T>) -> Result<T, ParseError> {
    value.ok_or_else(|| wrong(key, "is missing"))
}

fn decoded(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Cow::Borrowed(text);
    }
    // Of one key without `=` and `&`, the library's first pair is its decoding.
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    let key = pairs.next().map(|(key, _)| key.into_owned());
    Cow::Owned(key.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::ExternalId;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_are_kept_as_received_and_decoded() {
        let form = Form::read(b"a=1&b%5B0%5D=x+y%26z&c&=e&d==").unwrap();
        let seen: Vec<_> = form
            .pairs
            .iter()
            .map(|pair| (&*pair.key, &*pair.value))
            .collect();
        assert_eq!(
            seen,
            [
                ("a", "1"),
                ("b[0]", "x y&z"),
                ("c", ""),
                ("", "e"),
                ("d", "=")
            ]
        );
        assert_eq!(form.pairs[1].raw_key, "b%5B0%5D");
        assert_eq!(form.get("a").unwrap(), Some("1"));
        assert_eq!(form.get("z").unwrap(), None);
    }

    #[test]
    fn a_field_that_is_there_twice_is_refused_by_name() {
        let form = Form::read(b"amount=1&%61mount=2").unwrap();
        assert!(
            form.get("amount")
                .unwrap_err()
                .to_string()
                .contains("twice")
        );
        assert!(Form::read(b"\xff=1").is_err());
        assert!(Form::read("a&".repeat(1_001).as_bytes()).is_err());
    }

    #[test]
    fn an_empty_field_is_none_and_two_ids_never_become_one() {
        let form = Form::read(b"id=a%20b&none=&bad=%FF&amount=1.50&minus=-1").unwrap();
        let eur = Currency::from_code("EUR").unwrap();
        let id = |key| form.optional_id(key, ExternalId::new);
        assert_eq!(id("id").unwrap().unwrap().as_str(), "a b");
        assert_eq!((id("none").unwrap(), id("other").unwrap()), (None, None));
        assert!(id("bad").unwrap_err().to_string().contains("UTF-8"));
        let missing = form.text("none").unwrap_err();
        assert_eq!(missing.to_string(), "none: is missing");
        assert_eq!(form.amount("amount", eur).unwrap().units, 1_500_000);
        let wrong = form.amount("minus", eur).unwrap_err();
        assert!(wrong.to_string().starts_with("minus: \"-1\" is not"));
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read(key in "\\PC{1,20}", value in "\\PC{0,20}") {
            let text = form_urlencoded::Serializer::new(String::new()).append_pair(&key, &value).finish();
            let form = Form::read(text.as_bytes()).unwrap();
            prop_assert_eq!(form.get(&key).unwrap(), Some(value.as_str()));
        }

        #[test]
        fn any_bytes_are_a_form_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Form::read(&bytes);
        }
    }
}
