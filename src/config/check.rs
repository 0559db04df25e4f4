//! What values the settings may have.

use pitboss_wallet::{Currency, Environment, Money};
use secrecy::ExposeSecret;

use super::{
    CallbackLog, Config, ConfigError, Providers, Sessions, Webhooks, nats_users, range::Check,
};
use crate::accounts::GRACE_MAX_S;

/// How long the secret before a rotation may still work.
pub const KEY_GRACE_S_MAX: i64 = 30 * 86_400;

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
            keys,
            audit,
            providers,
            callback_log,
            catalogue,
            reports,
            approvals,
            payments,
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
        check.range(
            "server.requests_per_connection_max",
            server.requests_per_connection_max,
            1,
            10_000,
        );
        check.tls(server);
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
            check.origin("stream.origins", origin);
        }
        for origin in &rest.cors_origins {
            check.origin("rest.cors_origins", origin);
        }
        check.range("stream.drain_jitter_ms", stream.drain_jitter_ms, 0, 600_000);
        check.range("stream.poll_ms", stream.poll_ms, 10, 60_000);
        check.range("stream.logins_poll_ms", stream.logins_poll_ms, 100, 600_000);
        sessions_ranges(&mut check, sessions);
        check.range("rest.idempotency_h", rest.idempotency_h, 1, 24 * 365);
        check.range("rest.page_max", rest.page_max, 1, 10_000);
        check.range("rest.rate_per_s", rest.rate_per_s, 1, 1_000_000);
        check.range("rest.rate_burst", rest.rate_burst, 1, 1_000_000);
        check.range("server.trusted_hops", server.trusted_hops, 0, 16);
        check.range("keys.live_max", keys.live_max, 1, 100_000);
        check.range("keys.grace_s", keys.grace_s, 0, KEY_GRACE_S_MAX);
        check.range("audit.read_every_ms", audit.read_every_ms, 100, 600_000);
        check.range("audit.scan_max", audit.scan_max, 1, 100_000);
        check.range(
            "audit.clock_skew_max_ms",
            audit.clock_skew_max_ms,
            10,
            3_600_000,
        );
        check.amounts("audit.large_bet", &audit.large_bet);
        check.amounts("audit.large_win", &audit.large_win);
        check.amounts("audit.large_payment", &audit.large_payment);
        // Gaming has to stop on all nodes within two seconds.
        check.range("catalogue.poll_ms", catalogue.poll_ms, 50, 1_500);
        check.range(
            "catalogue.import_max_bytes",
            catalogue.import_max_bytes,
            server.body_max_bytes,
            64 << 20,
        );
        check.range("catalogue.games_max", catalogue.games_max, 1, 1_000_000);
        check.range(
            "catalogue.blocks_per_player_max",
            catalogue.blocks_per_player_max,
            1,
            1_000,
        );
        check.range(
            "catalogue.collections_max",
            catalogue.collections_max,
            1,
            500,
        );
        check.range("rest.scan_max", rest.scan_max, rest.page_max, 100_000);
        let name = reports.operator.chars().count();
        check.range("reports.operator (characters)", name, 0, 200);
        check.range("reports.concurrent_max", reports.concurrent_max, 1, 100);
        check.range("reports.timeout_s", reports.timeout_s, 1, 86_400);
        check.range("reports.work_mem_mb", reports.work_mem_mb, 1, 4096);
        let days = reports.period_days_max;
        check.range("reports.period_days_max", days, 1, 36_500);
        check.range("approvals.expire_h", approvals.expire_h, 1, 24 * 365);
        check.range("approvals.sweep_ms", approvals.sweep_ms, 100, 600_000);
        check.range(
            "approvals.sweep_batch_max",
            approvals.sweep_batch_max,
            1,
            10_000,
        );
        check.range(
            "approvals.finish_after_s",
            approvals.finish_after_s,
            1,
            86_400,
        );
        check.amounts("approvals.adjustments_below", &approvals.adjustments_below);
        payments.check(&mut check);
        check.range("sweeper.every_ms", sweeper.every_ms, 100, 3_600_000);
        check.range("sweeper.batch_max", sweeper.batch_max, 1, 100_000);
        check.range("events.waiters_max", events.waiters_max, 1, 100_000);
        check.range("events.wait_max_s", events.wait_max_s, 0, 300);
        check.range("events.scan_max", events.scan_max, 1, 100_000);
        check.range("events.poll_ms", events.poll_ms, 10, 60_000);
        webhooks_ranges(&mut check, webhooks);
        providers_ranges(&mut check, providers, callback_log);
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

fn sessions_ranges(check: &mut Check, sessions: &Sessions) {
    let Sessions {
        player_idle_s,
        player_s,
        game_idle_s,
        game_s,
        touch_s,
        launch_token_s,
        player_max,
        game_max,
        per_game_max,
        when_full: _,
        failures_max,
        failures_window_s,
        lock_s,
    } = *sessions;
    check.range("sessions.player_idle_s", player_idle_s, 1, 86_400);
    check.range("sessions.player_s", player_s, 1, 365 * 86_400);
    check.range("sessions.game_idle_s", game_idle_s, 1, 86_400);
    check.range("sessions.game_s", game_s, 1, 365 * 86_400);
    // Who plays all the time must not run out of it between two notes.
    let most = (player_idle_s.min(game_idle_s) - 1).min(600);
    check.range("sessions.touch_s", touch_s, 0, most);
    check.range("sessions.launch_token_s", launch_token_s, 60, 120);
    check.range("sessions.player_max", player_max, 1, 100);
    check.range("sessions.game_max", game_max, 1, 100);
    check.range("sessions.per_game_max", per_game_max, 1, 100);
    check.range("sessions.failures_max", failures_max, 1, 100);
    check.range("sessions.failures_window_s", failures_window_s, 1, 86_400);
    check.range("sessions.lock_s", lock_s, 1, 30 * 86_400);
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

/// An amount by its currency's code, in whatever case: what reads the files may change it.
///
/// # Errors
/// What is wrong with it.
pub fn threshold(code: &str, amount: &str) -> Result<Money, String> {
    let currency = Currency::from_code(&code.to_ascii_uppercase());
    let currency = currency.ok_or("must be the code of a currency")?;
    let amount = Money::parse(amount, currency).map_err(|error| error.to_string())?;
    if amount.units <= 0 {
        return Err("must be more than zero".into());
    }
    Ok(amount)
}

fn providers_ranges(check: &mut Check, providers: &Providers, log: &CallbackLog) {
    let Providers {
        accounts_max,
        addresses_max,
        grace_s,
    } = providers;
    check.range("providers.accounts_max", *accounts_max, 1, 10_000);
    check.range("providers.addresses_max", *addresses_max, 1, 1000);
    check.range("providers.grace_s", *grace_s, 0, GRACE_MAX_S);
    let CallbackLog {
        sandbox: _,
        live: _,
        queue_max,
        batch_max,
        linger_ms,
        body_max_bytes,
        keep_h,
        rows_max,
        trim_every_ms,
        trim_batch_max,
        scan_max,
    } = log;
    check.range("callback_log.queue_max", *queue_max, 1, 100_000);
    check.range("callback_log.batch_max", *batch_max, 1, 10_000);
    check.range("callback_log.linger_ms", *linger_ms, 0, 10_000);
    let most = 1 << 20;
    check.range("callback_log.body_max_bytes", *body_max_bytes, 0, most);
    check.range("callback_log.keep_h", *keep_h, 1, 24 * 3650);
    check.range("callback_log.rows_max", *rows_max, 1, 10_000_000);
    check.range("callback_log.trim_every_ms", *trim_every_ms, 100, 3_600_000);
    check.range("callback_log.trim_batch_max", *trim_batch_max, 1, 100_000);
    check.range("callback_log.scan_max", *scan_max, 1, 1_000_000);
}
