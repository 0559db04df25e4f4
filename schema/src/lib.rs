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

mod approvals;
pub mod audit;
mod audit_log;
mod audit_read;
mod batch;
mod callback_log;
mod connection;
mod document;
mod error;
mod feed;
mod fresh;
mod games;
mod history;
mod idempotency;
mod lane;
mod ledger;
mod lobby;
mod migrate;
mod moment;
mod neighbours;
mod operator_keys;
mod options;
mod outbox;
mod payments;
mod players;
mod providers;
pub mod reports;
mod search;
mod sessions;
mod significant;
mod statement;
mod store;
mod webhooks;
mod world;
mod writer;

pub use approvals::{
    ApprovalFilter, ApprovalKind, ApprovalRow, ApprovalState, NewApproval, Verdict,
};
pub use audit_log::{AuditAction, AuditActor, AuditNote};
pub use audit_read::{AuditEntry, AuditFilter};
pub use callback_log::{
    CallbackFilter, CallbackLogMode, CallbackPage, CallbackPageOf, CallbackPosition,
    LoggedCallback, NewCallback,
};
pub use error::StoreError;
pub use feed::{FeedEnds, FeedEvent, FeedPage, FeedPosition, FoundEvent, LanePosition, PlayerPage};
pub use games::{
    Category, Device, Game, GameLimits, GameRow, GamesChange, GamesNow, GamingRow, Volatility,
};
pub use history::{Cursor, PostingRow, RoundFilter, RoundRow, TransactionRow};
pub use idempotency::{Idempotent, StoredAnswer};
pub use lane::lane_of;
pub use lobby::{BlockScope, Blocked, CollectionRow, GameBlockRow};
pub use migrate::{Install, SCHEMA_VERSION};
pub use neighbours::Neighbours;
pub use operator_keys::{KeyChange, KeyMade, NewKey, OperatorKeyRow, Rate};
pub use options::StoreOptions;
pub use outbox::Replay;
pub use payments::{PaymentFilter, PaymentRow};
pub use players::{Created, Labels, PlayerCursor, PlayerFilter, PlayerRow, Profile, ProfileChange};
pub use providers::{NewProvider, ProviderChange, ProviderRow, ProviderStatus};
pub use search::{
    AgeOfRounds, Found, PlayedSession, RoundKeyRow, RoundSearch, TransactionSearch, UnfinishedPlace,
};
pub use sessions::{LoginLock, SessionRow};
pub use significant::{Copied, OutboxRecord};
pub use statement::{AccountSums, Numbers, StatementLine};
pub use store::Store;
pub use webhooks::{
    Again, DeadLetter, DisabledBy, Health, WebhookChange, WebhookMessage, WebhookProgress,
    WebhookRow,
};
