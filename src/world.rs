//! One environment, wired: its database, its players, its bus. Nothing crosses from one to another (INV-12).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::ArbiterHandle;
use pitboss_actors::{
    bridge::{Bridge, BridgeHandle, BridgeLimits, Wake},
    journal::{Journal, JournalLimits},
    player::PlayerPorts,
    ports::{Clock, Ids, Ledger, Retention},
    registry::{Registry, RegistryLimits},
    session::{SessionLimits, Sessions, StreamLimits, StreamPorts},
    sweeper::{Sweeper, SweeperLimits},
};
use pitboss_schema::{
    Rate, Store, StoreError, StoreOptions,
    reports::{ReportLimits, Reports},
};
use pitboss_wallet::{CacheLimits, Command, Environment, PlayerId, Reply, SessionRules};
use secrecy::ExposeSecret;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{
    access::{KeyRing, Refusals},
    approvals,
    callback_log::CallbackLog,
    catalogue::Catalogue,
    config::{Config, Connections, ms},
    feed::FeedWatch,
    games::Games,
    http::ApiError,
    nats::{BusError, JetStreamBus},
    payments,
    seams::{SystemClock, SystemIds},
    vault::Vault,
    webhooks::{Parts, Webhooks},
};

/// How often providers and games are read anew.
const CATALOGUE_EVERY: Duration = Duration::from_secs(2);
/// How often old idempotency keys, and secrets that are over, are thrown away.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Everything of one environment.
pub struct World {
    pub environment: Environment,
    pub config: Arc<Config>,
    pub store: Store,
    /// Beside the store: reports must not take the connections that players wait for.
    pub reports: Reports,
    pub ledger: Arc<dyn Ledger>,
    pub registry: Arc<Registry>,
    pub journal: Journal,
    pub sessions: Arc<Sessions>,
    /// What all sockets share.
    pub stream: Arc<StreamPorts>,
    pub catalogue: Catalogue,
    pub callback_log: CallbackLog,
    pub games: Games,
    /// For whoever waits for the next event.
    pub feed: FeedWatch,
    pub webhooks: Webhooks,
    pub vault: Vault,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub keys: KeyRing,
    pub refusals: Arc<Refusals>,
    /// This run of this node.
    pub run: Uuid,
    bridge: BridgeHandle,
}

/// Why an environment cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("{environment}: {source}")]
    Store {
        environment: Environment,
        source: StoreError,
    },
    #[error("{environment}: {source}")]
    Bus {
        environment: Environment,
        source: BusError,
    },
    #[error("{environment}: webhooks: {source}")]
    Webhooks {
        environment: Environment,
        source: rustls::Error,
    },
}

/// The database of an environment, by the configuration.
///
/// # Errors
/// The address cannot be read.
pub fn open_store(config: &Config, connections: &Connections) -> Result<Store, StoreError> {
    let options = store_options(config, "pitboss", config.postgres.pool_size);
    Store::connect(connections.postgres_url.expose_secret(), options)
}

fn store_options(config: &Config, name: &str, pool_size: usize) -> StoreOptions {
    let postgres = &config.postgres;
    StoreOptions {
        application_name: name.to_owned(),
        pool_size,
        wait_timeout: ms(postgres.wait_ms),
        statement_timeout: ms(postgres.statement_timeout_ms),
        answer_timeout: ms(postgres.statement_timeout_ms + 2000),
        loaded_rounds: config.players.cache_rounds,
        loaded_sessions: config.players.cache_sessions,
        fresh_lane_max_bytes: config.bridge.fresh_lane_max_bytes,
        ..StoreOptions::default()
    }
}

impl World {
    /// Connects, loads and starts the actors on `arbiters`.
    ///
    /// # Errors
    /// [`WorldError`]: the database is away or of another version, or the bus has other settings. A bus that
    /// is away is no error.
    pub async fn start(
        environment: Environment,
        config: Arc<Config>,
        vault: Vault,
        arbiters: &[ArbiterHandle],
    ) -> Result<Arc<Self>, WorldError> {
        let connections = config.connections(environment);
        let failed = |source| WorldError::Store {
            environment,
            source,
        };
        let store = open_store(&config, connections).map_err(failed)?;
        // Of its own: a backlog of events must not take the connections that players are waiting for.
        let options = store_options(&config, "pitboss bridge", config.bridge.connections);
        let outbox = store.beside(options).map_err(failed)?;
        // And people's questions must not wait for what is written for them, nor bets.
        let options = store_options(&config, "pitboss callbacks", 1);
        let logging = store.beside(options).map_err(failed)?;
        let install = store.check_installed().await.map_err(failed)?;
        store.name_environment(environment).await.map_err(failed)?;
        let catalogue = Catalogue::load(&store, &vault).await.map_err(failed)?;
        let games = Games::load(&store).await.map_err(failed)?;
        let bus = JetStreamBus::check(connections, &config.nats)
            .await
            .map_err(|source| WorldError::Bus {
                environment,
                source,
            })?;

        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let ledger: Arc<dyn Ledger> = Arc::new(store.clone());
        let wake = Wake::new(install.lanes);
        let journal = Journal::start(ledger.clone(), journal_limits(&config), arbiters);
        let players = Arc::new(PlayerPorts {
            environment,
            ledger: ledger.clone(),
            journal: journal.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            wake: wake.clone(),
            cache: CacheLimits {
                rounds: config.players.cache_rounds,
                transactions: config.players.cache_transactions,
                sessions: config.players.cache_sessions,
            },
            sessions: session_rules(&config),
        });
        let registry = Registry::new(players, arbiters.to_vec(), registry_limits(&config));
        let sessions = Sessions::new(SessionLimits {
            max_sessions: config.stream.sessions_max,
            max_sessions_per_player: config.stream.sessions_per_player_max,
        });
        let stream = Arc::new(StreamPorts {
            environment,
            incarnation: install.incarnation,
            limits: stream_limits(&config),
            source: registry.clone(),
            ledger: ledger.clone(),
            clock: clock.clone(),
            sessions: sessions.clone(),
        });
        let last = arbiters
            .last()
            .cloned()
            .unwrap_or_else(actix::Arbiter::current);
        let feed = FeedWatch::new(wake.clone(), config.events.waiters_max);
        let keys = KeyRing::new(
            store.clone(),
            clock.clone(),
            Rate {
                per_s: config.rest.rate_per_s,
                burst: config.rest.rate_burst,
            },
        );
        let run = ids.uuid();
        let webhooks = Webhooks::start(Parts {
            environment,
            config: config.clone(),
            // Beside the bridge: endpoints must not take the connections that players are waiting for either.
            store: outbox.clone(),
            vault: vault.clone(),
            feed: feed.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        })
        .map_err(|source| WorldError::Webhooks {
            environment,
            source,
        })?;
        let callback_log = CallbackLog::start(environment, &config, logging, clock.clone());
        let bridge = Bridge::start_on(
            &last,
            environment.as_str(),
            ids.uuid(),
            Arc::new(outbox),
            Arc::new(bus),
            wake,
            bridge_limits(&config),
        );
        Sweeper::start_on(
            &last,
            registry.clone(),
            Arc::new(store.clone()),
            clock.clone(),
            SweeperLimits {
                every: ms(config.sweeper.every_ms),
                idle: Duration::from_secs(config.players.idle_s),
                batch_max: config.sweeper.batch_max,
            },
        );
        Ok(Arc::new(Self {
            environment,
            reports: Reports::new(store.clone(), report_limits(&config)),
            config,
            store,
            ledger,
            registry,
            journal,
            sessions,
            stream,
            catalogue,
            callback_log,
            games,
            feed,
            webhooks,
            vault,
            clock,
            ids,
            bridge,
            keys,
            refusals: Arc::default(),
            run,
        }))
    }

    /// Looks for other nodes' events, keeps the catalogue fresh, the sessions watched and old idempotency keys away, and
    /// finishes approvals, until aborted.
    #[must_use]
    pub fn keep_house(self: &Arc<Self>) -> JoinHandle<()> {
        let world = self.clone();
        let every = ms(self.config.events.poll_ms);
        let looking = self.feed.clone().poll(self.store.clone(), every);
        let keeping = async move {
            let mut forget_at = Instant::now();
            loop {
                tokio::time::sleep(CATALOGUE_EVERY).await;
                if let Err(error) = world.catalogue.refresh(&world.store, &world.vault).await {
                    tracing::warn!(environment = %world.environment, %error, "the catalogue was not read anew");
                }
                world
                    .sessions
                    .sweep(Duration::from_secs(2 * world.config.stream.idle_timeout_s));
                world.keys.sweep();
                if forget_at.elapsed() >= FORGET_EVERY {
                    forget_at = Instant::now();
                    let before = world
                        .clock
                        .now()
                        .plus_seconds(-3600 * world.config.rest.idempotency_h);
                    if let Err(error) = world.store.forget_idempotent_answers(before).await {
                        tracing::warn!(%error, "old idempotency keys were not thrown away");
                    }
                    if let Err(error) = world.store.forget_old_secrets(world.clock.now()).await {
                        tracing::warn!(%error, "old secrets were not thrown away");
                    }
                }
            }
        };
        let world = self.clone();
        let games = async move {
            let every = ms(world.config.catalogue.poll_ms);
            let environment = world.environment.as_str();
            world
                .games
                .keep_fresh(&world.store, every, environment)
                .await;
        };
        let world = self.clone();
        let sweeping = async move {
            loop {
                tokio::time::sleep(ms(world.config.approvals.sweep_ms)).await;
                if let Err(error) = approvals::sweep(&world).await {
                    tracing::warn!(environment = %world.environment, %error, "approvals were not looked after");
                }
            }
        };
        let world = self.clone();
        let paying = async move {
            loop {
                tokio::time::sleep(ms(world.config.payments.sweep_ms)).await;
                if let Err(error) = payments::sweep(&world).await {
                    tracing::warn!(environment = %world.environment, %error, "payments were not looked after");
                }
            }
        };
        tokio::spawn(async move {
            tokio::join!(looking, keeping, games, sweeping, paying);
        })
    }

    /// Carries a command out for the REST edges.
    ///
    /// # Errors
    /// The refusal or failure as a problem document.
    pub async fn execute(&self, player: &PlayerId, command: Command) -> Result<Reply, ApiError> {
        Ok(self.registry.execute(player, command).await??)
    }

    /// Publishes what is in the outbox, within `patience`. `true`: all of it.
    pub async fn drain_bridge(&self, patience: Duration) -> bool {
        self.bridge.drain(patience).await
    }
}

fn session_rules(config: &Config) -> SessionRules {
    let sessions = &config.sessions;
    SessionRules {
        player_idle_s: sessions.player_idle_s,
        game_idle_s: sessions.game_idle_s,
        touch_s: sessions.touch_s,
        player_max: sessions.player_max,
        game_max: sessions.game_max,
        per_game_max: sessions.per_game_max,
        when_full: sessions.when_full,
    }
}

fn stream_limits(config: &Config) -> StreamLimits {
    let stream = &config.stream;
    StreamLimits {
        max_frame_bytes: stream.frame_max_bytes,
        max_queued_bytes: stream.queued_max_bytes,
        max_frames_per_s: stream.commands_per_s_max,
        heartbeat: Duration::from_secs(stream.heartbeat_s),
        idle_timeout: Duration::from_secs(stream.idle_timeout_s),
        resume_max: i64::try_from(stream.resume_max).unwrap_or(i64::MAX),
        max_commands_waiting: stream.commands_waiting_max,
        max_refused_tokens: stream.refused_tokens_max,
        retry_jitter: ms(stream.drain_jitter_ms),
        ..StreamLimits::default()
    }
}

fn report_limits(config: &Config) -> ReportLimits {
    let reports = &config.reports;
    ReportLimits {
        concurrent: reports.concurrent_max,
        timeout: Duration::from_secs(reports.timeout_s),
        work_mem_mb: reports.work_mem_mb,
    }
}

fn journal_limits(config: &Config) -> JournalLimits {
    let journal = &config.journal;
    JournalLimits {
        writers: journal.writers,
        batch_max: journal.batch_max,
        linger: Duration::from_micros(journal.linger_us),
        queue_max: journal.queue_max,
        commit_timeout: ms(journal.commit_timeout_ms),
    }
}

fn registry_limits(config: &Config) -> RegistryLimits {
    let players = &config.players;
    RegistryLimits {
        in_flight_max: players.in_flight_max,
        per_player_max: players.per_player_max,
        players_max: players.players_max,
        patience: ms(players.patience_ms),
    }
}

fn bridge_limits(config: &Config) -> BridgeLimits {
    let (bridge, outbox) = (&config.bridge, &config.outbox);
    BridgeLimits {
        batch_max: bridge.batch_max,
        poll: ms(bridge.poll_ms),
        linger: ms(bridge.linger_ms),
        linger_busy: ms(bridge.linger_busy_ms),
        lease: Duration::from_secs(bridge.lease_s),
        retry_after: ms(bridge.retry_ms),
        retention: Retention {
            keep: Duration::from_secs(outbox.keep_h * 3600),
            hold: Duration::from_secs(outbox.hold_h * 3600),
        },
        trim_every: ms(outbox.trim_every_ms),
        trim_batch_max: outbox.trim_batch_max,
    }
}
