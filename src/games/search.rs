//! Finding games: by words, whatever their case and accents, and by what they are.

use pitboss_schema::{Category, Device, Game};
use pitboss_wallet::{Country, Currency, ProviderId};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::Listed;

/// A text without case and accents: `Ünïcorn` is found by `unicorn`.
#[must_use]
pub fn fold(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c));
    plain.flat_map(char::to_lowercase).collect()
}

/// What is searched of a game.
pub(super) fn text(game: &Game) -> String {
    let mut text = format!("{}\n{}", game.id, game.name);
    for tag in &game.tags {
        text.push('\n');
        text.push_str(tag);
    }
    fold(&text)
}

/// Which games are wanted. What is not told does not matter.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Folded words: each must be somewhere in the id, the name or a tag.
    pub words: Vec<String>,
    pub provider: Option<ProviderId>,
    pub category: Option<Category>,
    pub tag: Option<String>,
    pub currency: Option<Currency>,
    pub device: Option<Device>,
    pub country: Option<Country>,
    pub enabled: Option<bool>,
    pub demo: Option<bool>,
}

impl Query {
    pub(super) fn wants(&self, listed: &Listed) -> bool {
        let game = &listed.row.game;
        let terms = listed.terms.as_deref();
        self.provider
            .as_ref()
            .is_none_or(|provider| game.provider == *provider)
            && self
                .category
                .is_none_or(|category| game.category == category)
            && self.tag.as_ref().is_none_or(|tag| game.tags.contains(tag))
            && self.enabled.is_none_or(|enabled| game.enabled == enabled)
            && self.demo.is_none_or(|demo| game.demo == demo)
            && self.device.is_none_or(|device| is_on(game, device))
            && self
                .currency
                .is_none_or(|currency| terms.is_none_or(|terms| terms.offer(currency)))
            && self.country.is_none_or(|country| {
                terms.is_none_or(|terms| terms.countries.welcome(Some(country)))
            })
            && self
                .words
                .iter()
                .all(|word| listed.text.contains(word.as_str()))
    }
}

/// Whether a game is played on a device.
pub(super) fn is_on(game: &Game, device: Device) -> bool {
    game.devices.is_empty() || game.devices.contains(&device)
}

/// Whether a game speaks a language: `pt` speaks for `pt-BR`, and the other way round.
pub(super) fn speaks(game: &Game, language: &str) -> bool {
    game.languages.is_empty()
        || game
            .languages
            .iter()
            .any(|spoken| is_near(spoken, language))
}

/// Whether two language tags are the same, or one is the language of the other.
pub(super) fn is_near(one: &str, other: &str) -> bool {
    let primary = |tag: &str| {
        tag.split('-')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    one.eq_ignore_ascii_case(other)
        || (primary(one) == primary(other) && !(one.contains('-') && other.contains('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_do_not_matter() {
        for (text, folded) in [
            ("Ünïcorn", "unicorn"),
            ("CAFÉ Royale", "cafe royale"),
            ("ﬁve", "five"),
            ("Ångström", "angstrom"),
            ("Łódź", "łodz"),
            ("北京", "北京"),
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn a_language_stands_for_its_regions_but_no_region_for_another() {
        for (one, other) in [
            ("pt", "pt-BR"),
            ("pt-BR", "pt"),
            ("EN", "en"),
            ("pt-br", "pt-BR"),
        ] {
            assert!(is_near(one, other), "{one} {other}");
        }
        for (one, other) in [("pt-PT", "pt-BR"), ("en", "es"), ("e", "en")] {
            assert!(!is_near(one, other), "{one} {other}");
        }
    }
}
