//! Reads a JSON body so that every complaint can name its field. One pass, texts are borrowed.
//!
//! Stricter than a plain map in one point: a field that is there twice is refused, because which of two
//! amounts counts must not depend on the reader. Numbers are recognised but not read: an amount is a text.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::ParseError;

/// The greatest number of characters of a caller's text that an error repeats.
const QUOTED_CHARS: usize = 40;

pub(crate) type Object<'a> = BTreeMap<Cow<'a, str>, Value<'a>>;

#[derive(Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Number,
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Object<'a>),
}

impl Value<'_> {
    /// What it is, for an error.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads a body that is one JSON object. Never recurses deeper than `serde_json` allows (128 levels).
pub(crate) fn object(body: &[u8]) -> Result<Object<'_>, ParseError> {
    let malformed = |detail: String| ParseError::Malformed(detail);
    let text = std::str::from_utf8(body)
        .map_err(|error| malformed(format!("the body is not UTF-8: {error}")))?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(malformed(format!(
            "the body is {}, not an object",
            other.kind()
        ))),
        Err(error) => Err(malformed(format!("the body is not valid JSON: {error}"))),
    }
}

/// Whether a body is one JSON object in which no field is there twice, at any depth: for the edges that
/// read the rest with their own types.
///
/// # Errors
/// [`ParseError::Malformed`]
pub fn check(body: &[u8]) -> Result<(), ParseError> {
    object(body).map(drop)
}

/// A caller's text as an error repeats it: escaped, and never long.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Value::Number)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Value::Number)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut object = Object::new();
        while let Some(Name(name)) = fields.next_key()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "the field {} is there twice",
                    quoted(&name)
                )));
            }
            object.insert(name, fields.next_value()?);
        }
        Ok(Value::Object(object))
    }
}

/// A field's name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &[u8]) -> String {
        object(body).unwrap_err().to_string()
    }

    #[test]
    fn any_object_is_read() {
        let body = br#"{"a":"x","b":[1,-2,3.5,null],"c":{"d":true},"e\u0066":"\u00fc"}"#;
        let object = object(body).unwrap();
        assert!(matches!(&object["a"], Value::Text(Cow::Borrowed("x"))));
        assert!(matches!(&object["b"], Value::List(list) if list.len() == 4));
        assert!(matches!(&object["c"], Value::Object(inner) if inner.len() == 1));
        assert!(matches!(&object["ef"], Value::Text(text) if text == "ü"));
    }

    #[test]
    fn a_field_that_is_there_twice_is_refused_by_name() {
        assert!(refused(br#"{"amount":"1","amount":"2"}"#).contains(r#""amount" is there twice"#));
        assert!(refused(br#"{"amount":"1","\u0061mount":"2"}"#).contains("twice"));
        assert!(refused(br#"{"x":[{"y":1,"y":1}]}"#).contains("twice"));
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        assert!(refused(b"").contains("not valid JSON"));
        assert!(refused(b"[]").contains("a list, not an object"));
        assert!(refused(b"\"\"").contains("a text, not an object"));
        assert!(refused(b"{} {}").contains("not valid JSON"));
        assert!(refused(b"{\"a\":\"\xff\"}").contains("not UTF-8"));
        assert!(refused(br#"{"a":"\ud800"}"#).contains("not valid JSON"));
        assert!(refused(br#"{"a":1e999}"#).contains("not valid JSON"));
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
        let deep = |open: &str, close: &str| {
            let depth = 8_000;
            format!(r#"{{"a":{}{}}}"#, open.repeat(depth), close.repeat(depth))
        };
        assert!(refused(deep("[", "]").as_bytes()).contains("recursion limit"));
        assert!(refused(deep(r#"{"a":"#, "}").as_bytes()).contains("recursion limit"));
        assert!(refused("[".repeat(16_000).as_bytes()).contains("recursion limit"));
    }

    #[test]
    fn an_error_repeats_little_of_a_long_text() {
        let name = "n".repeat(10_000);
        let body = format!(r#"{{"{name}":1,"{name}":2}}"#);
        assert!(refused(body.as_bytes()).len() < 200);
        assert_eq!(quoted("a\n\"b"), r#""a\n\"b""#);
        assert_eq!(quoted(&"ü".repeat(41)).chars().count(), 45);
    }
}
