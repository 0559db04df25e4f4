//! From a callback as it was seen to an entry of the log: what was understood of it, with everything secret masked and
//! everything bounded. Pure; done by the writer, never on the way of a bet.

use std::time::Duration;

use actix_web::{
    http::{
        Method, Uri,
        header::{HeaderName, HeaderValue},
    },
    web::Bytes,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use pitboss_providers::{Ask, Call, SignatureError};
use pitboss_schema::{LoggedCallback, NewCallback};
use pitboss_wallet::{Action, PlayCommand, PlayerId, ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mask;

/// Headers that are kept of a request.
pub const HEADERS_MAX: usize = 32;
const HEADER_CHARS_MAX: usize = 256;
const PATH_CHARS_MAX: usize = 1024;
const ACTION_CHARS_MAX: usize = 64;
const FORM: &str = "application/x-www-form-urlencoded";

/// What came of the signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signature {
    /// The request was refused before.
    #[default]
    NotChecked,
    /// By which of the secrets it was made: 0 is the newest.
    Fits(usize),
    Wrong(SignatureError),
}

impl Signature {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NotChecked => "not_checked",
            Self::Fits(0) => "current",
            Self::Fits(_) => "old",
            Self::Wrong(SignatureError::Missing { .. }) => "missing",
            Self::Wrong(SignatureError::Form { .. }) => "form",
            Self::Wrong(SignatureError::Stale { .. }) => "stale",
            Self::Wrong(SignatureError::Mismatch) => "mismatch",
        }
    }
}

/// A callback as the HTTP edge has seen it. Cheap to make: bytes are shared, nothing is read.
pub struct Seen {
    pub provider: ProviderId,
    pub received_at: Timestamp,
    pub took: Duration,
    pub address: String,
    pub request_id: Option<String>,
    pub method: Method,
    pub uri: Uri,
    pub action: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
    pub signature: Signature,
    /// `None` when the request was not understood.
    pub call: Option<Call>,
    /// Whom the answer is about.
    pub player: Option<PlayerId>,
    /// `ok`, or the code of the error.
    pub outcome: &'static str,
    pub status: u16,
    pub content_type: &'static str,
    pub answer: Bytes,
}

/// A header of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedHeader {
    pub name: String,
    /// `***` stands for what is secret, or may be.
    pub value: String,
}

/// A body. What is secret in it is masked by `***`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedBody {
    /// When it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// How long it was, in bytes.
    pub bytes: usize,
    /// Whether only its beginning is here.
    pub truncated: bool,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedRequest {
    /// As in the request line.
    pub method: String,
    /// As in the request line, without the query.
    pub path: String,
    /// What follows the `?`, as it came; empty when there is none.
    pub query: String,
    /// In the order in which the server keeps them.
    pub headers: Vec<LoggedHeader>,
    pub body: LoggedBody,
}

/// An answer as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedAnswer {
    /// The HTTP status.
    pub status: u16,
    pub content_type: String,
    pub body: LoggedBody,
}

/// What is kept beside the columns, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    pub request: LoggedRequest,
    pub answer: LoggedAnswer,
}

/// The entry, of whose bodies at most so much is kept.
pub fn entry(seen: Seen, body_max_bytes: usize) -> NewCallback {
    let understood = seen.call.as_ref().map(understood).unwrap_or_default();
    let is_form = seen.headers.iter().any(|(name, value)| {
        name.as_str() == "content-type" && value.as_bytes().starts_with(FORM.as_bytes())
    });
    let headers = seen
        .headers
        .iter()
        .take(HEADERS_MAX)
        .map(|(name, value)| LoggedHeader {
            name: name.as_str().to_owned(),
            value: cut(
                mask::header(name.as_str(), &lossy(value.as_bytes())),
                HEADER_CHARS_MAX,
            ),
        });
    let request = LoggedRequest {
        method: cut(seen.method.to_string(), ACTION_CHARS_MAX),
        path: cut(mask::path(seen.uri.path()), PATH_CHARS_MAX),
        query: cut(
            mask::query(seen.uri.query().unwrap_or_default()),
            PATH_CHARS_MAX,
        ),
        headers: headers.collect(),
        body: body(&seen.body, is_form, body_max_bytes),
    };
    let answer = LoggedAnswer {
        status: seen.status,
        content_type: seen.content_type.to_owned(),
        body: body(&seen.answer, false, body_max_bytes),
    };
    let player = seen.player.map(|player| player.to_string());
    let callback = LoggedCallback {
        received_at: seen.received_at,
        outcome: seen.outcome.to_owned(),
        action: cut(storable(mask::path(&seen.action)), ACTION_CHARS_MAX),
        kind: understood.kind.map(str::to_owned),
        player: understood.player.or(player),
        round: understood.round,
        transactions: understood.transactions,
        signature: seen.signature.as_str().to_owned(),
        status: seen.status,
        took_us: i64::try_from(seen.took.as_micros()).unwrap_or(i64::MAX),
        address: Some(seen.address),
        request_id: seen.request_id.map(|id| mask::text(&id)),
    };
    let detail = serde_json::to_string(&Detail { request, answer });
    NewCallback {
        provider: seen.provider,
        callback,
        detail: detail.unwrap_or_default(),
    }
}

/// What a request asked for.
#[derive(Default)]
struct Understood {
    kind: Option<&'static str>,
    player: Option<String>,
    round: Option<String>,
    transactions: Vec<String>,
}

fn understood(call: &Call) -> Understood {
    let alone = |kind, player: Option<&PlayerId>| Understood {
        kind: Some(kind),
        player: player.map(PlayerId::to_string),
        ..Understood::default()
    };
    let (player, play) = match &call.ask {
        Ask::Authenticate { .. } => return alone("authenticate", None),
        Ask::KeepAlive { player, .. } => return alone("keep_alive", Some(player)),
        Ask::Balance { player, .. } => return alone("balance", Some(player)),
        Ask::Profile { player, .. } => return alone("profile", Some(player)),
        Ask::Play { player, play } => (player, play),
    };
    let (kind, round, transactions) = match &play.command {
        PlayCommand::Bet(bet) => ("bet", Some(&bet.round), vec![&bet.transaction]),
        PlayCommand::Win(win) => ("win", Some(&win.round), vec![&win.transaction]),
        PlayCommand::BetWin(batch) => {
            let ids = batch.actions.iter().map(Action::transaction);
            ("bet_win", Some(&batch.round), ids.collect())
        }
        PlayCommand::Rollback(rollback) => {
            let ids = vec![&rollback.transaction, &rollback.target];
            ("rollback", rollback.round.as_ref(), ids)
        }
        PlayCommand::Rollbacks(all) => {
            let ids = all.iter().flat_map(|one| [&one.transaction, &one.target]);
            // They may be of several rounds; the first one's is shown.
            let round = all.first().and_then(|one| one.round.as_ref());
            ("rollback", round, ids.collect())
        }
        PlayCommand::CloseRound(close) => ("close_round", Some(&close.round), vec![]),
        PlayCommand::VoidRound(void) => ("void_round", Some(&void.round), vec![&void.transaction]),
    };
    Understood {
        kind: Some(kind),
        player: Some(player.to_string()),
        round: round.map(|round| mask::text(round.as_str())),
        transactions: transactions
            .into_iter()
            .map(|id| mask::text(id.as_str()))
            .collect(),
    }
}

fn body(bytes: &[u8], is_form: bool, most: usize) -> LoggedBody {
    let masked = match std::str::from_utf8(bytes) {
        Ok(form) if is_form => mask::query(form).into_bytes(),
        _ => mask::body(bytes),
    };
    let truncated = masked.len() > most;
    let (text, base64) = match std::str::from_utf8(&masked) {
        Ok(text) => {
            let mut end = most.min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            (Some(text[..end].to_owned()), None)
        }
        Err(_) => (
            None,
            Some(STANDARD.encode(&masked[..most.min(masked.len())])),
        ),
    };
    LoggedBody {
        text,
        base64,
        bytes: bytes.len(),
        truncated,
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Postgres keeps no U+0000 in a text.
fn storable(text: String) -> String {
    text.replace('\0', "\u{FFFD}")
}

fn cut(mut text: String, chars: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(chars) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(body: &[u8]) -> Seen {
        let header = |name: &'static str, value: &[u8]| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value).unwrap(),
            )
        };
        Seen {
            provider: ProviderId::new("acme").unwrap(),
            received_at: Timestamp::from_micros(7),
            took: Duration::from_micros(1234),
            address: "192.0.2.7".to_owned(),
            request_id: None,
            method: Method::POST,
            uri: "/callbacks/sandbox/acme/bet?token=x".parse().unwrap(),
            action: "b\0et".to_owned(),
            headers: vec![header("authorization", b"x"), header("via", b"\xff")],
            body: Bytes::copy_from_slice(body),
            signature: Signature::Wrong(SignatureError::Mismatch),
            call: None,
            player: None,
            outcome: "bad_signature",
            status: 401,
            content_type: "application/problem+json",
            answer: Bytes::from_static(b"{}"),
        }
    }

    fn detail(entry: &NewCallback) -> Detail {
        serde_json::from_str(&entry.detail).unwrap()
    }

    #[test]
    fn what_was_not_understood_is_kept_as_it_came() {
        let entry = entry(seen(b"\xff\x00{"), 100);
        let callback = &entry.callback;
        assert_eq!(
            (callback.signature.as_str(), callback.took_us),
            ("mismatch", 1234)
        );
        assert_eq!(
            (callback.kind.as_ref(), callback.player.as_ref()),
            (None, None)
        );
        assert_eq!(callback.action, "b\u{FFFD}et");
        let request = detail(&entry).request;
        assert_eq!(
            (request.method.as_str(), request.query.as_str()),
            ("POST", "token=***")
        );
        let values: Vec<&str> = request
            .headers
            .iter()
            .map(|header| header.value.as_str())
            .collect();
        assert_eq!(values, ["***", "\u{FFFD}"]);
        assert_eq!(request.body.base64.as_deref(), Some("/wB7"));
        assert_eq!((request.body.text, request.body.bytes), (None, 3));
    }

    #[test]
    fn a_long_body_is_cut_between_characters_and_says_so() {
        let long = format!("{{\"token\":\"x\",\"name\":\"{}\"}}", "é".repeat(100));
        let body = detail(&entry(seen(long.as_bytes()), 30)).request.body;
        assert_eq!((body.truncated, body.bytes), (true, long.len()));
        let text = body.text.unwrap();
        assert!(
            text.starts_with(r#"{"token":"***","name":"é"#) && text.len() >= 29,
            "{text}"
        );
        let whole = detail(&entry(seen(b"{}"), 2)).request.body;
        assert_eq!(
            (whole.text.as_deref(), whole.truncated),
            (Some("{}"), false)
        );
    }

    #[test]
    fn a_form_is_masked_by_its_names() {
        let mut form = seen(b"hash=abc&player=alice");
        let content_type = HeaderValue::from_static(FORM);
        form.headers
            .push((HeaderName::from_static("content-type"), content_type));
        let body = detail(&entry(form, 100)).request.body;
        assert_eq!(body.text.as_deref(), Some("hash=***&player=alice"));
    }
}
