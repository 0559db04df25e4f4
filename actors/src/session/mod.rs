//! A player's WebSocket stream: his state, then every event of his, in order, without a gap or a repeat.
//!
//! What lives here: the session actor and its two sides ([`feed`]: what goes out; [`actor`]: what comes in),
//! the guard in front of the library's codec ([`frame_guard`]), the bounded queue between a player and a
//! session ([`outbound`]), the registry of all sessions ([`sessions`]), the close codes ([`close`]). What must
//! not: tokens, HTTP errors, the player's rules. `src` checks who is asking, and then calls [`start`].
//!
//! ```text
//! player actor --push--> Outbound (bytes bounded) --polled--> Feed --> Session --> actix-web --> client
//!                                                  Ledger ----^ (what was missed)
//! ```

mod actor;
mod close;
mod feed;
mod frame_guard;
mod message;
mod outbound;
mod sessions;

use std::{sync::Arc, time::Duration};

use actix_http::ws::Codec;
use actix_web::{HttpRequest, HttpResponse, web::Payload};
use actix_web_actors::ws;
use pitboss_wallet::{Environment, PlayerId, Timestamp};
use uuid::Uuid;

use self::{
    actor::{Inbound, Session},
    feed::{Feed, Progress, Resume},
    frame_guard::FrameGuard,
};
pub use self::{
    close::CloseCode,
    message::{client_schemas, server_schemas},
    sessions::{SessionLimits, Sessions, Swept, TooManySessions},
};
use crate::{
    ports::{Clock, Ledger},
    stream::StreamSource,
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
        }
    }
}

/// All that a session needs to know.
pub struct SessionSetup {
    pub player: PlayerId,
    pub environment: Environment,
    /// When the player's session ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// The newest `seq` that the client has, when it resumes.
    pub after: Option<i64>,
    /// The `epoch` that the client was told with it, as it was sent.
    pub epoch_of_client: Option<String>,
    /// The database's own: positions of another one mean nothing here.
    pub incarnation: Uuid,
    pub limits: StreamLimits,
    pub source: Arc<dyn StreamSource>,
    pub ledger: Arc<dyn Ledger>,
    pub clock: Arc<dyn Clock>,
    pub sessions: Arc<Sessions>,
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
        player,
        environment,
        expires_at,
        after,
        epoch_of_client,
        incarnation,
        limits,
        source,
        ledger,
        clock,
        sessions,
    } = setup;
    let admission = sessions.admit(environment, &player, limits.max_queued_bytes)?;
    let feed = Feed {
        outbound: admission.outbound.clone(),
        player,
        environment: environment.as_str(),
        incarnation,
        expires_at,
        limits,
        source,
        ledger,
        clock,
        resume: after.map(|after| Resume {
            after,
            epoch: epoch_of_client,
        }),
        progress: Progress::new(&limits),
    };
    let (guarded, fault) = FrameGuard::new(payload, limits.max_frame_bytes);
    let session = Session {
        admission,
        fault,
        max_frames_per_s: limits.max_frames_per_s,
        feed: Some(Box::new(feed)),
        inbound: Inbound::default(),
    };
    ws::WsResponseBuilder::new(session, request, guarded)
        .codec(Codec::new().max_size(limits.max_frame_bytes))
        .protocols(&[SUBPROTOCOL])
        .start()
}
