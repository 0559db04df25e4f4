//! A service of the casino that listens on NATS.

use async_nats::{ConnectOptions, Subscriber, header::NATS_MESSAGE_ID, jetstream};
use futures_util::StreamExt;
use serde_json::Value;

use super::{PATIENCE, client::NatsLogin};

/// An event as it came over NATS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub subject: String,
    pub message_id: String,
    pub text: String,
    pub event: Value,
}

impl Heard {
    fn new(subject: &str, headers: Option<&async_nats::HeaderMap>, payload: &[u8]) -> Self {
        let id = headers.and_then(|headers| headers.get(NATS_MESSAGE_ID));
        Self {
            subject: subject.to_owned(),
            message_id: id.map_or_else(String::new, |id| id.as_str().to_owned()),
            text: String::from_utf8_lossy(payload).into_owned(),
            event: serde_json::from_slice(payload).unwrap_or_default(),
        }
    }

    pub fn is_of(&self, player: &str) -> bool {
        self.event["player"] == player
    }

    pub fn seq(&self) -> i64 {
        self.event["seq"].as_i64().unwrap()
    }
}

pub struct Bus {
    client: async_nats::Client,
    everything: Subscriber,
}

impl Bus {
    /// Connects as an environment's user, and hears every subject of its account from now on.
    pub async fn listen(login: &NatsLogin) -> Self {
        let options =
            ConnectOptions::with_user_and_password(login.user.clone(), login.password.clone());
        let client = options.connect(&login.url).await.unwrap();
        // One subscription: across two, order is lost.
        let everything = client.subscribe("*.*").await.unwrap();
        client.flush().await.unwrap();
        Self { client, everything }
    }

    /// Everything about a player up to and including this seq.
    pub async fn until(&mut self, player: &str, seq: i64) -> Vec<Heard> {
        let mut heard = Vec::new();
        let listening = async {
            while let Some(message) = self.everything.next().await {
                let message =
                    Heard::new(&message.subject, message.headers.as_ref(), &message.payload);
                if message.is_of(player) {
                    let last = message.seq() >= seq;
                    heard.push(message);
                    if last {
                        return;
                    }
                }
            }
        };
        let result = tokio::time::timeout(PATIENCE, listening).await;
        assert!(result.is_ok(), "only these came: {heard:#?}");
        heard
    }

    /// What has come by now of anybody.
    pub async fn so_far(&mut self) -> Vec<Heard> {
        // Whatever the server has for this connection is here once it has answered.
        self.client.flush().await.unwrap();
        let mut heard = Vec::new();
        let pause = std::time::Duration::from_millis(50);
        while let Ok(Some(message)) = tokio::time::timeout(pause, self.everything.next()).await {
            heard.push(Heard::new(
                &message.subject,
                message.headers.as_ref(),
                &message.payload,
            ));
        }
        heard
    }

    /// JetStream of the account.
    pub fn jetstream(&self) -> jetstream::Context {
        jetstream::new(self.client.clone())
    }

    /// What a stream of JetStream keeps, in its order. Nothing when there is no such stream.
    pub async fn kept(&self, stream: &str) -> Vec<Heard> {
        let Ok(mut stream) = self.jetstream().get_stream(stream).await else {
            return Vec::new();
        };
        let state = &stream.info().await.unwrap().state;
        let (first, last) = (state.first_sequence.max(1), state.last_sequence);
        let mut kept = Vec::new();
        for sequence in first..=last {
            let message = stream.get_raw_message(sequence).await.unwrap();
            kept.push(Heard::new(
                &message.subject,
                Some(&message.headers),
                &message.payload,
            ));
        }
        kept
    }
}
