//! What a change of a game changes, for the audit log and for a dry run.

use pitboss_schema::{AuditAction, AuditNote, Game};
use serde::Serialize;
use serde_json::{Value, json};

/// A field that has another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub field: String,
    pub from: Value,
    pub to: Value,
}

/// The fields in which two states of a game differ.
#[must_use]
pub fn differences(before: &Game, after: &Game) -> Vec<Difference> {
    let fields = |game: &Game| match serde_json::to_value(game) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (before, mut after) = (fields(before), fields(after));
    let each = before.into_iter().filter_map(|(field, from)| {
        let to = after.remove(&field).unwrap_or_default();
        (from != to).then_some(Difference { field, from, to })
    });
    each.collect()
}

/// The version and the checksum are one thing: what was certified.
fn is_of_package(field: &str) -> bool {
    matches!(field, "version" | "checksum")
}

/// The entries of the audit log for a change of one game: what it was, what it is. `with_rest`: also of what is neither
/// the switch nor the version.
pub fn notes(
    before: Option<&Game>,
    after: &Game,
    with_rest: bool,
    mut note: impl FnMut(AuditAction, String, Value) -> AuditNote,
) -> Vec<AuditNote> {
    let subject = format!("game/{}", after.id);
    let Some(before) = before else {
        let created = with_rest.then(|| note(AuditAction::GameCreated, subject, json!(after)));
        return created.into_iter().collect();
    };
    let differences = differences(before, after);
    let mut notes = Vec::new();
    if before.enabled != after.enabled {
        let action = if after.enabled {
            AuditAction::GameEnabled
        } else {
            AuditAction::GameDisabled
        };
        let detail = json!({ "finish_open_round": after.finish_open_round });
        notes.push(note(action, subject.clone(), detail));
    }
    let (package, rest): (Vec<&Difference>, Vec<&Difference>) = differences
        .iter()
        .filter(|difference| difference.field != "enabled")
        .partition(|difference| is_of_package(&difference.field));
    if !package.is_empty() {
        let detail = json!({ "changes": package });
        notes.push(note(
            AuditAction::GameVersionChanged,
            subject.clone(),
            detail,
        ));
    }
    if with_rest && !rest.is_empty() {
        let detail = json!({ "changes": rest });
        notes.push(note(AuditAction::GameChanged, subject, detail));
    }
    notes
}

#[cfg(test)]
mod tests {
    use pitboss_schema::AuditActor;
    use pitboss_wallet::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::games::merged;

    fn game(changes: Value) -> Game {
        let mut whole = json!({ "id": "d", "provider": "p", "name": "D", "category": "dice" });
        let fields = whole.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        merged(None, fields).unwrap()
    }

    fn actions(before: Option<&Game>, after: &Game, with_rest: bool) -> Vec<&'static str> {
        let note = |action, subject, detail| AuditNote {
            id: Uuid::nil(),
            at: Timestamp::from_micros(0),
            action,
            actor: AuditActor {
                kind: "operator",
                id: String::new(),
                person: None,
                address: None,
            },
            subject,
            detail,
        };
        let notes = notes(before, after, with_rest, note);
        notes.iter().map(|note| note.action.as_str()).collect()
    }

    #[test]
    fn each_kind_of_change_has_an_entry_of_its_own() {
        let before = game(json!({ "version": "1" }));
        assert_eq!(actions(None, &before, true), ["game.created"]);
        assert!(actions(Some(&before), &before, true).is_empty());
        let off = game(json!({ "version": "1", "enabled": false }));
        assert_eq!(actions(Some(&before), &off, true), ["game.disabled"]);
        assert_eq!(actions(Some(&off), &before, true), ["game.enabled"]);
        let new = game(
            json!({ "version": "2", "checksum": "a".repeat(64), "name": "New", "enabled": false }),
        );
        let all = ["game.disabled", "game.version_changed", "game.changed"];
        assert_eq!(actions(Some(&before), &new, true), all);
        assert_eq!(actions(Some(&before), &new, false), all[..2]);
    }

    #[test]
    fn a_difference_tells_what_was_and_what_is() {
        let differences = differences(&game(json!({ "rtp": "96" })), &game(json!({ "rtp": "97" })));
        let expected = Difference {
            field: "rtp".to_owned(),
            from: json!("96"),
            to: json!("97"),
        };
        assert_eq!(differences, [expected]);
    }
}
