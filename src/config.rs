//! The configuration: documented defaults, laid over by a file and by the environment, checked as a whole.

use std::{net::SocketAddr, path::Path, time::Duration};

use config::{Environment as EnvironmentSource, File, FileFormat};
use pitboss_wallet::Environment;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// The file at the root of the project.
const DEFAULTS: &str = include_str!("../config.toml");

/// What is wrong with the configuration: the key, its value, and what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$attribute])* pub $field: $type),+ }
    };
}

section!(
    /// `config.toml` says what each setting means.
    Config {
        server: Server,
        log: Log,
        security: Security,
        environments: Environments,
        postgres: Postgres,
        players: Players,
        journal: Journal,
        bridge: Bridge,
        nats: Nats,
        stream: Stream,
        sessions: Sessions,
        rest: Rest,
        sweeper: Sweeper,
    }
);
section!(Server {
    #[serde(deserialize_with = "address")]
    api_address: SocketAddr,
    #[serde(deserialize_with = "address")]
    admin_address: SocketAddr,
    public_url: String,
    workers: usize,
    connections_max: usize,
    body_max_bytes: usize,
    request_timeout_ms: u64,
    keep_alive_s: u64,
    tcp_user_timeout_ms: u64,
    shutdown_s: u64,
});
section!(Log {
    format: LogFormat,
    level: String
});
section!(Security {
    master_key: SecretString
});
section!(Environments {
    sandbox: Connections,
    live: Connections
});
section!(Connections {
    enabled: bool,
    postgres_url: SecretString,
    nats_url: String,
    nats_user: String,
    nats_password: SecretString,
});
section!(Postgres {
    pool_size: usize,
    wait_ms: u64,
    statement_timeout_ms: u64
});
section!(Players {
    arbiters: usize,
    in_flight_max: usize,
    per_player_max: usize,
    players_max: usize,
    patience_ms: u64,
    idle_s: u64,
    cache_rounds: usize,
    cache_transactions: usize,
    cache_sessions: usize,
});
section!(Journal {
    writers: usize,
    lanes: u16,
    batch_max: usize,
    linger_us: u64,
    queue_max: usize,
    commit_timeout_ms: u64,
});
section!(Bridge {
    connections: usize,
    batch_max: usize,
    linger_ms: u64,
    poll_ms: u64,
    lease_s: u64,
    retry_ms: u64
});
section!(Nats {
    max_age_h: u64,
    max_bytes: i64,
    replicas: usize,
    duplicate_window_s: u64,
    ack_timeout_ms: u64,
});
section!(Stream {
    sessions_max: usize,
    sessions_per_player_max: usize,
    frame_max_bytes: usize,
    queued_max_bytes: usize,
    resume_max: usize,
    heartbeat_s: u64,
    idle_timeout_s: u64,
    commands_per_s_max: u32,
});
section!(Sessions {
    player_s: i64,
    game_s: i64,
    launch_token_s: i64
});
section!(Rest {
    idempotency_h: i64,
    page_max: usize
});
section!(Sweeper {
    every_ms: u64,
    batch_max: usize
});

/// By hand, because the library says neither the value nor what is allowed.
fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        let allowed = "must be an IP address and a port, such as 127.0.0.1:8080";
        serde::de::Error::custom(format!("{text:?}: {allowed}"))
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LogFormat {
    Text,
    Json,
}

/// By hand, because the library names the value and the key, but not what is allowed.
impl TryFrom<String> for LogFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("{text:?}: must be \"text\" or \"json\"")),
        }
    }
}

impl Config {
    /// Reads the defaults, then `file`, then the environment variables `PITBOSS__<SECTION>__<KEY>`.
    ///
    /// # Errors
    /// [`ConfigError`] names the key, the value and what is allowed.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut sources =
            config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(file) = file {
            sources = sources.add_source(File::from(file).format(FileFormat::Toml));
        }
        let variables = EnvironmentSource::with_prefix("PITBOSS")
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true);
        let config: Self = sources
            .add_source(variables)
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|error| ConfigError(error.to_string()))?;
        config.check_ranges()?;
        Ok(config)
    }

    /// The defaults alone, for the sandbox to fill in.
    ///
    /// # Errors
    /// As [`Self::load`]: the environment may be wrong.
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::load(None)
    }

    /// The environments that this process serves.
    pub fn enabled(&self) -> impl Iterator<Item = (Environment, &Connections)> {
        Environment::ALL
            .into_iter()
            .map(|environment| (environment, self.connections(environment)))
            .filter(|(_, connections)| connections.enabled)
    }

    #[must_use]
    pub const fn connections(&self, environment: Environment) -> &Connections {
        match environment {
            Environment::Sandbox => &self.environments.sandbox,
            Environment::Live => &self.environments.live,
        }
    }

    fn check_ranges(&self) -> Result<(), ConfigError> {
        let Self {
            server,
            postgres,
            players,
            journal,
            bridge,
            nats,
            stream,
            sessions,
            rest,
            sweeper,
            ..
        } = self;
        let mut check = Check::default();
        check.range("server.workers", server.workers, 0, 1024);
        check.range(
            "server.connections_max",
            server.connections_max,
            1,
            1_000_000,
        );
        check.range(
            "server.body_max_bytes",
            server.body_max_bytes,
            1024,
            1 << 20,
        );
        check.range(
            "server.request_timeout_ms",
            server.request_timeout_ms,
            100,
            60_000,
        );
        check.range("server.keep_alive_s", server.keep_alive_s, 1, 3600);
        check.range(
            "server.tcp_user_timeout_ms",
            server.tcp_user_timeout_ms,
            1000,
            600_000,
        );
        check.range("server.shutdown_s", server.shutdown_s, 1, 600);
        check.range("postgres.pool_size", postgres.pool_size, 1, 1000);
        check.range("postgres.wait_ms", postgres.wait_ms, 10, 60_000);
        check.range(
            "postgres.statement_timeout_ms",
            postgres.statement_timeout_ms,
            100,
            600_000,
        );
        check.range("players.arbiters", players.arbiters, 0, 1024);
        check.range("players.in_flight_max", players.in_flight_max, 1, 1_000_000);
        check.range("players.per_player_max", players.per_player_max, 1, 10_000);
        check.range("players.players_max", players.players_max, 1, 100_000_000);
        check.range("players.patience_ms", players.patience_ms, 100, 120_000);
        check.range("players.idle_s", players.idle_s, 1, 86_400);
        check.range("players.cache_rounds", players.cache_rounds, 1, 10_000);
        check.range(
            "players.cache_transactions",
            players.cache_transactions,
            1,
            10_000,
        );
        check.range("players.cache_sessions", players.cache_sessions, 1, 1_000);
        check.range("journal.writers", journal.writers, 1, 64);
        check.range("journal.lanes", journal.lanes, 1, 1024);
        check.range("journal.batch_max", journal.batch_max, 1, 1024);
        check.range("journal.linger_us", journal.linger_us, 0, 100_000);
        check.range("journal.queue_max", journal.queue_max, 1, 1_000_000);
        check.range(
            "journal.commit_timeout_ms",
            journal.commit_timeout_ms,
            100,
            120_000,
        );
        check.range("bridge.connections", bridge.connections, 1, 1000);
        check.range("bridge.batch_max", bridge.batch_max, 1, 4096);
        check.range("bridge.linger_ms", bridge.linger_ms, 0, 10_000);
        check.range("bridge.poll_ms", bridge.poll_ms, 10, 60_000);
        check.range("bridge.lease_s", bridge.lease_s, 3, 3600);
        check.range("bridge.retry_ms", bridge.retry_ms, 10, 60_000);
        check.range("nats.max_age_h", nats.max_age_h, 1, 24 * 3650);
        check.range("nats.max_bytes", nats.max_bytes, 1 << 20, i64::MAX);
        check.range("nats.replicas", nats.replicas, 1, 5);
        check.range(
            "nats.duplicate_window_s",
            nats.duplicate_window_s,
            1,
            86_400,
        );
        check.range("nats.ack_timeout_ms", nats.ack_timeout_ms, 100, 120_000);
        check.range("stream.sessions_max", stream.sessions_max, 1, 10_000_000);
        check.range(
            "stream.sessions_per_player_max",
            stream.sessions_per_player_max,
            1,
            1000,
        );
        check.range(
            "stream.frame_max_bytes",
            stream.frame_max_bytes,
            256,
            1 << 20,
        );
        check.range(
            "stream.queued_max_bytes",
            stream.queued_max_bytes,
            4096,
            1 << 30,
        );
        check.range("stream.resume_max", stream.resume_max, 1, 1_000_000);
        check.range("stream.heartbeat_s", stream.heartbeat_s, 1, 3600);
        check.range("stream.idle_timeout_s", stream.idle_timeout_s, 2, 7200);
        check.range(
            "stream.commands_per_s_max",
            stream.commands_per_s_max,
            1,
            10_000,
        );
        check.range("sessions.player_s", sessions.player_s, 1, 365 * 86_400);
        check.range("sessions.game_s", sessions.game_s, 1, 365 * 86_400);
        check.range("sessions.launch_token_s", sessions.launch_token_s, 1, 3600);
        check.range("rest.idempotency_h", rest.idempotency_h, 1, 24 * 365);
        check.range("rest.page_max", rest.page_max, 1, 10_000);
        check.range("sweeper.every_ms", sweeper.every_ms, 100, 3_600_000);
        check.range("sweeper.batch_max", sweeper.batch_max, 1, 100_000);
        check.0
    }

    /// What a server needs besides: an environment with its connections, and the master key.
    ///
    /// # Errors
    /// [`ConfigError`] names the key, the value and what is allowed.
    pub fn check_complete(&self) -> Result<(), ConfigError> {
        if self.enabled().next().is_none() {
            return Err(ConfigError(
                "environments.sandbox.enabled = false and environments.live.enabled = false: at least one must be true"
                    .into(),
            ));
        }
        for (environment, connections) in self.enabled() {
            let postgres = connections.postgres_url.expose_secret();
            if !(postgres.starts_with("postgres://") || postgres.starts_with("postgresql://")) {
                return Err(ConfigError(format!(
                    "environments.{environment}.postgres_url = {}: must be a URL that begins with postgres://",
                    if postgres.is_empty() {
                        "\"\""
                    } else {
                        "(hidden)"
                    }
                )));
            }
            if !connections.nats_url.starts_with("nats://")
                && !connections.nats_url.starts_with("tls://")
            {
                return Err(ConfigError(format!(
                    "environments.{environment}.nats_url = {:?}: must be a URL that begins with nats://",
                    connections.nats_url
                )));
            }
        }
        let master_key = self.security.master_key.expose_secret();
        if master_key.len() != 64 || hex::decode(master_key).is_err() {
            return Err(ConfigError(format!(
                "security.master_key = ({} characters, hidden): must be 64 hexadecimal digits; make one with: openssl rand -hex 32",
                master_key.len()
            )));
        }
        Ok(())
    }

    /// The threads on which players live.
    #[must_use]
    pub fn player_arbiters(&self) -> usize {
        match self.players.arbiters {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)),
            arbiters => arbiters,
        }
    }

    /// HTTP worker threads.
    #[must_use]
    pub fn http_workers(&self) -> usize {
        match self.server.workers {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => workers,
        }
    }
}

/// Remembers the first value that is out of its range.
struct Check(Result<(), ConfigError>);

impl Default for Check {
    fn default() -> Self {
        Self(Ok(()))
    }
}

impl Check {
    fn range<T: PartialOrd + std::fmt::Display>(&mut self, key: &str, value: T, least: T, most: T) {
        if self.0.is_ok() && (value < least || value > most) {
            self.0 = Err(ConfigError(format!(
                "{key} = {value}: must be from {least} to {most}"
            )));
        }
    }
}

/// Milliseconds of the configuration as a duration.
#[must_use]
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let folder = std::env::temp_dir().join(format!("pitboss-config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let name: String = text
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(40)
            .collect();
        let file = folder.join(format!("{name}.toml"));
        std::fs::write(&file, text).unwrap();
        let loaded = Config::load(Some(&file));
        std::fs::remove_file(&file).unwrap();
        loaded
    }

    #[test]
    fn the_defaults_are_in_range_and_ask_for_what_has_none() {
        let config = Config::load(None).unwrap();
        let error = config.check_complete().unwrap_err().to_string();
        assert!(error.contains("environments.sandbox.enabled"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_the_key_the_value_and_what_is_allowed() {
        let error = load("[journal]\nwriters = 0\n").unwrap_err().to_string();
        assert_eq!(error, "journal.writers = 0: must be from 1 to 64");
        let error = load("[journal]\nwriters = \"many\"\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("many") && error.contains("journal.writers"),
            "{error}"
        );
        let error = load("[log]\nformat = \"xml\"\n").unwrap_err().to_string();
        assert!(error.contains("xml") && error.contains("json"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = load("[journal]\nwritters = 2\n").unwrap_err().to_string();
        assert!(
            error.contains("writters") && error.contains("writers"),
            "{error}"
        );
    }

    #[test]
    fn a_half_configured_environment_is_refused_without_showing_secrets() {
        let config = load(
            "[environments.live]\nenabled = true\npostgres_url = \"mysql://u:hunter2@h\"\nnats_url = \"nats://h\"\n",
        )
        .unwrap();
        let error = config.check_complete().unwrap_err().to_string();
        assert!(error.contains("environments.live.postgres_url"), "{error}");
        assert!(
            !error.contains("hunter2") && !format!("{config:?}").contains("hunter2"),
            "{error}"
        );
    }
}
