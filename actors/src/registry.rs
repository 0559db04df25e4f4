//! The registry: who is in memory, and who may come in.
//!
//! One actor per player per node. An entry is an address with a generation: when an actor ends, by panic
//! or by choice, only its own generation is removed, and the next request starts a new one. Two actors of
//! one player may overlap for a moment (as they do on two nodes); the ledger's fence keeps that safe.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix::{Actor, Addr, ArbiterHandle};
use async_trait::async_trait;
use dashmap::DashMap;
use pitboss_wallet::{Command, Outcome, PlayerId};

use crate::{
    mail::{self, MailError},
    metric,
    player::{Execute, Failure, LeaveIfIdle, PlayerActor, PlayerPorts, Subscribe, View},
    ports::PortError,
    stream::{EventSink, Snapshot, StreamSource},
};

/// Limits of the registry. Over any of them a request is refused before any work.
#[derive(Debug, Clone, Copy)]
pub struct RegistryLimits {
    /// Requests under way, over all players.
    pub in_flight_max: usize,
    /// Requests under way or waiting for one player.
    pub per_player_max: usize,
    /// Players in memory.
    pub players_max: usize,
    /// How long a caller waits for an answer.
    pub patience: Duration,
}

#[derive(Clone)]
struct Slot {
    address: Addr<PlayerActor>,
    generation: u64,
    usage: Arc<Usage>,
}

#[derive(Default)]
struct Usage {
    in_flight: AtomicUsize,
    /// Milliseconds on the registry's clock.
    last_used_ms: AtomicU64,
}

/// The players of one environment on this node.
pub struct Registry {
    slots: DashMap<PlayerId, Slot>,
    ports: Arc<PlayerPorts>,
    arbiters: Vec<ArbiterHandle>,
    hasher: RandomState,
    limits: RegistryLimits,
    generations: AtomicU64,
    in_flight: Arc<AtomicUsize>,
    started_at: Instant,
}

impl Registry {
    /// Players live on `arbiters`, of which there must be at least one.
    #[must_use]
    pub fn new(
        ports: Arc<PlayerPorts>,
        arbiters: Vec<ArbiterHandle>,
        limits: RegistryLimits,
    ) -> Arc<Self> {
        Arc::new(Self {
            slots: DashMap::new(),
            ports,
            arbiters,
            hasher: RandomState::new(),
            limits,
            generations: AtomicU64::new(0),
            in_flight: Arc::new(AtomicUsize::new(0)),
            started_at: Instant::now(),
        })
    }

    /// Carries a command out for a player.
    ///
    /// # Errors
    /// [`Failure`]: there is no outcome; `Busy` says that nothing was begun.
    pub async fn execute(&self, player: &PlayerId, command: Command) -> Result<Outcome, Failure> {
        let (slot, _ticket) = self.admit(player)?;
        let patience = self.limits.patience;
        let execute = Execute {
            command,
            accepted_at: Instant::now(),
            patience,
        };
        let answer = mail::ask(&slot.address, execute, patience).await;
        self.settle(player, &slot, answer)
    }

    /// The player's wallets and open rounds as they are now.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn view(&self, player: &PlayerId) -> Result<Snapshot, Failure> {
        let (slot, _ticket) = self.admit(player)?;
        let view = View {
            accepted_at: Instant::now(),
        };
        let answer = mail::ask(&slot.address, view, self.limits.patience).await;
        self.settle(player, &slot, answer)
    }

    /// Players in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Requests under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Asks every player that nobody has used for `idle` to leave, at most `limit` of them.
    pub fn evict_idle(self: &Arc<Self>, idle: Duration, limit: usize) {
        let before_ms = self.now_ms().saturating_sub(millis(idle));
        let leaving: Vec<(PlayerId, Slot)> = self
            .slots
            .iter()
            .filter(|entry| entry.usage.last_used_ms.load(Ordering::Relaxed) <= before_ms)
            .take(limit)
            .map(|entry| (entry.key().clone(), entry.value().clone()))
            .collect();
        for (player, slot) in leaving {
            let eviction = Eviction {
                registry: Arc::downgrade(self),
                player,
                generation: slot.generation,
                before_ms,
            };
            mail::tell(&slot.address, LeaveIfIdle(eviction));
        }
    }

    fn admit(&self, player: &PlayerId) -> Result<(Slot, Ticket), Failure> {
        let all = Ticket::count(&self.in_flight);
        if all > self.limits.in_flight_max {
            return Err(refuse(&self.in_flight, "in_flight"));
        }
        let slot = match self.slot(player) {
            Some(slot) => slot,
            None => return Err(refuse(&self.in_flight, "players")),
        };
        // `slot` has counted this request already, under the guard that an eviction takes too.
        if slot.usage.in_flight.load(Ordering::Relaxed) > self.limits.per_player_max {
            slot.usage.in_flight.fetch_sub(1, Ordering::Relaxed);
            return Err(refuse(&self.in_flight, "player"));
        }
        let ticket = Ticket {
            all: self.in_flight.clone(),
            usage: slot.usage.clone(),
        };
        Ok((slot, ticket))
    }

    /// The player's slot, with this request counted in; a new actor when there is none that lives.
    fn slot(&self, player: &PlayerId) -> Option<Slot> {
        let now_ms = self.now_ms();
        let enter = |slot: &Slot| {
            slot.usage.in_flight.fetch_add(1, Ordering::Relaxed);
            slot.usage.last_used_ms.store(now_ms, Ordering::Relaxed);
            slot.clone()
        };
        if let Some(slot) = self.slots.get(player)
            && slot.address.connected()
        {
            return Some(enter(&slot));
        }
        if self.slots.len() >= self.limits.players_max {
            return None;
        }
        let mut entry = self
            .slots
            .entry(player.clone())
            .or_insert_with(|| self.start(player));
        if !entry.address.connected() {
            tracing::error!("a player's actor has ended and is started anew");
            *entry = self.start(player);
        }
        Some(enter(&entry))
    }

    fn start(&self, player: &PlayerId) -> Slot {
        let count = u64::try_from(self.arbiters.len()).unwrap_or(1).max(1);
        let index = usize::try_from(self.hasher.hash_one(player) % count).unwrap_or(0);
        let (id, ports) = (player.clone(), self.ports.clone());
        let address = PlayerActor::start_in_arbiter(&self.arbiters[index], move |_| {
            PlayerActor::new(id, ports)
        });
        let generation = self.generations.fetch_add(1, Ordering::Relaxed);
        Slot {
            address,
            generation,
            usage: Arc::default(),
        }
    }

    fn settle<T>(
        &self,
        player: &PlayerId,
        slot: &Slot,
        answer: Result<Result<T, Failure>, MailError>,
    ) -> Result<T, Failure> {
        match answer {
            Ok(Err(Failure::UnknownPlayer)) => {
                // Names that nobody has must not fill the memory.
                self.remove(player, slot.generation);
                Err(Failure::UnknownPlayer)
            }
            Ok(result) => result,
            Err(MailError::Gone) => {
                self.remove(player, slot.generation);
                Err(Failure::Retry)
            }
            Err(MailError::Late) => Err(Failure::Retry),
        }
    }

    /// Removes this very actor's entry. It ends when the last request that holds its address has ended.
    fn remove(&self, player: &PlayerId, generation: u64) {
        self.slots
            .remove_if(player, |_, slot| slot.generation == generation);
    }

    fn now_ms(&self) -> u64 {
        millis(self.started_at.elapsed())
    }
}

#[async_trait]
impl StreamSource for Registry {
    async fn subscribe(
        &self,
        player: &PlayerId,
        sink: Arc<dyn EventSink>,
    ) -> Result<Snapshot, PortError> {
        let subscribed = async {
            let (slot, _ticket) = self.admit(player)?;
            let subscribe = Subscribe {
                sink,
                accepted_at: Instant::now(),
            };
            let answer = mail::ask(&slot.address, subscribe, self.limits.patience).await;
            self.settle(player, &slot, answer)
        };
        subscribed
            .await
            .map_err(|failure: Failure| PortError(failure.to_string()))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn refuse(in_flight: &AtomicUsize, reason: &'static str) -> Failure {
    in_flight.fetch_sub(1, Ordering::Relaxed);
    metrics::counter!(metric::REFUSED, "actor" => "player", "reason" => reason).increment(1);
    Failure::Busy(reason)
}

/// A request under way: counted for all and for its player, until dropped.
struct Ticket {
    all: Arc<AtomicUsize>,
    usage: Arc<Usage>,
}

impl Ticket {
    /// Counts one more, and returns how many that makes.
    fn count(all: &AtomicUsize) -> usize {
        all.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
        self.usage.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Permission to leave, to be confirmed by the player's actor itself.
pub struct Eviction {
    registry: Weak<Registry>,
    player: PlayerId,
    generation: u64,
    before_ms: u64,
}

impl Eviction {
    /// Takes the player out of the registry, unless somebody has asked for him since. `true`: nobody has his
    /// address any more, and nothing waits in his mailbox.
    pub(crate) fn confirm(&self) -> bool {
        let Some(registry) = self.registry.upgrade() else {
            return true;
        };
        let removed = registry.slots.remove_if(&self.player, |_, slot| {
            slot.generation == self.generation
                && slot.usage.in_flight.load(Ordering::Relaxed) == 0
                && slot.usage.last_used_ms.load(Ordering::Relaxed) <= self.before_ms
        });
        removed.is_some()
    }
}
