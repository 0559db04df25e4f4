//! What a dialect lets an account choose besides its policy: names of headers, ways to report free rounds.

use std::{collections::BTreeMap, sync::Arc};

/// One choice.
pub struct Setting {
    pub name: &'static str,
    /// What it is, for a person.
    pub meaning: &'static str,
    /// The value of an account that makes no choice.
    pub default: &'static str,
    pub allowed: Allowed,
}

/// Which values a [`Setting`] may have.
pub enum Allowed {
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A text for which this says nothing.
    Text(fn(&str) -> Result<(), String>),
}

/// An account's choices. Those it does not make have their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(Arc<BTreeMap<String, String>>);

impl Settings {
    /// Choices, as an operator made them.
    ///
    /// # Errors
    /// Each one that is not among `known`, or has a value that is not allowed; for a person.
    pub fn new(known: &[Setting], choices: BTreeMap<String, String>) -> Result<Self, String> {
        let wrong: Vec<String> = choices
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}: {}", complaint(known, name, value)?)))
            .collect();
        if wrong.is_empty() {
            Ok(Self(Arc::new(choices)))
        } else {
            Err(wrong.join("; "))
        }
    }

    /// The choice, or its default.
    #[must_use]
    pub fn get(&self, setting: &'static Setting) -> &str {
        self.0
            .get(setting.name)
            .map_or(setting.default, String::as_str)
    }
}

/// What is wrong with a choice.
fn complaint(known: &[Setting], name: &str, value: &str) -> Option<String> {
    let Some(setting) = known.iter().find(|setting| setting.name == name) else {
        let names: Vec<&str> = known.iter().map(|setting| setting.name).collect();
        return Some(match names.as_slice() {
            [] => "the dialect has no settings".to_owned(),
            names => format!("there is no such setting; there are {}", names.join(", ")),
        });
    };
    match &setting.allowed {
        Allowed::OneOf(values) if values.contains(&value) => None,
        Allowed::OneOf(values) => Some(format!("must be one of {}", values.join(", "))),
        Allowed::Text(check) => check(value).err(),
    }
}

/// A name that a header may have.
///
/// # Errors
/// It is none.
pub fn header_name(text: &str) -> Result<(), String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=64).contains(&text.len()) && text.bytes().all(is_token) {
        Ok(())
    } else {
        Err("must be the name of a header: 1 to 64 letters, digits, - and _".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static COLOUR: Setting = Setting {
        name: "colour",
        meaning: "Of the chips.",
        default: "red",
        allowed: Allowed::OneOf(&["red", "blue"]),
    };
    static HEADER: Setting = Setting {
        name: "header",
        meaning: "Where the signature is.",
        default: "X-Sign",
        allowed: Allowed::Text(header_name),
    };

    fn settings(choices: &[(&str, &str)]) -> Result<Settings, String> {
        let choices = choices
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        // Statics of a test: the table is made anew.
        let known = [
            Setting {
                allowed: Allowed::OneOf(&["red", "blue"]),
                ..same(&COLOUR)
            },
            Setting {
                allowed: Allowed::Text(header_name),
                ..same(&HEADER)
            },
        ];
        Settings::new(&known, choices.collect())
    }

    fn same(setting: &Setting) -> Setting {
        Setting {
            name: setting.name,
            meaning: setting.meaning,
            default: setting.default,
            allowed: Allowed::OneOf(&[]),
        }
    }

    #[test]
    fn a_choice_is_one_of_those_that_there_are() {
        let chosen = settings(&[("colour", "blue")]).unwrap();
        assert_eq!(chosen.get(&COLOUR), "blue");
        assert_eq!(chosen.get(&HEADER), "X-Sign");
        assert_eq!(
            settings(&[("colour", "green")]).unwrap_err(),
            "colour: must be one of red, blue"
        );
        assert!(
            settings(&[("color", "red")])
                .unwrap_err()
                .contains("color: there is no such setting; there are colour, header")
        );
        // Each one that is wrong is named.
        let all = settings(&[("colour", "green"), ("header", ""), ("x", "")]).unwrap_err();
        assert!(
            all.contains("colour: ") && all.contains("; header: ") && all.contains("; x: "),
            "{all}"
        );
        let none = Settings::new(&[], BTreeMap::from([("x".to_owned(), String::new())]));
        assert_eq!(none.unwrap_err(), "x: the dialect has no settings");
        assert!(settings(&[("header", "X Sign")]).is_err() && settings(&[("header", "")]).is_err());
    }
}
