//! The lobby: collections of games, and who sees which of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use pitboss_schema::{Category, CollectionRow, Device};
use pitboss_wallet::{
    Countries, Country, Currency, GameId, GameStanding, GameSwitch, PlayerId, ProviderId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Complaint, Floor, Listed, entry, search};
use crate::strict;

const ID_CHARS_MAX: usize = 64;
const TITLES_MAX: usize = 50;
const TITLE_CHARS_MAX: usize = 128;
const RULE_WORDS_MAX: usize = 32;
/// Games of a collection that are shown to one visitor.
const GAMES_MAX: usize = 100;
/// Games that a collection may be picked of: more than are shown, for not everybody may see each.
const PICKED_MAX: usize = 300;

/// In which order a rule shows its games.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The greatest `sort_weight` first, then by id.
    #[default]
    Weight,
    /// By name.
    Name,
    /// What came into the catalogue last is first.
    Newest,
}

/// Which games a collection has: those that fit to each list, where an empty list fits to all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(default)]
    pub categories: Vec<Category>,
    /// One of these tags is enough.
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub providers: Vec<ProviderId>,
    #[serde(default)]
    pub order: Order,
}

const fn yes() -> bool {
    true
}

const fn games_max() -> usize {
    GAMES_MAX
}

/// A collection of the lobby, as it is kept and as the API takes it: by a rule, or picked by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// 1 to 64 small letters, digits, `-` and `_`. Fixed.
    pub id: String,
    /// The title for each language tag of BCP 47; at least one.
    pub titles: BTreeMap<String, String>,
    /// Collections with a lesser position are shown first.
    #[serde(default)]
    pub position: i32,
    /// Either this or `games`.
    #[serde(default)]
    pub rule: Option<Rule>,
    /// Picked by hand, in this order: at most 300.
    #[serde(default)]
    pub games: Vec<GameId>,
    /// How many games one visitor is shown: 1 to 100.
    #[serde(default = "games_max")]
    pub limit: usize,
    #[serde(default)]
    pub countries: Countries,
    /// Empty: every device.
    #[serde(default)]
    pub devices: Vec<Device>,
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl Collection {
    /// Reads a collection and checks it.
    ///
    /// # Errors
    /// The field that does not fit.
    pub fn read(fields: Map<String, Value>) -> Result<Self, Complaint> {
        let collection: Self = strict::from_value(Value::Object(fields))?;
        collection.check()?;
        Ok(collection)
    }

    /// # Errors
    /// The field that does not fit.
    fn check(&self) -> Result<(), Complaint> {
        let wrong = |field: &str, why: String| Err(Complaint::new(field, why));
        if !entry::is_word(&self.id, ID_CHARS_MAX) {
            let why = format!("must be 1 to {ID_CHARS_MAX} small letters, digits, - and _");
            return wrong("id", why);
        }
        if self.titles.is_empty() || self.titles.len() > TITLES_MAX {
            return wrong("titles", format!("must be 1 to {TITLES_MAX}"));
        }
        for (language, title) in &self.titles {
            if !entry::is_language(language) {
                let why = "every key must be a language tag of BCP 47, such as \"en\"".to_owned();
                return wrong("titles", why);
            }
            entry::text(&format!("titles.{language}"), title, TITLE_CHARS_MAX)?;
        }
        match &self.rule {
            Some(_) if !self.games.is_empty() => {
                return wrong("games", "must not be there beside a rule".to_owned());
            }
            None if self.games.is_empty() => {
                return wrong("games", "must not be empty without a rule".to_owned());
            }
            Some(rule) => check_rule(rule)?,
            None => {}
        }
        if self.games.len() > PICKED_MAX {
            return wrong("games", format!("must be at most {PICKED_MAX}"));
        }
        entry::distinct("games", &self.games)?;
        if !(1..=GAMES_MAX).contains(&self.limit) {
            return wrong("limit", format!("must be from 1 to {GAMES_MAX}"));
        }
        entry::check_countries(&self.countries)?;
        entry::distinct("devices", &self.devices)?;
        Ok(())
    }

    /// Whether this visitor is shown the collection at all.
    fn is_for(&self, visitor: &Visitor) -> bool {
        let has_device = visitor
            .device
            .is_none_or(|device| self.devices.is_empty() || self.devices.contains(&device));
        self.enabled && self.countries.welcome(visitor.country) && has_device
    }

    /// The title in a language, or in the nearest there is.
    #[must_use]
    pub fn title(&self, language: Option<&str>) -> &str {
        let language = language.unwrap_or("en");
        let same = |wanted: &str| {
            let mut titles = self.titles.iter();
            titles.find(|(tag, _)| search::is_near(tag, wanted))
        };
        let exact = self
            .titles
            .iter()
            .find(|(tag, _)| tag.eq_ignore_ascii_case(language));
        let primary = language.split('-').next().unwrap_or_default();
        let found = exact
            .or_else(|| same(language))
            .or_else(|| same(primary))
            .or_else(|| same("en"))
            .or_else(|| self.titles.iter().next());
        found.map_or("", |(_, title)| title)
    }
}

fn check_rule(rule: &Rule) -> Result<(), Complaint> {
    for (field, count) in [
        ("rule.categories", rule.categories.len()),
        ("rule.tags", rule.tags.len()),
        ("rule.providers", rule.providers.len()),
    ] {
        if count > RULE_WORDS_MAX {
            return Err(Complaint::new(
                field,
                format!("must be at most {RULE_WORDS_MAX}"),
            ));
        }
    }
    match rule.tags.iter().position(|tag| !entry::is_tag(tag)) {
        Some(index) => Err(Complaint::new(format!("rule.tags[{index}]"), "is no tag")),
        None => Ok(()),
    }
}

/// A collection with its games.
pub struct Shelf {
    pub collection: Collection,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    games: Vec<Arc<Listed>>,
}

/// Puts the games on the shelves, once for each change of anything: whoever looks only filters.
pub(super) fn shelves(
    rows: &[CollectionRow],
    by_id: &HashMap<String, Arc<Listed>>,
    sorted: &[Arc<Listed>],
) -> Vec<Shelf> {
    let mut shelves: Vec<Shelf> = rows
        .iter()
        .filter_map(|row| {
            let collection: Collection = serde_json::from_str(&row.document)
                .inspect_err(|error| tracing::error!(%error, "a collection cannot be read"))
                .ok()?;
            let games = match &collection.rule {
                Some(rule) => by_rule(rule, sorted),
                None => {
                    let picked = collection.games.iter();
                    picked
                        .filter_map(|id| by_id.get(id.as_str()).cloned())
                        .collect()
                }
            };
            Some(Shelf {
                collection,
                created_at: row.created_at,
                updated_at: row.updated_at,
                games,
            })
        })
        .collect();
    shelves.sort_by(|a, b| {
        let (a, b) = (&a.collection, &b.collection);
        (a.position, &a.id).cmp(&(b.position, &b.id))
    });
    shelves
}

fn by_rule(rule: &Rule, sorted: &[Arc<Listed>]) -> Vec<Arc<Listed>> {
    let fits = |listed: &&Arc<Listed>| {
        let game = listed.game();
        (rule.categories.is_empty() || rule.categories.contains(&game.category))
            && (rule.tags.is_empty() || rule.tags.iter().any(|tag| game.tags.contains(tag)))
            && (rule.providers.is_empty() || rule.providers.contains(&game.provider))
    };
    let mut games: Vec<Arc<Listed>> = sorted.iter().filter(fits).cloned().collect();
    match rule.order {
        Order::Weight => {}
        Order::Name => games.sort_by_cached_key(|listed| search::fold(&listed.game().name)),
        Order::Newest => games.sort_by_key(|listed| std::cmp::Reverse(listed.row.created_at)),
    }
    games
}

/// Who looks, as far as he told. What he did not tell does not matter, but for the country: what is offered by country
/// is not for somebody whose country nobody knows.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    pub country: Option<Country>,
    pub device: Option<Device>,
    pub currency: Option<Currency>,
    pub language: Option<String>,
    pub player: Option<PlayerId>,
}

/// Why somebody may not launch a game.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    Disabled,
    Country,
    Currency,
    Device,
    Language,
}

impl Floor {
    /// Whether a visitor may launch a game.
    ///
    /// # Errors
    /// The first of the reasons why he may not.
    pub fn may_launch(&self, listed: &Listed, visitor: &Visitor) -> Result<(), Denial> {
        let standing = match &visitor.player {
            Some(player) => self.standing_for(player, listed),
            None => self.standing_of(listed),
        };
        if !matches!(
            standing,
            GameStanding::Known {
                switch: GameSwitch::Enabled,
                ..
            }
        ) {
            return Err(Denial::Disabled);
        }
        if let Some(terms) = &listed.terms {
            if !terms.countries.welcome(visitor.country) {
                return Err(Denial::Country);
            }
            if visitor
                .currency
                .is_some_and(|currency| !terms.offer(currency))
            {
                return Err(Denial::Currency);
            }
        }
        fits(listed, visitor)
    }
}

/// Whether a game is played on the visitor's device and in his language.
pub(super) fn fits(listed: &Listed, visitor: &Visitor) -> Result<(), Denial> {
    let game = listed.game();
    if visitor
        .device
        .is_some_and(|device| !search::is_on(game, device))
    {
        return Err(Denial::Device);
    }
    if visitor
        .language
        .as_ref()
        .is_some_and(|language| !search::speaks(game, language))
    {
        return Err(Denial::Language);
    }
    Ok(())
}

impl Listed {
    /// Whether the game is played on a device and in a language.
    ///
    /// # Errors
    /// Which of the two it is not.
    pub fn suits(&self, visitor: &Visitor) -> Result<(), Denial> {
        fits(self, visitor)
    }
}

/// A collection as one visitor sees it.
pub struct Shown<'a> {
    pub collection: &'a Collection,
    pub games: Vec<&'a Listed>,
}

pub(super) fn shown<'a>(
    floor: &Floor,
    shelves: &'a [Shelf],
    visitor: &Visitor,
    takes_bets: &dyn Fn(&ProviderId) -> bool,
) -> Vec<Shown<'a>> {
    let seen = shelves
        .iter()
        .filter(|shelf| shelf.collection.is_for(visitor));
    let seen = seen.map(|shelf| {
        let may = |listed: &&Arc<Listed>| {
            takes_bets(&listed.game().provider) && floor.may_launch(listed, visitor).is_ok()
        };
        let games = shelf.games.iter().filter(may).take(shelf.collection.limit);
        Shown {
            collection: &shelf.collection,
            games: games.map(AsRef::as_ref).collect(),
        }
    });
    seen.filter(|shown| !shown.games.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn collection(changes: Value) -> Result<(), String> {
        let mut whole = json!({ "id": "top", "titles": { "en": "Top" }, "rule": {} });
        let fields = whole.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        let Value::Object(fields) = whole else {
            unreachable!()
        };
        let read = Collection::read(fields).map_err(|error| error.field);
        read.map(drop)
    }

    #[test]
    fn a_collection_has_a_rule_or_picked_games_and_titles() {
        collection(json!({})).unwrap();
        collection(json!({ "id": "a".repeat(64) })).unwrap();
        collection(json!({ "rule": null, "games": ["dice"] })).unwrap();
        for (changes, field) in [
            (json!({ "id": "" }), "id"),
            (json!({ "id": "Top" }), "id"),
            (json!({ "id": "a".repeat(65) }), "id"),
            (json!({ "titles": {} }), "titles"),
            (json!({ "titles": { "x y": "T" } }), "titles"),
            (json!({ "titles": { "en": "" } }), "titles.en"),
            (json!({ "rule": null }), "games"),
            (json!({ "games": ["dice"] }), "games"),
            (
                json!({ "rule": null, "games": ["dice", "dice"] }),
                "games[1]",
            ),
            (json!({ "rule": { "tags": ["No tag"] } }), "rule.tags[0]"),
            (json!({ "limit": 0 }), "limit"),
            (json!({ "limit": 101 }), "limit"),
            (json!({ "devices": ["mobile", "mobile"] }), "devices[1]"),
            (
                json!({ "countries": { "allow": ["SE"], "deny": ["SE"] } }),
                "countries.deny",
            ),
        ] {
            assert_eq!(collection(changes.clone()).unwrap_err(), field, "{changes}");
        }
    }

    #[test]
    fn a_title_is_in_the_nearest_language() {
        let collection: Collection = serde_json::from_value(json!({
            "id": "top", "rule": {},
            "titles": { "en": "Top", "pt": "Melhores", "pt-BR": "Os melhores", "sv-SE": "Toppen" },
        }))
        .unwrap();
        for (language, title) in [
            (None, "Top"),
            (Some("pt-BR"), "Os melhores"),
            (Some("pt-PT"), "Melhores"),
            (Some("PT"), "Melhores"),
            (Some("sv"), "Toppen"),
            (Some("de"), "Top"),
        ] {
            assert_eq!(collection.title(language), title, "{language:?}");
        }
    }
}
