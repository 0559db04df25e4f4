//! The audit log: who changed what, in a chain that nobody can rewrite unseen.
//!
//! An entry is written in the transaction of the change that it tells of ([`Store::change`]): there is no change
//! without its entry, and no entry of what did not happen.

use deadpool_postgres::Transaction;
use pitboss_wallet::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Store, StoreError, moment::Moment, store::Params};

macro_rules! actions {
    ($($(#[doc = $meaning:literal])+ $variant:ident => $name:literal),+ $(,)?) => {
        /// What was done. The first token says to what.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum AuditAction { $($(#[doc = $meaning])+ $variant),+ }

        impl AuditAction {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it means, in a line.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($meaning),+)),+ }
            }
        }
    };
}

actions! {
    /// An operator key was made.
    KeyCreated => "key.created",
    /// The operator reported that somebody could not log in as a player.
    LoginFailed => "player.login_failed",
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditActor {
    /// `operator`, `command_line`, `server`, `provider` or `player`.
    pub kind: &'static str,
    /// Which of them: a key's id, a provider's, a player's.
    pub id: String,
    /// Whom an operator key is for.
    pub person: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
}

/// An entry to be written.
#[derive(Debug, Clone)]
pub struct AuditNote {
    /// Also what makes a second try write nothing.
    pub id: Uuid,
    pub at: Timestamp,
    pub action: AuditAction,
    pub actor: AuditActor,
    /// Such as `player/alice`.
    pub subject: String,
    /// What it was before and what it is now, and why. Never a secret.
    pub detail: Value,
}

impl Store {
    /// Runs a statement that changes something, and writes the entry beside it when it answered a row. Both or
    /// neither.
    ///
    /// # Errors
    /// What a query may meet.
    pub(crate) async fn change(
        &self,
        what: &'static str,
        sql: &str,
        params: Params<'_>,
        note: &AuditNote,
    ) -> Result<Option<Row>, StoreError> {
        self.in_transaction(what, async |transaction| {
            let statement = transaction.prepare_cached(sql).await?;
            let row = transaction.query_opt(&statement, params).await?;
            if row.is_some() {
                append(transaction, note).await?;
            }
            Ok(row)
        })
        .await
    }

    /// Writes an entry that stands for itself.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn note(&self, note: &AuditNote) -> Result<(), StoreError> {
        self.in_transaction("write into the audit log", async |transaction| {
            append(transaction, note).await.map(drop)
        })
        .await
    }
}

/// Writes an entry in a transaction; answers its number, `None` when an entry of this id is there.
pub(crate) async fn append(
    transaction: &Transaction<'_>,
    note: &AuditNote,
) -> Result<Option<i64>, tokio_postgres::Error> {
    let sql = include_str!("../queries/append_audit.sql");
    let statement = transaction.prepare_cached(sql).await?;
    let (actor, detail) = (&note.actor, note.detail.to_string());
    let row = transaction
        .query_one(
            &statement,
            &[
                &note.id,
                &Moment(note.at),
                &note.action.as_str(),
                &actor.kind,
                &actor.id,
                &actor.person,
                &actor.address,
                &note.subject,
                &detail,
            ],
        )
        .await?;
    row.try_get("number")
}
