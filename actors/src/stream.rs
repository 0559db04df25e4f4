//! Between a player's actor and the sessions that watch the player; and what sessions ask of the server.

use std::sync::Arc;

use async_trait::async_trait;
use pitboss_wallet::{Currency, Event, PlayerId, RoundView, SessionId, Timestamp, WalletView};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ports::PortError;

/// Whether a sink still wants events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a sink that is gone must be dropped, it never comes back"]
pub enum SinkState {
    Open,
    /// The session has ended, is too slow, or listens through a newer sink.
    Gone,
}

/// Where a player's actor pushes events of that player.
///
/// Dropping the last reference tells the session that this actor has ended: it subscribes again, to
/// whichever actor is the player's by then, and fetches what it missed from the ledger.
pub trait EventSink: Send + Sync + 'static {
    /// Hands over durable events, in `seq` order. Cheap, never blocks, never fails the caller.
    ///
    /// An empty slice pushes nothing and asks whether somebody still listens.
    fn push(&self, events: &[Arc<Event>]) -> SinkState;
}

/// What a player owns at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The newest event that this state includes; 0 when there is none yet.
    pub seq: i64,
    pub wallets: Vec<WalletView>,
    pub open_rounds: Vec<RoundView>,
}

/// How a session reaches its player, whichever actor that is by now.
#[async_trait]
pub trait StreamSource: Send + Sync + 'static {
    /// Registers the sink, and returns the state at that very moment: every later event is pushed.
    ///
    /// A caller that gave up waiting has made its sink stale, so a late registration does no harm: its first
    /// push answers [`SinkState::Gone`].
    async fn subscribe(
        &self,
        player: &PlayerId,
        sink: Arc<dyn EventSink>,
    ) -> Result<Snapshot, PortError>;
}

/// The player's session under which a socket is open. When it is over, so is the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login {
    pub session: SessionId,
    pub currency: Currency,
    /// When it ends at the latest. An end before that, such as that of an idle player, is looked up from outside.
    pub expires_at: Timestamp,
}

/// A game that is ready to be played: REST and sockets answer the same.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Launched {
    /// Where the player's browser goes.
    pub url: String,
    /// The single-use token that the provider exchanges.
    pub token: String,
    pub session: SessionId,
    /// When the token is too old.
    pub expires_at: Timestamp,
}

/// Why the server does not do what a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Stable, and one of those of REST.
    pub code: &'static str,
    /// For a person.
    pub detail: String,
    /// Whether the same may be asked again and is expected to succeed.
    pub retryable: bool,
}

/// What a client may ask for over its socket, besides the stream itself. The server knows tokens, the catalogue
/// of games and the rules of REST; sessions do not.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// The player's wallets as they are now.
    async fn balance(&self, player: &PlayerId) -> Result<Snapshot, Refused>;

    /// A new game session, launched from this login.
    async fn launch(
        &self,
        player: &PlayerId,
        login: SessionId,
        game: &str,
        currency: Currency,
    ) -> Result<Launched, Refused>;

    /// Whose token this is, and the session behind it; an error when it is no player's, or of another
    /// environment, or over.
    async fn authenticate(&self, token: &str) -> Result<(PlayerId, Login), Refused>;

    /// The player did something: when the login ends if he does nothing more.
    async fn keep_alive(&self, player: &PlayerId, login: SessionId) -> Result<Timestamp, Refused>;
}
