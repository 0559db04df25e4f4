//! Provider accounts: made, changed, rotated. Each change writes its entry into the audit log.

use std::collections::BTreeMap;

use pitboss_wallet::{Policy, ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use crate::{
    AuditNote, CallbackLogMode, Store, StoreError, audit_log,
    document::{id, named, parse},
    moment::Moment,
    store::get,
};

/// What an account may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderStatus {
    /// Everything.
    #[default]
    Active,
    /// No bets and no launches; what is open is settled.
    Disabled,
    /// Nothing.
    Closed,
}

impl ProviderStatus {
    const ALL: [Self; 3] = [Self::Active, Self::Disabled, Self::Closed];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Closed => "closed",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// Choices of an account by name.
pub type ProviderSettings = BTreeMap<String, String>;

/// A provider account. Secrets are sealed by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRow {
    pub id: ProviderId,
    /// The name of the wire format that it speaks.
    pub dialect: String,
    pub name: String,
    pub policy: Policy,
    /// What it chose of what its dialect lets it choose, by name.
    pub settings: ProviderSettings,
    pub secret: Vec<u8>,
    /// The one before, valid until then.
    pub old_secret: Option<(Vec<u8>, Timestamp)>,
    pub status: ProviderStatus,
    /// Networks that callbacks may come from. None: anywhere.
    pub allowed_addresses: Vec<String>,
    /// `None`: what the environment's setting says.
    pub callback_log: Option<CallbackLogMode>,
    /// Counts its changes.
    pub revision: i64,
    /// When it first sent what may be stored.
    pub used_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewProvider {
    pub id: ProviderId,
    pub dialect: String,
    pub name: String,
    pub policy: Policy,
    /// What it chose of what its dialect lets it choose, by name.
    pub settings: ProviderSettings,
    pub secret: Vec<u8>,
    pub allowed_addresses: Vec<String>,
    pub callback_log: Option<CallbackLogMode>,
}

/// All that can be changed of an account, as it is to be.
#[derive(Debug, Clone)]
pub struct ProviderChange {
    pub id: ProviderId,
    /// The one that was read.
    pub revision: i64,
    pub name: String,
    pub policy: Policy,
    pub settings: ProviderSettings,
    pub status: ProviderStatus,
    pub allowed_addresses: Vec<String>,
    pub callback_log: Option<CallbackLogMode>,
    /// Only if the account has not sent anything yet.
    pub needs_unused: bool,
    /// Only if the account has no open round.
    pub needs_settled: bool,
}

impl Store {
    /// Makes an account. `None`: there is one of this id, or there are `most` of them already.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn create_provider(
        &self,
        new: &NewProvider,
        most: u32,
        note: &AuditNote,
    ) -> Result<Option<ProviderRow>, StoreError> {
        let policy = json(&new.policy)?;
        let settings = json(&new.settings)?;
        let made = self
            .change(
                "make a provider account",
                include_str!("../queries/provider_create.sql"),
                &[
                    &new.id.as_str(),
                    &new.dialect,
                    &new.name,
                    &policy,
                    &new.secret,
                    &new.allowed_addresses,
                    &new.callback_log.map(CallbackLogMode::as_str),
                    &i64::from(most),
                    &settings,
                ],
                note,
            )
            .await?;
        made.as_ref().map(provider).transpose()
    }

    /// Changes an account. `None`: it was changed meanwhile, or is not as the change needs it.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn change_provider(
        &self,
        change: &ProviderChange,
        notes: &[AuditNote],
    ) -> Result<Option<ProviderRow>, StoreError> {
        let policy = json(&change.policy)?;
        let settings = json(&change.settings)?;
        let changed = self
            .in_transaction("change a provider account", async |transaction| {
                let sql = include_str!("../queries/provider_change.sql");
                let statement = transaction.prepare_cached(sql).await?;
                let row = transaction
                    .query_opt(
                        &statement,
                        &[
                            &change.id.as_str(),
                            &change.revision,
                            &change.name,
                            &policy,
                            &change.status.as_str(),
                            &change.allowed_addresses,
                            &change.callback_log.map(CallbackLogMode::as_str),
                            &change.needs_unused,
                            &change.needs_settled,
                            &settings,
                        ],
                    )
                    .await?;
                if row.is_some() {
                    for note in notes {
                        audit_log::append(transaction, note).await?;
                    }
                }
                Ok(row)
            })
            .await?;
        changed.as_ref().map(provider).transpose()
    }

    /// Gives an account a new secret; the one before is valid until `old_until`. `None`: there is no such account.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn rotate_provider(
        &self,
        id: &ProviderId,
        secret: &[u8],
        old_until: Option<Timestamp>,
        note: &AuditNote,
    ) -> Result<Option<ProviderRow>, StoreError> {
        let sql = include_str!("../queries/provider_rotate.sql");
        let what = "rotate a provider's secret";
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&id.as_str(), &secret, &old_until.map(Moment)];
        let rotated = self.change(what, sql, &params, note).await?;
        rotated.as_ref().map(provider).transpose()
    }

    /// Ends the secret of before. `None`: there is no such account, or it has none.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn revoke_old_secret(
        &self,
        id: &ProviderId,
        note: &AuditNote,
    ) -> Result<Option<ProviderRow>, StoreError> {
        let sql = include_str!("../queries/provider_revoke_old.sql");
        let what = "revoke a provider's old secret";
        let revoked = self.change(what, sql, &[&id.as_str()], note).await?;
        revoked.as_ref().map(provider).transpose()
    }

    /// Throws away old secrets whose time was over before a moment; returns how many.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn forget_old_secrets(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = include_str!("../queries/provider_forget_old.sql");
        self.execute("forget old secrets", sql, &[&Moment(before)])
            .await
    }

    /// Notes that an account sends what may be stored. `false`: it is of another revision by now.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn mark_provider_used(
        &self,
        id: &ProviderId,
        revision: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = include_str!("../queries/provider_mark_used.sql");
        let what = "note the use of a provider account";
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&id.as_str(), &revision, &Moment(now)];
        Ok(self.execute(what, sql, &params).await? == 1)
    }

    /// The provider account of this id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn provider(&self, id: &ProviderId) -> Result<Option<ProviderRow>, StoreError> {
        let sql = include_str!("../queries/provider.sql");
        let row = self.row("read a provider", sql, &[&id.as_str()]).await?;
        row.as_ref().map(provider).transpose()
    }

    /// A page of the accounts, by id, of those after `after`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn provider_page(
        &self,
        after: Option<&ProviderId>,
        limit: u32,
    ) -> Result<Vec<ProviderRow>, StoreError> {
        let sql = include_str!("../queries/provider_list.sql");
        let after = after.map_or("", ProviderId::as_str);
        let rows = self
            .rows("list providers", sql, &[&after, &i64::from(limit)])
            .await?;
        rows.iter().map(provider).collect()
    }

    /// All provider accounts, by id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn providers(&self) -> Result<Vec<ProviderRow>, StoreError> {
        let sql = include_str!("../queries/providers.sql");
        let rows = self.rows("read all providers", sql, &[]).await?;
        rows.iter().map(provider).collect()
    }
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(StoreError::corrupt)
}

fn provider(row: &Row) -> Result<ProviderRow, StoreError> {
    let old_secret: Option<Vec<u8>> = get(row, "old_secret")?;
    let old_until: Option<Moment> = get(row, "old_secret_until")?;
    let status = get::<&str>(row, "status")?;
    let mode: Option<&str> = get(row, "callback_log")?;
    let mode = mode.map(|name| named("callback log mode", name, CallbackLogMode::from_name));
    Ok(ProviderRow {
        id: id(ProviderId::new(get::<&str>(row, "id")?))?,
        dialect: get(row, "dialect")?,
        name: get(row, "name")?,
        policy: parse(get(row, "policy")?)?,
        settings: parse(get(row, "settings")?)?,
        secret: get(row, "secret")?,
        old_secret: old_secret.zip(old_until.map(|until| until.0)),
        status: named("provider status", status, ProviderStatus::from_name)?,
        allowed_addresses: get(row, "allowed_addresses")?,
        callback_log: mode.transpose()?,
        revision: get(row, "revision")?,
        used_at: get::<Option<Moment>>(row, "used_at")?.map(|at| at.0),
        created_at: get::<Moment>(row, "created_at")?.0,
    })
}
