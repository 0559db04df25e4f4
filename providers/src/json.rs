//! Reads a JSON body so that every complaint can name its field. One pass, texts are borrowed.
//!
//! Stricter than a plain map in one point: a field that is there twice is refused, because which of two
//! amounts counts must not depend on the reader. A number stays the text that it was: no amount is ever a float.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::ParseError;

/// The greatest number of characters of a caller's text that an error repeats.
const QUOTED_CHARS: usize = 40;

pub(crate) type Object<'a> = BTreeMap<Cow<'a, str>, Value<'a>>;

#[derive(Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a str),
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
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// How deep a body may be nested.
const MAX_DEPTH: usize = 128;

/// Reads a body that is one JSON object, nested no deeper than [`MAX_DEPTH`].
pub(crate) fn object(body: &[u8]) -> Result<Object<'_>, ParseError> {
    let malformed = |detail: String| ParseError::Malformed(detail);
    let text = std::str::from_utf8(body)
        .map_err(|error| malformed(format!("the body is not UTF-8: {error}")))?;
    let read = serde_json::from_str::<&RawValue>(text).and_then(|raw| value(raw, 0));
    match read {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(malformed(format!(
            "the body is {}, not an object",
            other.kind()
        ))),
        Err(error) => Err(malformed(format!("the body is not valid JSON: {error}"))),
    }
}

/// What a text that is valid JSON says. `depth` is how many lists and objects are around it: the library goes over a raw
/// value without a limit.
fn value(raw: &RawValue, depth: usize) -> Result<Value<'_>, serde_json::Error> {
    let text = raw.get();
    if depth > MAX_DEPTH {
        return Err(serde_json::Error::custom("recursion limit exceeded"));
    }
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let mut object = Object::new();
            for (Text(name), raw) in serde_json::from_str::<Fields<'_>>(text)?.0 {
                if object.contains_key(&name) {
                    let detail = format!("the field {} is there twice", quoted(&name));
                    return Err(serde_json::Error::custom(detail));
                }
                object.insert(name, value(raw, depth + 1)?);
            }
            Value::Object(object)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            let items = items.into_iter().map(|raw| value(raw, depth + 1));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str::<Text<'_>>(text)?.0),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(text),
    })
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

/// The fields of one object, in their order.
struct Fields<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                let mut found = Vec::new();
                while let Some(field) = fields.next_entry()? {
                    found.push(field);
                }
                Ok(Fields(found))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

/// A text, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
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
        let Value::List(list) = &object["b"] else {
            panic!("{object:?}");
        };
        assert_eq!(list.len(), 4);
        assert!(matches!(list[2], Value::Number("3.5")));
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
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
        let deep = |open: &str, close: &str| {
            let depth = 8_000;
            format!(r#"{{"a":{}1{}}}"#, open.repeat(depth), close.repeat(depth))
        };
        assert!(refused(deep("[", "]").as_bytes()).contains("recursion limit"));
        assert!(refused(deep(r#"{"a":"#, "}").as_bytes()).contains("recursion limit"));
        assert!(refused("[".repeat(16_000).as_bytes()).contains("not valid JSON"));
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
