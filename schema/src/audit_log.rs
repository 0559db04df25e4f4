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
    /// The name, scopes, addresses, rate or expiry of an operator key were changed.
    KeyChanged => "key.changed",
    /// An operator key was given a new secret.
    KeyRotated => "key.rotated",
    /// An operator key was revoked.
    KeyRevoked => "key.revoked",
    /// Somebody was refused: a key that is wrong, revoked or expired, lacks a scope or came from a foreign address, or a bad signature of a provider.
    AccessFailed => "access.failed",
    /// A server was started with another configuration than the one before.
    ConfigChanged => "config.changed",
    /// A server started.
    ServerStarted => "server.started",
    /// A server stopped.
    ServerStopped => "server.stopped",
    /// The clocks of a server and of its database are too far apart.
    ClockSkewed => "clock.skewed",
    /// Events were trimmed before significant ones among them could be copied here.
    EventsMissed => "audit.events_missed",
    /// A correction found too little: a player owes.
    NegativeBalance => "wallet.negative_balance",
    /// A balance was corrected by hand.
    WalletAdjusted => "wallet.adjusted",
    /// A deposit was reversed, or charged back.
    DepositReversed => "payment.deposit_reversed",
    /// A withdrawal was approved by one of those who have to.
    WithdrawalApproved => "payment.withdrawal_approved",
    /// A withdrawal waits, for a reason that somebody gave.
    WithdrawalHeld => "payment.withdrawal_held",
    /// A withdrawal was rejected.
    WithdrawalRejected => "payment.withdrawal_rejected",
    /// The house keeps the money of a withdrawal.
    WithdrawalConfiscated => "payment.withdrawal_confiscated",
    /// Nobody knows whether a withdrawal was paid.
    WithdrawalUnknown => "payment.withdrawal_unknown",
    /// A deposit of at least the configured amount came.
    LargeDeposit => "payment.large_deposit",
    /// A withdrawal of at least the configured amount was asked for.
    LargeWithdrawal => "payment.large_withdrawal",
    /// A bet of at least the configured amount was taken.
    LargeBet => "wallet.large_bet",
    /// A win of at least the configured amount was paid.
    LargeWin => "wallet.large_win",
    /// A win was taken back.
    WinRolledBack => "wallet.win_rolled_back",
    /// A whole round was taken back.
    RoundVoided => "round.voided",
    /// A player was blocked, unblocked or closed.
    PlayerStatusChanged => "player.status_changed",
    /// A provider account was made.
    ProviderCreated => "provider.created",
    /// A provider account's name, policy, addresses or log were changed.
    ProviderChanged => "provider.changed",
    /// A provider account got a new callback secret.
    ProviderSecretRotated => "provider.secret_rotated",
    /// A provider account's old callback secret was ended before its time.
    ProviderOldSecretRevoked => "provider.old_secret_revoked",
    /// A provider account takes bets again.
    ProviderEnabled => "provider.enabled",
    /// A provider account takes no more bets.
    ProviderDisabled => "provider.disabled",
    /// A provider account takes no more requests.
    ProviderClosed => "provider.closed",
    /// A game was put into the catalogue.
    GameCreated => "game.created",
    /// Something of a game was changed besides its switch and its version.
    GameChanged => "game.changed",
    /// A game was enabled.
    GameEnabled => "game.enabled",
    /// A game was disabled.
    GameDisabled => "game.disabled",
    /// A game has another version or checksum: to a regulator it is another game.
    GameVersionChanged => "game.version_changed",
    /// Games were put into the catalogue, or changed, many at once.
    GameImported => "game.imported",
    /// A player may no longer bet on a game, a category or a provider's games.
    GameBlocked => "game.blocked",
    /// A player may bet again on what was blocked.
    GameUnblocked => "game.unblocked",
    /// All gaming was stopped.
    GamingStopped => "gaming.stopped",
    /// Gaming goes on.
    GamingResumed => "gaming.resumed",
    /// A collection of the lobby was put there or changed.
    CollectionChanged => "collection.changed",
    /// A collection of the lobby was removed.
    CollectionRemoved => "collection.removed",
    /// What the operator tells of a player was changed.
    PlayerChanged => "player.changed",
    /// Somebody asked for what another person has to approve.
    ApprovalRequested => "approval.requested",
    /// A second person approved it.
    ApprovalApproved => "approval.approved",
    /// A second person rejected it.
    ApprovalRejected => "approval.rejected",
    /// Nobody decided it in time.
    ApprovalExpired => "approval.expired",
    /// The operator reported that somebody could not log in as a player.
    LoginFailed => "player.login_failed",
}

/// Entries of these are events for subscribers as well: see `append_audit` in V7. Their names are types of events.
const TOLD: [&str; 4] = ["key", "provider", "game", "config"];

impl AuditAction {
    /// Whether an entry of it is an event for subscribers as well.
    #[must_use]
    pub fn is_event(self) -> bool {
        let family = self.as_str().split('.').next().unwrap_or_default();
        TOLD.contains(&family)
    }

    /// The action with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.as_str() == name)
    }
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
