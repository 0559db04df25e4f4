//! What the operator tells of a player: read, and held to its bounds. Names, addresses and birthdays stay with him.

use pitboss_providers::Code;
use pitboss_schema::{Labels, PlayerRow, Profile, ProfileChange};
use pitboss_wallet::{Country, Currency, PlayerId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{
    ApiError,
    fields::{self, there},
};

const LABELS_MAX: usize = 16;
const LABEL_NAME_CHARS_MAX: usize = 64;
const LABEL_CHARS_MAX: usize = 255;

/// A new player, or another currency for one who exists.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlayer {
    pub id: PlayerId,
    /// The currency of his first wallet.
    pub currency: Currency,
    /// Where he plays from, for games that are not offered everywhere.
    country: Option<Country>,
    /// A language tag, such as `de` or `pt-BR`.
    language: Option<String>,
    /// Up to 16 short texts by names.
    labels: Option<Labels>,
    /// A test account: no report counts it. Cannot be changed afterwards.
    test: Option<bool>,
}

impl NewPlayer {
    /// What is told of him, within its bounds.
    pub fn profile(&self) -> Result<Profile, ApiError> {
        self.language.as_deref().map(fields::language).transpose()?;
        self.labels.as_ref().map(check_labels).transpose()?;
        Ok(Profile {
            country: self.country.map(code),
            language: self.language.clone(),
            labels: self.labels.clone().unwrap_or_default(),
            test: self.test.unwrap_or(false),
        })
    }

    /// The first thing that is told here, and otherwise of a player who exists.
    pub fn differs_from(&self, row: &PlayerRow) -> Option<&'static str> {
        let country = self.country.map(code);
        if country.is_some() && country != row.country {
            return Some("country");
        }
        if self.language.is_some() && self.language != row.language {
            return Some("language");
        }
        if self.labels.as_ref().is_some_and(|told| *told != row.labels) {
            return Some("set of labels");
        }
        self.test
            .is_some_and(|told| told != row.test)
            .then_some("answer to whether he is a test")
    }
}

/// What is to be changed; what is not there stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PlayerChange")]
pub struct Change {
    /// Where he plays from; `null` forgets it.
    #[serde(default, deserialize_with = "there")]
    #[schemars(with = "Option<Country>")]
    country: Option<Option<Country>>,
    /// A language tag, such as `de` or `pt-BR`; `null` forgets it.
    #[serde(default, deserialize_with = "there")]
    #[schemars(with = "Option<String>")]
    language: Option<Option<String>>,
    /// All labels: those that are not there are forgotten.
    labels: Option<Labels>,
}

impl Change {
    /// The change, within its bounds; one of nothing is none.
    pub fn checked(self) -> Result<ProfileChange, ApiError> {
        let Self {
            country,
            language,
            labels,
        } = self;
        if country.is_none() && language.is_none() && labels.is_none() {
            let detail = "send at least one of: country, language, labels";
            return Err(ApiError::new(Code::Malformed, detail));
        }
        if let Some(Some(language)) = &language {
            fields::language(language)?;
        }
        labels.as_ref().map(check_labels).transpose()?;
        Ok(ProfileChange {
            country: country.map(|country| country.map(code)),
            language,
            labels,
        })
    }
}

fn code(country: Country) -> String {
    country.code().to_owned()
}

/// A change as the audit log tells it: what was told, and nothing else.
pub fn told(change: &ProfileChange) -> Value {
    let mut told = serde_json::Map::new();
    if let Some(country) = &change.country {
        told.insert("country".to_owned(), json!(country));
    }
    if let Some(language) = &change.language {
        told.insert("language".to_owned(), json!(language));
    }
    if let Some(labels) = &change.labels {
        told.insert("labels".to_owned(), json!(labels));
    }
    Value::Object(told)
}

fn check_labels(labels: &Labels) -> Result<(), ApiError> {
    let wrong = |detail: String| Err(ApiError::new(Code::Malformed, detail));
    if labels.len() > LABELS_MAX {
        return wrong(format!("labels: must be {LABELS_MAX} at most"));
    }
    for (name, label) in labels {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
        if name.is_empty() || name.len() > LABEL_NAME_CHARS_MAX || !name.bytes().all(is_name) {
            return wrong(format!(
                "labels: a name must be 1 to {LABEL_NAME_CHARS_MAX} letters, digits and . _ -"
            ));
        }
        if label.is_empty()
            || label.chars().count() > LABEL_CHARS_MAX
            || label.chars().any(char::is_control)
        {
            return wrong(format!(
                "labels.{name}: must be 1 to {LABEL_CHARS_MAX} characters, without control characters"
            ));
        }
    }
    Ok(())
}
