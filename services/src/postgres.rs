//! A private Postgres cluster.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::cluster::{Cluster, SUPERUSER};
use crate::data_dir::{DataDir, Log};
use crate::error::{ServiceError, sql_chain};
use crate::process::{Spec, Steps};
use crate::server::{Program, Server, blocking};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const TEMPLATE_BUSY_TRIES: usize = 50;
const ON_DROP: Steps = &[
    (Signal::SIGINT, Duration::from_secs(5)),
    (Signal::SIGQUIT, Duration::from_secs(3)),
    (Signal::SIGKILL, Duration::from_secs(2)),
];

/// What a money ledger needs (`fsync`, `synchronous_commit`) is spelled out although it is the
/// default: it is a promise here, not a preference. The rest keeps a sandbox quick and quiet.
const DEFAULTS: [(&str, &str); 15] = [
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("max_connections", "100"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "15min"),
    ("autovacuum", "on"),
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_line_prefix", "%m [%p] "),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
];

#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The folder of this service alone; created when it is not there.
    pub data_dir: PathBuf,
    /// `None`: the port of the last time if it is free, otherwise any free one.
    pub port: Option<u16>,
    /// Server settings that override or add to the defaults, such as `("shared_buffers", "32MB")`.
    pub settings: Vec<(String, String)>,
}

impl PostgresOptions {
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        PostgresOptions {
            data_dir: data_dir.into(),
            port: None,
            settings: Vec::new(),
        }
        .setting("shared_buffers", &format!("{}MB", buffers_mb()))
    }

    #[must_use]
    pub fn port(mut self, port: Option<u16>) -> Self {
        self.port = port;
        self
    }

    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Less memory for the many short-lived clusters of a test run, and a crash recovery that flushes the file
    /// system once, not each of a cluster's thousand files. Durability stays as it is.
    #[must_use]
    pub fn for_tests(data_dir: impl Into<PathBuf>) -> Self {
        Self::new(data_dir)
            .setting("shared_buffers", "32MB")
            .setting("max_wal_size", "512MB")
            .setting("recovery_init_sync_method", "syncfs")
    }
}

/// An eighth of the machine's memory, from 128 MB to 1 GB. Bets touch the pages of players and indexes at random:
/// what does not fit is written by the commit that needs its room, again and again.
fn buffers_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total_kb = text.lines().find_map(|line| {
        let rest = line.strip_prefix("MemTotal:")?;
        rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    (total_kb.unwrap_or(0) / 1024 / 8).clamp(128, 1024)
}

/// A running cluster; ended when dropped. See the crate's documentation.
pub struct Postgres {
    server: Server<PostgresProgram>,
}

impl Postgres {
    /// Starts the cluster in `options.data_dir`, making it first when there is none, and returns
    /// when it answers queries.
    pub async fn start(options: PostgresOptions) -> Result<Postgres, ServiceError> {
        let path = options.data_dir;
        let dir = blocking(move || DataDir::open(&path)).await?;
        let (cluster, dir) = Cluster::open(dir).await?;
        let program = PostgresProgram {
            cluster,
            settings: options.settings,
        };
        let server = Server::start(program, dir, options.port).await?;
        Ok(Postgres { server })
    }

    /// The address of a database for the superuser `pitboss`, password included.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let password = &self.server.program.cluster.password;
        format!(
            "postgres://{SUPERUSER}:{password}@127.0.0.1:{}/{database}",
            self.server.port()
        )
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The postmaster's process id; the last one after a stop.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    pub fn is_running(&mut self) -> bool {
        self.server.is_running()
    }

    /// Creates a database if there is none of that name.
    pub async fn create_database(&self, name: &str) -> Result<(), ServiceError> {
        check_database_name(name)?;
        let what = || format!("cannot create the database {name}");
        let failed = |error| ServiceError::sql(what(), &error);
        let client = self
            .server
            .program
            .connect(self.port())
            .await
            .map_err(|reason| ServiceError::Sql {
                what: what(),
                reason,
            })?;
        let mut busy = 0;
        loop {
            let found = client
                .query_opt("select 1 from pg_database where datname = $1", &[&name])
                .await
                .map_err(failed)?;
            if found.is_some() {
                return Ok(());
            }
            let Err(error) = client
                .batch_execute(&format!("create database \"{name}\""))
                .await
            else {
                return Ok(());
            };
            match error.code() {
                // Another caller was quicker.
                Some(&SqlState::DUPLICATE_DATABASE | &SqlState::UNIQUE_VIOLATION) => return Ok(()),
                // Somebody is connected to the template, such as autovacuum for a moment.
                Some(&SqlState::OBJECT_IN_USE) if busy < TEMPLATE_BUSY_TRIES => busy += 1,
                _ => return Err(failed(error)),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Fast shutdown: clients are disconnected and everything is written out. Killed when that
    /// takes too long.
    pub async fn stop(&mut self) {
        self.server.end(PostgresProgram::STOP).await;
    }

    /// Fails the way a crash does, for fault tests: no checkpoint, clients are cut off, and the
    /// next start recovers from the log. Returns when the processes are gone.
    pub async fn kill_immediate(&mut self) {
        self.server.end(PostgresProgram::CRASH).await;
    }

    /// Starts again on the same port and data, after a stop if it was running.
    pub async fn restart(&mut self) -> Result<(), ServiceError> {
        self.server.restart().await
    }
}

struct PostgresProgram {
    cluster: Cluster,
    settings: Vec<(String, String)>,
}

impl PostgresProgram {
    async fn connect(&self, port: u16) -> Result<tokio_postgres::Client, String> {
        let (client, connection) = tokio_postgres::Config::new()
            .host("127.0.0.1")
            .port(port)
            .user(SUPERUSER)
            .password(&self.cluster.password)
            .dbname("postgres")
            .application_name("pitboss-services")
            .connect_timeout(CONNECT_LIMIT)
            .connect(NoTls)
            .await
            .map_err(|error| sql_chain(&error))?;
        // Ends by itself when the client is dropped.
        tokio::spawn(connection);
        Ok(client)
    }
}

impl Program for PostgresProgram {
    const NAME: &'static str = "Postgres";
    const LOG: &'static str = "postgres.log";
    const STOP: Steps = &[
        (Signal::SIGINT, Duration::from_secs(30)),
        (Signal::SIGQUIT, Duration::from_secs(6)),
        (Signal::SIGKILL, Duration::from_secs(5)),
    ];
    const CRASH: Steps = &[
        (Signal::SIGQUIT, Duration::from_secs(6)),
        (Signal::SIGKILL, Duration::from_secs(5)),
    ];

    fn spec(&self, port: u16, log: &Log) -> Result<Spec, ServiceError> {
        let mut args = vec![
            "-D".to_owned(),
            self.cluster.pgdata.display().to_string(),
            "-p".to_owned(),
            port.to_string(),
        ];
        // On the command line rather than in a file: it outranks whatever the cluster's own
        // files say, and the last mention of a setting wins.
        let defaults = DEFAULTS.iter().map(|(n, v)| (*n, *v));
        let given = self.settings.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        for (name, value) in defaults.chain(given) {
            args.push("-c".to_owned());
            args.push(format!("{name}={value}"));
        }
        Ok(Spec {
            program: self.cluster.binaries.postgres.clone(),
            args,
            cwd: self.cluster.pgdata.clone(),
            account: self.cluster.account,
            log: log.try_clone()?,
            on_parent_death: Signal::SIGINT,
            on_drop: ON_DROP,
        })
    }

    /// Only this cluster knows the password, and SCRAM proves it in both directions.
    async fn ready(&self, port: u16) -> Result<(), String> {
        let client = tokio::time::timeout(CONNECT_LIMIT, self.connect(port))
            .await
            .map_err(|_| "no answer".to_owned())??;
        client
            .simple_query("select 1")
            .await
            .map(drop)
            .map_err(|error| sql_chain(&error))
    }
}

fn check_database_name(name: &str) -> Result<(), ServiceError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let good = name.len() <= 63
        && name.bytes().all(plain)
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if good {
        return Ok(());
    }
    Err(ServiceError::BadName {
        kind: "database name",
        value: name.to_owned(),
        allowed: "a-z, 0-9 and _, not starting with a digit, at most 63",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_name_that_needs_quoting_is_refused() {
        for bad in ["", "1st", "a-b", "a\"b", "Casino", &"a".repeat(64)] {
            assert!(check_database_name(bad).is_err(), "{bad:?}");
        }
        for good in ["casino", "_live", "t_01"] {
            assert!(check_database_name(good).is_ok(), "{good:?}");
        }
    }
}
