//! What an entry of the catalogue may say. Pure: a game in, a complaint that names its field out.

use std::{collections::HashSet, fmt, hash::Hash};

use pitboss_schema::Game;
use pitboss_wallet::{Countries, Currency, Money, StakeLimits};
use serde_json::{Map, Value};

use super::launch_url;
use crate::strict::{self, Misfit};

pub const NAME_CHARS_MAX: usize = 128;
const TAGS_MAX: usize = 32;
const TAG_CHARS_MAX: usize = 32;
const JACKPOTS_MAX: usize = 16;
const JACKPOT_CHARS_MAX: usize = 64;
const LANGUAGES_MAX: usize = 100;
const LANGUAGE_CHARS_MAX: usize = 35;
const VERSION_CHARS_MAX: usize = 64;
const IMAGE_CHARS_MAX: usize = 1024;
const SESSION_LIMIT_S_MAX: i32 = 30 * 86_400;
const SESSIONS_MAX: i32 = 100;
/// Digits after the point of a return to player.
const RTP_DIGITS_MAX: usize = 6;
/// Words that are paths of the API, and what a path does not keep.
const RESERVED_IDS: [&str; 3] = ["import", ".", ".."];

/// What is wrong, and with which field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Complaint {
    pub field: String,
    pub why: String,
}

impl Complaint {
    pub fn new(field: impl Into<String>, why: impl fmt::Display) -> Self {
        Self {
            field: field.into(),
            why: why.to_string(),
        }
    }
}

/// What does not fit to a type, with the field that it is in.
impl From<Misfit> for Complaint {
    fn from(error: Misfit) -> Self {
        let field = error.path().to_string();
        let whole = field == ".";
        Self::new(if whole { "" } else { &field }, error.into_inner())
    }
}

type Checked = Result<(), Complaint>;

/// The game that `changes` make of the one that is there, or a new one: what they leave out stays as it is.
///
/// # Errors
/// The field that does not fit.
pub fn merged(current: Option<&Game>, changes: &Map<String, Value>) -> Result<Game, Complaint> {
    let mut whole = match current.map(serde_json::to_value) {
        Some(Ok(Value::Object(whole))) => whole,
        _ => Map::new(),
    };
    whole.extend(
        changes
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let mut game: Game = strict::from_value(Value::Object(whole))?;
    check_fixed(current, &game)?;
    check(&mut game)?;
    Ok(game)
}

/// The game that `fields` are, in the place of the one that is there: what they leave out takes its default.
///
/// # Errors
/// The field that does not fit.
pub fn whole(current: Option<&Game>, fields: &Map<String, Value>) -> Result<Game, Complaint> {
    let game = merged(None, fields)?;
    check_fixed(current, &game)?;
    Ok(game)
}

fn check_fixed(current: Option<&Game>, game: &Game) -> Checked {
    let Some(current) = current else {
        return Ok(());
    };
    if game.id != current.id {
        let why = format!("is {:?}, and stays", current.id.as_str());
        return Err(Complaint::new("id", why));
    }
    if game.provider != current.provider {
        let why = format!(
            "is {}, and stays: the game's rounds are this provider's",
            current.provider
        );
        return Err(Complaint::new("provider", why));
    }
    Ok(())
}

/// Checks what the types do not, and writes amounts as they are always written.
fn check(game: &mut Game) -> Checked {
    if RESERVED_IDS.contains(&game.id.as_str()) {
        return Err(Complaint::new("id", "is a word of the API"));
    }
    text("name", &game.name, NAME_CHARS_MAX)?;
    list("tags", &game.tags, TAGS_MAX, is_tag, TAG_RULE)?;
    if let Some(rtp) = &game.rtp
        && !is_percent(rtp)
    {
        let why = format!(
            "must be a plain decimal number from 0 to 100 with at most {RTP_DIGITS_MAX} decimals, as a text"
        );
        return Err(Complaint::new("rtp", why));
    }
    distinct("currencies", &game.currencies)?;
    check_limits(game)?;
    distinct("devices", &game.devices)?;
    list(
        "languages",
        &game.languages,
        LANGUAGES_MAX,
        is_language,
        LANGUAGE_RULE,
    )?;
    check_countries(&game.countries)?;
    let is_name = |name: &str| is_text(name, JACKPOT_CHARS_MAX);
    list(
        "jackpots",
        &game.jackpots,
        JACKPOTS_MAX,
        is_name,
        "1 to 64 characters",
    )?;
    if let Some(version) = &game.version {
        text("version", version, VERSION_CHARS_MAX)?;
    }
    if let Some(checksum) = &game.checksum {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if checksum.len() != 64 || !checksum.bytes().all(is_digit) {
            let why = "must be a SHA-256 as 64 hexadecimal digits, in small letters";
            return Err(Complaint::new("checksum", why));
        }
    }
    if let Some(template) = &game.launch_url {
        launch_url::check(template, game.demo).map_err(|why| Complaint::new("launch_url", why))?;
    }
    if let Some(image) = &game.image {
        check_image(image)?;
    }
    within("session_limit_s", game.session_limit_s, SESSION_LIMIT_S_MAX)?;
    within("max_sessions", game.max_sessions, SESSIONS_MAX)
}

/// The limits as the wallet compares them.
///
/// # Errors
/// An amount that is none.
pub fn stake_limits(game: &Game) -> Result<Vec<StakeLimits>, Complaint> {
    let units = |index: usize, name: &str, amount: Option<&String>, currency: Currency| {
        let parsed = amount
            .map(|amount| Money::parse(amount, currency))
            .transpose();
        let parsed =
            parsed.map_err(|error| Complaint::new(format!("limits[{index}].{name}"), error))?;
        Ok::<_, Complaint>(parsed.map(|money| money.units))
    };
    let limits = game.limits.iter().enumerate().map(|(index, limits)| {
        let currency = limits.currency;
        Ok(StakeLimits {
            currency,
            min: units(index, "min", limits.min.as_ref(), currency)?,
            max: units(index, "max", limits.max.as_ref(), currency)?,
        })
    });
    limits.collect()
}

fn check_limits(game: &mut Game) -> Checked {
    let limits = stake_limits(game)?;
    let currencies: Vec<Currency> = limits.iter().map(|limits| limits.currency).collect();
    distinct("limits", &currencies)?;
    for (index, (kept, read)) in game.limits.iter_mut().zip(&limits).enumerate() {
        let place = format!("limits[{index}]");
        if !game.currencies.is_empty() && !game.currencies.contains(&read.currency) {
            let why = format!("the game is not offered in {}", read.currency);
            return Err(Complaint::new(format!("{place}.currency"), why));
        }
        if let (Some(min), Some(max)) = (read.min, read.max)
            && min > max
        {
            return Err(Complaint::new(place, "min is above max"));
        }
        let written = |units: i64| Money::new(units, read.currency).to_string();
        kept.min = read.min.map(written);
        kept.max = read.max.map(written);
    }
    Ok(())
}

/// Lists of countries: each once, and none on both.
///
/// # Errors
/// The list that does not fit.
pub fn check_countries(countries: &Countries) -> Checked {
    distinct("countries.allow", &countries.allow)?;
    distinct("countries.deny", &countries.deny)?;
    if let Some(both) = countries
        .allow
        .iter()
        .find(|code| countries.deny.contains(code))
    {
        let why = format!("{both} is allowed as well");
        return Err(Complaint::new("countries.deny", why));
    }
    Ok(())
}

const TAG_RULE: &str = "1 to 32 small letters, digits, - and _";
const LANGUAGE_RULE: &str = "a language tag of BCP 47, such as \"en\" or \"pt-BR\"";

/// Whether a text may be a tag.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    is_word(text, TAG_CHARS_MAX)
}

/// Whether a text is of small letters, digits, `-` and `_`.
pub(super) fn is_word(text: &str, max: usize) -> bool {
    let is_part = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    !text.is_empty() && text.len() <= max && text.bytes().all(is_part)
}

/// Whether a text has the form of a language tag of BCP 47.
#[must_use]
pub fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    text.len() <= LANGUAGE_CHARS_MAX
        && (2..=8).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

fn is_percent(text: &str) -> bool {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_short = whole.len() <= 3 && decimals.len() <= RTP_DIGITS_MAX;
    if !is_number(whole) || !is_number(decimals) || !is_short {
        return false;
    }
    let has_no_padding = whole == "0" || !whole.starts_with('0');
    let is_exact_end = decimals.bytes().all(|digit| digit == b'0');
    has_no_padding
        && whole
            .parse()
            .is_ok_and(|whole: u16| whole < 100 || whole == 100 && is_exact_end)
}

fn is_text(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
}

/// A text for people.
///
/// # Errors
/// It is empty, too long or has control characters.
pub fn text(field: &str, value: &str, max: usize) -> Checked {
    if is_text(value, max) {
        return Ok(());
    }
    let why = format!("must be 1 to {max} characters, and none a control character");
    Err(Complaint::new(field, why))
}

fn list(
    field: &str,
    values: &[String],
    max: usize,
    rule: impl Fn(&str) -> bool,
    words: &str,
) -> Checked {
    if values.len() > max {
        return Err(Complaint::new(field, format!("must be at most {max}")));
    }
    for (index, value) in values.iter().enumerate() {
        if !rule(value) {
            return Err(Complaint::new(
                format!("{field}[{index}]"),
                format!("must be {words}"),
            ));
        }
    }
    distinct(field, values)
}

/// # Errors
/// One is there twice.
pub fn distinct<T: Eq + Hash>(field: &str, values: &[T]) -> Checked {
    let mut seen = HashSet::new();
    match values.iter().position(|value| !seen.insert(value)) {
        Some(index) => Err(Complaint::new(
            format!("{field}[{index}]"),
            "is there twice",
        )),
        None => Ok(()),
    }
}

fn within(field: &str, value: Option<i32>, max: i32) -> Checked {
    match value {
        Some(value) if !(1..=max).contains(&value) => {
            Err(Complaint::new(field, format!("must be from 1 to {max}")))
        }
        _ => Ok(()),
    }
}

fn check_image(image: &str) -> Checked {
    let is_local = image.starts_with('/') && !image.starts_with("//");
    let is_remote = launch_url::is_web_address(image) && image.starts_with("https://");
    let is_plain = image
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if image.len() <= IMAGE_CHARS_MAX && is_plain && (is_local || is_remote) {
        return Ok(());
    }
    let why = format!(
        "must be an https URL, or a path that begins with /, of at most {IMAGE_CHARS_MAX} characters"
    );
    Err(Complaint::new("image", why))
}

#[cfg(test)]
mod tests;
