//! The answers that are kept under an `Idempotency-Key`.

use pitboss_wallet::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Store, StoreError, moment::Moment, store::get};

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

fn answer(row: &Row) -> Result<StoredAnswer, StoreError> {
    Ok(StoredAnswer {
        request_hash: get(row, "request_hash")?,
        status: u16::try_from(get::<i16>(row, "status")?).map_err(StoreError::corrupt)?,
        body: get(row, "body")?,
        created_at: get::<Moment>(row, "created_at")?.0,
    })
}
