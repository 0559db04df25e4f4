//! Events that belong into the audit log: read behind a position of the reader's own, and noted in the transaction that
//! moves it. Whoever holds the reader's row does it; when his server dies, the database lets the row go.

use pitboss_wallet::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{AuditNote, Store, StoreError, audit_log::append, moment::Moment, store::get};

/// The reader's name in `event_reader`.
const READER: &str = "audit";

/// An event of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRecord {
    pub id: Uuid,
    pub kind: String,
    pub player: String,
    pub at: Timestamp,
    pub body: String,
}

/// What a step of the reader came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Rows of the outbox that were passed, and those that are still before it.
    pub rows: i64,
    pub left: i64,
    /// Entries that were written.
    pub entries: usize,
    /// Rows that were no longer kept when the reader came to them.
    pub missed: i64,
}

/// Where a reader is, and the lanes: an element per lane.
struct Position {
    rows: Vec<i64>,
    newest: Vec<i64>,
}

impl Store {
    /// Reads up to `scan` rows of each lane, has `note` decide on the events of these types, and writes what it
    /// makes of them into the audit log, each at most once by the event's id.
    ///
    /// # Errors
    /// What a query may meet. Then nothing has moved.
    pub async fn copy_significant(
        &self,
        kinds: &[&str],
        scan: i64,
        note: impl Fn(&OutboxRecord) -> Option<AuditNote>,
    ) -> Result<Copied, StoreError> {
        let here = self.reader_position().await?;
        if here.rows == here.newest {
            return Ok(Copied::default());
        }
        let what = "note significant events";
        let mut broken = None;
        let copied = self
            .in_transaction(what, async |transaction| {
                let lock = include_str!("../queries/reader_lock.sql");
                let lock = transaction.prepare_cached(lock).await?;
                let Some(row) = transaction.query_opt(&lock, &[&READER]).await? else {
                    return Ok(Copied::default());
                };
                // What another server noted between the look and the lock.
                let rows = row.try_get::<_, Option<Vec<i64>>>("lane_rows")?;
                let rows = rows.unwrap_or(here.rows);
                let page = include_str!("../queries/significant_page.sql");
                let page = transaction.prepare_cached(page).await?;
                let page = transaction.query(&page, &[&rows, &kinds, &scan]).await?;
                let read = match Page::read(&rows, &page) {
                    Ok(read) => read,
                    Err(error) => {
                        broken = Some(error);
                        return Ok(Copied::default());
                    }
                };
                let mut copied = read.copied;
                for note in read.records.iter().filter_map(&note) {
                    if append(transaction, &note).await?.is_some() {
                        copied.entries += 1;
                    }
                }
                let step = include_str!("../queries/reader_move.sql");
                let step = transaction.prepare_cached(step).await?;
                transaction.execute(&step, &[&READER, &read.rows]).await?;
                Ok(copied)
            })
            .await?;
        broken.map_or(Ok(copied), Err)
    }

    async fn reader_position(&self) -> Result<Position, StoreError> {
        let sql = include_str!("../queries/reader_position.sql");
        let row = self.row("look for new events", sql, &[&READER]).await?;
        let row = row.ok_or(StoreError::NotInstalled)?;
        let trimmed = get(&row, "trimmed")?;
        Ok(Position {
            // One that has not begun begins with the oldest that is kept.
            rows: get::<Option<Vec<i64>>>(&row, "lane_rows")?.unwrap_or(trimmed),
            newest: get(&row, "newest")?,
        })
    }
}

/// What was read behind a position.
struct Page {
    rows: Vec<i64>,
    records: Vec<OutboxRecord>,
    copied: Copied,
}

impl Page {
    fn read(before: &[i64], found: &[Row]) -> Result<Self, StoreError> {
        let mut page = Self {
            rows: before.to_vec(),
            records: Vec::new(),
            copied: Copied::default(),
        };
        let mut last_lane = None;
        for row in found {
            let lane = usize::try_from(get::<i16>(row, "lane")?).map_err(StoreError::corrupt)?;
            if last_lane != Some(lane) {
                last_lane = Some(lane);
                let (up_to, newest, trimmed): (i64, i64, i64) = (
                    get(row, "up_to")?,
                    get(row, "newest")?,
                    get(row, "trimmed")?,
                );
                let Some(position) = page.rows.get_mut(lane) else {
                    return Err(StoreError::Corrupt(format!("no position in lane {lane}")));
                };
                page.copied.rows += up_to - *position;
                page.copied.left += newest - up_to;
                page.copied.missed += (trimmed - *position).max(0);
                *position = up_to;
            }
            if let Some(id) = get::<Option<Uuid>>(row, "event_id")? {
                page.records.push(OutboxRecord {
                    id,
                    kind: get(row, "type")?,
                    player: get(row, "player_id")?,
                    at: get::<Moment>(row, "created_at")?.0,
                    body: get(row, "body")?,
                });
            }
        }
        Ok(page)
    }
}
