//! What is new about the configuration since the start before.

use std::collections::BTreeMap;

use pitboss_schema::{AuditAction, AuditNote, StoreError};
use serde_json::{Map, Value, json};

use super::note as entry;
use crate::world::World;

type Settings = BTreeMap<String, Value>;

/// Compares the configuration with that of the start before, and notes what is new.
pub(super) async fn note(world: &World) -> Result<(), StoreError> {
    let now = world.config.told(world.environment);
    let text =
        serde_json::to_string(&now).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let tell = |before: Option<&str>| -> Option<AuditNote> {
        let before: Settings = before
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let (before, after) = differences(&before, &now);
        let detail = json!({ "before": before, "after": after });
        let changed = !before.is_empty() || !after.is_empty();
        changed.then(|| entry(world, AuditAction::ConfigChanged, detail))
    };
    world
        .store
        .note_settings(&text, world.clock.now(), tell)
        .await
}

/// What is another value, new or gone: as it was and as it is.
fn differences(before: &Settings, after: &Settings) -> (Map<String, Value>, Map<String, Value>) {
    let missing = |here: &Settings, there: &Settings| {
        here.iter()
            .filter(|(key, value)| there.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    (missing(before, after), missing(after, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_came_or_went_is_told_and_nothing_else() {
        let settings = |pairs: &[(&str, i64)]| -> Settings {
            let pair = |(key, value): &(&str, i64)| ((*key).to_owned(), json!(value));
            pairs.iter().map(pair).collect()
        };
        let before = settings(&[("same", 1), ("other", 2), ("gone", 3)]);
        let after = settings(&[("same", 1), ("other", 4), ("new", 5)]);
        let (was, is) = differences(&before, &after);
        assert_eq!(Value::from(was), json!({ "gone": 3, "other": 2 }));
        assert_eq!(Value::from(is), json!({ "new": 5, "other": 4 }));
    }
}
