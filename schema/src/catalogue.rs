//! Provider accounts.

use pitboss_wallet::{Policy, ProviderId, Timestamp};
use tokio_postgres::Row;

use crate::{
    Store, StoreError,
    document::{id, parse},
    moment::Moment,
    store::get,
};

/// A provider account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRow {
    pub id: ProviderId,
    /// The name of the wire format that it speaks.
    pub dialect: String,
    pub name: String,
    pub policy: Policy,
    /// Callback secrets, sealed by the caller; two while one is rotated out.
    pub secrets: Vec<Vec<u8>>,
    pub enabled: bool,
    /// Set by the database; ignored when put.
    pub created_at: Timestamp,
}

impl Store {
    /// Puts a provider account in, or in the place of the one of its id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn put_provider(&self, provider: &ProviderRow) -> Result<(), StoreError> {
        let policy = serde_json::to_string(&provider.policy).map_err(StoreError::corrupt)?;
        let sql = include_str!("../queries/put_provider.sql");
        let what = "store a provider";
        self.execute(
            what,
            sql,
            &[
                &provider.id.as_str(),
                &provider.dialect,
                &provider.name,
                &policy,
                &provider.secrets,
                &provider.enabled,
            ],
        )
        .await?;
        Ok(())
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

    /// All provider accounts, by id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn providers(&self) -> Result<Vec<ProviderRow>, StoreError> {
        let sql = include_str!("../queries/providers.sql");
        let rows = self.rows("list providers", sql, &[]).await?;
        rows.iter().map(provider).collect()
    }
}

fn provider(row: &Row) -> Result<ProviderRow, StoreError> {
    Ok(ProviderRow {
        id: id(ProviderId::new(get::<&str>(row, "id")?))?,
        dialect: get(row, "dialect")?,
        name: get(row, "name")?,
        policy: parse(get(row, "policy")?)?,
        secrets: get(row, "secrets")?,
        enabled: get(row, "enabled")?,
        created_at: get::<Moment>(row, "created_at")?.0,
    })
}
