//! JSON for types, strictly: where a type has fields, only an object will do.
//!
//! The derives of serde take a list of the right values for a struct as well, and an empty one for a struct whose fields
//! may all be left out: `"rate": [10, 50]` would be a rate that no document tells of.

use serde::{
    de::{
        DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor,
        value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Error, Value};

/// What does not fit, and where it is.
pub type Misfit = serde_path_to_error::Error<Error>;

/// The value as a type has it.
///
/// # Errors
/// The place that does not fit.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Misfit> {
    serde_path_to_error::deserialize(Strict(value))
}

struct Strict(Value);

impl Strict {
    fn object<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(_) => self.deserialize_any(visitor),
            other => Err(Error::invalid_type(unexpected(&other), &"an object")),
        }
    }
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Other("null"),
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(_) => Unexpected::Other("a number"),
        Value::String(_) => Unexpected::Other("a text"),
        Value::Array(_) => Unexpected::Other("a list"),
        Value::Object(_) => Unexpected::Map,
    }
}

impl IntoDeserializer<'_, Error> for Strict {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// As the library's own deserializer of a value, but for what is nested in it, and for objects.
impl<'de> Deserializer<'de> for Strict {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Strict));
                let value = visitor.visit_seq(&mut items)?;
                items.end().map(|()| value)
            }
            Value::Object(fields) => {
                let fields = fields
                    .into_iter()
                    .map(|(name, value)| (name, Strict(value)));
                let mut fields = MapDeserializer::new(fields);
                let value = visitor.visit_map(&mut fields)?;
                fields.end().map(|()| value)
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.object(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.object(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(fields) if fields.len() == 1 => {
                let fields = fields
                    .into_iter()
                    .map(|(name, value)| (name, Strict(value)));
                let fields = MapAccessDeserializer::new(MapDeserializer::new(fields));
                fields.deserialize_enum(name, variants, visitor)
            }
            plain => plain.deserialize_enum(name, variants, visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rate {
        per_s: u32,
        #[serde(default)]
        burst: Option<u32>,
    }

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Body {
        rate: Option<Rate>,
        rates: Vec<Rate>,
        by_name: BTreeMap<String, Rate>,
        size: Option<Size>,
        pair: Option<(u8, String)>,
        any: Value,
    }

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Size {
        Small,
        Of(Rate),
    }

    fn refused(value: Value) -> (String, String) {
        let misfit = from_value::<Body>(value).unwrap_err();
        (misfit.path().to_string(), misfit.into_inner().to_string())
    }

    #[test]
    fn what_has_fields_is_an_object_however_deep_it_is() {
        for (value, place) in [
            (json!([]), "."),
            (json!({ "rate": [10, 50] }), "rate"),
            (json!({ "rate": [] }), "rate"),
            (json!({ "rates": [{ "per_s": 1 }, [10, 50]] }), "rates[1]"),
            (json!({ "by_name": [] }), "by_name"),
            (json!({ "by_name": { "x": [10] } }), "by_name.x"),
            (json!({ "size": { "of": [10] } }), "size.of"),
        ] {
            let (found, why) = refused(value);
            assert_eq!(found, place);
            assert_eq!(why, "invalid type: a list, expected an object", "{place}");
        }
    }

    #[test]
    fn whatever_else_is_in_order_is_read_as_ever() {
        let rate = |per_s| Rate { per_s, burst: None };
        let value = json!({
            "rate": { "per_s": 1 }, "rates": [{ "per_s": 2, "burst": null }], "by_name": { "x": { "per_s": 3 } },
            "size": { "of": { "per_s": 4 } }, "pair": [5, "é"], "any": [[], { "x": [1.5, null] }],
        });
        let read: Body = from_value(value.clone()).unwrap();
        let expected = Body {
            rate: Some(rate(1)),
            rates: vec![rate(2)],
            by_name: [("x".to_owned(), rate(3))].into(),
            size: Some(Size::Of(rate(4))),
            pair: Some((5, "é".to_owned())),
            any: value["any"].clone(),
        };
        assert_eq!(read, expected);
        let small: Body = from_value(json!({ "size": "small", "rate": null })).unwrap();
        assert_eq!((small.size, small.rate), (Some(Size::Small), None));
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        for (value, place, why) in [
            (json!({ "rate": { "x": 1 } }), "rate.x", "unknown field `x`"),
            (
                json!({ "rate": { "per_s": "1" } }),
                "rate.per_s",
                "invalid type",
            ),
            (json!({ "rate": {} }), "rate", "missing field `per_s`"),
            (json!({ "pair": [5, "x", 6] }), "pair", "invalid length"),
            (json!({ "size": "large" }), "size", "unknown variant"),
            (json!({ "size": {} }), "size", "invalid value"),
            (
                json!({ "size": { "of": { "per_s": 1 }, "x": 1 } }),
                "size",
                "invalid value",
            ),
            (json!({ "x": 1 }), "x", "unknown field `x`"),
        ] {
            let (found, told) = refused(value);
            assert_eq!(found, place, "{told}");
            assert!(told.starts_with(why), "{told}");
        }
    }
}
