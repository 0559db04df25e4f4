//! Reading the audit log: newest first, by what is looked for.

use pitboss_wallet::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    AuditAction, Store, StoreError,
    moment::Moment,
    store::{Params, get},
};

/// An entry as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Gap-free, from 1.
    pub number: i64,
    pub id: Uuid,
    pub at: Timestamp,
    /// As text: a newer version may have written it.
    pub action: String,
    pub actor_kind: String,
    pub actor_id: String,
    pub person: Option<String>,
    pub address: Option<String>,
    pub subject: String,
    /// JSON.
    pub detail: String,
    /// SHA-256 over the hash before it and the fields above.
    pub hash: Vec<u8>,
}

/// Which entries are looked for.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub action: Option<AuditAction>,
    pub subject: Option<String>,
    /// The actor's id.
    pub actor: Option<String>,
    /// Of this moment and later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

impl Store {
    /// Entries, newest first, that come after the one of this time and number.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn audit_entries(
        &self,
        filter: &AuditFilter,
        after: Option<(Timestamp, i64)>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let what = "list the audit log";
        // Before the first number of the moment `to`, or of the entry that was last.
        let to = filter
            .to
            .map_or((i64::MAX, i64::MAX), |to| (to.as_micros(), 0));
        let after = after.map_or((i64::MAX, i64::MAX), |(at, number)| {
            (at.as_micros(), number)
        });
        let (at, number) = to.min(after);
        let at = Moment(Timestamp::from_micros(at));
        let from = Moment(filter.from.unwrap_or(Timestamp::from_micros(0)));
        let limit = i64::from(limit);
        let action = filter.action.map(AuditAction::as_str);
        let AuditFilter { subject, actor, .. } = filter;
        // The narrowest first: each has an index in the order of the list.
        let rows = match (subject, actor, action) {
            (Some(subject), _, _) => {
                let sql = include_str!("../queries/audit_by_subject.sql");
                let params: Params<'_> = &[&at, &number, &from, &limit, subject, actor, &action];
                self.rows(what, sql, params).await?
            }
            (None, Some(actor), _) => {
                let sql = include_str!("../queries/audit_by_actor.sql");
                let params: Params<'_> = &[&at, &number, &from, &limit, actor, &action];
                self.rows(what, sql, params).await?
            }
            (None, None, Some(action)) => {
                let sql = include_str!("../queries/audit_by_action.sql");
                self.rows(what, sql, &[&at, &number, &from, &limit, &action])
                    .await?
            }
            (None, None, None) => {
                let sql = include_str!("../queries/audit_by_time.sql");
                self.rows(what, sql, &[&at, &number, &from, &limit]).await?
            }
        };
        rows.iter().map(entry).collect()
    }

    /// The entry of this number.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn audit_entry(&self, number: i64) -> Result<Option<AuditEntry>, StoreError> {
        let sql = include_str!("../queries/audit_entry.sql");
        let row = self.row("get an audit entry", sql, &[&number]).await?;
        row.as_ref().map(entry).transpose()
    }

    /// Number and hash of the newest entry; of none, 0 and zeros. Kept elsewhere, it proves that nothing before it
    /// was rewritten.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn audit_head(&self) -> Result<(i64, Vec<u8>), StoreError> {
        let sql = include_str!("../queries/audit_head.sql");
        let row = self.row("read the audit log's head", sql, &[]).await?;
        let row = row.ok_or(StoreError::NotInstalled)?;
        Ok((get(&row, "number")?, get(&row, "hash")?))
    }
}

fn entry(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        number: get(row, "number")?,
        id: get(row, "id")?,
        at: get::<Moment>(row, "at")?.0,
        action: get(row, "action")?,
        actor_kind: get(row, "actor_kind")?,
        actor_id: get(row, "actor_id")?,
        person: get(row, "person")?,
        address: get(row, "address")?,
        subject: get(row, "subject")?,
        detail: get(row, "detail")?,
        hash: get(row, "hash")?,
    })
}
