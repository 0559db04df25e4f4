//! The configuration: documented defaults, laid over by a file and by the environment, checked as a whole.

mod check;
mod nats_users;
mod payments;
mod range;
mod told;

use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};

use config::{Environment as EnvironmentSource, File, FileFormat};
use pitboss_schema::CallbackLogMode;
use pitboss_wallet::{Environment, WhenFull};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use check::{KEY_GRACE_S_MAX, threshold};
pub use nats_users::{NatsUser, NatsUsers};
pub use payments::Payments;

/// The file at the root of the project.
const DEFAULTS: &str = include_str!("../../config.toml");

/// What is wrong with the configuration: the key, its value, and what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, Serialize)]
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
        outbox: Outbox,
        nats: Nats,
        stream: Stream,
        sessions: Sessions,
        rest: Rest,
        keys: Keys,
        audit: Audit,
        providers: Providers,
        callback_log: CallbackLog,
        catalogue: Catalogue,
        reports: Reports,
        approvals: Approvals,
        payments: Payments,
        events: Events,
        webhooks: Webhooks,
        sweeper: Sweeper,
    }
);
section!(Server {
    #[serde(deserialize_with = "address")]
    api_address: SocketAddr,
    #[serde(deserialize_with = "address")]
    admin_address: SocketAddr,
    public_url: String,
    tls_certificate: String,
    tls_key: String,
    trusted_hops: u8,
    workers: usize,
    connections_max: usize,
    requests_per_connection_max: usize,
    backlog: i32,
    body_max_bytes: usize,
    request_timeout_ms: u64,
    body_timeout_ms: u64,
    keep_alive_s: u64,
    tcp_user_timeout_ms: u64,
    shutdown_s: u64,
});
impl Server {
    /// Whether this process ends TLS itself.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        !self.tls_certificate.is_empty()
    }
}
section!(Log {
    format: LogFormat,
    level: String
});
section!(Security {
    #[serde(serialize_with = "told::hidden")]
    master_key: SecretString
});
section!(Environments {
    sandbox: Connections,
    live: Connections
});
section!(Connections {
    enabled: bool,
    #[serde(serialize_with = "told::hidden")]
    postgres_url: SecretString,
    nats_url: String,
    nats_user: String,
    #[serde(serialize_with = "told::hidden")]
    nats_password: SecretString,
    #[serde(default)]
    nats_users: NatsUsers,
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
    fresh_lane_max_bytes: usize,
    linger_ms: u64,
    linger_busy_ms: u64,
    poll_ms: u64,
    lease_s: u64,
    retry_ms: u64
});
section!(Outbox {
    keep_h: u64,
    hold_h: u64,
    trim_every_ms: u64,
    trim_batch_max: usize,
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
    commands_waiting_max: usize,
    refused_tokens_max: u32,
    origins: Vec<String>,
    origin_required: bool,
    drain_jitter_ms: u64,
    poll_ms: u64,
    logins_poll_ms: u64,
});
section!(Sessions {
    player_idle_s: i64,
    player_s: i64,
    game_idle_s: i64,
    game_s: i64,
    touch_s: i64,
    launch_token_s: i64,
    player_max: usize,
    game_max: usize,
    per_game_max: usize,
    when_full: WhenFull,
    failures_max: i64,
    failures_window_s: i64,
    lock_s: i64,
});
section!(Rest {
    idempotency_h: i64,
    page_max: usize,
    cors_origins: Vec<String>,
    rate_per_s: u32,
    rate_burst: u32,
    scan_max: usize,
});
section!(Keys {
    live_max: u32,
    grace_s: i64
});
section!(Audit {
    read_every_ms: u64,
    scan_max: i64,
    clock_skew_max_ms: i64,
    large_bet: BTreeMap<String, String>,
    large_win: BTreeMap<String, String>,
    large_payment: BTreeMap<String, String>,
});
section!(Providers {
    accounts_max: u32,
    addresses_max: usize,
    grace_s: i64,
});
section!(CallbackLog {
    sandbox: CallbackLogMode,
    live: CallbackLogMode,
    queue_max: usize,
    batch_max: usize,
    linger_ms: u64,
    body_max_bytes: usize,
    keep_h: i64,
    rows_max: u32,
    trim_every_ms: u64,
    trim_batch_max: u32,
    scan_max: u32,
});
section!(Catalogue {
    poll_ms: u64,
    import_max_bytes: usize,
    games_max: usize,
    blocks_per_player_max: usize,
    collections_max: usize
});
section!(Reports {
    operator: String,
    concurrent_max: usize,
    timeout_s: u64,
    work_mem_mb: u32,
    period_days_max: i64
});
section!(Approvals {
    expire_h: i64,
    adjustments_below: BTreeMap<String, String>,
    sweep_ms: u64,
    sweep_batch_max: u32,
    finish_after_s: i64,
});
section!(Events {
    waiters_max: usize,
    wait_max_s: u64,
    scan_max: usize,
    poll_ms: u64,
});
section!(Webhooks {
    endpoints_max: u32,
    concurrency: usize,
    per_endpoint: usize,
    batch_max: usize,
    timeout_ms: u64,
    answer_max_bytes: usize,
    retry_s: Vec<u32>,
    pause_after: u32,
    probe_max_s: u32,
    disable_after_h: i64,
    waiting_max: usize,
    dead_max: usize,
    grace_s: i64,
    lease_s: u64,
    allow_http: bool,
    allow_private: bool,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", rename_all = "snake_case")]
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
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("stream.origins")
            .with_list_parse_key("rest.cors_origins");
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

    /// The threads on which players live.
    #[must_use]
    pub fn player_arbiters(&self) -> usize {
        or_half_the_cores(self.players.arbiters)
    }

    /// HTTP worker threads.
    #[must_use]
    pub fn http_workers(&self) -> usize {
        or_half_the_cores(self.server.workers)
    }
}

/// 0 stands for half the cores, at least one: Postgres is on the others, or busy players on theirs.
fn or_half_the_cores(threads: usize) -> usize {
    match threads {
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)),
        threads => threads,
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
    fn a_reader_is_waited_for_until_he_is_given_up() {
        for (file, hold, keep, disable) in [
            ("[outbox]\nhold_h = 120\n", 120, 72, 120),
            ("[outbox]\nkeep_h = 169\n", 168, 169, 120),
            ("[webhooks]\ndisable_after_h = 168\n", 168, 72, 168),
        ] {
            let error = load(file).unwrap_err().to_string();
            let expected = format!(
                "outbox.hold_h = {hold}: must be at least outbox.keep_h = {keep}, and more than webhooks.disable_after_h = {disable}"
            );
            assert_eq!(error, expected);
        }
        assert!(load("[outbox]\nkeep_h = 121\nhold_h = 121\n").is_ok());
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        let good = load("[stream]\norigins = [\"https://a.example\", \"http://[::1]:3000\"]\n");
        assert_eq!(good.unwrap().stream.origins.len(), 2);
        for bad in [
            "*",
            "a.example",
            "https://a.example/",
            "https://A.example",
            "https://*.a.example",
        ] {
            let error = load(&format!("[stream]\norigins = [\"{bad}\"]\n")).unwrap_err();
            assert!(error.to_string().contains(bad), "{error}");
        }
    }

    #[test]
    fn a_threshold_is_an_amount_of_a_currency() {
        let good = load("[approvals]\nadjustments_below = { EUR = \"10.00\", JPY = \"500\" }\n");
        assert_eq!(good.unwrap().approvals.adjustments_below.len(), 2);
        for bad in ["{ EUR = \"-1\" }", "{ XXX = \"1\" }", "{ EUR = \"ten\" }"] {
            let error = load(&format!("[approvals]\nadjustments_below = {bad}\n")).unwrap_err();
            assert!(error.to_string().contains("adjustments_below"), "{error}");
        }
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
