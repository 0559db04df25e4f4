//! Who delivers to an endpoint, and what became of it.

use std::time::Duration;

use pitboss_wallet::Timestamp;
use uuid::Uuid;

use super::{
    Again, DisabledBy, WebhookMessage, WebhookProgress, WebhookRow, columns, letters::message,
    webhook,
};
use crate::{Store, StoreError, moment::Moment, store::get};

impl Store {
    /// Renews the leases of `owner` and takes over every enabled endpoint whose lease has run out; returns all
    /// that `owner` holds now.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn claim_webhooks(
        &self,
        owner: Uuid,
        lease: Duration,
    ) -> Result<Vec<WebhookRow>, StoreError> {
        let lease_us = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
        let sql = include_str!("../../queries/webhook_claim.sql");
        let rows = self
            .rows("claim webhooks", sql, &[&owner, &lease_us])
            .await?;
        rows.iter().map(webhook).collect()
    }

    /// Lets all leases of `owner` run out now.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn release_webhooks(&self, owner: Uuid) -> Result<(), StoreError> {
        let sql = include_str!("../../queries/webhook_release.sql");
        self.execute("release webhooks", sql, &[&owner]).await?;
        Ok(())
    }

    /// Writes down what became of a page. `false`: somebody else delivers by now, or the settings are others;
    /// nothing was written.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn checkpoint_webhook(
        &self,
        id: Uuid,
        epoch: i64,
        now: Timestamp,
        progress: &WebhookProgress,
    ) -> Result<bool, StoreError> {
        let WebhookProgress {
            position,
            health,
            disabled_by,
            again,
        } = progress;
        let (rows, events) = columns(position);
        let ids: Vec<Uuid> = again.iter().map(|again| again.message.event).collect();
        let kinds: Vec<&str> = again.iter().map(|again| &*again.message.kind).collect();
        let players: Vec<&str> = again.iter().map(|again| &*again.message.player).collect();
        let bodies: Vec<&str> = again.iter().map(|again| &*again.message.body).collect();
        let errors: Vec<&str> = again.iter().map(|again| &*again.error).collect();
        let at: Vec<Moment> = again
            .iter()
            .map(|again| Moment(again.at.unwrap_or(now)))
            .collect();
        let moved = self
            .row(
                "move a webhook's position",
                include_str!("../../queries/webhook_checkpoint.sql"),
                &[
                    &id,
                    &epoch,
                    &rows,
                    &events,
                    &i32::try_from(health.failures).unwrap_or(i32::MAX),
                    &health.failing_since.map(Moment),
                    &health.next_attempt_at.map(Moment),
                    &health.last_error,
                    &health.last_success_at.map(Moment),
                    &disabled_by.map(DisabledBy::as_str),
                    &ids,
                    &kinds,
                    &players,
                    &bodies,
                    &at,
                    &errors,
                    &Moment(now),
                ],
            )
            .await?;
        Ok(moved.is_some())
    }

    /// Events to be tried again by `now`, in the order of time.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn due_messages(
        &self,
        id: Uuid,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<WebhookMessage>, StoreError> {
        let sql = include_str!("../../queries/webhook_due.sql");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self
            .rows("look for what is due", sql, &[&id, &Moment(now), &limit])
            .await?;
        rows.iter().map(message).collect()
    }

    /// When the next event is to be tried again, if any, and how many wait.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn next_due(&self, id: Uuid) -> Result<(Option<Timestamp>, usize), StoreError> {
        let sql = include_str!("../../queries/webhook_next_due.sql");
        let Some(row) = self.row("look for what is due", sql, &[&id]).await? else {
            return Ok((None, 0));
        };
        let at = get::<Option<Moment>>(&row, "at")?.map(|at| at.0);
        let waiting = usize::try_from(get::<i64>(&row, "waiting")?).unwrap_or(0);
        Ok((at, waiting))
    }

    /// Writes down what became of events that were tried again. `false`: as for a checkpoint.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn note_retries(
        &self,
        id: Uuid,
        epoch: i64,
        now: Timestamp,
        delivered: &[Uuid],
        failed: &[Again],
    ) -> Result<bool, StoreError> {
        let ids: Vec<Uuid> = failed.iter().map(|again| again.message.event).collect();
        let dead: Vec<bool> = failed.iter().map(|again| again.at.is_none()).collect();
        let at: Vec<Moment> = failed
            .iter()
            .map(|again| Moment(again.at.unwrap_or(now)))
            .collect();
        let errors: Vec<&str> = failed.iter().map(|again| again.error.as_str()).collect();
        let noted = self
            .row(
                "note what was tried again",
                include_str!("../../queries/webhook_retried.sql"),
                &[
                    &id,
                    &epoch,
                    &delivered,
                    &ids,
                    &dead,
                    &at,
                    &errors,
                    &Moment(now),
                ],
            )
            .await?;
        Ok(noted.is_some())
    }

    /// Throws the oldest dead letters away that are more than `most`; returns how many.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn trim_dead_letters(&self, id: Uuid, most: usize) -> Result<u64, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let sql = include_str!("../../queries/webhook_trim_dead.sql");
        self.execute("throw dead letters away", sql, &[&id, &most])
            .await
    }
}
