//! The event bus on NATS JetStream: four streams, acknowledged publishing, repeats dropped by event id.

use std::{collections::HashMap, future::IntoFuture, time::Duration};

use async_nats::{
    Client, ConnectOptions, HeaderMap,
    jetstream::{
        self, Context,
        context::PublishError,
        stream::{Config as StreamConfig, RetentionPolicy, StorageType},
    },
};
use async_trait::async_trait;
use futures_util::future::try_join_all;
use pitboss_actors::ports::{Bus, OutboxEvent, PortError};
use pitboss_wallet::PlayerId;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use crate::config::{Connections, Nats, ms};

/// The streams, and the subjects that each keeps: one family of events each.
const STREAMS: [(&str, &str); 4] = [
    ("WALLET", "wallet.*"),
    ("GAME", "game.*"),
    ("BONUS", "bonus.*"),
    ("WITHDRAWAL", "withdrawal.*"),
];

/// How long a start waits to see whether the bus is there.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// What stands in the way of the bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("nats: {0}")]
    Connect(#[from] async_nats::ConnectError),
    #[error("nats: stream {stream}: {reason}")]
    Stream {
        stream: &'static str,
        reason: String,
    },
    /// The stream exists with other settings. It is never changed silently.
    #[error(
        "nats: stream {stream} has {key} = {found}, configured is {wanted}; change the one or the other"
    )]
    Differs {
        stream: &'static str,
        key: &'static str,
        found: String,
        wanted: String,
    },
}

/// JetStream of one environment.
pub struct JetStreamBus {
    context: Context,
    settings: Nats,
    /// Whether the streams were checked: before the first event, and again after a failure, because a bus
    /// that comes back may have lost its data, and its streams with it.
    checked: Mutex<bool>,
}

impl JetStreamBus {
    /// Begins to connect, and goes on trying in the background: a bus that is away stops nothing. One that
    /// is there with other streams than configured does, because no event would ever reach it.
    ///
    /// # Errors
    /// [`BusError::Connect`] when the settings themselves cannot be used, [`BusError::Differs`].
    pub async fn connect(connections: &Connections, settings: &Nats) -> Result<Self, BusError> {
        let client = connect(connections).await?;
        let mut context = jetstream::new(client);
        context.set_timeout(ms(settings.ack_timeout_ms));
        let bus = Self {
            context,
            settings: settings.clone(),
            checked: Mutex::new(false),
        };
        match tokio::time::timeout(START_PATIENCE, bus.check_streams()).await {
            Ok(Err(error @ BusError::Differs { .. })) => return Err(error),
            Ok(Err(error)) => tracing::warn!(%error, "the bus is not ready: events wait for it"),
            Err(_) => tracing::warn!("the bus is away: events wait for it"),
            Ok(Ok(())) => {}
        }
        Ok(bus)
    }

    /// Creates the streams that are missing and compares those that are there.
    ///
    /// # Errors
    /// [`BusError`]
    pub async fn ensure_streams(&self) -> Result<(), BusError> {
        for (name, subject) in STREAMS {
            let wanted = self.stream_config(name, subject);
            let failed = |reason: String| BusError::Stream {
                stream: name,
                reason,
            };
            let found = self
                .context
                .get_or_create_stream(wanted.clone())
                .await
                .map_err(|error| failed(error.to_string()))?;
            compare(name, &found.cached_info().config, &wanted)?;
        }
        Ok(())
    }

    fn stream_config(&self, name: &str, subject: &str) -> StreamConfig {
        StreamConfig {
            name: name.into(),
            subjects: vec![subject.into()],
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            max_age: Duration::from_secs(self.settings.max_age_h * 3600),
            max_bytes: self.settings.max_bytes,
            num_replicas: self.settings.replicas,
            duplicate_window: Duration::from_secs(self.settings.duplicate_window_s),
            ..StreamConfig::default()
        }
    }
}

/// nats-server 2.9 answers "ok" to settings that it does not know and ignores them: only what it echoes counts.
fn compare(
    stream: &'static str,
    found: &StreamConfig,
    wanted: &StreamConfig,
) -> Result<(), BusError> {
    let same = |key, found: String, wanted: String| {
        if found == wanted {
            Ok(())
        } else {
            Err(BusError::Differs {
                stream,
                key,
                found,
                wanted,
            })
        }
    };
    same(
        "subjects",
        format!("{:?}", found.subjects),
        format!("{:?}", wanted.subjects),
    )?;
    same(
        "retention",
        format!("{:?}", found.retention),
        format!("{:?}", wanted.retention),
    )?;
    same(
        "storage",
        format!("{:?}", found.storage),
        format!("{:?}", wanted.storage),
    )?;
    same(
        "max_age",
        format!("{:?}", found.max_age),
        format!("{:?}", wanted.max_age),
    )?;
    same(
        "max_bytes",
        found.max_bytes.to_string(),
        wanted.max_bytes.to_string(),
    )?;
    same(
        "replicas",
        found.num_replicas.to_string(),
        wanted.num_replicas.to_string(),
    )?;
    same(
        "duplicate_window",
        format!("{:?}", found.duplicate_window),
        format!("{:?}", wanted.duplicate_window),
    )
}

/// A client of the environment's account.
///
/// # Errors
/// The settings cannot be used. A server that is away is no error: the client goes on trying.
pub async fn connect(connections: &Connections) -> Result<Client, async_nats::ConnectError> {
    ConnectOptions::with_user_and_password(
        connections.nats_user.clone(),
        connections.nats_password.expose_secret().to_owned(),
    )
    .name("pitboss")
    .retry_on_initial_connect()
    .connect(&connections.nats_url)
    .await
}

#[async_trait]
impl Bus for JetStreamBus {
    async fn publish(&self, events: &[OutboxEvent]) -> Result<(), PortError> {
        self.check_streams()
            .await
            .map_err(|error| PortError(error.to_string()))?;
        for wave in waves(events) {
            if let Err(error) = self.publish_wave(&wave).await {
                *self.checked.lock().await = false;
                return Err(PortError(format!("nats: {error}")));
            }
        }
        Ok(())
    }
}

impl JetStreamBus {
    async fn check_streams(&self) -> Result<(), BusError> {
        let mut checked = self.checked.lock().await;
        if !*checked {
            self.ensure_streams().await?;
            *checked = true;
        }
        Ok(())
    }

    async fn publish_wave(&self, wave: &[&OutboxEvent]) -> Result<(), PublishError> {
        let mut acknowledgements = Vec::with_capacity(wave.len());
        for event in wave {
            let mut headers = HeaderMap::new();
            headers.insert(
                async_nats::header::NATS_MESSAGE_ID,
                event.id.to_string().as_str(),
            );
            let sent = self
                .context
                .publish_with_headers(event.subject.clone(), headers, event.body.clone().into())
                .await?;
            // The first await is Ok even when the server is down: only the acknowledgement tells.
            acknowledgements.push(sent.into_future());
        }
        try_join_all(acknowledgements).await?;
        Ok(())
    }
}

/// Cuts a batch so that no wave has two events of one player. A connection that breaks may lose one event
/// and deliver the next one: what follows it must not be on the way yet.
fn waves(events: &[OutboxEvent]) -> Vec<Vec<&OutboxEvent>> {
    let mut waves: Vec<Vec<&OutboxEvent>> = Vec::new();
    let mut sent: HashMap<&PlayerId, usize> = HashMap::new();
    for event in events {
        let before = sent.entry(&event.player).or_default();
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
    use uuid::Uuid;

    use super::*;

    fn event(player: &str, subject: &str, lane_seq: i64) -> OutboxEvent {
        OutboxEvent {
            lane_seq,
            id: Uuid::nil(),
            player: PlayerId::new(player).unwrap(),
            subject: subject.into(),
            body: String::new(),
        }
    }

    #[test]
    fn a_wave_has_one_event_per_player_and_keeps_their_order() {
        let events = [
            event("a", "game.round_opened", 1),
            event("a", "wallet.bet_debited", 2),
            event("b", "wallet.bet_debited", 3),
            event("a", "wallet.win_credited", 4),
            event("b", "game.round_closed", 5),
        ];
        let waves: Vec<Vec<i64>> = waves(&events)
            .iter()
            .map(|wave| wave.iter().map(|event| event.lane_seq).collect())
            .collect();
        assert_eq!(waves, [vec![1, 3], vec![2, 5], vec![4]]);
    }
}
