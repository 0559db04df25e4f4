//! Events: what happened, told once, in order.
//!
//! The table below binds each type to its meaning and to the struct of its data (`event_data`): what is sent
//! and what is published as the contract come from the same place.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{PlayerId, Timestamp, TransactionId, event_data as data};

/// The version of every event, in its envelope. `docs/events.md` says what may change without a new one.
pub const EVENT_VERSION: u16 = 1;

/// Room for an ordinary event, so that its text is not moved while it is written.
const BODY_BYTES: usize = 768;

/// Which of the two worlds a record belongs to. Nothing ever crosses (INV-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    Sandbox,
    Live,
}

impl Environment {
    pub const ALL: [Self; 2] = [Self::Sandbox, Self::Live];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }

    /// The environment with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.as_str() == name)
    }
}

impl std::fmt::Display for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The data of one type of event.
pub(crate) trait EventData: Serialize {
    const KIND: EventType;
}

macro_rules! event_types {
    ($(#[doc = $meaning:literal] $variant:ident($data:ty) => $name:literal),+ $(,)?) => {
        /// The type of an event, which is also its NATS subject: always two tokens.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventType { $(#[doc = $meaning] $variant),+ }

        impl EventType {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What has happened, in one line.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning.trim()),+ }
            }

            /// The JSON Schema of a whole event of this type, as it is sent.
            pub fn schema(self, generator: &mut SchemaGenerator) -> Schema {
                let data = match self { $(Self::$variant => generator.subschema_for::<$data>()),+ };
                envelope_schema(self, data, generator)
            }
        }

        $(impl EventData for $data {
            const KIND: EventType = EventType::$variant;
        })+
    };
}

event_types! {
    /// The player has a wallet in a new currency.
    AccountOpened(data::AccountOpened) => "wallet.account_opened",
    /// A deposit is in the player's wallet.
    DepositCompleted(data::DepositCompleted<'_>) => "wallet.deposit_completed",
    /// A deposit was announced to a payment provider.
    DepositInitiated(data::DepositInitiated<'_>) => "wallet.deposit_initiated",
    /// The payment provider has a deposit, and does not know yet.
    DepositPending(data::DepositPending<'_>) => "wallet.deposit_pending",
    /// A deposit failed, or its time is over.
    DepositFailed(data::DepositFailed<'_>) => "wallet.deposit_failed",
    /// A deposit was taken back.
    DepositReversed(data::DepositReversed<'_>) => "wallet.deposit_reversed",
    /// Money for a withdrawal was taken from the player's wallet.
    HoldPlaced(data::HoldPlaced) => "wallet.hold_placed",
    /// Money of a withdrawal is back in the player's wallet.
    HoldReleased(data::HoldReleased) => "wallet.hold_released",
    /// Money of a withdrawal has left the player for good.
    HoldCaptured(data::HoldCaptured) => "wallet.hold_captured",
    /// A withdrawal that was paid came back into the player's wallet.
    WithdrawalCredited(data::WithdrawalCredited) => "wallet.withdrawal_returned",
    /// A bet was taken from the player's wallet.
    BetDebited(data::BetDebited<'_>) => "wallet.bet_debited",
    /// A win was paid into the player's wallet.
    WinCredited(data::WinCredited<'_>) => "wallet.win_credited",
    /// A bet was given back.
    BetRolledBack(data::BetRolledBack<'_>) => "wallet.bet_rolled_back",
    /// A win was taken back.
    WinRolledBack(data::WinRolledBack<'_>) => "wallet.win_rolled_back",
    /// Money was given or taken by hand, as two persons decided.
    Adjusted(data::Adjusted<'_>) => "wallet.adjusted",
    /// A correction found too little: the player owes.
    NegativeBalance(data::NegativeBalance) => "wallet.negative_balance",
    /// The player was given the address of a game.
    Launched(data::Launched<'_>) => "game.launched",
    /// The provider took the launched session over.
    SessionStarted(data::SessionStarted<'_>) => "game.session_started",
    /// A game session was ended before its time.
    SessionEnded(data::SessionEnded<'_>) => "game.session_ended",
    /// The time of a game session is over.
    SessionExpired(data::SessionExpired<'_>) => "game.session_expired",
    /// A round has its first bet, or a win that came before it.
    RoundOpened(data::RoundOpened) => "game.round_opened",
    /// The round takes no more bets.
    RoundClosed(data::RoundClosed) => "game.round_closed",
    /// A whole round was taken back.
    RoundVoided(data::RoundVoided<'_>) => "game.round_voided",
    /// The player asked for a withdrawal.
    WithdrawalRequested(data::WithdrawalRequested<'_>) => "withdrawal.requested",
    /// Somebody looks at a withdrawal.
    WithdrawalReviewStarted(data::WithdrawalReviewStarted<'_>) => "withdrawal.review_started",
    /// The review of a withdrawal waits for something.
    WithdrawalOnHold(data::WithdrawalOnHold<'_>) => "withdrawal.on_hold",
    /// The review of a withdrawal goes on.
    WithdrawalHoldCleared(data::WithdrawalHoldCleared<'_>) => "withdrawal.hold_cleared",
    /// One of the people who have to approved a withdrawal.
    WithdrawalApproved(data::WithdrawalApproved<'_>) => "withdrawal.approved",
    /// A withdrawal was rejected.
    WithdrawalRejected(data::WithdrawalRejected<'_>) => "withdrawal.rejected",
    /// The player cancelled a withdrawal.
    WithdrawalCancelled(data::WithdrawalCancelled<'_>) => "withdrawal.cancelled",
    /// Nobody decided about a withdrawal in time.
    WithdrawalExpired(data::WithdrawalExpired<'_>) => "withdrawal.expired",
    /// The house keeps the money of a withdrawal, as two persons decided.
    WithdrawalConfiscated(data::WithdrawalConfiscated<'_>) => "withdrawal.confiscated",
    /// A withdrawal is given to the payment provider.
    WithdrawalProcessing(data::WithdrawalProcessing<'_>) => "withdrawal.processing",
    /// Nobody knows whether a withdrawal was paid.
    WithdrawalUnknown(data::WithdrawalUnknown<'_>) => "withdrawal.unknown",
    /// A withdrawal was paid.
    WithdrawalPaid(data::WithdrawalPaid<'_>) => "withdrawal.paid",
    /// A withdrawal could not be paid.
    WithdrawalFailed(data::WithdrawalFailed<'_>) => "withdrawal.failed",
    /// A withdrawal that was paid came back.
    WithdrawalReturned(data::WithdrawalReturned<'_>) => "withdrawal.returned",
    /// A withdrawal was divided into parts.
    WithdrawalSplit(data::WithdrawalSplit<'_>) => "withdrawal.split",
    /// There is a new player.
    Registered(data::Registered<'_>) => "player.registered",
    /// The player was blocked, or let in again, or his account was closed.
    StatusChanged(data::StatusChanged<'_>) => "player.status_changed",
    /// The player logged in.
    LoggedIn(data::LoggedIn) => "player.logged_in",
    /// A login was ended before its time.
    LoggedOut(data::LoggedOut) => "player.logged_out",
    /// The time of a login is over.
    LoginExpired(data::LoginExpired) => "player.session_expired",
}

impl EventType {
    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// The first of the two tokens: `wallet`, `game`, `bonus`, `withdrawal` or `player`.
    #[must_use]
    pub fn family(self) -> &'static str {
        let name = self.as_str();
        name.split_once('.').map_or(name, |(family, _)| family)
    }
}

/// An event as it is stored and sent: one rendering for every channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// A UUID v7; `Nats-Msg-Id` on the bus.
    pub id: Uuid,
    pub kind: EventType,
    /// Gap-free per player (INV-7).
    pub seq: i64,
    pub at: Timestamp,
    /// The envelope as JSON text.
    pub body: String,
}

/// The envelope: the same on WebSocket, NATS, REST and webhooks.
#[derive(Serialize, JsonSchema)]
struct Envelope<'a, T> {
    /// Names the event for ever: drop what comes again under the same id.
    id: Uuid,
    /// What happened; the subject on NATS.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Of this type's contract: see the rule for adding fields.
    version: u16,
    /// When it was decided, by the server's clock.
    time: Timestamp,
    environment: Environment,
    player: &'a PlayerId,
    /// Counts this player's events: from 1, without a gap.
    seq: i64,
    /// The ledger transaction that it tells of, where it tells of one.
    transaction: Option<TransactionId>,
    data: &'a T,
}

/// The envelope's schema with `type` and `data` of one kind.
fn envelope_schema(kind: EventType, data: Schema, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = Envelope::<()>::json_schema(generator);
    schema.insert("description".into(), kind.meaning().into());
    let properties = schema.get_mut("properties");
    if let Some(properties) = properties.and_then(serde_json::Value::as_object_mut) {
        properties["type"]["const"] = kind.as_str().into();
        properties["version"]["const"] = EVENT_VERSION.into();
        properties["seq"]["minimum"] = 1.into();
        properties.insert("data".into(), data.into());
    }
    schema
}

/// What an event is about, besides its own data.
pub(crate) struct Subject<'a> {
    pub id: Uuid,
    pub kind: EventType,
    pub seq: i64,
    pub at: Timestamp,
    pub environment: Environment,
    pub player: &'a PlayerId,
    pub transaction: Option<TransactionId>,
}

impl Event {
    /// Renders the envelope around `data`, which is a struct of plain fields and cannot fail to serialise.
    pub(crate) fn render<T: Serialize>(subject: &Subject<'_>, data: &T) -> Self {
        let Subject {
            id,
            kind,
            seq,
            at,
            environment,
            player,
            transaction,
        } = *subject;
        let envelope = Envelope {
            id,
            kind: kind.as_str(),
            version: EVENT_VERSION,
            time: at,
            environment,
            player,
            seq,
            transaction,
            data,
        };
        let mut body = Vec::with_capacity(BODY_BYTES);
        let body = match serde_json::to_writer(&mut body, &envelope) {
            Ok(()) => String::from_utf8(body).unwrap_or_default(),
            Err(_) => String::new(),
        };
        Self {
            id,
            kind,
            seq,
            at,
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EventType;

    #[test]
    fn every_subject_has_two_tokens_and_a_known_stream() {
        for kind in EventType::ALL {
            let tokens: Vec<_> = kind.as_str().split('.').collect();
            assert_eq!(tokens.len(), 2, "{kind:?}");
            assert!(
                ["wallet", "game", "bonus", "withdrawal", "player"].contains(&tokens[0]),
                "{kind:?}"
            );
        }
    }
}
