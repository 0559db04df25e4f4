//! The log of callbacks: what a provider's integrator asks when he wants to know what became of his request.
//!
//! What lives here: the queue between the callbacks and the database, its one writer, and what is kept (`entry`) and
//! hidden (`mask`). What must not: SQL, REST (`src/http/providers`). No callback waits for its line in the log: what the
//! writer cannot keep up with is dropped, and counted.

mod entry;
mod mask;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use pitboss_actors::ports::Clock;
use pitboss_schema::{CallbackLogMode, Store, StoreError};
use pitboss_wallet::Environment;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

pub use entry::{
    Detail, HEADERS_MAX, LoggedAnswer, LoggedBody, LoggedHeader, LoggedRequest, Seen, Signature,
};

use crate::{
    catalogue::Provider,
    config::{self, Config, ms},
};

/// The log of one environment, as this process writes it.
pub struct CallbackLog {
    environment: Environment,
    mode: CallbackLogMode,
    queue: mpsc::Sender<Seen>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl CallbackLog {
    /// Starts the writer, on connections of its own.
    #[must_use]
    pub fn start(
        environment: Environment,
        config: &Arc<Config>,
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let settings = &config.callback_log;
        let (queue, waiting) = mpsc::channel(settings.queue_max);
        let (stop, stopping) = watch::channel(false);
        let writer = Writer {
            environment,
            settings: settings.clone(),
            store,
            clock,
            is_failing: false,
        };
        Self {
            environment,
            mode: match environment {
                Environment::Sandbox => settings.sandbox,
                Environment::Live => settings.live,
            },
            queue,
            stop,
            task: Mutex::new(Some(tokio::spawn(writer.run(waiting, stopping)))),
        }
    }

    /// Whether a callback of this account is logged.
    #[must_use]
    pub fn wants(&self, provider: &Provider, failed: bool) -> bool {
        match provider.callback_log.unwrap_or(self.mode) {
            CallbackLogMode::All => true,
            CallbackLogMode::Failures => failed,
            CallbackLogMode::Off => false,
        }
    }

    /// Takes a callback, if there is room for it.
    pub fn put(&self, seen: Seen) {
        if self.queue.try_send(seen).is_err() {
            dropped(self.environment, "queue", 1);
        }
    }

    /// How many wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Writes what is waiting, within `patience`, and takes nothing more. `true`: all of it.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.stop.send_replace(true);
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match task {
            Some(task) => tokio::time::timeout(patience, task).await.is_ok(),
            None => true,
        }
    }
}

fn dropped(environment: Environment, reason: &'static str, count: usize) {
    let environment = environment.as_str();
    metrics::counter!("pitboss_callback_log_dropped_total", "environment" => environment, "reason" => reason)
        .increment(u64::try_from(count).unwrap_or(u64::MAX));
}

struct Writer {
    environment: Environment,
    settings: config::CallbackLog,
    store: Store,
    clock: Arc<dyn Clock>,
    is_failing: bool,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Seen>, mut stopping: watch::Receiver<bool>) {
        let mut trim = interval(ms(self.settings.trim_every_ms));
        trim.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            if *stopping.borrow_and_update() {
                waiting.close();
            }
            let most = self.settings.batch_max;
            tokio::select! {
                _ = stopping.changed(), if !waiting.is_closed() => {}
                count = waiting.recv_many(&mut batch, most) => {
                    if count == 0 {
                        return;
                    }
                    self.write(std::mem::take(&mut batch)).await;
                    if count < most && !waiting.is_closed() {
                        let linger = tokio::time::sleep(ms(self.settings.linger_ms));
                        tokio::select! {
                            () = linger => {}
                            _ = stopping.changed() => {}
                        }
                    }
                }
                _ = trim.tick() => {
                    if let Err(error) = self.trim().await {
                        tracing::warn!(environment = %self.environment, %error, "the log of callbacks was not trimmed");
                    }
                }
            }
        }
    }

    async fn write(&mut self, batch: Vec<Seen>) {
        let count = batch.len();
        let most = self.settings.body_max_bytes;
        let entries: Vec<_> = batch
            .into_iter()
            .map(|seen| entry::entry(seen, most))
            .collect();
        let environment = self.environment.as_str();
        match self.store.log_callbacks(&entries).await {
            Ok(()) => {
                self.is_failing = false;
                metrics::counter!("pitboss_callback_log_written_total", "environment" => environment)
                    .increment(u64::try_from(count).unwrap_or(u64::MAX));
            }
            Err(error) => {
                dropped(self.environment, "database", count);
                if !self.is_failing {
                    tracing::warn!(environment, %error, "callbacks are not logged");
                }
                self.is_failing = true;
            }
        }
    }

    /// Deletes what every account has too much of. Beside other nodes that do the same it finds little to do.
    async fn trim(&self) -> Result<(), StoreError> {
        let settings = &self.settings;
        let before = self.clock.now().plus_seconds(-3600 * settings.keep_h);
        for provider in self.store.providers().await? {
            let most = settings.trim_batch_max;
            while self
                .store
                .trim_callbacks(&provider.id, before, settings.rows_max, most)
                .await?
                == u64::from(most)
            {}
        }
        Ok(())
    }
}
