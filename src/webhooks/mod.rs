//! Webhooks: the event feed, sent to endpoints of the operator by the Standard Webhooks specification.
//!
//! What lives here: who serves which endpoint ([`Webhooks`]; a lease in the database, by its clock), the loop of
//! one endpoint (`courier`), one request (`sender`), and the pure rules: signatures (`signature`), what follows
//! from an answer (`plan`), which addresses may be reached (`guard`). What must not: SQL, REST
//! (`src/http/webhooks.rs`).
//!
//! ```text
//! feed --page of the endpoint's own position--> courier --waves--> sender --> endpoint
//!                                                  |  <--outcomes-- plan
//!                                                  v one statement: position, health, events to try again
//! ```

mod courier;
mod guard;
mod plan;
mod sender;
mod signature;
mod test_event;

use std::{collections::HashMap, sync::Arc, time::Duration};

use pitboss_actors::ports::{Clock, Ids};
use pitboss_schema::{Store, StoreError, WebhookRow};
use pitboss_wallet::{Environment, Timestamp};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use uuid::Uuid;

pub use guard::NotAllowed;
pub use plan::Outcome;
pub use sender::{Sender, Target};
pub use signature::{SECRET_PREFIX, new_secret};
pub use test_event::{TEST_EVENT, TestEvent};

use self::courier::Courier;
use crate::{
    config::Config,
    feed::{FeedWatch, TypeFilter},
    vault::{Vault, VaultError},
};

/// Why webhooks cannot be delivered.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("the secret of a webhook: {0}")]
    Vault(#[from] VaultError),
}

/// What the service needs.
pub struct Parts {
    pub environment: Environment,
    pub config: Arc<Config>,
    pub store: Store,
    pub vault: Vault,
    pub feed: FeedWatch,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
}

/// The webhooks of one environment.
pub struct Webhooks {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    parts: Parts,
    sender: Sender,
    /// This run of this node, on its leases.
    owner: Uuid,
    /// Endpoints were changed: look at them now.
    changed: Notify,
}

/// The task that serves one endpoint.
struct Served {
    epoch: i64,
    stop: watch::Sender<bool>,
    oldest: watch::Receiver<Option<Timestamp>>,
    task: JoinHandle<()>,
}

/// Where the secret of an endpoint is sealed for.
#[must_use]
pub fn secret_place(id: Uuid) -> String {
    format!("webhook/{id}")
}

/// Where to send to, and the secrets to sign with.
///
/// # Errors
/// A secret cannot be opened.
pub fn target(vault: &Vault, row: &WebhookRow) -> Result<Target, VaultError> {
    let place = secret_place(row.id);
    let old = row.old_secret.iter();
    let old = old.map(|(sealed, until)| (sealed, Some(*until)));
    let sealed = std::iter::once((&row.secret, None)).chain(old);
    let secrets = sealed.map(|(sealed, until)| {
        let plain = vault.open(&place, sealed)?;
        Ok((String::from_utf8_lossy(&plain).into_owned(), until))
    });
    Ok(Target {
        url: row.url.clone(),
        secrets: secrets.collect::<Result<_, VaultError>>()?,
    })
}

impl Webhooks {
    /// Starts serving whatever endpoints this node gets hold of.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn start(parts: Parts) -> Result<Self, rustls::Error> {
        let settings = &parts.config.webhooks;
        let sender = Sender::new(parts.environment, settings, parts.clock.clone())?;
        let owner = parts.ids.uuid();
        let shared = Arc::new(Shared {
            parts,
            sender,
            owner,
            changed: Notify::new(),
        });
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(shared.clone().run(stopped));
        Ok(Self {
            shared,
            stop,
            task: std::sync::Mutex::new(Some(task)),
        })
    }

    /// An endpoint was made or changed: this node takes it up at once, others with their next look.
    pub fn look(&self) {
        self.shared.changed.notify_one();
    }

    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.shared.sender
    }

    /// Ends what is under way, writes the positions down and gives the endpoints back, within `patience`.
    pub async fn drain(&self, patience: Duration) -> bool {
        let _ = self.stop.send(true);
        let task = self.task.lock().map_or(None, |mut task| task.take());
        match task {
            Some(task) => tokio::time::timeout(patience, task).await.is_ok(),
            None => true,
        }
    }
}

impl Shared {
    async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let lease = Duration::from_secs(self.parts.config.webhooks.lease_s);
        let mut served: HashMap<Uuid, Served> = HashMap::new();
        // Thrice per lease, so that one renewal may fail.
        let mut tick = tokio::time::interval(lease / 3);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = tick.tick() => {}
                () = self.changed.notified() => {}
            }
            match self.parts.store.claim_webhooks(self.owner, lease).await {
                Ok(rows) => self.serve(rows, &mut served),
                Err(error) => {
                    tracing::warn!(environment = %self.parts.environment, %error, "webhooks could not be claimed");
                }
            }
        }
        for endpoint in served.values() {
            let _ = endpoint.stop.send(true);
        }
        let tasks = served.into_values().map(|endpoint| endpoint.task);
        futures_util::future::join_all(tasks).await;
        if let Err(error) = self.parts.store.release_webhooks(self.owner).await {
            tracing::warn!(%error, "webhooks could not be given back: their leases will run out");
        }
    }

    /// One task for each endpoint that is held, under its present settings.
    fn serve(self: &Arc<Self>, rows: Vec<WebhookRow>, served: &mut HashMap<Uuid, Served>) {
        self.refresh_gauges(&rows, served);
        let held: HashMap<Uuid, WebhookRow> = rows.into_iter().map(|row| (row.id, row)).collect();
        for (id, endpoint) in served.iter() {
            if held.get(id).is_none_or(|row| row.epoch != endpoint.epoch) {
                let _ = endpoint.stop.send(true);
            }
        }
        served.retain(|_, endpoint| !endpoint.task.is_finished());
        for (id, row) in held {
            // One that is still ending is waited for: order.
            if served.contains_key(&id) {
                continue;
            }
            let epoch = row.epoch;
            let (stop, stopped) = watch::channel(false);
            let (oldest, oldest_receiver) = watch::channel(None);
            match self.courier(row, stopped, oldest) {
                Ok(courier) => {
                    let shared = self.clone();
                    let task = tokio::spawn(async move {
                        courier.run().await;
                        shared.changed.notify_one();
                    });
                    let endpoint = Served {
                        epoch,
                        stop,
                        oldest: oldest_receiver,
                        task,
                    };
                    served.insert(id, endpoint);
                }
                Err(error) => tracing::error!(webhook = %id, %error, "a webhook cannot be served"),
            }
        }
    }

    fn courier(
        &self,
        row: WebhookRow,
        stop: watch::Receiver<bool>,
        oldest: watch::Sender<Option<Timestamp>>,
    ) -> Result<Courier, WebhookError> {
        let parts = &self.parts;
        let filter = TypeFilter::parse(row.types.iter().map(String::as_str))
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Ok(Courier {
            target: target(&parts.vault, &row)?,
            filter,
            row,
            settings: parts.config.webhooks.clone(),
            scan_max: parts.config.events.scan_max,
            store: parts.store.clone(),
            feed: parts.feed.clone(),
            sender: self.sender.clone(),
            clock: parts.clock.clone(),
            stop,
            oldest,
        })
    }

    #[allow(clippy::cast_precision_loss, reason = "gauges")]
    fn refresh_gauges(&self, rows: &[WebhookRow], served: &HashMap<Uuid, Served>) {
        let environment = self.parts.environment.as_str();
        let gauge = |name: &'static str, value: f64| {
            metrics::gauge!(name, "environment" => environment).set(value);
        };
        let now = self.parts.clock.now();
        let oldest = served
            .values()
            .filter_map(|endpoint| *endpoint.oldest.borrow())
            .min();
        let age_us = oldest.map_or(0, |at| {
            now.as_micros().saturating_sub(at.as_micros()).max(0)
        });
        let paused = |row: &&WebhookRow| plan::is_paused(&row.health, &self.parts.config.webhooks);
        gauge("pitboss_webhook_endpoints", rows.len() as f64);
        gauge(
            "pitboss_webhook_endpoints_paused",
            rows.iter().filter(paused).count() as f64,
        );
        gauge(
            "pitboss_webhook_waiting",
            rows.iter().map(|row| row.waiting).sum::<i64>() as f64,
        );
        gauge(
            "pitboss_webhook_dead",
            rows.iter().map(|row| row.dead).sum::<i64>() as f64,
        );
        gauge("pitboss_webhook_age_seconds", age_us as f64 / 1e6);
    }
}
