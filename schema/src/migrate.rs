//! Installing and upgrading the database.

use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    connection::{Purpose, config},
    error::chain,
    store::get,
};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The newest migration that this program knows.
pub const SCHEMA_VERSION: i32 = 15;

/// Serialises migrations of several nodes: an arbitrary number that nothing else uses.
const MIGRATION_LOCK: i64 = 0x7069_7462_6f73_7301;

/// What was fixed when the database was installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Install {
    pub lanes: u16,
    /// Names this database's history: an offset of another incarnation means nothing here.
    pub incarnation: Uuid,
}

impl Store {
    /// Brings the database to [`SCHEMA_VERSION`], and installs it with `lanes` lanes if it is new. Safe to
    /// run again, and from several nodes at once.
    ///
    /// # Errors
    /// [`StoreError::Lanes`] when it was installed with another number of lanes, [`StoreError::SchemaVersion`] when
    /// a newer program has upgraded it.
    pub async fn migrate(&self, lanes: u16) -> Result<Install, StoreError> {
        let mut client = self.maintenance_client().await?;
        // Released when the session ends, however it ends.
        client
            .execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK])
            .await
            .map_err(StoreError::sql("wait for other migrations"))?;
        refuse_newer(&client).await?;
        // Each migration is one transaction, with its own line in the history: one that is cut short is undone.
        embedded::migrations::runner()
            .run_async(&mut client)
            .await
            .map_err(|error| StoreError::Migration(chain(&error)))?;
        let configured = i16::try_from(lanes)
            .map_err(|_| StoreError::Migration(format!("{lanes} lanes are too many")))?;
        client
            .execute(include_str!("../queries/install.sql"), &[&configured])
            .await
            .map_err(StoreError::sql("install"))?;
        let installed = self.check_installed().await?;
        if installed.lanes != lanes {
            return Err(StoreError::Lanes {
                installed: installed.lanes,
                configured: lanes,
            });
        }
        Ok(installed)
    }

    /// What the database was installed with, once it is known to be of this program's version.
    ///
    /// # Errors
    /// [`StoreError::NotInstalled`], [`StoreError::SchemaVersion`].
    pub async fn check_installed(&self) -> Result<Install, StoreError> {
        self.install_cell()
            .get_or_try_init(|| self.read_install())
            .await
            .copied()
    }

    /// Names this database's history.
    ///
    /// # Errors
    /// As [`Self::check_installed`].
    pub async fn incarnation(&self) -> Result<Uuid, StoreError> {
        Ok(self.check_installed().await?.incarnation)
    }

    async fn read_install(&self) -> Result<Install, StoreError> {
        let what = "read the installation";
        let exists = include_str!("../queries/is_migrated.sql");
        let row = self.row(what, exists, &[]).await?;
        let is_migrated = match row {
            Some(row) => get::<bool>(&row, "is_migrated")?,
            None => false,
        };
        if !is_migrated {
            return Err(StoreError::NotInstalled);
        }
        let sql = include_str!("../queries/read_install.sql");
        let row = self
            .row(what, sql, &[])
            .await?
            .ok_or(StoreError::NotInstalled)?;
        let found = get::<Option<i32>>(&row, "version")?.unwrap_or(0);
        if found != SCHEMA_VERSION {
            return Err(StoreError::SchemaVersion {
                found,
                needed: SCHEMA_VERSION,
            });
        }
        Ok(Install {
            lanes: u16::try_from(get::<i16>(&row, "lanes")?).map_err(StoreError::corrupt)?,
            incarnation: get(&row, "incarnation")?,
        })
    }

    /// A connection without time-outs, for work that takes as long as it takes.
    pub(crate) async fn maintenance_client(&self) -> Result<Client, StoreError> {
        let config = config(self.url(), self.options(), Purpose::Maintenance)?;
        let (client, connection) = config
            .connect(NoTls)
            .await
            .map_err(|error| StoreError::Connection(chain(&error)))?;
        // Ends by itself when the client is dropped.
        tokio::spawn(connection);
        Ok(client)
    }
}

/// Nothing of a newer program's data is touched.
async fn refuse_newer(client: &Client) -> Result<(), StoreError> {
    let ask = async |sql| {
        let row = client.query_one(sql, &[]).await;
        row.map_err(StoreError::sql("read the history of migrations"))
    };
    let row = ask(include_str!("../queries/has_history.sql")).await?;
    if !get::<bool>(&row, "has_history")? {
        return Ok(());
    }
    let row = ask(include_str!("../queries/newest_migration.sql")).await?;
    match get::<Option<i32>>(&row, "version")? {
        Some(found) if found > SCHEMA_VERSION => Err(StoreError::SchemaVersion {
            found,
            needed: SCHEMA_VERSION,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_version_is_that_of_the_newest_migration() {
        let newest = embedded::migrations::runner()
            .get_migrations()
            .iter()
            .map(|migration| i64::from(migration.version()))
            .max();
        assert_eq!(newest, Some(i64::from(SCHEMA_VERSION)));
    }
}
