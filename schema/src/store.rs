//! [`Store`]: one environment's database.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts, Transaction,
};
use tokio::sync::OnceCell;
use tokio_postgres::{NoTls, Row, Statement, types::ToSql};

use crate::{
    Install, StoreError, StoreOptions,
    connection::{Purpose, config},
    error::chain,
    fresh::Fresh,
    neighbours::OwnCommits,
};

/// A statement's parameters.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// One environment's database: a bounded pool, and where to make further connections. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pool: Pool,
    url: String,
    options: StoreOptions,
    install: OnceCell<Install>,
    own_commits: Arc<OwnCommits>,
    fresh: Arc<Fresh>,
}

impl Store {
    /// Prepares the pool. No connection is made yet: the first call does that.
    ///
    /// # Errors
    /// [`StoreError::Address`] for an address that cannot be read.
    pub fn connect(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let fresh = Fresh::new(options.fresh_lane_max_bytes);
        Self::open(url, options, Arc::default(), Arc::new(fresh))
    }

    /// A further pool on the same database, that also knows what is committed through this one.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn beside(&self, options: StoreOptions) -> Result<Self, StoreError> {
        let (own_commits, fresh) = (self.inner.own_commits.clone(), self.inner.fresh.clone());
        Self::open(&self.inner.url, options, own_commits, fresh)
    }

    fn open(
        url: &str,
        options: StoreOptions,
        own_commits: Arc<OwnCommits>,
        fresh: Arc<Fresh>,
    ) -> Result<Self, StoreError> {
        let manager = Manager::from_config(
            config(url, &options, Purpose::Pool)?,
            NoTls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        // The pool's own defaults wait for ever.
        let pool = Pool::builder(manager)
            .max_size(options.pool_size.max(1))
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(options.wait_timeout),
                create: Some(options.connect_timeout),
                recycle: Some(options.connect_timeout),
            })
            .build()
            .map_err(|error| StoreError::Connection(chain(&error)))?;
        Ok(Self {
            inner: Arc::new(Inner {
                pool,
                url: url.to_owned(),
                options,
                install: OnceCell::new(),
                own_commits,
                fresh,
            }),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.rows("ping", "SELECT 1", &[]).await.map(drop)
    }

    /// Connections of the pool that are in use, and how many requests wait for one.
    #[must_use]
    pub fn pool_load(&self) -> (usize, usize) {
        let status = self.inner.pool.status();
        (status.size.saturating_sub(status.available), status.waiting)
    }

    pub(crate) fn url(&self) -> &str {
        &self.inner.url
    }

    pub(crate) fn options(&self) -> &StoreOptions {
        &self.inner.options
    }

    pub(crate) fn install_cell(&self) -> &OnceCell<Install> {
        &self.inner.install
    }

    pub(crate) fn own_commits(&self) -> &Arc<OwnCommits> {
        &self.inner.own_commits
    }

    pub(crate) fn fresh(&self) -> &Arc<Fresh> {
        &self.inner.fresh
    }

    /// Bytes of decisions that wait in memory for the bridge, about.
    #[must_use]
    pub fn fresh_bytes(&self) -> usize {
        self.inner.fresh.bytes()
    }

    async fn client(&self) -> Result<Object, StoreError> {
        self.inner
            .pool
            .get()
            .await
            .map_err(|error| StoreError::Connection(chain(&error)))
    }

    /// Runs a statement and returns its rows. `what` says in an error what it was for.
    pub(crate) async fn rows(
        &self,
        what: &'static str,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        self.with_statement(what, sql, async |client, statement| {
            client.query(statement, params).await
        })
        .await
    }

    /// Like [`Self::rows`], for at most one row.
    pub(crate) async fn row(
        &self,
        what: &'static str,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Option<Row>, StoreError> {
        let rows = self.rows(what, sql, params).await?;
        Ok(rows.into_iter().next())
    }

    /// Runs a statement that answers one row behind another that takes locks: it sees all that was committed
    /// before they were taken, which one statement would not.
    pub(crate) async fn row_under_lock(
        &self,
        what: &'static str,
        lock: &str,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Row, StoreError> {
        self.in_transaction(what, async |transaction| {
            let statement = transaction.prepare_cached(lock).await?;
            transaction.query(&statement, &[]).await?;
            let statement = transaction.prepare_cached(sql).await?;
            transaction.query_one(&statement, params).await
        })
        .await
    }

    /// Does something in one transaction, within the time-out of an answer. An error undoes all of it.
    pub(crate) async fn in_transaction<T>(
        &self,
        what: &'static str,
        work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let mut client = self.client().await?;
        let answer = within(self.options().answer_timeout, async {
            let answer = async {
                let transaction = client.transaction().await?;
                let answer = work(&transaction).await?;
                transaction.commit().await?;
                Ok(answer)
            };
            answer.await.map_err(StoreError::sql(what))
        })
        .await;
        if matches!(answer, Err(StoreError::Timeout(_))) {
            drop(Object::take(client));
        }
        answer
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) async fn execute(
        &self,
        what: &'static str,
        sql: &str,
        params: Params<'_>,
    ) -> Result<u64, StoreError> {
        self.with_statement(what, sql, async |client, statement| {
            client.execute(statement, params).await
        })
        .await
    }

    /// Takes a connection, prepares the statement once for it, and waits for what `run` makes of it, within the
    /// time-out of an answer.
    async fn with_statement<T>(
        &self,
        what: &'static str,
        sql: &str,
        run: impl AsyncFnOnce(&Object, &Statement) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let client = self.client().await?;
        let answer = within(self.options().answer_timeout, async {
            let statement = client
                .prepare_cached(sql)
                .await
                .map_err(StoreError::sql(what))?;
            run(&client, &statement)
                .await
                .map_err(StoreError::sql(what))
        })
        .await;
        if matches!(answer, Err(StoreError::Timeout(_))) {
            // The answer is still to come on this connection: it must not serve another request.
            drop(Object::take(client));
        }
        answer
    }
}

/// Waits for an answer, but not longer than `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(StoreError::Timeout(limit)),
    }
}

/// A column's value. A mismatch of type is a fault of this crate, and told as such.
pub(crate) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    column: &str,
) -> Result<T, StoreError> {
    row.try_get(column)
        .map_err(|error| StoreError::Corrupt(chain(&error)))
}
