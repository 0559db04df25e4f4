//! Reads the fields of a JSON body one by one.

use std::fmt;

use pitboss_wallet::{Currency, IdError, Money, SessionId};
use uuid::Uuid;

use crate::{
    ParseError,
    json::{Object, Value, quoted},
};

/// The fields of one object. Every complaint names its field; those that are not asked for are ignored.
pub(crate) struct Fields<'a> {
    object: &'a Object<'a>,
    /// Where the object is, when it is not the body itself: `actions[0].`
    at: String,
}

impl<'a> Fields<'a> {
    /// The fields of a body.
    pub const fn of(object: &'a Object<'a>) -> Self {
        Self {
            object,
            at: String::new(),
        }
    }

    /// An object in a field.
    pub fn optional_object(&self, name: &str) -> Result<Option<Self>, ParseError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Self {
                object,
                at: format!("{}{name}.", self.at),
            })),
            Some(other) => Err(self.mismatch(name, "an object", other)),
        }
    }

    /// An object in a field that must be there.
    pub fn object(&self, name: &str) -> Result<Self, ParseError> {
        self.required(name, self.optional_object(name)?)
    }

    /// A list of objects: `most` at most, and one at least.
    pub fn objects(&self, name: &str, most: usize) -> Result<Vec<Self>, ParseError> {
        let list = match self.required(name, self.value(name))? {
            Value::List(list) => list,
            other => return Err(self.mismatch(name, "a list", other)),
        };
        if list.is_empty() || list.len() > most {
            let why = format!("must have 1 to {most} entries, and has {}", list.len());
            return Err(self.wrong(name, why));
        }
        let each = list.iter().enumerate().map(|(index, item)| match item {
            Value::Object(object) => Ok(Self {
                object,
                at: format!("{}{name}[{index}].", self.at),
            }),
            other => Err(self.mismatch(&format!("{name}[{index}]"), "an object", other)),
        });
        each.collect()
    }

    /// A number, as it is written.
    pub fn optional_number(&self, name: &str) -> Result<Option<&'a str>, ParseError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Number(text)) => Ok(Some(text)),
            Some(other) => Err(self.mismatch(name, "a number", other)),
        }
    }

    /// A number that must be there, as it is written.
    pub fn number(&self, name: &str) -> Result<&'a str, ParseError> {
        self.required(name, self.optional_number(name)?)
    }

    pub fn wrong(&self, name: &str, why: impl fmt::Display) -> ParseError {
        ParseError::Malformed(format!("{}: {why}", self.place(name)))
    }

    pub fn place(&self, name: &str) -> String {
        format!("{}{name}", self.at)
    }

    /// The field's value; `null` is the same as absent.
    pub fn value(&self, name: &str) -> Option<&'a Value<'a>> {
        self.object
            .get(name)
            .filter(|value| !matches!(value, Value::Null))
    }

    pub fn mismatch(&self, name: &str, expected: &str, value: &Value<'_>) -> ParseError {
        let why = format!("must be {expected}, and is {}", value.kind());
        self.wrong(name, why)
    }

    fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, ParseError> {
        value.ok_or_else(|| self.wrong(name, "is missing"))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, ParseError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.mismatch(name, "a text", other)),
        }
    }

    pub fn text(&self, name: &str) -> Result<&'a str, ParseError> {
        self.required(name, self.optional_text(name)?)
    }

    pub fn flag(&self, name: &str) -> Result<bool, ParseError> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => Err(self.mismatch(name, "true or false", other)),
        }
    }

    pub fn optional_id<T>(
        &self,
        name: &str,
        new: impl FnOnce(&'a str) -> Result<T, IdError>,
    ) -> Result<Option<T>, ParseError> {
        self.optional_text(name)?
            .map(new)
            .transpose()
            .map_err(|error| self.wrong(name, error))
    }

    pub fn id<T>(
        &self,
        name: &str,
        new: impl FnOnce(&'a str) -> Result<T, IdError>,
    ) -> Result<T, ParseError> {
        self.required(name, self.optional_id(name, new)?)
    }

    /// Our own id of a session: see [`session_id`].
    pub fn session(&self, name: &str) -> Result<SessionId, ParseError> {
        Ok(session_id(self.text(name)?))
    }

    pub fn currency(&self) -> Result<Currency, ParseError> {
        let code = self.text("currency")?;
        Currency::from_code(code).ok_or_else(|| {
            let place = self.place("currency");
            ParseError::UnknownCurrency(format!("{place}: {} is not known here", quoted(code)))
        })
    }

    pub fn optional_amount(
        &self,
        name: &str,
        currency: Currency,
    ) -> Result<Option<Money>, ParseError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Money::parse(text, currency)
                .map(Some)
                .map_err(|error| self.wrong(name, error)),
            Some(other) => {
                Err(self.mismatch(name, "a decimal number as a text, such as \"12.50\"", other))
            }
        }
    }

    pub fn amount(&self, name: &str, currency: Currency) -> Result<Money, ParseError> {
        self.required(name, self.optional_amount(name, currency)?)
    }
}

/// A text that is no session id names no session. That is for the wallet to say, after it has looked for the stored
/// transaction (T3): here it becomes an id that no session ever has.
pub(crate) fn session_id(text: &str) -> SessionId {
    SessionId::parse(text).unwrap_or(SessionId(Uuid::nil()))
}
