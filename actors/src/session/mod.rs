//! A player's WebSocket stream: his state, then every event of his, in order, without a gap or a repeat.
//!
//! What lives here: the session actor and its two sides ([`feed`]: what goes out; [`actor`]: what comes in),
//! the guard in front of the library's codec ([`frame_guard`]), the bounded queue between a player and a
//! session ([`outbound`] and [`queue`]), what the client subscribed to ([`topics`], [`balances`]), its commands
//! ([`commands`]), all messages ([`message`]), the registry of all sessions ([`sessions`]), the close codes ([`close`]). What must
//! not: tokens, HTTP errors, the player's rules. `src` checks who is asking, and then calls [`start`].
//!
//! ```text
//! player actor --push--> Outbound (bytes bounded) --polled--> Feed --> Session --> actix-web --> client
//!                                                  Ledger ----^ (what was missed)
//! ```

mod actor;
mod balances;
mod close;
mod commands;
mod feed;
mod frame_guard;
mod message;
mod outbound;
mod queue;
mod sessions;
mod topics;

use std::{sync::Arc, time::Duration};

use actix_http::ws::Codec;
use actix_web::{HttpRequest, HttpResponse, web::Payload};
use actix_web_actors::ws;
use pitboss_wallet::{Environment, PlayerId};
use uuid::Uuid;

use self::{
    actor::{Inbound, Session},
    commands::Commands,
    feed::{Feed, Progress},
    frame_guard::FrameGuard,
    message::Resume,
};
pub use self::{
    close::CloseCode,
    message::{client_schemas, server_schemas},
    sessions::{SessionLimits, Sessions, Swept, TooManySessions},
    topics::{Topics, UnknownTopic},
};
use crate::{
    ports::{Clock, Ledger},
    stream::{Desk, Login, StreamSource},
};

/// The WebSocket subprotocol, echoed to a client that offers it.
pub const SUBPROTOCOL: &str = "pitboss.v1";

/// The bounds of one session. All are greater than zero.
#[derive(Debug, Clone, Copy)]
pub struct StreamLimits {
    /// The longest frame, and the longest fragmented message, that a client may send.
    pub max_frame_bytes: usize,
    /// What may wait for a client that reads slowly. One event must fit.
    pub max_queued_bytes: usize,
    /// Frames of any kind that a client may send in a second.
    pub max_frames_per_s: u32,
    /// The time between two pings.
    pub heartbeat: Duration,
    /// How long a client may say nothing, not even a pong. At least two heartbeats.
    pub idle_timeout: Duration,
    /// How many events a client may have missed to get them one by one, not a new snapshot.
    pub resume_max: i64,
    /// How many events are read from the ledger at a time.
    pub replay_page: usize,
    /// How long the player or the ledger may take to answer.
    pub port_timeout: Duration,
    /// How often a session tries again to reach its player before it gives up.
    pub subscribe_retries: u32,
    /// Commands that may wait while one is carried out.
    pub max_commands_waiting: usize,
    /// Tokens that are not the player's, in a row, before the socket is closed.
    pub max_refused_tokens: u32,
    /// Clients that are told to come back are told to do so within this time, each at another moment.
    pub retry_jitter: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            max_frame_bytes: 4096,
            max_queued_bytes: 256 * 1024,
            max_frames_per_s: 20,
            heartbeat: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            resume_max: 1000,
            replay_page: 64,
            port_timeout: Duration::from_secs(5),
            subscribe_retries: 4,
            max_commands_waiting: 8,
            max_refused_tokens: 3,
            retry_jitter: Duration::from_secs(3),
        }
    }
}

/// What all sessions of one environment share.
pub struct StreamPorts {
    pub environment: Environment,
    /// The database's own: positions of another one mean nothing here.
    pub incarnation: Uuid,
    pub limits: StreamLimits,
    pub source: Arc<dyn StreamSource>,
    pub ledger: Arc<dyn Ledger>,
    pub clock: Arc<dyn Clock>,
    pub sessions: Arc<Sessions>,
}

/// What one session needs to know.
pub struct SessionSetup {
    pub ports: Arc<StreamPorts>,
    pub desk: Arc<dyn Desk>,
    pub player: PlayerId,
    pub login: Login,
    pub topics: Topics,
    /// The newest `seq` that the client has, when it resumes.
    pub after: Option<i64>,
    /// The `epoch` that the client was told with it, as it was sent.
    pub epoch_of_client: Option<String>,
}

/// Answers the WebSocket handshake and starts the session.
///
/// # Errors
/// The request is not a WebSocket handshake, or there are [`TooManySessions`]
/// (`error.as_error::<TooManySessions>()` tells).
pub fn start(
    request: &HttpRequest,
    payload: Payload,
    setup: SessionSetup,
) -> Result<HttpResponse, actix_web::Error> {
    // Before the session is admitted: a request that is no handshake must not push another session out.
    ws::handshake(request)?;

    let SessionSetup {
        ports,
        desk,
        player,
        login,
        topics,
        after,
        epoch_of_client,
    } = setup;
    let limits = ports.limits;
    let admission = ports.sessions.admit(
        ports.environment,
        &player,
        limits.max_queued_bytes,
        login,
        topics,
    )?;
    let feed = Feed {
        outbound: admission.outbound.clone(),
        player,
        ports: ports.clone(),
        resume: after.map(|after| {
            Box::new(Resume {
                after,
                epoch: epoch_of_client,
                id: None,
            })
        }),
        progress: Progress::new(&limits),
    };
    let (guarded, fault) = FrameGuard::new(payload, limits.max_frame_bytes);
    let session = Session {
        admission,
        ports,
        desk,
        fault,
        feed: Some(Box::new(feed)),
        inbound: Inbound::default(),
        commands: Commands::default(),
    };
    ws::WsResponseBuilder::new(session, request, guarded)
        .codec(Codec::new().max_size(limits.max_frame_bytes))
        .protocols(&[SUBPROTOCOL])
        .start()
}
