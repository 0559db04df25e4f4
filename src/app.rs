//! The process: the environments that it serves, and whether it takes work.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use pitboss_actors::metric;
use pitboss_wallet::Environment;

use crate::{
    config::Config,
    contract,
    http::{self, Published},
    openapi,
    world::World,
};

/// What every HTTP handler shares.
pub struct App {
    pub config: Arc<Config>,
    worlds: Vec<Arc<World>>,
    accepting: AtomicBool,
    event_contract: OnceLock<Published>,
    api_contract: OnceLock<Published>,
}

impl App {
    #[must_use]
    pub fn new(config: Arc<Config>, worlds: Vec<Arc<World>>) -> Arc<Self> {
        Arc::new(Self {
            config,
            worlds,
            accepting: AtomicBool::new(true),
            event_contract: OnceLock::new(),
            api_contract: OnceLock::new(),
        })
    }

    /// The environment, if this process serves it.
    #[must_use]
    pub fn world(&self, environment: Environment) -> Option<&Arc<World>> {
        self.worlds
            .iter()
            .find(|world| world.environment == environment)
    }

    #[must_use]
    pub fn worlds(&self) -> &[Arc<World>] {
        &self.worlds
    }

    /// The contract of the events, made at the first question.
    pub fn event_contract(&self) -> &Published {
        let public_url = &self.config.server.public_url;
        self.event_contract
            .get_or_init(|| Published::new(&contract::document(public_url)))
    }

    /// The contract of the REST API, made at the first question.
    pub fn api_contract(&self) -> &Published {
        let (public_url, page_max) = (&self.config.server.public_url, self.config.rest.page_max);
        self.api_contract.get_or_init(|| {
            Published::new(&openapi::document(&http::routes(), public_url, page_max))
        })
    }

    /// `false` once the server is stopping.
    #[must_use]
    pub fn accepts_work(&self) -> bool {
        self.accepting.load(Ordering::Acquire)
    }

    /// From now on new work is refused.
    pub fn stop_accepting(&self) {
        self.accepting.store(false, Ordering::Release);
    }

    /// Requests that players are still working on.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.worlds
            .iter()
            .map(|world| world.registry.in_flight())
            .sum()
    }

    /// Sets the gauges that nobody else keeps current.
    pub fn refresh_gauges(&self) {
        let gauge = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let journal = self.worlds.iter().map(|world| world.journal.depth()).sum();
        metrics::gauge!(metric::JOURNAL_DEPTH).set(gauge(journal));
        metrics::gauge!(metric::MAILBOX_DEPTH, "actor" => "journal").set(gauge(journal));
        metrics::gauge!(metric::MAILBOX_DEPTH, "actor" => "player").set(gauge(self.in_flight()));
        for world in &self.worlds {
            let environment = world.environment.as_str();
            metrics::gauge!("pitboss_players_loaded", "environment" => environment)
                .set(gauge(world.registry.len()));
            metrics::gauge!("pitboss_event_waiters", "environment" => environment)
                .set(gauge(world.feed.waiters()));
            metrics::gauge!("pitboss_callback_log_queue", "environment" => environment)
                .set(gauge(world.callback_log.waiting()));
            metrics::gauge!("pitboss_reports_running", "environment" => environment)
                .set(gauge(world.reports.running()));
            metrics::gauge!("pitboss_bridge_fresh_bytes", "environment" => environment)
                .set(gauge(world.store.fresh_bytes()));
        }
    }
}
