//! Events that belong to no player: entries of the audit log that subscribers hear of as well. They are rendered where
//! they are written (`append_audit` in the migrations); this is what they look like.

use pitboss_schema::AuditAction;
use pitboss_wallet::{EVENT_VERSION, Environment, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;
use uuid::Uuid;

/// The types of these events.
pub fn system_types() -> impl Iterator<Item = AuditAction> {
    AuditAction::ALL
        .iter()
        .copied()
        .filter(|action| action.is_event())
}

/// The envelope of an event that belongs to no player.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "for its schema")]
struct SystemEvent {
    /// Names the event for ever: drop what comes again under the same id. Also that of the entry in the audit log.
    id: Uuid,
    /// What happened; the subject on NATS.
    #[schemars(rename = "type")]
    kind: String,
    /// Of this type's contract: see the rule for adding fields.
    version: u16,
    /// When it was done, by the server's clock.
    time: Timestamp,
    environment: Environment,
    /// Always `null`.
    player: (),
    /// Counts the events that belong to no player: from 1, without a gap.
    seq: i64,
    /// Always `null`.
    transaction: (),
    data: SystemEventData,
}

/// An entry of the audit log.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "for its schema")]
struct SystemEventData {
    /// Its number there.
    entry: i64,
    actor: SystemEventActor,
    /// What it was done to, such as `key/01a2...`.
    subject: String,
    /// What it was before and what it is now, and why.
    detail: serde_json::Map<String, Value>,
}

/// Who did it.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "for its schema")]
struct SystemEventActor {
    /// `operator`, `command_line`, `server`, `provider` or `player`; others may be added.
    kind: String,
    /// Which of them: a key's id, a provider's, a player's.
    id: String,
    /// Whom an operator key is for.
    person: Option<String>,
    /// Where the request came from.
    address: Option<String>,
}

/// The schema of an event of this type.
pub(super) fn schema(kind: AuditAction, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = SystemEvent::json_schema(generator);
    schema.insert("description".into(), kind.meaning().trim().into());
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    if let Some(properties) = properties {
        properties["type"]["const"] = kind.as_str().into();
        properties["version"]["const"] = EVENT_VERSION.into();
        properties["seq"]["minimum"] = 1.into();
    }
    schema
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::EventType;

    use super::*;

    #[test]
    fn no_type_is_a_players_as_well() {
        for kind in system_types() {
            assert_eq!(EventType::from_name(kind.as_str()), None, "{kind:?}");
        }
    }
}
