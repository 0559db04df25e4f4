//! One connection to JetStream, and what is published on it.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Client, HeaderMap, Message, StatusCode, Subject, Subscriber, header::NATS_MESSAGE_ID,
};
use async_trait::async_trait;
use futures_util::StreamExt;
use pitboss_actors::ports::{BusSession, Families, FoundStream, OutboxEvent, PortError};
use pitboss_wallet::PlayerId;
use serde::Deserialize;
use uuid::Uuid;

use super::{BusError, Streams, stream_name};
use crate::config::ms;

pub(super) struct Session {
    client: Client,
    streams: Streams,
    found: Vec<FoundStream>,
    is_alive: Arc<AtomicBool>,
    ack_timeout: Duration,
}

impl Session {
    pub fn new(
        client: Client,
        streams: Streams,
        found: Vec<FoundStream>,
        is_alive: Arc<AtomicBool>,
    ) -> Self {
        let ack_timeout = ms(streams.settings.ack_timeout_ms);
        Self {
            client,
            streams,
            found,
            is_alive,
            ack_timeout,
        }
    }
}

#[async_trait]
impl BusSession for Session {
    fn streams(&self) -> Vec<FoundStream> {
        self.found.clone()
    }

    async fn make_streams(&self) -> Result<Vec<FoundStream>, PortError> {
        Ok(self.streams.make().await?)
    }

    async fn publish(&self, events: Vec<OutboxEvent>) -> Result<Families, PortError> {
        // One inbox for the whole batch: its acknowledgements are counted, not told apart, because a batch in which
        // one is missing is published again as a whole.
        // Three words long: who listens to `*.*` means the events.
        let inbox = Subject::from(format!("{}.acks", self.client.new_inbox()));
        let acks = self.client.subscribe(inbox.clone()).await;
        let acks = acks.map_err(|error| PortError(format!("nats: {error}")))?;
        let mut batch = Batch {
            session: self,
            inbox,
            acks,
            newest: HashMap::new(),
        };
        for wave in waves(events) {
            batch.publish(wave).await?;
        }
        let found = self.found.iter().filter_map(|stream| {
            let newest = batch.newest.get(stream_name(&stream.family).as_str())?;
            Some((stream.family.clone(), *newest))
        });
        Ok(found.collect())
    }

    fn is_alive(&self) -> bool {
        self.is_alive.load(Ordering::SeqCst)
    }
}

/// The answer to a published message.
#[derive(Deserialize)]
struct Ack<'a> {
    #[serde(borrow)]
    stream: Option<&'a str>,
    seq: Option<i64>,
    #[serde(default)]
    duplicate: bool,
    error: Option<AckError>,
}

#[derive(Deserialize)]
struct AckError {
    description: String,
}

struct Batch<'a> {
    session: &'a Session,
    inbox: Subject,
    acks: Subscriber,
    /// By stream, the number of its newest acknowledged event.
    newest: HashMap<String, i64>,
}

impl Batch<'_> {
    /// Publishes events of which none has to wait for another, and waits for their acknowledgements.
    async fn publish(&mut self, wave: Vec<OutboxEvent>) -> Result<(), BusError> {
        let client = &self.session.client;
        let count = wave.len();
        for event in wave {
            if !self.session.is_alive() {
                return Err(BusError::Broken);
            }
            let mut text = Uuid::encode_buffer();
            let id: &str = event.id.hyphenated().encode_lower(&mut text);
            let mut headers = HeaderMap::new();
            headers.insert(NATS_MESSAGE_ID, id);
            // Ok even when the server is down: only the acknowledgement tells.
            client
                .publish_with_reply_and_headers(
                    subject(event.subject),
                    self.inbox.clone(),
                    headers,
                    event.body.into_bytes(),
                )
                .await
                .map_err(|error| BusError::Publish(error.to_string()))?;
        }
        let acknowledged = async {
            for _ in 0..count {
                let ack = self.acks.next().await.ok_or(BusError::Broken)?;
                note(&mut self.newest, &self.session.found, &ack)?;
            }
            Ok(())
        };
        let in_time = tokio::time::timeout(self.session.ack_timeout, acknowledged).await;
        in_time.map_err(|_| BusError::Publish("no acknowledgement in time".into()))?
    }
}

fn subject(name: Cow<'static, str>) -> Subject {
    match name {
        Cow::Borrowed(name) => Subject::from_static(name),
        Cow::Owned(name) => Subject::from(name),
    }
}

/// Reads an acknowledgement. An event that got a number which its stream had given before is in another stream of the
/// same name.
fn note(
    newest: &mut HashMap<String, i64>,
    found: &[FoundStream],
    message: &Message,
) -> Result<(), BusError> {
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        return Err(BusError::Publish("no stream takes the event".into()));
    }
    let ack: Ack = serde_json::from_slice(&message.payload)
        .map_err(|error| BusError::Publish(error.to_string()))?;
    if let Some(error) = ack.error {
        return Err(BusError::Publish(error.description));
    }
    let (Some(stream), Some(number)) = (ack.stream, ack.seq) else {
        return Err(BusError::Publish(
            "an acknowledgement without a number".into(),
        ));
    };
    let is_reused =
        |found: &FoundStream| stream_name(&found.family) == stream && number <= found.newest;
    if !ack.duplicate && found.iter().any(is_reused) {
        return Err(BusError::Stream {
            stream: stream.to_owned(),
            reason: "its numbers went back".into(),
        });
    }
    match newest.get_mut(stream) {
        Some(newest) => *newest = number.max(*newest),
        None => {
            newest.insert(stream.to_owned(), number);
        }
    }
    Ok(())
}

/// Cuts a batch so that no wave has two events of one player. A server may fail to store one event and store the
/// next (when a cluster elects a leader): what follows it must not be on the way yet.
fn waves(events: Vec<OutboxEvent>) -> Vec<Vec<OutboxEvent>> {
    let mut waves: Vec<Vec<OutboxEvent>> = Vec::new();
    let mut sent: HashMap<Option<PlayerId>, usize> = HashMap::new();
    for event in events {
        let before = sent.entry(event.player.clone()).or_default();
        if waves.len() <= *before {
            waves.push(Vec::new());
        }
        waves[*before].push(event);
        *before += 1;
    }
    waves
}

#[cfg(test)]
mod tests {
    use bytestring::ByteString;

    use super::*;

    fn event(player: &str, subject: &str, lane_seq: i64) -> OutboxEvent {
        OutboxEvent {
            lane_seq,
            id: Uuid::nil(),
            player: PlayerId::new(player).ok(),
            subject: subject.to_owned().into(),
            body: ByteString::new(),
        }
    }

    #[test]
    fn a_wave_has_one_event_per_player_and_keeps_their_order() {
        let events = vec![
            event("a", "game.round_opened", 1),
            event("a", "wallet.bet_debited", 2),
            event("b", "wallet.bet_debited", 3),
            event("a", "wallet.win_credited", 4),
            event("b", "game.round_closed", 5),
        ];
        let waves: Vec<Vec<i64>> = waves(events)
            .iter()
            .map(|wave| wave.iter().map(|event| event.lane_seq).collect())
            .collect();
        assert_eq!(waves, [vec![1, 3], vec![2, 5], vec![4]]);
    }

    fn read(answer: &str) -> Result<HashMap<String, i64>, String> {
        let found = [FoundStream {
            family: "wallet".into(),
            made_at: Some("1".into()),
            newest: 10,
        }];
        let message = Message {
            subject: "inbox".into(),
            reply: None,
            payload: answer.to_owned().into(),
            headers: None,
            status: None,
            description: None,
            length: answer.len(),
        };
        let mut newest = HashMap::new();
        let result = note(&mut newest, &found, &message);
        result.map(|()| newest).map_err(|error| error.to_string())
    }

    #[test]
    fn an_acknowledgement_tells_the_number_or_why_there_is_none() {
        let newest = read(r#"{"stream":"WALLET","seq":11}"#).unwrap();
        assert_eq!(newest["WALLET"], 11);
        let again = r#"{"stream":"WALLET","seq":7,"duplicate":true}"#;
        assert_eq!(read(again).unwrap()["WALLET"], 7);
        let error = r#"{"error":{"code":503,"description":"no space"},"stream":"WALLET","seq":0}"#;
        assert!(read(error).unwrap_err().contains("no space"));
        assert!(read("{}").is_err());
        assert!(read("nonsense").is_err());
    }

    #[test]
    fn a_number_that_was_given_before_tells_that_the_stream_is_another_one() {
        let error = read(r#"{"stream":"WALLET","seq":10}"#).unwrap_err();
        assert!(error.contains("went back"), "{error}");
    }
}
