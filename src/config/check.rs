//! What values the settings may have.

use pitboss_wallet::Environment;
use secrecy::ExposeSecret;

use super::{Config, ConfigError, Outbox, Webhooks, nats_users};

impl Config {
    pub(super) fn check_ranges(&self) -> Result<(), ConfigError> {
        let Self {
            server,
            postgres,
            players,
            journal,
            bridge,
            outbox,
            nats,
            stream,
            sessions,
            rest,
            events,
            webhooks,
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
        check.range("server.backlog", server.backlog, 16, 65_535);
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
        check.range(
            "server.body_timeout_ms",
            server.body_timeout_ms,
            100,
            600_000,
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
        check.range(
            "bridge.fresh_lane_max_bytes",
            bridge.fresh_lane_max_bytes,
            0,
            1 << 30,
        );
        check.range("bridge.linger_ms", bridge.linger_ms, 0, 10_000);
        check.range(
            "bridge.linger_busy_ms",
            bridge.linger_busy_ms,
            bridge.linger_ms,
            10_000,
        );
        check.range("bridge.poll_ms", bridge.poll_ms, 10, 60_000);
        check.range("bridge.lease_s", bridge.lease_s, 3, 3600);
        check.range("bridge.retry_ms", bridge.retry_ms, 10, 60_000);
        check.range("outbox.keep_h", outbox.keep_h, 1, 24 * 3650);
        check.range("outbox.hold_h", outbox.hold_h, 1, 24 * 3650);
        check.range("outbox.trim_every_ms", outbox.trim_every_ms, 10, 3_600_000);
        check.range("outbox.trim_batch_max", outbox.trim_batch_max, 1, 10_000);
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
        check.range(
            "stream.commands_waiting_max",
            stream.commands_waiting_max,
            0,
            1000,
        );
        check.range(
            "stream.refused_tokens_max",
            stream.refused_tokens_max,
            0,
            1000,
        );
        for origin in &stream.origins {
            check.origin(origin);
        }
        check.range("stream.drain_jitter_ms", stream.drain_jitter_ms, 0, 600_000);
        check.range("stream.poll_ms", stream.poll_ms, 10, 60_000);
        check.range("stream.logins_poll_ms", stream.logins_poll_ms, 100, 600_000);
        check.range("sessions.player_s", sessions.player_s, 1, 365 * 86_400);
        check.range("sessions.game_s", sessions.game_s, 1, 365 * 86_400);
        check.range("sessions.launch_token_s", sessions.launch_token_s, 1, 3600);
        check.range("rest.idempotency_h", rest.idempotency_h, 1, 24 * 365);
        check.range("rest.page_max", rest.page_max, 1, 10_000);
        check.range("sweeper.every_ms", sweeper.every_ms, 100, 3_600_000);
        check.range("sweeper.batch_max", sweeper.batch_max, 1, 100_000);
        check.range("events.waiters_max", events.waiters_max, 1, 100_000);
        check.range("events.wait_max_s", events.wait_max_s, 0, 300);
        check.range("events.scan_max", events.scan_max, 1, 100_000);
        check.range("events.poll_ms", events.poll_ms, 10, 60_000);
        webhooks_ranges(&mut check, webhooks);
        check.hold(outbox, webhooks);
        for environment in Environment::ALL {
            let users = &self.connections(environment).nats_users;
            nats_users::check(environment.as_str(), users).map_err(ConfigError)?;
        }
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
}

fn webhooks_ranges(check: &mut Check, webhooks: &Webhooks) {
    let Webhooks {
        endpoints_max,
        concurrency,
        per_endpoint,
        batch_max,
        timeout_ms,
        answer_max_bytes,
        retry_s,
        pause_after,
        probe_max_s,
        disable_after_h,
        waiting_max,
        dead_max,
        grace_s,
        lease_s,
        allow_http: _,
        allow_private: _,
    } = webhooks;
    check.range("webhooks.endpoints_max", *endpoints_max, 1, 10_000);
    check.range("webhooks.concurrency", *concurrency, 1, 10_000);
    check.range("webhooks.per_endpoint", *per_endpoint, 1, 1000);
    check.range("webhooks.batch_max", *batch_max, 1, 1000);
    check.range("webhooks.timeout_ms", *timeout_ms, 100, 120_000);
    let most = 1 << 20;
    check.range("webhooks.answer_max_bytes", *answer_max_bytes, 1, most);
    check.range("webhooks.retry_s (how many)", retry_s.len(), 1, 30);
    for pause_s in retry_s {
        check.range("webhooks.retry_s", *pause_s, 1, 30 * 86_400);
    }
    check.range("webhooks.pause_after", *pause_after, 1, 1000);
    check.range("webhooks.probe_max_s", *probe_max_s, 1, 86_400);
    check.range("webhooks.disable_after_h", *disable_after_h, 1, 24 * 365);
    check.range("webhooks.waiting_max", *waiting_max, 1, 1_000_000);
    check.range("webhooks.dead_max", *dead_max, 1, 1_000_000);
    check.range("webhooks.grace_s", *grace_s, 0, 30 * 86_400);
    check.range("webhooks.lease_s", *lease_s, 3, 3600);
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

    /// An endpoint that fails is disabled before the events that it has not taken are given up.
    fn hold(&mut self, outbox: &Outbox, webhooks: &Webhooks) {
        let Outbox { keep_h, hold_h, .. } = *outbox;
        let disable_after_h = webhooks.disable_after_h;
        let is_long = i64::try_from(hold_h).is_ok_and(|hold_h| hold_h > disable_after_h);
        if self.0.is_ok() && (hold_h < keep_h || !is_long) {
            self.0 = Err(ConfigError(format!(
                "outbox.hold_h = {hold_h}: must be at least outbox.keep_h = {keep_h}, and more than webhooks.disable_after_h = {disable_after_h}"
            )));
        }
    }

    /// As browsers send it: nothing after the host and port, nothing in capitals.
    fn origin(&mut self, origin: &str) {
        let host = ["https://", "http://"]
            .iter()
            .find_map(|scheme| origin.strip_prefix(scheme));
        let is_host = |host: &str| {
            !host.is_empty()
                && !host.contains(['/', '?', '#', '@', '*'])
                && !host.contains(|c: char| c.is_whitespace() || c.is_ascii_uppercase())
        };
        if self.0.is_ok() && !host.is_some_and(is_host) {
            self.0 = Err(ConfigError(format!(
                "stream.origins = [{origin:?}]: must be a scheme and a host such as https://casino.example, in small letters, without a path"
            )));
        }
    }
}
