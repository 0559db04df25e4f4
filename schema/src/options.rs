//! How the database is used.

use std::time::Duration;

/// Bounds of everything that could otherwise wait for ever or grow without end.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// Connections for everything but commits; each writer has one of its own besides.
    pub pool_size: usize,
    /// How long a request waits for a free connection.
    pub wait_timeout: Duration,
    /// How long a new connection may take.
    pub connect_timeout: Duration,
    /// After this, Postgres itself gives up a statement.
    pub statement_timeout: Duration,
    /// How long a statement waits for a row that another one holds.
    pub lock_timeout: Duration,
    /// How long an answer is waited for. Longer than `statement_timeout`, so that Postgres' own, definite
    /// answer comes first: a commit whose answer is not waited for has an unknown outcome.
    pub answer_timeout: Duration,
    /// A player is loaded with at most this many open rounds; the others are asked for when needed.
    pub loaded_rounds: usize,
    /// A player is loaded with at most this many live sessions.
    pub loaded_sessions: usize,
    /// Decisions of a lane that are kept for the bridge after their commit, in bytes; over it they are read back.
    pub fresh_lane_max_bytes: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            application_name: "pitboss".to_owned(),
            pool_size: 8,
            wait_timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(7),
            loaded_rounds: 32,
            loaded_sessions: 16,
            fresh_lane_max_bytes: 4 << 20,
        }
    }
}
