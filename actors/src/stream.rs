//! Between a player's actor and the sessions that watch the player.

use std::sync::Arc;

use async_trait::async_trait;
use pitboss_wallet::{Event, PlayerId, RoundView, WalletView};

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
