//! A Postgres shared by the tests of one binary, and a database for each.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::{Arc, Weak};

use pitboss_schema::{AuditAction, AuditActor, AuditNote, Store, StoreOptions};
use pitboss_services::{Postgres, PostgresOptions, ScratchDir};
use pitboss_wallet::Timestamp;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls};

pub const LANES: u16 = 4;

/// Ended with the last test that uses it: a static would never be dropped.
pub struct Cluster {
    pub postgres: Postgres,
    _scratch: ScratchDir,
}

static CLUSTER: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());

async fn cluster() -> Arc<Cluster> {
    let mut shared = CLUSTER.lock().await;
    if let Some(cluster) = shared.upgrade() {
        return cluster;
    }
    let scratch = ScratchDir::new("schema").unwrap();
    let options = PostgresOptions::for_tests(scratch.join("postgres"));
    let cluster = Arc::new(Cluster {
        postgres: Postgres::start(options).await.unwrap(),
        _scratch: scratch,
    });
    *shared = Arc::downgrade(&cluster);
    cluster
}

/// An empty, migrated database.
pub struct Database {
    pub store: Store,
    pub url: String,
    _cluster: Arc<Cluster>,
}

impl Database {
    pub async fn new(name: &str) -> Self {
        Self::with(name, StoreOptions::default()).await
    }

    pub async fn with(name: &str, options: StoreOptions) -> Self {
        let database = Self::empty(name, options).await;
        database.store.migrate(LANES).await.unwrap();
        database
    }

    /// Not migrated.
    pub async fn empty(name: &str, options: StoreOptions) -> Self {
        let cluster = cluster().await;
        cluster.postgres.create_database(name).await.unwrap();
        let url = cluster.postgres.url(name);
        Self {
            store: Store::connect(&url, options).unwrap(),
            url,
            _cluster: cluster,
        }
    }

    /// A plain connection, for what the store does not do.
    pub async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

/// An entry of the audit log, of a number of its own.
pub fn note(action: AuditAction, subject: &str) -> AuditNote {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(1);
    AuditNote {
        id: uuid::Uuid::from_u64_pair(0xa0d1, COUNT.fetch_add(1, Ordering::Relaxed)),
        at: Timestamp::from_micros(1_760_000_000_000_000),
        action,
        actor: AuditActor {
            kind: "server",
            id: "test".to_owned(),
            person: None,
            address: None,
        },
        subject: subject.to_owned(),
        detail: serde_json::json!({}),
    }
}
