//! The operator keys that are in use: found by the hash of their secret, counted, and gone the moment they are revoked.
//!
//! A key is remembered for [`TTL`], so a server hears within that time of what another one did to it. What this server
//! does to keys it forgets at once.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dashmap::DashMap;
use governor::{
    DefaultDirectRateLimiter, Quota, clock::Clock as _, middleware::StateInformationMiddleware,
};
use pitboss_actors::ports::Clock;
use pitboss_schema::{OperatorKeyRow, Rate, Store, StoreError};
use pitboss_wallet::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Grant, Networks, Origin, Scopes};

/// How long a key is not looked up again.
pub const TTL: Duration = Duration::from_secs(1);
/// Keys remembered at most.
const KEYS_MAX: usize = 1024;
/// How often the use of a key is written down.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// An operator key that is live.
#[derive(Debug)]
pub struct Key {
    pub id: Uuid,
    /// The first characters of its secret.
    pub prefix: String,
    /// Whom it is for.
    pub person: String,
    /// Through whose hands its secret came.
    pub issuers: Vec<String>,
    pub grant: Grant,
    /// When this secret ends: with the key, or because it was rotated.
    ends_at: Option<Timestamp>,
}

/// What a secret is found to be.
#[derive(Debug, Clone)]
pub enum Found {
    Live(Arc<Key>),
    Unknown,
    /// With the key's first characters.
    Revoked(String),
    Expired(String),
}

/// The keys of one environment.
pub struct KeyRing {
    store: Store,
    clock: Arc<dyn Clock>,
    default_rate: Rate,
    live: DashMap<[u8; 32], (Instant, Arc<Key>)>,
    /// Counts what this server did to keys: what was read before is not remembered after.
    changes: AtomicU64,
    changed: Notify,
    meters: DashMap<Uuid, Meter>,
    touched: DashMap<Uuid, Instant>,
}

type Limiter = DefaultDirectRateLimiter<StateInformationMiddleware>;

struct Meter {
    rate: Rate,
    limiter: Arc<Limiter>,
    used: Instant,
}

impl KeyRing {
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, default_rate: Rate) -> Self {
        Self {
            store,
            clock,
            default_rate,
            live: DashMap::new(),
            changes: AtomicU64::new(0),
            changed: Notify::new(),
            meters: DashMap::new(),
            touched: DashMap::new(),
        }
    }

    /// What the secret with this hash is at this moment.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn find(&self, hash: &[u8; 32]) -> Result<Found, StoreError> {
        let known = self.live.get(hash).filter(|known| known.0 > Instant::now());
        if let Some(key) = known.map(|known| known.1.clone()) {
            return Ok(self.at_this_moment(key));
        }
        let changes = self.changes.load(Ordering::SeqCst);
        let Some(row) = self.store.operator_key(hash).await? else {
            return Ok(Found::Unknown);
        };
        if row.revoked_at.is_some() {
            return Ok(Found::Revoked(row.prefix));
        }
        let key = Arc::new(self.key(row)?);
        if self.live.len() < KEYS_MAX && changes == self.changes.load(Ordering::SeqCst) {
            self.live.insert(*hash, (Instant::now() + TTL, key.clone()));
            if changes != self.changes.load(Ordering::SeqCst) {
                self.live.remove(hash);
            }
        }
        Ok(self.at_this_moment(key))
    }

    /// Of keys that have none of their own.
    #[must_use]
    pub fn default_rate(&self) -> Rate {
        self.default_rate
    }

    /// What a row lets its key do.
    ///
    /// # Errors
    /// Its networks cannot be read.
    pub fn grant(&self, row: &OperatorKeyRow) -> Result<Grant, StoreError> {
        let corrupt = |error: super::NetworkError| StoreError::Corrupt(error.to_string());
        Ok(Grant {
            // A scope that only a newer version knows opens nothing here.
            scopes: Scopes::known(&row.scopes),
            allowed: Networks::parse(&row.allowed).map_err(corrupt)?,
            rate: row.rate.unwrap_or(self.default_rate),
            expires_at: row.expires_at,
        })
    }

    fn key(&self, row: OperatorKeyRow) -> Result<Key, StoreError> {
        let grant = self.grant(&row)?;
        let (prefix, rotated) = match row.old {
            Some((prefix, until)) if row.is_old => (prefix, Some(until)),
            _ => (row.prefix, None),
        };
        let ends_at = [row.expires_at, rotated].into_iter().flatten().min();
        Ok(Key {
            id: row.id,
            prefix,
            person: row.person,
            issuers: row.issuers,
            grant,
            ends_at,
        })
    }

    fn at_this_moment(&self, key: Arc<Key>) -> Found {
        if key.ends_at.is_some_and(|end| end <= self.clock.now()) {
            Found::Expired(key.prefix.clone())
        } else {
            Found::Live(key)
        }
    }

    /// This server changed, rotated or revoked a key: what is remembered counts no longer, and whoever waits by a key
    /// looks at it again.
    pub fn forget(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.live.clear();
        self.changed.notify_waiters();
    }

    /// Completes when this secret opens no longer what `grant` wanted: for whatever stays open by a key.
    pub async fn ended(&self, hash: [u8; 32], is_enough: impl Fn(&Grant) -> bool) {
        loop {
            let changed = self.changed.notified();
            match self.find(&hash).await {
                Ok(Found::Live(key)) if is_enough(&key.grant) => {}
                Ok(_) => return,
                // Nobody knows: then there is nothing to be read by it either.
                Err(error) => tracing::debug!(%error, "a key could not be looked at again"),
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(TTL) => {}
            }
        }
    }

    /// Counts a request in, and tells how many more may come at once.
    ///
    /// # Errors
    /// There were too many: how long to wait.
    pub fn count_in(&self, key: &Key) -> Result<u32, Duration> {
        let limiter = self.limiter(key);
        match limiter.check() {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(until) => Err(until.wait_time_from(limiter.clock().now())),
        }
    }

    fn limiter(&self, key: &Key) -> Arc<Limiter> {
        let rate = key.grant.rate;
        let fresh = || Meter {
            rate,
            limiter: Arc::new(DefaultDirectRateLimiter::direct(quota(rate)).with_middleware()),
            used: Instant::now(),
        };
        let mut meter = self.meters.entry(key.id).or_insert_with(fresh);
        if meter.rate != rate {
            *meter = fresh();
        }
        meter.used = Instant::now();
        meter.limiter.clone()
    }

    /// Notes that a key was used, now and then.
    pub fn touch(&self, key: &Key, origin: Origin) {
        let now = Instant::now();
        {
            let mut touched = self.touched.entry(key.id).or_insert(now - TOUCH_EVERY);
            if now.duration_since(*touched) < TOUCH_EVERY {
                return;
            }
            *touched = now;
        }
        let (store, id, at) = (self.store.clone(), key.id, self.clock.now());
        tokio::spawn(async move {
            let address = origin.address.to_string();
            if let Err(error) = store.touch_operator_key(id, at, &address).await {
                tracing::debug!(%error, "the use of a key was not noted");
            }
        });
    }

    /// Forgets what is remembered for nothing. To be called now and then.
    pub fn sweep(&self) {
        let now = Instant::now();
        self.live.retain(|_, (until, _)| *until > now);
        self.touched
            .retain(|_, touched| now.duration_since(*touched) < TOUCH_EVERY);
        // A meter that had time to fill up again says nothing.
        self.meters.retain(|_, meter| {
            let full = Duration::from_secs((meter.rate.burst / meter.rate.per_s.max(1)).into());
            now.duration_since(meter.used) <= full + TTL
        });
    }
}

fn quota(rate: Rate) -> Quota {
    let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(at_least_one(rate.per_s)).allow_burst(at_least_one(rate.burst))
}
