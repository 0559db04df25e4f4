//! A player's client on his WebSocket: it comes back after every break, and sees each event once.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
    time::Duration,
};

use futures_util::StreamExt;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error as WsError, Message, client::IntoClientRequest},
};

use super::tally::Tally;
use crate::{http::Http, random::Random};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(150);
/// A connection is left by its own client after this at most: resuming is what is tested.
const STAY_MAX_MS: u32 = 4_000;

/// What a watcher saw.
#[derive(Default)]
pub struct Seen {
    /// A hash of each event's text, in order: the first is that of `seq` 1.
    pub hashes: RefCell<Vec<u64>>,
    pub connections: Cell<u64>,
    pub resumes: Cell<u64>,
}

impl Seen {
    /// The newest `seq` that came.
    pub fn last(&self) -> i64 {
        i64::try_from(self.hashes.borrow().len()).unwrap_or(i64::MAX)
    }
}

pub fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[derive(Deserialize)]
struct Envelope {
    /// Of the first message, and of events.
    #[serde(rename = "type")]
    kind: String,
    seq: Option<i64>,
    epoch: Option<String>,
    recovered: Option<bool>,
}

#[derive(Deserialize)]
struct LoggedIn {
    token: String,
}

/// One client. It looks until its task is aborted.
pub struct Watcher {
    pub player: String,
    pub servers: Vec<String>,
    pub operator_key: String,
    pub random: Random,
    pub seen: Rc<Seen>,
    pub tally: Rc<Tally>,
    /// How connections ended, over all watchers.
    pub ends: Rc<RefCell<BTreeMap<String, u64>>>,
}

impl Watcher {
    pub async fn watch(mut self) {
        let mut token = String::new();
        let mut epoch = None;
        loop {
            if token.is_empty() {
                token = self.log_in().await.unwrap_or_default();
            }
            if !token.is_empty() {
                let end = self.connection(&token, &mut epoch).await;
                // A session that is over by the server's clock, which may be wrong by days.
                if matches!(end.as_str(), "401" | "403" | "close 4102") {
                    token = String::new();
                }
                *self.ends.borrow_mut().entry(end).or_default() += 1;
            }
            sleep(PAUSE).await;
        }
    }

    fn server(&mut self) -> String {
        let count = u32::try_from(self.servers.len()).unwrap_or(1);
        self.servers[self.random.below(count) as usize].clone()
    }

    async fn log_in(&mut self) -> Option<String> {
        let authority = self.server();
        let body = format!("{{\"player\":\"{}\",\"currency\":\"EUR\"}}", self.player);
        let request = format!(
            "POST /v1/sessions HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.operator_key,
            body.len()
        );
        let mut http = Http::new(authority);
        let answer = timeout(CONNECT_LIMIT, http.send(request.as_bytes())).await;
        let answer = answer.ok()?.ok()?;
        let logged_in: LoggedIn = serde_json::from_slice(answer.body).ok()?;
        Some(logged_in.token)
    }

    /// One connection, from where the last one broke, to its end: in words.
    async fn connection(&mut self, token: &str, epoch: &mut Option<String>) -> String {
        let stay = Duration::from_millis((300 + self.random.below(STAY_MAX_MS)).into());
        let epoch_query = epoch
            .as_ref()
            .map_or_else(String::new, |epoch| format!("&epoch={epoch}"));
        let after = self.seen.last();
        let address = format!(
            "ws://{}/v1/stream?after={after}{epoch_query}",
            self.server()
        );
        let Ok(mut request) = address.into_client_request() else {
            return "no request".to_owned();
        };
        let Ok(bearer) = format!("Bearer {token}").parse() else {
            return "no token".to_owned();
        };
        request.headers_mut().insert("authorization", bearer);
        let mut socket = match timeout(CONNECT_LIMIT, connect_async(request)).await {
            Ok(Ok((socket, _))) => socket,
            Ok(Err(WsError::Http(answer))) => return answer.status().as_u16().to_string(),
            Ok(Err(_)) => return "not connected".to_owned(),
            Err(_) => return "connecting took too long".to_owned(),
        };
        self.seen.connections.set(self.seen.connections.get() + 1);
        let until = Instant::now() + stay;
        let mut greeted = false;
        loop {
            let text = match timeout_at(until, socket.next()).await {
                Err(_) => return "left".to_owned(),
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Close(frame)))) => {
                    return frame.map_or_else(
                        || "close without a code".to_owned(),
                        |frame| format!("close {}", u16::from(frame.code)),
                    );
                }
                Ok(Some(Ok(_))) => continue,
                Ok(Some(Err(_)) | None) => return "broke".to_owned(),
            };
            let Ok(envelope) = serde_json::from_str::<Envelope>(&text) else {
                self.breach("an unreadable message", &text);
                return "unreadable".to_owned();
            };
            if greeted {
                self.event(&envelope, &text);
            } else {
                self.greeting(&envelope, &text);
                *epoch = envelope.epoch;
                greeted = true;
            }
        }
    }

    /// All that was missed was asked for, from the very first event on, and all of it is kept.
    fn greeting(&self, envelope: &Envelope, text: &str) {
        if envelope.kind == "resumed" && envelope.recovered == Some(true) {
            self.seen.resumes.set(self.seen.resumes.get() + 1);
        } else {
            self.breach("a stream that did not resume", text);
        }
    }

    fn event(&self, envelope: &Envelope, text: &str) {
        let due = self.seen.last() + 1;
        match envelope.seq {
            Some(seq) if seq == due => self.seen.hashes.borrow_mut().push(hash(text)),
            Some(seq) if seq < due => self.breach("an event came twice on a stream", text),
            _ => self.breach("an event is missing on a stream", text),
        }
    }

    fn breach(&self, kind: &'static str, text: &str) {
        let after = self.seen.last();
        self.tally
            .breach(kind, || format!("{} after {after}: {text}", self.player));
    }
}
