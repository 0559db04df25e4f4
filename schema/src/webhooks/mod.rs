//! Webhook endpoints: what operators set up (here), how far each has been served (`delivery`), and single events
//! that one did not take (`letters`).

mod delivery;
mod letters;

use pitboss_wallet::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{FeedPosition, LanePosition, Store, StoreError, moment::Moment, store::get};

/// Why an endpoint gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledBy {
    Operator,
    /// It answered 410.
    Gone,
    /// It failed for too long.
    Failing,
    /// Events that it did not get yet are no longer kept.
    EventsGone,
}

impl DisabledBy {
    const ALL: [Self; 4] = [Self::Operator, Self::Gone, Self::Failing, Self::EventsGone];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::EventsGone => "events_gone",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }
}

/// How an endpoint does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// In a row, at the head of its feed.
    pub failures: u32,
    pub failing_since: Option<Timestamp>,
    /// Not to be tried before.
    pub next_attempt_at: Option<Timestamp>,
    /// Of the last failure.
    pub last_error: Option<String>,
    pub last_success_at: Option<Timestamp>,
}

/// An endpoint. Secrets are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    pub id: Uuid,
    pub key_id: Uuid,
    pub url: String,
    pub description: String,
    pub types: Vec<String>,
    pub secret: Vec<u8>,
    pub old_secret: Option<(Vec<u8>, Timestamp)>,
    pub disabled_by: Option<DisabledBy>,
    pub position: FeedPosition,
    pub health: Health,
    pub epoch: i64,
    pub created_at: Timestamp,
    /// Single events to be tried again, and those that were given up.
    pub waiting: i64,
    pub dead: i64,
}

/// A change of an endpoint; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    pub url: Option<String>,
    pub description: Option<String>,
    pub types: Option<Vec<String>>,
    pub enabled: Option<bool>,
    pub position: Option<FeedPosition>,
}

/// A single event that an endpoint did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookMessage {
    pub event: Uuid,
    pub kind: String,
    pub player: String,
    pub body: String,
    pub attempts: u32,
}

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub message: WebhookMessage,
    pub last_error: String,
    pub failed_at: Timestamp,
}

/// When to try an event again, and why it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    pub message: WebhookMessage,
    /// `None`: never, it is dead.
    pub at: Option<Timestamp>,
    pub error: String,
}

/// What became of a page of an endpoint's feed.
#[derive(Debug, Clone)]
pub struct WebhookProgress {
    pub position: FeedPosition,
    pub health: Health,
    pub disabled_by: Option<DisabledBy>,
    pub again: Vec<Again>,
}

/// The position as two columns.
pub(crate) fn columns(position: &FeedPosition) -> (Vec<i64>, Vec<i32>) {
    let lanes = position.0.iter();
    lanes
        .map(|lane| (lane.rows, i32::try_from(lane.events).unwrap_or(i32::MAX)))
        .unzip()
}

impl Store {
    /// Makes an endpoint. `false`: there are `most` of them already.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn create_webhook(&self, row: &WebhookRow, most: u32) -> Result<bool, StoreError> {
        let (rows, events) = columns(&row.position);
        let made = self
            .execute(
                "make a webhook",
                include_str!("../../queries/webhook_create.sql"),
                &[
                    &row.id,
                    &row.key_id,
                    &row.url,
                    &row.description,
                    &row.types,
                    &row.secret,
                    &rows,
                    &events,
                    &i64::from(most),
                    &Moment(row.created_at),
                ],
            )
            .await?;
        Ok(made == 1)
    }

    /// The endpoint with this id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn webhook(&self, id: Uuid) -> Result<Option<WebhookRow>, StoreError> {
        let sql = include_str!("../../queries/webhook_get.sql");
        let row = self.row("find a webhook", sql, &[&id]).await?;
        row.as_ref().map(webhook).transpose()
    }

    /// A page of the endpoints, newest first, of those made before `before`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn webhooks(
        &self,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<WebhookRow>, StoreError> {
        let sql = include_str!("../../queries/webhook_list.sql");
        let before = before.unwrap_or(Uuid::max());
        let rows = self
            .rows("list webhooks", sql, &[&before, &i64::from(limit)])
            .await?;
        rows.iter().map(webhook).collect()
    }

    /// Changes an endpoint. `false`: there is none.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn change_webhook(
        &self,
        id: Uuid,
        change: &WebhookChange,
    ) -> Result<bool, StoreError> {
        let position = change.position.as_ref().map(columns);
        let (rows, events) = position.unzip();
        let changed = self
            .execute(
                "change a webhook",
                include_str!("../../queries/webhook_change.sql"),
                &[
                    &id,
                    &change.url,
                    &change.description,
                    &change.types,
                    &change.enabled,
                    &rows,
                    &events,
                ],
            )
            .await?;
        Ok(changed == 1)
    }

    /// Deletes an endpoint with all that waits for it. `false`: there is none.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn delete_webhook(&self, id: Uuid) -> Result<bool, StoreError> {
        let sql = include_str!("../../queries/webhook_delete.sql");
        Ok(self.execute("delete a webhook", sql, &[&id]).await? == 1)
    }

    /// Gives an endpoint a new secret; the one before signs as well until `old_until`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn rotate_webhook(
        &self,
        id: Uuid,
        secret: &[u8],
        old_until: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = include_str!("../../queries/webhook_rotate.sql");
        let what = "rotate a webhook's secret";
        let rotated = self
            .execute(what, sql, &[&id, &secret, &Moment(old_until)])
            .await?;
        Ok(rotated == 1)
    }
}

pub(crate) fn webhook(row: &Row) -> Result<WebhookRow, StoreError> {
    let moment = |column: &str| -> Result<Option<Timestamp>, StoreError> {
        Ok(get::<Option<Moment>>(row, column)?.map(|at| at.0))
    };
    let old_secret: Option<Vec<u8>> = get(row, "old_secret")?;
    let disabled_by: Option<&str> = get(row, "disabled_by")?;
    let rows: Vec<i64> = get(row, "lane_rows")?;
    let events: Vec<i32> = get(row, "lane_events")?;
    let lanes = rows.into_iter().zip(events).map(|(rows, events)| {
        let events = u32::try_from(events).map_err(StoreError::corrupt)?;
        Ok(LanePosition { rows, events })
    });
    Ok(WebhookRow {
        id: get(row, "id")?,
        key_id: get(row, "key_id")?,
        url: get(row, "url")?,
        description: get(row, "description")?,
        types: get(row, "types")?,
        secret: get(row, "secret")?,
        old_secret: old_secret.zip(moment("old_secret_until")?),
        disabled_by: disabled_by
            .map(|name| {
                DisabledBy::from_name(name).ok_or_else(|| StoreError::corrupt(format!("{name:?}")))
            })
            .transpose()?,
        position: FeedPosition(lanes.collect::<Result<_, StoreError>>()?),
        health: Health {
            failures: u32::try_from(get::<i32>(row, "failures")?).map_err(StoreError::corrupt)?,
            failing_since: moment("failing_since")?,
            next_attempt_at: moment("next_attempt_at")?,
            last_error: get(row, "last_error")?,
            last_success_at: moment("last_success_at")?,
        },
        epoch: get(row, "epoch")?,
        created_at: get::<Moment>(row, "created_at")?.0,
        waiting: get(row, "waiting")?,
        dead: get(row, "dead")?,
    })
}
