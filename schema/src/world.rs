//! What a database knows of the servers that run on it: which world it is of, and how they were configured.

use pitboss_wallet::{Environment, Timestamp};

use crate::{AuditNote, Store, StoreError, audit_log::append, moment::Moment, store::get};

impl Store {
    /// Tells a database which world it is of. It is told once: a database of the other world is refused (INV-12).
    ///
    /// # Errors
    /// [`StoreError::OtherEnvironment`], or what a query may meet.
    pub async fn name_environment(&self, environment: Environment) -> Result<(), StoreError> {
        let sql = include_str!("../queries/name_environment.sql");
        let what = "name the environment";
        let row = self.row(what, sql, &[&environment.as_str()]).await?;
        let row = row.ok_or(StoreError::NotInstalled)?;
        let known: String = get(&row, "environment")?;
        if known == environment.as_str() {
            Ok(())
        } else {
            Err(StoreError::OtherEnvironment {
                found: known,
                wanted: environment,
            })
        }
    }

    /// Keeps the settings of this start (JSON), and notes what `tell` makes of those of the start before, if anything.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn note_settings(
        &self,
        settings: &str,
        now: Timestamp,
        tell: impl FnOnce(Option<&str>) -> Option<AuditNote>,
    ) -> Result<(), StoreError> {
        self.in_transaction("note the configuration", async |transaction| {
            let before = include_str!("../queries/noted_config.sql");
            let before = transaction.prepare_cached(before).await?;
            let before = transaction.query_opt(&before, &[]).await?;
            let before = before
                .map(|row| row.try_get::<_, String>("settings"))
                .transpose()?;
            if let Some(note) = tell(before.as_deref()) {
                let keep = include_str!("../queries/note_config.sql");
                let keep = transaction.prepare_cached(keep).await?;
                transaction
                    .execute(&keep, &[&settings, &Moment(now)])
                    .await?;
                append(transaction, &note).await?;
            }
            Ok(())
        })
        .await
    }

    /// The database's clock.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn clock(&self) -> Result<Timestamp, StoreError> {
        let sql = include_str!("../queries/clock.sql");
        let row = self.row("read the clock", sql, &[]).await?;
        let row = row.ok_or(StoreError::NotInstalled)?;
        Ok(get::<Moment>(&row, "now")?.0)
    }
}
