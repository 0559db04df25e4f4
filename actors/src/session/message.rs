//! The text messages of the stream, besides the events themselves; and the commands of a client.

use bytestring::ByteString;
use pitboss_wallet::{RoundView, WalletView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::stream::Snapshot;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Message<'a> {
    Snapshot {
        seq: i64,
        epoch: Uuid,
        #[serde(skip_serializing_if = "Option::is_none")]
        recovered: Option<bool>,
        wallets: &'a [WalletView],
        open_rounds: &'a [RoundView],
    },
    Resumed {
        seq: i64,
        epoch: Uuid,
        recovered: bool,
    },
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Value>,
    },
    Error {
        code: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Value>,
    },
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
