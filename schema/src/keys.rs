//! Operator keys, and the answers that are kept under an `Idempotency-Key`.

use pitboss_wallet::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Store, StoreError, moment::Moment, store::get};

/// An operator's key, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorKeyRow {
    pub id: Uuid,
    /// The first characters of the key, for people to tell keys apart.
    pub prefix: String,
    pub name: String,
    /// Whom it is for.
    pub person: String,
    /// What it may do, by name.
    pub scopes: Vec<String>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
}

/// An answer that was given to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    pub request_hash: Vec<u8>,
    pub status: u16,
    /// Sealed by the caller.
    pub body: Vec<u8>,
    pub created_at: Timestamp,
}

/// What became of an answer to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Idempotent {
    Kept,
    /// There was one already, which stands: it is the answer to give, or to compare.
    Before(StoredAnswer),
}

impl Store {
    /// Puts a new operator key in; `hash` is the SHA-256 of the key. One that is there stays as it is.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn put_operator_key(
        &self,
        id: Uuid,
        prefix: &str,
        hash: &[u8; 32],
        name: &str,
    ) -> Result<(), StoreError> {
        let sql = include_str!("../queries/put_operator_key.sql");
        let what = "store an operator key";
        self.execute(what, sql, &[&id, &prefix, &hash.as_slice(), &name])
            .await?;
        Ok(())
    }

    /// The operator key with this hash, revoked or not.
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

    /// All operator keys, oldest first.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn operator_keys(&self) -> Result<Vec<OperatorKeyRow>, StoreError> {
        let sql = include_str!("../queries/operator_keys.sql");
        let rows = self.rows("list operator keys", sql, &[]).await?;
        rows.iter().map(operator_key).collect()
    }

    /// Notes that a key was used; at most one write a minute.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn touch_operator_key(&self, id: Uuid) -> Result<(), StoreError> {
        let sql = include_str!("../queries/touch_operator_key.sql");
        self.execute("note the use of a key", sql, &[&id]).await?;
        Ok(())
    }

    /// Revokes a key, at once and for ever. `false`: there is no such key.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn revoke_operator_key(&self, id: Uuid) -> Result<bool, StoreError> {
        let sql = include_str!("../queries/revoke_operator_key.sql");
        let revoked = self.execute("revoke a key", sql, &[&id]).await?;
        Ok(revoked == 1)
    }

    /// The answer kept under a key.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn idempotent_answer(
        &self,
        operator_key: Uuid,
        key: &str,
    ) -> Result<Option<StoredAnswer>, StoreError> {
        let sql = include_str!("../queries/idempotent_answer.sql");
        let row = self
            .row("find a kept answer", sql, &[&operator_key, &key])
            .await?;
        row.as_ref().map(answer).transpose()
    }

    /// Keeps an answer under a key, unless there is one.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn keep_idempotent_answer(
        &self,
        operator_key: Uuid,
        key: &str,
        request_hash: &[u8],
        status: u16,
        body: &[u8],
    ) -> Result<Idempotent, StoreError> {
        let status = i16::try_from(status).map_err(StoreError::corrupt)?;
        let what = "keep an answer";
        let sql = include_str!("../queries/put_idempotent_answer.sql");
        // The second round only if the first answer is forgotten between the two statements.
        for _ in 0..2 {
            let kept = self
                .execute(
                    what,
                    sql,
                    &[&operator_key, &key, &request_hash, &status, &body],
                )
                .await?;
            if kept == 1 {
                return Ok(Idempotent::Kept);
            }
            if let Some(before) = self.idempotent_answer(operator_key, key).await? {
                return Ok(Idempotent::Before(before));
            }
        }
        Err(StoreError::Corrupt(
            "an answer is neither kept nor there".to_owned(),
        ))
    }

    /// Forgets answers older than a moment; returns how many.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn forget_idempotent_answers(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sql = include_str!("../queries/forget_idempotent_answers.sql");
        self.execute("forget old answers", sql, &[&Moment(before)])
            .await
    }
}

fn operator_key(row: &Row) -> Result<OperatorKeyRow, StoreError> {
    Ok(OperatorKeyRow {
        id: get(row, "id")?,
        prefix: get(row, "prefix")?,
        name: get(row, "name")?,
        person: get(row, "person")?,
        scopes: get(row, "scopes")?,
        created_at: get::<Moment>(row, "created_at")?.0,
        revoked_at: get::<Option<Moment>>(row, "revoked_at")?.map(|at| at.0),
        last_used_at: get::<Option<Moment>>(row, "last_used_at")?.map(|at| at.0),
    })
}

fn answer(row: &Row) -> Result<StoredAnswer, StoreError> {
    Ok(StoredAnswer {
        request_hash: get(row, "request_hash")?,
        status: u16::try_from(get::<i16>(row, "status")?).map_err(StoreError::corrupt)?,
        body: get(row, "body")?,
        created_at: get::<Moment>(row, "created_at")?.0,
    })
}
