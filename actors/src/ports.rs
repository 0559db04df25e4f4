//! What the actors need from the outside, as traits.
//!
//! Postgres implements the ledger and the outbox (`schema`), NATS the bus (`src`), and [`crate::memory`] all
//! of it for tests. One conformance suite runs against each ledger: `pitboss_actors::conformance`.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use bytestring::ByteString;
use pitboss_wallet::{
    Decision, Event, Fact, Facts, GameId, Origin, PlayerId, PlayerState, RoundId, Timestamp,
};
use uuid::Uuid;

/// Something outside did not answer, or not in a way that can be used. The text is for the log alone.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// What became of one decision of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It is on disk.
    Durable,
    /// Nothing of it was written: the state was stale, one of its keys is taken, or a round that should be
    /// new exists. Load the player and decide again.
    Stale,
}

/// What became of a whole batch that was not answered row by row.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written.
    #[error("the commit failed: {0}")]
    Failed(String),
    /// Some or all of it may have been written. Nobody may be told that it failed (T10).
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
}

/// An event of one player as stored: its `seq` and its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerEvent {
    pub seq: i64,
    pub body: Arc<str>,
}

/// The ledger, seen from one player.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// The player with all balances, counters, his newest open rounds and live sessions, in one round trip
    /// and of one moment. `None`: no such player.
    async fn load(&self, player: &PlayerId) -> Result<Option<PlayerState>, PortError>;

    /// Answers every fact, of one moment, in one round trip, with the player's version of that moment. What
    /// the ledger does not have is answered `None`.
    async fn find(&self, player: &PlayerId, facts: &[Fact]) -> Result<Facts, PortError>;

    /// The player's events with `after < seq <= up_to`, in order, at most `limit`.
    async fn events(
        &self,
        player: &PlayerId,
        after: i64,
        up_to: i64,
        limit: usize,
    ) -> Result<Vec<PlayerEvent>, PortError>;

    /// A writer with a connection of its own.
    async fn writer(&self) -> Result<Box<dyn Writer>, PortError>;
}

/// Commits decisions, many players at a time.
#[async_trait]
pub trait Writer: Send + Sync {
    /// Commits a batch with at most one decision per player. Each decision is committed as a whole or not at
    /// all; the answers are in the order of the batch. A batch may be sent while the one before it is under way: it is
    /// carried out after that, whatever becomes of it.
    ///
    /// # Errors
    /// [`CommitError`] speaks for the whole batch. After one, the writer may be unusable: take a new one.
    async fn commit(&self, batch: &[Arc<Decision>]) -> Result<Vec<Committed>, CommitError>;
}

/// A number for each family of events, by its name: `wallet` for `wallet.*`, see [`family_of`].
pub type Families = BTreeMap<String, i64>;

/// A lane that this node may publish, until the lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneLease {
    pub lane: u16,
    /// Raised with every new holder, and when the bus lost something: an older holder's checkpoints are refused.
    pub epoch: i64,
    /// Everything up to this lane number is on the bus.
    pub published: i64,
    /// The newest lane number that is committed.
    pub newest: i64,
    /// For each family the bus's number of the lane's newest acknowledged event.
    pub acknowledged: Families,
    /// Families whose stream holds the lane's events up to this lane number, although `published` was set back
    /// behind it: another stream lost something.
    pub held: Families,
}

/// An event on its way to the bus.
#[derive(Debug, Clone)]
pub struct OutboxEvent {
    /// Its place in the lane. Events of one decision may share it.
    pub lane_seq: i64,
    pub id: Uuid,
    /// Whose event it is: his events must arrive in order, whatever gets lost on the way. `None`: nobody's, but the
    /// casino's own, and these in order, too.
    pub player: Option<PlayerId>,
    /// The event's type.
    pub subject: Cow<'static, str>,
    pub body: ByteString,
}

impl OutboxEvent {
    /// An event as it was committed; its text is shared, not copied.
    #[must_use]
    pub fn of(lane_seq: i64, player: &PlayerId, event: &Arc<Event>) -> Self {
        Self {
            lane_seq,
            id: event.id,
            player: Some(player.clone()),
            subject: Cow::Borrowed(event.kind.as_str()),
            body: shared_body(event),
        }
    }

    /// Events of one family share a stream of the bus.
    #[must_use]
    pub fn family(&self) -> &str {
        family_of(self.subject.split('.').next().unwrap_or_default())
    }
}

/// What the casino's own events begin with: rare, so they share a stream.
pub const SYSTEM_WORDS: [&str; 3] = ["key", "provider", "config"];

/// The family of the events whose type begins with this word: the word itself, or `system`.
#[must_use]
pub fn family_of(word: &str) -> &str {
    if SYSTEM_WORDS.contains(&word) {
        "system"
    } else {
        word
    }
}

/// The event's text without a copy.
fn shared_body(event: &Arc<Event>) -> ByteString {
    struct Body(Arc<Event>);
    impl AsRef<[u8]> for Body {
        fn as_ref(&self) -> &[u8] {
            self.0.body.as_bytes()
        }
    }
    let bytes = Bytes::from_owner(Body(event.clone()));
    // It is a text, or would not have been one before.
    ByteString::try_from(bytes).unwrap_or_default()
}

/// The events in commit order, lane by lane.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Renews the leases of `owner` and takes over every lane whose lease has run out; returns all lanes
    /// that `owner` holds now. Lease times are the database's own.
    async fn claim(&self, owner: Uuid, lease: Duration) -> Result<Vec<LaneLease>, PortError>;

    /// Lets all leases of `owner` run out now.
    async fn release(&self, owner: Uuid) -> Result<(), PortError>;

    /// Events of a lane after a lane number, in order: those of the next `limit` lane numbers. All events with the
    /// same number come together, so that a checkpoint never parts them.
    async fn read(
        &self,
        lane: u16,
        after: i64,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, PortError>;

    /// Moves the lane's checkpoint, and notes what the bus numbered its events. `false`: somebody else holds the
    /// lane by now, or the bus lost something; nothing was written.
    async fn checkpoint(
        &self,
        lane: u16,
        epoch: i64,
        published: i64,
        acknowledged: &Families,
    ) -> Result<bool, PortError>;

    /// Compares what the bus has with what it acknowledged. Where something is missing, sets every lane's
    /// checkpoint back to before it and raises every lane's epoch. Harmless when repeated.
    async fn settle(&self, found: &[FoundStream]) -> Result<Settled, PortError>;

    /// Deletes decisions from the lanes that `owner` holds, oldest first, at most `limit` of a lane: those that are
    /// on the bus and past their time.
    async fn trim(
        &self,
        owner: Uuid,
        retention: Retention,
        limit: usize,
    ) -> Result<Trimmed, PortError>;

    /// What waits for the bus, and what is kept, over all lanes.
    async fn backlog(&self) -> Result<Backlog, PortError>;
}

/// A stream as the bus tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundStream {
    pub family: String,
    /// When it was made, in the bus's words: another time is another stream. `None`: there is none.
    pub made_at: Option<String>,
    /// The number of its newest event, which may be gone by now; 0 when there never was one.
    pub newest: i64,
}

/// What a comparison with the bus led to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Families of which the bus lost events.
    pub lost: Vec<String>,
    /// How many lane numbers are to be published again.
    pub set_back: i64,
}

/// How long a decision's events stay in the outbox once they are on the bus.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    pub keep: Duration,
    /// How long at most for the sake of a reader that is slow.
    pub hold: Duration,
}

/// What a look for old decisions led to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    pub decisions: i64,
    /// A lane gave as many as were asked for: there may be more.
    pub more: bool,
}

/// The state of the outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Lane numbers that are not on the bus: decisions, where the events of a decision share one.
    pub events: i64,
    pub oldest_age: Duration,
    /// Decisions that are kept, on the bus or not.
    pub kept: i64,
    pub kept_age: Duration,
}

/// The event bus.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Makes a connection, and looks at the streams.
    async fn connect(&self) -> Result<Arc<dyn BusSession>, PortError>;
}

/// One connection to the bus. It never comes back by itself: what was sent on it cannot arrive on a later one, after
/// the bus has lost its data.
#[async_trait]
pub trait BusSession: Send + Sync + 'static {
    /// The streams as they were found, one for each family.
    fn streams(&self) -> Vec<FoundStream>;

    /// Makes the streams that are missing, and looks again at all.
    async fn make_streams(&self) -> Result<Vec<FoundStream>, PortError>;

    /// Publishes each player's events in order, and returns when all are acknowledged. An event is sent only
    /// when the same player's earlier events are acknowledged.
    ///
    /// # Errors
    /// Some or none of them are on the bus. The same batch is to be published again, on a new connection: the bus
    /// drops what it has by the event's id.
    async fn publish(&self, events: Vec<OutboxEvent>) -> Result<Families, PortError>;

    /// Whether the connection stands.
    fn is_alive(&self) -> bool;
}

/// A round that has waited for its end longer than its provider account allows.
#[derive(Debug, Clone)]
pub struct OverdueRound {
    pub player: PlayerId,
    pub origin: Origin,
    pub game: GameId,
    pub round: RoundId,
}

/// What the sweeper looks for.
#[async_trait]
pub trait Housekeeping: Send + Sync + 'static {
    /// Open rounds to close, oldest first, at most `limit`.
    async fn overdue_rounds(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OverdueRound>, PortError>;

    /// Players with sessions whose time is over and whose end was not noted yet, for at most `limit` sessions.
    async fn players_with_due_sessions(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<PlayerId>, PortError>;
}

/// The time, from one place.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// New UUIDs (v7), from one place.
pub trait Ids: Send + Sync + 'static {
    fn uuid(&self) -> Uuid;
}
