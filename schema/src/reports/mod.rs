//! Reports: sums over the ledger, and long lists of it, beside a server that plays.
//!
//! A report has a connection of its own, of which there are few, and a snapshot that only reads: it takes none of the
//! connections that players wait for, and no lock that a bet would meet. Its rows are streamed: whoever reads them
//! slowly slows Postgres down, and nothing piles up here. What is dropped before its end is cancelled in the database.

mod rows;

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use pitboss_wallet::{Currency, GameId, Kind, PlayerId, ProviderId, Timestamp, TransactionState};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::{CancelToken, Client, NoTls, Row, RowStream, types::ToSql};

pub use rows::{LiabilityRow, RevenueRow};

use crate::{
    AgeOfRounds, Store, StoreError, TransactionRow,
    connection::{Purpose, config},
    history::transaction,
    moment::Moment,
    search::{age_of_rounds, ids_of},
};

/// How reports may use the database.
#[derive(Debug, Clone, Copy)]
pub struct ReportLimits {
    /// Reports at once.
    pub concurrent: usize,
    /// After this Postgres gives a report up.
    pub timeout: Duration,
    /// For each step of a plan; what is more goes to disk.
    pub work_mem_mb: u32,
}

/// Where reports of one environment are made. Cheap to clone.
#[derive(Clone)]
pub struct Reports {
    store: Store,
    limits: ReportLimits,
    places: Arc<Semaphore>,
}

/// Which play a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    pub from: Timestamp,
    /// Up to before this time.
    pub to: Timestamp,
    /// Whether the play of test players counts.
    pub test_players: bool,
    pub provider: Option<ProviderId>,
    pub game: Option<GameId>,
    pub currency: Option<Currency>,
}

/// By what revenue is told apart, besides its currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct By {
    pub provider: bool,
    pub game: bool,
    pub day: bool,
    pub player: bool,
    /// A day begins so many minutes before midnight UTC.
    pub offset_min: i32,
}

/// Which transactions of a period a list has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub player: Option<PlayerId>,
    pub kind: Option<Kind>,
    pub state: Option<TransactionState>,
    /// Ledger units.
    pub least: Option<i64>,
}

/// A place among the reports that run, with a connection and a snapshot.
pub struct Report {
    client: Client,
    cancel: CancelToken,
    /// A question was asked, and its last row has not come.
    is_asking: bool,
    _place: OwnedSemaphorePermit,
}

impl Reports {
    #[must_use]
    pub fn new(store: Store, limits: ReportLimits) -> Self {
        Self {
            store,
            limits,
            places: Arc::new(Semaphore::new(limits.concurrent)),
        }
    }

    /// Reports that run now.
    #[must_use]
    pub fn running(&self) -> usize {
        self.limits.concurrent - self.places.available_permits()
    }

    /// Begins a report. `None`: as many run as may.
    ///
    /// # Errors
    /// No connection.
    pub async fn begin(&self) -> Result<Option<Report>, StoreError> {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return Ok(None);
        };
        let mut config = config(self.store.url(), self.store.options(), Purpose::Report)?;
        let settings = format!(
            "{} -c statement_timeout={} -c work_mem={}MB",
            config.get_options().unwrap_or_default(),
            self.limits.timeout.as_millis(),
            self.limits.work_mem_mb,
        );
        let connecting = config.options(settings).connect(NoTls);
        let (client, connection) = connecting
            .await
            .map_err(|error| StoreError::Connection(crate::error::chain(&error)))?;
        // Ends by itself when the client is dropped.
        tokio::spawn(connection);
        client
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
            .map_err(StoreError::sql("begin a report"))?;
        Ok(Some(Report {
            cancel: client.cancel_token(),
            client,
            is_asking: false,
            _place: place,
        }))
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if self.is_asking
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let cancel = self.cancel.clone();
            // A client that is gone does not stop Postgres: it would go on to the end.
            runtime.spawn(async move {
                if let Err(error) = cancel.cancel_query(NoTls).await {
                    tracing::warn!(%error, "a report that nobody waits for was not cancelled");
                }
            });
        }
    }
}

/// Parameters that a report keeps until it asks.
type Owned = Vec<Box<dyn ToSql + Sync + Send>>;

macro_rules! owned {
    ($($param:expr),+ $(,)?) => { vec![$(Box::new($param) as Box<dyn ToSql + Sync + Send>),+] };
}

impl Report {
    /// Nothing is left to cancel.
    fn end(mut self) {
        self.is_asking = false;
    }

    /// Rows as they come. The question is asked with the first of them: Postgres answers nothing at all before it has
    /// added up, and whoever waits wants to be able to leave.
    fn ask<T: 'static>(
        self,
        what: &'static str,
        settings: &'static str,
        sql: &'static str,
        params: Owned,
        read: fn(&Row) -> Result<T, StoreError>,
    ) -> impl Stream<Item = Result<T, StoreError>> + use<T> {
        let asked = async move {
            let mut report = self;
            report.is_asking = true;
            if !settings.is_empty() {
                let set = report.client.batch_execute(settings).await;
                set.map_err(StoreError::sql(what))?;
            }
            let params = params
                .iter()
                .map(|param| param.as_ref() as &(dyn ToSql + Sync));
            let rows = report.client.query_raw(sql, params).await;
            let rows = Box::pin(rows.map_err(StoreError::sql(what))?);
            Ok(stream::try_unfold(
                (report, rows),
                move |(report, mut rows): (Self, Pin<Box<RowStream>>)| async move {
                    match rows.next().await {
                        Some(row) => {
                            let row = row.map_err(StoreError::sql(what))?;
                            Ok(Some((read(&row)?, (report, rows))))
                        }
                        None => {
                            report.end();
                            Ok(None)
                        }
                    }
                },
            ))
        };
        stream::once(asked).try_flatten()
    }

    /// Revenue of a period, in the order of days.
    pub fn revenue(
        self,
        period: &Period,
        by: By,
    ) -> impl Stream<Item = Result<RevenueRow, StoreError>> + use<> {
        let (first, before) = ids_of(Some(period.from), Some(period.to));
        let sql = include_str!("../../queries/reports/revenue.sql");
        self.ask(
            "report revenue",
            "",
            sql,
            owned![
                Moment(period.from),
                Moment(period.to),
                first,
                before,
                by.provider,
                by.game,
                by.day,
                by.offset_min,
                by.player,
                period.test_players,
                period.provider.as_ref().map(text),
                period.game.as_ref().map(text),
                period.currency.map(Currency::code),
            ],
            RevenueRow::read,
        )
    }

    /// What players have, now or at an earlier moment.
    pub fn liability(
        self,
        at: Option<Timestamp>,
        test_players: bool,
    ) -> impl Stream<Item = Result<LiabilityRow, StoreError>> + use<> {
        let (first, _) = ids_of(at, None);
        let sql = include_str!("../../queries/reports/liability.sql");
        self.ask(
            "report the liability",
            "",
            sql,
            owned![at.map(Moment), first, test_players],
            LiabilityRow::read,
        )
    }

    /// Open rounds by age, provider, game and currency.
    pub fn open_rounds(
        self,
        at: Timestamp,
        provider: Option<&ProviderId>,
        currency: Option<Currency>,
        test_players: bool,
    ) -> impl Stream<Item = Result<AgeOfRounds, StoreError>> + use<> {
        let sql = include_str!("../../queries/unfinished_ages.sql");
        self.ask(
            "report open rounds",
            "",
            sql,
            owned![
                Moment(at),
                provider.map(text),
                currency.map(Currency::code),
                true,
                test_players,
            ],
            age_of_rounds,
        )
    }

    /// The transactions of a period, oldest first, each as it comes from the index: none waits for another.
    pub fn transactions(
        self,
        period: &Period,
        wanted: &Wanted,
    ) -> impl Stream<Item = Result<TransactionRow, StoreError>> + use<> {
        let (first, before) = ids_of(Some(period.from), Some(period.to));
        let sql = include_str!("../../queries/reports/transactions.sql");
        self.ask(
            "report transactions",
            "SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off",
            sql,
            owned![
                Moment(period.from),
                Moment(period.to),
                first,
                before,
                period.provider.as_ref().map(text),
                period.game.as_ref().map(text),
                wanted.kind.map(Kind::as_str),
                wanted.state.map(TransactionState::as_str),
                period.currency.map(Currency::code),
                wanted.least,
                wanted.player.as_ref().map(text),
                period.test_players,
            ],
            transaction,
        )
    }
}

fn text(id: impl ToString) -> String {
    id.to_string()
}
