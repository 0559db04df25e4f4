//! Operator keys. Each change is one statement and its entry in the audit log, and none overwrites another that it
//! does not know: it names the version of the row that it was decided on.

use pitboss_wallet::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{AuditNote, Store, StoreError, moment::Moment, store::get};

/// How many requests a key may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_s: u32,
    /// At once, before the rate counts.
    pub burst: u32,
}

/// An operator's key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorKeyRow {
    pub id: Uuid,
    /// The first characters of the secret, for people to tell keys apart.
    pub prefix: String,
    pub name: String,
    /// Whom it is for.
    pub person: String,
    /// The persons through whose hands the secret came.
    pub issuers: Vec<String>,
    /// What it may do, by name.
    pub scopes: Vec<String>,
    /// From which networks; none: from anywhere.
    pub allowed: Vec<String>,
    /// `None`: as configured.
    pub rate: Option<Rate>,
    /// The secret before the last rotation: its first characters, and until when it works.
    pub old: Option<(String, Timestamp)>,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
    pub last_used_address: Option<String>,
    pub version: i64,
    /// It was found by the secret before the last rotation.
    pub is_old: bool,
}

/// A key to be made; `hash` is the SHA-256 of its secret.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub id: Uuid,
    pub prefix: String,
    pub hash: [u8; 32],
    pub name: String,
    pub person: String,
    pub issuers: Vec<String>,
    pub scopes: Vec<String>,
    pub allowed: Vec<String>,
    pub rate: Option<Rate>,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// What became of a key to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMade {
    Made,
    /// It is there, or there are as many live ones as allowed.
    Refused,
}

/// What a key becomes.
#[derive(Debug, Clone)]
pub struct KeyChange {
    pub name: String,
    pub scopes: Vec<String>,
    pub allowed: Vec<String>,
    pub rate: Option<Rate>,
    pub expires_at: Option<Timestamp>,
}

impl Store {
    /// Makes a key, unless there are `live_max` live ones.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn create_operator_key(
        &self,
        key: &NewKey,
        live_max: u32,
        note: &AuditNote,
    ) -> Result<KeyMade, StoreError> {
        let sql = include_str!("../queries/key_create.sql");
        let (per_s, burst) = columns(key.rate)?;
        let row = self
            .change(
                "make an operator key",
                sql,
                &[
                    &key.id,
                    &key.prefix,
                    &key.hash.as_slice(),
                    &key.name,
                    &key.person,
                    &key.issuers,
                    &key.scopes,
                    &key.allowed,
                    &per_s,
                    &burst,
                    &key.expires_at.map(Moment),
                    &i64::from(live_max),
                    &Moment(key.created_at),
                ],
                note,
            )
            .await?;
        Ok(row.map_or(KeyMade::Refused, |_| KeyMade::Made))
    }

    /// The key that has or had the secret with this hash, whatever has become of it.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn operator_key(
        &self,
        hash: &[u8; 32],
    ) -> Result<Option<OperatorKeyRow>, StoreError> {
        let sql = include_str!("../queries/operator_key.sql");
        let row = self
            .row("find an operator key", sql, &[&hash.as_slice()])
            .await?;
        row.as_ref().map(operator_key).transpose()
    }

    /// The key with this id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn operator_key_by_id(&self, id: Uuid) -> Result<Option<OperatorKeyRow>, StoreError> {
        let sql = include_str!("../queries/key_get.sql");
        let row = self.row("get an operator key", sql, &[&id]).await?;
        row.as_ref().map(operator_key).transpose()
    }

    /// Keys, newest first, after this one.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn operator_keys(
        &self,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<OperatorKeyRow>, StoreError> {
        let sql = include_str!("../queries/key_list.sql");
        let before = after.unwrap_or(Uuid::max());
        let rows = self
            .rows("list operator keys", sql, &[&before, &i64::from(limit)])
            .await?;
        rows.iter().map(operator_key).collect()
    }

    /// Changes a key that is at this version. `false`: it is not, or it is revoked.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn change_operator_key(
        &self,
        id: Uuid,
        version: i64,
        change: &KeyChange,
        note: &AuditNote,
    ) -> Result<bool, StoreError> {
        let sql = include_str!("../queries/key_change.sql");
        let (per_s, burst) = columns(change.rate)?;
        let row = self
            .change(
                "change an operator key",
                sql,
                &[
                    &id,
                    &version,
                    &change.name,
                    &change.scopes,
                    &change.allowed,
                    &per_s,
                    &burst,
                    &change.expires_at.map(Moment),
                ],
                note,
            )
            .await?;
        Ok(row.is_some())
    }

    /// Gives a key that is at this version another secret; the one before works until `old_until`. `false`: as
    /// [`Self::change_operator_key`].
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn rotate_operator_key(
        &self,
        (id, version): (Uuid, i64),
        (prefix, hash): (&str, &[u8; 32]),
        issuers: &[String],
        old_until: Option<Timestamp>,
        note: &AuditNote,
    ) -> Result<bool, StoreError> {
        let sql = include_str!("../queries/key_rotate.sql");
        let row = self
            .change(
                "rotate an operator key",
                sql,
                &[
                    &id,
                    &version,
                    &hash.as_slice(),
                    &prefix,
                    &issuers,
                    &old_until.map(Moment),
                ],
                note,
            )
            .await?;
        Ok(row.is_some())
    }

    /// Revokes a key, at once and for ever, for the key `by` that is live, or for the command line. `false`: it is
    /// revoked already, there is none, or `by` is not live.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn revoke_operator_key(
        &self,
        id: Uuid,
        now: Timestamp,
        by: Option<Uuid>,
        note: &AuditNote,
    ) -> Result<bool, StoreError> {
        let sql = include_str!("../queries/key_revoke.sql");
        let row = self
            .change("revoke a key", sql, &[&id, &Moment(now), &by], note)
            .await?;
        Ok(row.is_some())
    }

    /// Notes when and from where a key was used; at most one write a minute.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn touch_operator_key(
        &self,
        id: Uuid,
        at: Timestamp,
        address: &str,
    ) -> Result<(), StoreError> {
        let sql = include_str!("../queries/key_touch.sql");
        self.execute("note the use of a key", sql, &[&id, &Moment(at), &address])
            .await?;
        Ok(())
    }
}

fn columns(rate: Option<Rate>) -> Result<(Option<i32>, Option<i32>), StoreError> {
    let column = |number: u32| i32::try_from(number).map_err(StoreError::corrupt);
    let per_s = rate.map(|rate| column(rate.per_s)).transpose()?;
    Ok((per_s, rate.map(|rate| column(rate.burst)).transpose()?))
}

fn operator_key(row: &Row) -> Result<OperatorKeyRow, StoreError> {
    let number = |column| -> Result<Option<u32>, StoreError> {
        let found = get::<Option<i32>>(row, column)?;
        found
            .map(|number| u32::try_from(number).map_err(StoreError::corrupt))
            .transpose()
    };
    let moment = |column| Ok::<_, StoreError>(get::<Option<Moment>>(row, column)?.map(|at| at.0));
    let rate = number("rate_per_s")?.zip(number("rate_burst")?);
    Ok(OperatorKeyRow {
        id: get(row, "id")?,
        prefix: get(row, "prefix")?,
        name: get(row, "name")?,
        person: get(row, "person")?,
        issuers: get(row, "issuers")?,
        scopes: get(row, "scopes")?,
        allowed: get(row, "allowed")?,
        rate: rate.map(|(per_s, burst)| Rate { per_s, burst }),
        old: get::<Option<String>>(row, "old_prefix")?.zip(moment("old_until")?),
        expires_at: moment("expires_at")?,
        created_at: get::<Moment>(row, "created_at")?.0,
        revoked_at: moment("revoked_at")?,
        last_used_at: moment("last_used_at")?,
        last_used_address: get(row, "last_used_address")?,
        version: get(row, "version")?,
        is_old: get(row, "is_old")?,
    })
}
