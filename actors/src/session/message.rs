//! The text messages of the stream, besides the events themselves; and the commands of a client.

use bytestring::ByteString;
use pitboss_wallet::{RoundView, WalletView};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::stream::Snapshot;

/// The published contract has a message for each of these, with their comments.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message<'a> {
    /// What the player has, as the first message.
    Snapshot {
        /// Of the newest event that the snapshot includes.
        seq: i64,
        /// Names the database's history; to be sent with `after` when resuming.
        epoch: Uuid,
        /// `false` for a client that asked to resume and cannot.
        #[serde(skip_serializing_if = "Option::is_none")]
        recovered: Option<bool>,
        wallets: &'a [WalletView],
        /// The newest ones that the server keeps at hand.
        open_rounds: &'a [RoundView],
    },
    /// Every event that the client missed follows.
    Resumed {
        /// Of the newest of them.
        seq: i64,
        /// Names the database's history.
        epoch: Uuid,
        /// Always `true`.
        recovered: bool,
    },
    /// The answer to a ping.
    Pong {
        /// The command's own.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Value>,
    },
    /// A command was not understood.
    Error {
        code: &'a str,
        /// The command's own, where it could be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Value>,
    },
}

/// What a client may send; [`answer`] is where it is carried out.
#[derive(JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(dead_code, reason = "the published contract of the commands")]
enum ClientMessage {
    /// Asks for a pong.
    Ping {
        /// Comes back in the answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Value>,
    },
}

/// The schemas of what the server sends besides events: one for each message.
pub fn server_schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
    variants(&Message::json_schema(generator))
}

/// The schemas of what a client may send: one for each message.
pub fn client_schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
    variants(&ClientMessage::json_schema(generator))
}

/// An enum's schema as the schemas of its variants.
fn variants(schema: &Schema) -> Vec<Schema> {
    let all = schema.get("oneOf").and_then(Value::as_array);
    let all = all.map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .filter_map(|variant| Schema::try_from(variant.clone()).ok())
        .collect()
}

impl Message<'_> {
    /// Structs of plain fields and JSON values, which cannot fail to serialise.
    fn text(&self) -> ByteString {
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

/// The player's state. `recovered` is `Some(false)` for a client that asked to resume and cannot.
pub(super) fn snapshot(snapshot: &Snapshot, epoch: Uuid, recovered: Option<bool>) -> ByteString {
    Message::Snapshot {
        seq: snapshot.seq,
        epoch,
        recovered,
        wallets: &snapshot.wallets,
        open_rounds: &snapshot.open_rounds,
    }
    .text()
}

/// Every event up to `seq` that the client missed follows.
pub(super) fn resumed(seq: i64, epoch: Uuid) -> ByteString {
    Message::Resumed {
        seq,
        epoch,
        recovered: true,
    }
    .text()
}

/// A command; fields that are not known are ignored.
#[derive(Deserialize)]
struct Command<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    /// Whatever the client wants to see again in the answer.
    #[serde(default)]
    id: Option<Value>,
}

/// The answer to one text message of a client.
pub(super) fn answer(text: &str) -> ByteString {
    let Ok(command) = serde_json::from_str::<Command<'_>>(text) else {
        return Message::Error {
            code: "bad_command",
            id: None,
        }
        .text();
    };
    let id = command.id.as_ref();
    match command.kind.as_ref() {
        "ping" => Message::Pong { id },
        _ => Message::Error {
            code: "unknown_command",
            id,
        },
    }
    .text()
}

/// The answer to a binary message.
pub(super) fn binary_refused() -> ByteString {
    Message::Error {
        code: "binary_not_supported",
        id: None,
    }
    .text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_one_answer_with_its_own_id() {
        for (command, expected) in [
            (r#"{"type":"ping"}"#, r#"{"type":"pong"}"#),
            (r#"{"type":"ping","id":7}"#, r#"{"type":"pong","id":7}"#),
            (
                r#"{"id":{"a":[1,null]},"x":0,"type":"p\u0069ng"}"#,
                r#"{"type":"pong","id":{"a":[1,null]}}"#,
            ),
            (
                r#"{"type":"dance","id":"x"}"#,
                r#"{"type":"error","code":"unknown_command","id":"x"}"#,
            ),
        ] {
            assert_eq!(answer(command), expected, "{command}");
        }
    }

    #[test]
    fn what_is_not_a_command_is_told_so() {
        let deep = "[".repeat(4096);
        for text in ["", "{", "ping", "[]", "{}", r#"{"type":1}"#, "\u{0}", &deep] {
            assert_eq!(
                answer(text),
                r#"{"type":"error","code":"bad_command"}"#,
                "{text}"
            );
        }
    }
}
