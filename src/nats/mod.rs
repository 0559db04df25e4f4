//! The event bus on NATS JetStream: a stream for each family, acknowledged publishing, repeats dropped by event id.
//!
//! `mod` has the streams and their settings, `session` one connection and what is published on it, `users` what
//! integrators may read.

mod session;
mod users;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Auth, AuthError, Client, ConnectOptions, Event,
    jetstream::{
        self, Context,
        context::GetStreamErrorKind,
        stream::{Config as StreamConfig, Info, RetentionPolicy, StorageType},
    },
};
use async_trait::async_trait;
use pitboss_actors::ports::{Bus, BusSession, FoundStream, PortError, SYSTEM_WORDS, family_of};
use secrecy::ExposeSecret;

use crate::config::{Connections, Nats, NatsUsers, ms};
use session::Session;
pub use users::{API_PREFIX, accounts};

/// The families of events. Each has a stream: see [`stream_name`].
const FAMILIES: [&str; 6] = ["wallet", "game", "bonus", "withdrawal", "player", SYSTEM];

/// The family of the casino's own events, which begin with several words.
const SYSTEM: &str = "system";

/// What subjects begin with.
pub fn words() -> impl Iterator<Item = &'static str> {
    let own = FAMILIES.into_iter().filter(|family| *family != SYSTEM);
    own.chain(SYSTEM_WORDS)
}

/// What the subjects of a family begin with.
fn words_of(family: &str) -> impl Iterator<Item = &'static str> {
    words().filter(move |word| family_of(word) == family)
}

/// The stream of a family: `WALLET` keeps `wallet.*`.
#[must_use]
pub fn stream_name(family: &str) -> String {
    family.to_ascii_uppercase()
}

/// How long a start waits to see whether the bus is there.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// What stands in the way of the bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("nats: {0}")]
    Connect(#[from] async_nats::ConnectError),
    #[error("nats: the connection broke")]
    Broken,
    #[error("nats: {0}")]
    Publish(String),
    #[error("nats: stream {stream}: {reason}")]
    Stream { stream: String, reason: String },
    /// The stream exists with other settings. It is never changed silently.
    #[error(
        "nats: stream {stream} has {key} = {found}, configured is {wanted}; change the one or the other"
    )]
    Differs {
        stream: String,
        key: &'static str,
        found: String,
        wanted: String,
    },
}

impl From<BusError> for PortError {
    fn from(error: BusError) -> Self {
        Self(error.to_string())
    }
}

/// JetStream of one environment.
pub struct JetStreamBus {
    connections: Connections,
    settings: Nats,
}

impl JetStreamBus {
    /// Looks whether the bus is there. One that is away stops nothing; one that is there with other streams than
    /// configured does, because no event would ever reach it.
    ///
    /// # Errors
    /// [`BusError::Differs`]
    pub async fn check(connections: &Connections, settings: &Nats) -> Result<Self, BusError> {
        let bus = Self {
            connections: connections.clone(),
            settings: settings.clone(),
        };
        match tokio::time::timeout(START_PATIENCE, bus.open()).await {
            Ok(Err(error @ BusError::Differs { .. })) => return Err(error),
            Ok(Err(error)) => tracing::warn!(%error, "the bus is not ready: events wait for it"),
            Err(_) => tracing::warn!("the bus is away: events wait for it"),
            Ok(Ok(_)) => {}
        }
        Ok(bus)
    }

    async fn open(&self) -> Result<Session, BusError> {
        let (client, is_alive) = connect_once(&self.connections).await?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ms(self.settings.ack_timeout_ms));
        let streams = Streams {
            context,
            settings: self.settings.clone(),
            users: self.connections.nats_users.clone(),
        };
        let found = streams.look().await?;
        Ok(Session::new(client, streams, found, is_alive))
    }
}

#[async_trait]
impl Bus for JetStreamBus {
    async fn connect(&self) -> Result<Arc<dyn BusSession>, PortError> {
        Ok(Arc::new(self.open().await?))
    }
}

/// The streams of an account, and their readers.
struct Streams {
    context: Context,
    settings: Nats,
    users: NatsUsers,
}

impl Streams {
    /// What is there, checked against the settings.
    async fn look(&self) -> Result<Vec<FoundStream>, BusError> {
        let mut found = Vec::new();
        for family in FAMILIES {
            let stream = stream_name(family);
            let info = match self.context.get_stream(&stream).await {
                Ok(found) => Some(found.cached_info().clone()),
                Err(error) if is_missing(&error) => None,
                Err(error) => {
                    let reason = error.to_string();
                    return Err(BusError::Stream { stream, reason });
                }
            };
            if let Some(info) = &info {
                compare(&stream, &info.config, &self.config(family))?;
            }
            found.push(tell(family, info.as_ref()));
        }
        Ok(found)
    }

    /// Makes the streams that are missing, and the readers of the users, and looks again.
    async fn make(&self) -> Result<Vec<FoundStream>, BusError> {
        for family in FAMILIES {
            let stream = stream_name(family);
            let made = self.context.get_or_create_stream(self.config(family)).await;
            if let Err(error) = made {
                let reason = error.to_string();
                return Err(BusError::Stream { stream, reason });
            }
        }
        users::make_readers(&self.context, &self.users).await?;
        self.look().await
    }

    fn config(&self, family: &str) -> StreamConfig {
        StreamConfig {
            name: stream_name(family),
            subjects: words_of(family).map(|word| format!("{word}.*")).collect(),
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

fn is_missing(error: &jetstream::context::GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.code() == 404)
}

fn tell(family: &str, info: Option<&Info>) -> FoundStream {
    FoundStream {
        family: family.to_owned(),
        made_at: info.map(|info| info.created.unix_timestamp_nanos().to_string()),
        newest: info.map_or(0, |info| {
            i64::try_from(info.state.last_sequence).unwrap_or(i64::MAX)
        }),
    }
}

/// nats-server 2.9 answers "ok" to settings that it does not know and ignores them: only what it echoes counts.
fn compare(stream: &str, found: &StreamConfig, wanted: &StreamConfig) -> Result<(), BusError> {
    let same = |key, found: String, wanted: String| {
        if found == wanted {
            Ok(())
        } else {
            Err(BusError::Differs {
                stream: stream.to_owned(),
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

/// One connection of the environment's account, that is not made again when it breaks: a client that reconnects would
/// send what it still has to a server that may have lost everything before it. The flag tells whether it stands.
async fn connect_once(connections: &Connections) -> Result<(Client, Arc<AtomicBool>), BusError> {
    let (user, password) = (
        connections.nats_user.clone(),
        connections.nats_password.expose_secret().to_owned(),
    );
    let is_alive = Arc::new(AtomicBool::new(true));
    let flag = is_alive.clone();
    let is_used = Arc::new(AtomicBool::new(false));
    let options = ConnectOptions::with_auth_callback(move |_| {
        let was_used = is_used.swap(true, Ordering::SeqCst);
        let (user, password) = (user.clone(), password.clone());
        async move {
            if was_used {
                return Err(AuthError::new("a connection is made once"));
            }
            let mut auth = Auth::new();
            (auth.username, auth.password) = (Some(user), Some(password));
            Ok(auth)
        }
    });
    let client = options
        .name("pitboss")
        .max_reconnects(1)
        .ping_interval(Duration::from_secs(10))
        .event_callback(move |event| {
            if matches!(event, Event::Disconnected | Event::Closed) {
                flag.store(false, Ordering::SeqCst);
            }
            std::future::ready(())
        })
        .connect(&connections.nats_url)
        .await?;
    Ok((client, is_alive))
}
