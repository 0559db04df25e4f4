//! The log of callbacks: for people who look for what became of a request. No ledger; see the migration.

use pitboss_wallet::{ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use crate::{Store, StoreError, moment::Moment, store::get};

/// Which callbacks of an account are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackLogMode {
    /// Every one.
    All,
    /// Those that were answered with an error.
    Failures,
    /// None.
    Off,
}

impl CallbackLogMode {
    const ALL: [Self; 3] = [Self::All, Self::Failures, Self::Off];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Failures => "failures",
            Self::Off => "off",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// One callback, as it is kept. No text has U+0000 in it, nor anything secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedCallback {
    pub received_at: Timestamp,
    /// `ok`, or the code of the error.
    pub outcome: String,
    pub action: String,
    /// What was understood of the request.
    pub kind: Option<String>,
    pub player: Option<String>,
    pub round: Option<String>,
    /// The provider's own ids.
    pub transactions: Vec<String>,
    pub signature: String,
    pub status: u16,
    pub took_us: i64,
    pub address: Option<String>,
    pub request_id: Option<String>,
}

/// A callback to be kept.
#[derive(Debug, Clone)]
pub struct NewCallback {
    pub provider: ProviderId,
    pub callback: LoggedCallback,
    /// JSON: request and answer.
    pub detail: String,
}

/// The place of an entry in the order of a log. Newer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallbackPosition {
    pub received_at: Timestamp,
    pub number: i64,
}

impl CallbackPosition {
    /// Behind everything of before a moment, and nothing of it or later.
    #[must_use]
    pub const fn before(moment: Timestamp) -> Self {
        Self {
            received_at: moment,
            number: i64::MIN,
        }
    }
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct CallbackFilter {
    pub outcome: Option<String>,
    pub action: Option<String>,
    pub player: Option<String>,
    pub transaction: Option<String>,
    pub failures: bool,
}

/// What a page reads.
#[derive(Debug, Clone)]
pub struct CallbackPageOf {
    /// `None`: from the newest on.
    pub before: Option<CallbackPosition>,
    pub from: Option<Timestamp>,
    pub limit: u32,
    /// Entries that are looked at, whether they are asked for or not.
    pub scan_max: u32,
    pub filter: CallbackFilter,
}

/// Entries with their numbers, newest first, and where to go on.
#[derive(Debug, Clone, Default)]
pub struct CallbackPage {
    pub entries: Vec<(i64, LoggedCallback)>,
    pub next: Option<CallbackPosition>,
}

impl Store {
    /// Keeps callbacks.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn log_callbacks(&self, new: &[NewCallback]) -> Result<(), StoreError> {
        fn column<'a, T>(new: &'a [NewCallback], of: impl Fn(&'a LoggedCallback) -> T) -> Vec<T> {
            new.iter().map(|entry| of(&entry.callback)).collect()
        }
        let providers: Vec<&str> = new.iter().map(|entry| entry.provider.as_str()).collect();
        let details: Vec<&str> = new.iter().map(|entry| entry.detail.as_str()).collect();
        let json = |ids: &Vec<String>| serde_json::to_string(ids).unwrap_or_else(|_| "[]".into());
        let small = |status: u16| i16::try_from(status).unwrap_or(i16::MAX);
        self.execute(
            "log callbacks",
            include_str!("../queries/callback_log_write.sql"),
            &[
                &providers,
                &column(new, |entry| Moment(entry.received_at)),
                &column(new, |entry| entry.outcome.as_str()),
                &column(new, |entry| entry.action.as_str()),
                &column(new, |entry| entry.kind.as_deref()),
                &column(new, |entry| entry.player.as_deref()),
                &column(new, |entry| entry.round.as_deref()),
                &column(new, |entry| json(&entry.transactions)),
                &column(new, |entry| entry.signature.as_str()),
                &column(new, |entry| small(entry.status)),
                &column(new, |entry| entry.took_us),
                &column(new, |entry| entry.address.as_deref()),
                &column(new, |entry| entry.request_id.as_deref()),
                &details,
            ],
        )
        .await?;
        Ok(())
    }

    /// A page of an account's callbacks, newest first. At most `scan_max` are looked at, so that a page costs the same
    /// whatever is asked for: one with few entries, or none, may have a next one.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn callback_page(
        &self,
        provider: &ProviderId,
        of: &CallbackPageOf,
    ) -> Result<CallbackPage, StoreError> {
        let filter = &of.filter;
        let rows = self
            .rows(
                "list callbacks",
                include_str!("../queries/callback_log_page.sql"),
                &[
                    &provider.as_str(),
                    &of.before.map(|before| Moment(before.received_at)),
                    &of.before.map_or(0, |before| before.number),
                    &of.from.map(Moment),
                    &i64::from(of.scan_max),
                    &i64::from(of.limit),
                    &filter.outcome,
                    &filter.action,
                    &filter.player,
                    &filter.transaction,
                    &filter.failures,
                ],
            )
            .await?;
        let Some(first) = rows.first() else {
            return Ok(CallbackPage::default());
        };
        let last = CallbackPosition {
            received_at: get::<Moment>(first, "last_at")?.0,
            number: get(first, "last_number")?,
        };
        let is_cut = get::<i64>(first, "count")? >= i64::from(of.scan_max);
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            // None that is asked for: one row, to tell of the last that was looked at.
            if let Some(number) = get::<Option<i64>>(row, "number")? {
                entries.push((number, entry(row)?));
            }
        }
        let is_full = usize::try_from(of.limit).is_ok_and(|limit| entries.len() >= limit);
        let next = match entries.last() {
            Some((number, entry)) if is_full => Some(CallbackPosition {
                received_at: entry.received_at,
                number: *number,
            }),
            _ => is_cut.then_some(last),
        };
        Ok(CallbackPage { entries, next })
    }

    /// One callback, with its request and answer as JSON.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn callback(
        &self,
        provider: &ProviderId,
        number: i64,
    ) -> Result<Option<(LoggedCallback, String)>, StoreError> {
        let sql = include_str!("../queries/callback_log_entry.sql");
        let row = self
            .row("read a callback", sql, &[&provider.as_str(), &number])
            .await?;
        row.as_ref()
            .map(|row| Ok((entry(row)?, get(row, "detail")?)))
            .transpose()
    }

    /// Deletes an account's entries from before a moment and beyond its newest `keep`, oldest first, at most `most` at
    /// once; returns how many.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn trim_callbacks(
        &self,
        provider: &ProviderId,
        before: Timestamp,
        keep: u32,
        most: u32,
    ) -> Result<u64, StoreError> {
        let sql = include_str!("../queries/callback_log_trim.sql");
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [
            &provider.as_str(),
            &Moment(before),
            &i64::from(keep),
            &i64::from(most),
        ];
        self.execute("trim the log of callbacks", sql, &params)
            .await
    }
}

fn entry(row: &Row) -> Result<LoggedCallback, StoreError> {
    Ok(LoggedCallback {
        received_at: get::<Moment>(row, "received_at")?.0,
        outcome: get(row, "outcome")?,
        action: get(row, "action")?,
        kind: get(row, "kind")?,
        player: get(row, "player_id")?,
        round: get(row, "round_id")?,
        transactions: get(row, "transactions")?,
        signature: get(row, "signature")?,
        status: u16::try_from(get::<i16>(row, "status")?).map_err(StoreError::corrupt)?,
        took_us: get(row, "took_us")?,
        address: get(row, "address")?,
        request_id: get(row, "request_id")?,
    })
}
