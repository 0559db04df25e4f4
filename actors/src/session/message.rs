//! The text messages of the stream, besides the events themselves: what the server says, and what a client may.
//!
//! The published contract is made of these types: their comments are what it says. What must not live here: what
//! a command does (`commands`).

use std::borrow::Cow;

use bytestring::ByteString;
use pitboss_wallet::{BalanceView, Currency, RoundView, Timestamp, WalletView};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{balances::Balance, topics::UnknownTopic};
use crate::stream::{Launched, Refused, Snapshot};

/// What the server says. `id` is that of the command which is answered; `seq` the newest event that was sent, or
/// passed over because the client does not want it.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Message<'a> {
    /// What the player has: the first message, unless the client resumes.
    Snapshot {
        #[serde(flatten)]
        head: Head<'a>,
        /// Names the database's history; to be sent with `after` when resuming.
        epoch: Uuid,
        /// `false`: the client asked to resume, and cannot. Absent when it did not ask.
        #[serde(skip_serializing_if = "Option::is_none")]
        recovered: Option<bool>,
        wallets: &'a [WalletView],
        /// The newest ones.
        open_rounds: &'a [RoundView],
    },
    /// Every event up to `seq` that the client missed follows. Not a position to resume from: those events are.
    Resumed {
        #[serde(flatten)]
        head: Head<'a>,
        /// Names the database's history.
        epoch: Uuid,
        /// Always `true`.
        recovered: bool,
    },
    /// The wallets that changed, as the event `seq` left them.
    Balance {
        /// Of the newest event among those that it sums up.
        seq: i64,
        #[schemars(with = "Vec<BalanceView>")]
        wallets: &'a [Balance],
    },
    /// The answer to the command `balance`: all wallets as they are now, which may be newer than `seq`.
    #[serde(rename = "balance")]
    AllBalances {
        #[serde(flatten)]
        head: Head<'a>,
        wallets: &'a [WalletView],
    },
    /// The answer to a ping.
    Pong {
        #[serde(flatten)]
        head: Head<'a>,
    },
    /// What the client gets from now on.
    Subscribed {
        #[serde(flatten)]
        head: Head<'a>,
        /// Families, exact types and `balance`.
        types: Vec<String>,
    },
    /// The game is launched.
    Launched {
        #[serde(flatten)]
        head: Head<'a>,
        #[serde(flatten)]
        launched: &'a Launched,
    },
    /// The socket is under another login from now on.
    Authenticated {
        #[serde(flatten)]
        head: Head<'a>,
        /// When that login ends at the latest.
        expires_at: Timestamp,
    },
    /// The login goes on.
    KeptAlive {
        #[serde(flatten)]
        head: Head<'a>,
        /// When it ends if the player does nothing more.
        expires_at: Timestamp,
    },
    /// A command that was not carried out.
    Error {
        /// Stable; `docs/stream.md` lists them.
        code: &'a str,
        /// The command's own.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a Value>,
        /// For a person.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'a str>,
    },
}

/// What answers have in common.
#[derive(Serialize, JsonSchema, Clone, Copy, Default)]
pub(super) struct Head<'a> {
    /// That of the command which is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a Value>,
    /// Of the newest event that was sent or passed over. Left out before the first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
}

impl Message<'_> {
    /// Structs of plain fields and JSON values, which cannot fail to serialise.
    pub(super) fn text(&self) -> ByteString {
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

/// A player's state. `recovered` is `Some(false)` for a client that asked to resume and cannot.
pub(super) fn snapshot(
    snapshot: &Snapshot,
    epoch: Uuid,
    recovered: Option<bool>,
    id: Option<&Value>,
) -> ByteString {
    let seq = Some(snapshot.seq);
    Message::Snapshot {
        head: Head { id, seq },
        epoch,
        recovered,
        wallets: &snapshot.wallets,
        open_rounds: &snapshot.open_rounds,
    }
    .text()
}

pub(super) fn resumed(seq: i64, epoch: Uuid, id: Option<&Value>) -> ByteString {
    let seq = Some(seq);
    Message::Resumed {
        head: Head { id, seq },
        epoch,
        recovered: true,
    }
    .text()
}

/// What a client asks for, with whatever it wants to see again in the answer.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub id: Option<Value>,
    pub command: Command,
}

/// The commands. Fields that are not known are ignored.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Command {
    /// Asks for a pong.
    Ping,
    /// Asks for all wallets.
    Balance,
    /// Launches a game, as `POST /v1/games/{id}/launch` does.
    Launch {
        game: String,
        /// The currency of the player's session, if there is none.
        #[serde(default)]
        currency: Option<Currency>,
    },
    /// Asks for what came after a position.
    Resume {
        /// The newest `seq` that the client has.
        after: i64,
        /// The `epoch` that came with it.
        #[serde(default)]
        epoch: Option<String>,
    },
    /// Adds to what the client gets.
    Subscribe {
        /// Families (`wallet.*`), exact types, `*` or `balance`.
        types: Vec<String>,
    },
    /// Takes away from what the client gets.
    Unsubscribe {
        /// Families (`wallet.*`), exact types, `*` or `balance`.
        types: Vec<String>,
    },
    /// Presents a renewed token of the same player.
    Authenticate { token: String },
    /// The player did something: his login goes on. To be sent for what he does, never by a timer.
    KeepAlive,
}

const COMMANDS: [&str; 8] = [
    "ping",
    "balance",
    "launch",
    "resume",
    "subscribe",
    "unsubscribe",
    "authenticate",
    "keep_alive",
];

impl Command {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Balance => "balance",
            Self::Launch { .. } => "launch",
            Self::Resume { .. } => "resume",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::Authenticate { .. } => "authenticate",
            Self::KeepAlive => "keep_alive",
        }
    }
}

/// Where a client was when it left, and the id of the command if it asks on an open socket.
#[derive(Debug, PartialEq)]
pub(super) struct Resume {
    pub after: i64,
    pub epoch: Option<String>,
    pub id: Option<Value>,
}

/// What all commands have.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    id: Option<Value>,
}

/// An error that answers a command.
#[derive(Debug)]
pub(super) struct CommandError {
    pub code: &'static str,
    pub id: Option<Value>,
    pub detail: Option<String>,
}

impl CommandError {
    pub(super) fn new(code: &'static str, id: Option<Value>) -> Self {
        Self {
            code,
            id,
            detail: None,
        }
    }

    pub(super) fn refused(refused: Refused, id: Option<Value>) -> Self {
        Self {
            code: refused.code,
            id,
            detail: Some(refused.detail),
        }
    }

    pub(super) fn unknown_topic(unknown: &UnknownTopic, id: Option<Value>) -> Self {
        Self {
            code: "unknown_type",
            id,
            detail: Some(unknown.to_string()),
        }
    }

    pub(super) fn text(&self) -> ByteString {
        Message::Error {
            code: self.code,
            id: self.id.as_ref(),
            detail: self.detail.as_deref(),
        }
        .text()
    }
}

/// Reads one text message of a client.
pub(super) fn read(text: &str) -> Result<Request, CommandError> {
    let Ok(Kind { kind, id }) = serde_json::from_str::<Kind<'_>>(text) else {
        return Err(CommandError::new("bad_command", None));
    };
    if !COMMANDS.contains(&kind.as_ref()) {
        return Err(CommandError::new("unknown_command", id));
    }
    match serde_json::from_str(text) {
        Ok(command) => Ok(Request { id, command }),
        Err(error) => Err(CommandError {
            code: "bad_command",
            id,
            detail: Some(error.to_string()),
        }),
    }
}

/// The schemas of what the server sends besides events: one for each message.
pub fn server_schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
    variants(&Message::json_schema(generator))
}

/// The schemas of what a client may send: one for each message.
pub fn client_schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
    let mut schemas = variants(&Command::json_schema(generator));
    for fields in schemas
        .iter_mut()
        .filter_map(|one| one.pointer_mut("/properties"))
    {
        fields["id"] = json!({ "description": "Comes back in the answer." });
    }
    schemas
}

/// An enum's schema as the schemas of its variants.
fn variants(schema: &Schema) -> Vec<Schema> {
    let all = schema.get("oneOf").and_then(Value::as_array);
    let all = all.map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .filter_map(|variant| Schema::try_from(variant.clone()).ok())
        .collect()
}

/// The answer to a binary message.
pub(super) fn binary_refused() -> CommandError {
    CommandError::new("binary_not_supported", None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_with_its_own_id() {
        for (text, id, command) in [
            (r#"{"type":"ping"}"#, None, Command::Ping),
            (
                r#"{"id":{"a":[1,null]},"x":0,"type":"p\u0069ng"}"#,
                Some(json!({"a":[1,null]})),
                Command::Ping,
            ),
            (
                r#"{"type":"launch","game":"dice","id":7}"#,
                Some(json!(7)),
                Command::Launch {
                    game: "dice".to_owned(),
                    currency: None,
                },
            ),
            (
                r#"{"type":"resume","after":3,"epoch":"e"}"#,
                None,
                Command::Resume {
                    after: 3,
                    epoch: Some("e".to_owned()),
                },
            ),
        ] {
            assert_eq!(read(text).unwrap(), Request { id, command }, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_command_is_told_so() {
        let deep = "[".repeat(4096);
        for text in ["", "{", "ping", "[]", "{}", r#"{"type":1}"#, "\u{0}", &deep] {
            let error = read(text).unwrap_err();
            assert_eq!(
                error.text(),
                r#"{"type":"error","code":"bad_command"}"#,
                "{text}"
            );
        }
        for (text, code) in [
            (r#"{"type":"dance","id":"x"}"#, "unknown_command"),
            (r#"{"type":"launch","id":"x"}"#, "bad_command"),
            (r#"{"type":"resume","after":"1","id":"x"}"#, "bad_command"),
            (
                r#"{"type":"subscribe","types":"*","id":"x"}"#,
                "bad_command",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!((error.code, error.id), (code, Some(json!("x"))), "{text}");
        }
    }

    #[test]
    fn every_command_is_in_the_list_of_their_names() {
        for name in COMMANDS {
            let text =
                format!(r#"{{"type":"{name}","game":"g","after":0,"types":[],"token":"t"}}"#);
            assert_eq!(read(&text).unwrap().command.name(), name);
        }
        let names = serde_json::from_str::<Command>(r#"{"type":"?"}"#).unwrap_err();
        assert_eq!(
            names.to_string().matches('`').count(),
            2 * (COMMANDS.len() + 1)
        );
    }

    #[test]
    fn what_has_no_id_and_no_seq_shows_none() {
        let head = Head::default();
        assert_eq!(Message::Pong { head }.text(), r#"{"type":"pong"}"#);
        let id = json!(7);
        let head = Head {
            id: Some(&id),
            seq: Some(3),
        };
        assert_eq!(
            Message::Pong { head }.text(),
            r#"{"type":"pong","id":7,"seq":3}"#
        );
    }
}
