//! Postgres: the ledger, the outbox, and what the HTTP edges keep.
//!
//! What lives here: `migrations/*.sql`, `queries/*.sql`, and the code that runs them. [`Store`] is one
//! environment's database; it implements the ports [`Ledger`](pitboss_actors::ports::Ledger),
//! [`Outbox`](pitboss_actors::ports::Outbox) and [`Housekeeping`](pitboss_actors::ports::Housekeeping).
//! What must not: rules of the wallet, HTTP, encryption (secrets arrive sealed), SQL text outside of `.sql`
//! files (session settings excepted).
//!
//! Money moves through one statement alone, `queries/commit_batch.sql`, run by the writers that
//! [`Ledger::writer`](pitboss_actors::ports::Ledger::writer) hands out. Everything else reads, or writes
//! what is not money.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod audit;
mod batch;
mod catalogue;
mod connection;
mod document;
mod error;
mod feed;
mod fresh;
mod history;
mod keys;
mod lane;
mod ledger;
mod migrate;
mod moment;
mod neighbours;
mod options;
mod outbox;
mod players;
mod store;
mod webhooks;
mod writer;

pub use catalogue::{GameRow, ProviderRow};
pub use error::StoreError;
pub use feed::{FeedEnds, FeedEvent, FeedPage, FeedPosition, FoundEvent, LanePosition, PlayerPage};
pub use history::{Cursor, RoundFilter, RoundRow, TransactionRow};
pub use keys::{Idempotent, OperatorKeyRow, StoredAnswer};
pub use lane::lane_of;
pub use migrate::{Install, SCHEMA_VERSION};
pub use neighbours::Neighbours;
pub use options::StoreOptions;
pub use outbox::Replay;
pub use players::{Created, PlayerRow};
pub use store::Store;
pub use webhooks::{
    Again, DeadLetter, DisabledBy, Health, WebhookChange, WebhookMessage, WebhookProgress,
    WebhookRow,
};
