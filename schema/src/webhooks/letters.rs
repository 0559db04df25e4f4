//! Dead letters, and events that are to be sent once more.

use pitboss_wallet::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{DeadLetter, WebhookMessage, columns};
use crate::{FeedPosition, Store, StoreError, moment::Moment, store::get};

impl Store {
    /// A page of dead letters, newest first.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn dead_letters(
        &self,
        id: Uuid,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let sql = include_str!("../../queries/webhook_dead.sql");
        let before = before.unwrap_or(Uuid::max());
        let rows = self
            .rows("list dead letters", sql, &[&id, &before, &i64::from(limit)])
            .await?;
        rows.iter().map(dead_letter).collect()
    }

    /// The event of an endpoint's own list, waiting or dead.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn webhook_message(
        &self,
        id: Uuid,
        event: Uuid,
    ) -> Result<Option<WebhookMessage>, StoreError> {
        let sql = include_str!("../../queries/webhook_message.sql");
        let row = self.row("find a dead letter", sql, &[&id, &event]).await?;
        row.as_ref().map(message).transpose()
    }

    /// Makes dead letters due now, the oldest first, while there are fewer than `most` that wait; returns how
    /// many.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn revive_dead_letters(
        &self,
        id: Uuid,
        now: Timestamp,
        most: usize,
    ) -> Result<u64, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let sql = include_str!("../../queries/webhook_revive.sql");
        self.execute("replay dead letters", sql, &[&id, &Moment(now), &most])
            .await
    }

    /// Makes one event due now.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn replay_message(
        &self,
        id: Uuid,
        now: Timestamp,
        message: &WebhookMessage,
    ) -> Result<(), StoreError> {
        let sql = include_str!("../../queries/webhook_revive_one.sql");
        let WebhookMessage {
            event,
            kind,
            player,
            body,
            ..
        } = message;
        self.execute(
            "replay an event",
            sql,
            &[&id, event, kind, player, body, &Moment(now)],
        )
        .await?;
        Ok(())
    }

    /// Puts an endpoint's position elsewhere.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn rewind_webhook(
        &self,
        id: Uuid,
        position: &FeedPosition,
    ) -> Result<(), StoreError> {
        let (rows, events) = columns(position);
        let sql = include_str!("../../queries/webhook_rewind.sql");
        self.execute("rewind a webhook", sql, &[&id, &rows, &events])
            .await?;
        Ok(())
    }
}

pub(super) fn message(row: &Row) -> Result<WebhookMessage, StoreError> {
    Ok(WebhookMessage {
        event: get(row, "event_id")?,
        kind: get(row, "type")?,
        player: get(row, "player_id")?,
        body: get(row, "body")?,
        attempts: u32::try_from(get::<i32>(row, "attempts")?).map_err(StoreError::corrupt)?,
    })
}

fn dead_letter(row: &Row) -> Result<DeadLetter, StoreError> {
    Ok(DeadLetter {
        message: message(row)?,
        last_error: get(row, "last_error")?,
        failed_at: get::<Moment>(row, "failed_at")?.0,
    })
}
