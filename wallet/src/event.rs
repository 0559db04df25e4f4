//! Events: what happened, told once, in order.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{PlayerId, Timestamp, TransactionId};

/// Which of the two worlds a record belongs to. Nothing ever crosses (INV-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident => $name:literal),+ $(,)?) => {
        /// The type of an event, which is also its NATS subject: always two tokens.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventType { $($(#[$doc])* $variant),+ }

        impl EventType {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

event_types! {
    /// The player has a wallet in a new currency.
    AccountOpened => "wallet.account_opened",
    DepositCompleted => "wallet.deposit_completed",
    /// A bet was taken from the player's wallet.
    BetDebited => "wallet.bet_debited",
    WinCredited => "wallet.win_credited",
    /// A bet was given back.
    BetRolledBack => "wallet.bet_rolled_back",
    /// A win was taken back.
    WinRolledBack => "wallet.win_rolled_back",
    /// A correction found too little: the player owes.
    NegativeBalance => "wallet.negative_balance",
    Launched => "game.launched",
    /// The provider took the launched session over.
    SessionStarted => "game.session_started",
    SessionEnded => "game.session_ended",
    RoundOpened => "game.round_opened",
    RoundClosed => "game.round_closed",
    RoundVoided => "game.round_voided",
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

/// The envelope: the same on WebSocket, NATS and REST.
#[derive(Serialize)]
struct Envelope<'a, T> {
    id: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    time: Timestamp,
    environment: Environment,
    player: &'a PlayerId,
    seq: i64,
    transaction: Option<TransactionId>,
    data: &'a T,
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
            time: at,
            environment,
            player,
            seq,
            transaction,
            data,
        };
        let body = serde_json::to_string(&envelope).unwrap_or_default();
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
                ["wallet", "game", "bonus", "withdrawal"].contains(&tokens[0]),
                "{kind:?}"
            );
        }
    }
}
