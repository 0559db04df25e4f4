//! The actix actors of a casino's wallets, and what ties them together.
//!
//! What lives here: the player actor, the registry of players, the journal (group commit), the WebSocket
//! session, the bridge to the event bus, the sweeper, and the ports (traits) that they need. What must not:
//! SQL, a NATS client, a provider's wire format, configuration files, money rules (those are `wallet`'s).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod bridge;
pub mod conformance;
pub mod journal;
pub mod mail;
pub mod memory;
pub mod metric;
pub mod player;
pub mod ports;
pub mod registry;
pub mod session;
pub mod stream;
pub mod sweeper;
