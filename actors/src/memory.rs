//! The ledger and the outbox in memory, for tests: what Postgres promises, without Postgres.
//!
//! [`crate::conformance`] runs against both, so that a test on this one says something about the other.

mod outbox;

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use pitboss_wallet::{
    Account, CacheLimits, Decision, ExternalId, Fact, Facts, Kind, Origin, Payment, PlayerId,
    PlayerState, Policy, ProviderId, Receipt, Round, RoundKey, Session, StoredTransaction,
    Timestamp, TransactionId, TransactionKey, TransactionScope, apply,
};

use crate::ports::{
    CommitError, Committed, Housekeeping, Ledger, OutboxEvent, OverdueRound, PlayerEvent,
    PortError, Writer,
};
use outbox::Lane;

/// As many as a state is loaded with; the rest is asked for as facts.
const LOADED_ROUNDS: usize = 32;
const LOADED_SESSIONS: usize = 16;
/// The rows below hold what a state only caches.
const NOTHING_CACHED: CacheLimits = CacheLimits {
    rounds: 0,
    transactions: 0,
    sessions: 0,
};

/// What goes wrong with the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and nothing is written.
    Failed,
    /// Its outcome is unknown, and nothing was written.
    LostRequest,
    /// Its outcome is unknown, and all was written.
    LostAnswer,
}

/// A ledger in memory. Clones share it.
#[derive(Clone)]
pub struct MemoryLedger {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    players: HashMap<PlayerId, Player>,
    /// Whose an external id is that is unique over a whole provider account.
    provider_keys: HashMap<Key, PlayerId>,
    lanes: Vec<Lane>,
    /// When the bus made the stream of each family, in its own words.
    streams: HashMap<String, String>,
    policies: HashMap<ProviderId, Arc<Policy>>,
    faults: VecDeque<Fault>,
}

type Key = (ProviderId, Kind, ExternalId);

struct Player {
    state: PlayerState,
    /// In the order of their opening, with the moment of their last movement.
    rounds: Vec<(Round, Timestamp)>,
    sessions: Vec<Session>,
    payments: Vec<Payment>,
    transactions: HashMap<Key, StoredTransaction>,
    reversals: HashMap<TransactionId, Receipt>,
    events: Vec<PlayerEvent>,
}

fn key(key: &TransactionKey) -> Key {
    (key.provider.clone(), key.kind, key.external_id.clone())
}

impl MemoryLedger {
    /// An empty ledger with this many lanes.
    #[must_use]
    pub fn new(lanes: u16) -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                players: HashMap::new(),
                provider_keys: HashMap::new(),
                lanes: (0..lanes.max(1)).map(|_| Lane::default()).collect(),
                streams: HashMap::new(),
                policies: HashMap::new(),
                faults: VecDeque::new(),
            })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a player without a wallet, unless there is one of this id.
    pub fn create_player(&self, id: &PlayerId) {
        let mut inner = self.lock();
        let sum: usize = id.as_str().bytes().map(usize::from).sum();
        let lane = u16::try_from(sum % inner.lanes.len()).unwrap_or(0);
        inner.players.entry(id.clone()).or_insert_with(|| Player {
            state: PlayerState::new(id.clone(), lane),
            rounds: Vec::new(),
            sessions: Vec::new(),
            payments: Vec::new(),
            transactions: HashMap::new(),
            reversals: HashMap::new(),
            events: Vec::new(),
        });
    }

    /// Makes a provider account known to [`Housekeeping`].
    pub fn put_provider(&self, origin: &Origin) {
        let policy = origin.policy.clone();
        self.lock().policies.insert(origin.provider.clone(), policy);
    }

    /// Makes one of the next commits go wrong, in the order of the calls.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }
}

impl Player {
    fn round(&self, key: &RoundKey) -> Option<&Round> {
        let mut rounds = self.rounds.iter().map(|(round, _)| round);
        rounds.find(|round| round.key == *key)
    }

    fn load(&self) -> PlayerState {
        let mut state = self.state.clone();
        let open = self.rounds.iter().map(|(round, _)| round);
        let mut rounds: VecDeque<Round> = VecDeque::new();
        for round in open.rev().filter(|round| round.state.is_open()) {
            if rounds.len() < LOADED_ROUNDS {
                rounds.push_front(round.clone());
            }
        }
        state.rounds = rounds;
        let live = self.sessions.iter().rev().filter(|s| s.ended_at.is_none());
        state.sessions = live.take(LOADED_SESSIONS).rev_into();
        state
    }

    fn stored(&self, asked: &TransactionKey) -> Option<StoredTransaction> {
        let mut stored = self.transactions.get(&key(asked))?.clone();
        stored.key = asked.clone();
        stored.reversal = self.reversals.get(&stored.receipt.transaction).cloned();
        Some(stored)
    }
}

/// Collects in reverse order.
trait RevInto<T> {
    fn rev_into(self) -> VecDeque<T>;
}

impl<'a, T: Clone + 'a, I: Iterator<Item = &'a T>> RevInto<T> for I {
    fn rev_into(self) -> VecDeque<T> {
        let mut all = VecDeque::new();
        for item in self {
            all.push_front(item.clone());
        }
        all
    }
}

impl Inner {
    fn is_stale(&self, decision: &Decision) -> bool {
        let Some(player) = self.players.get(&decision.player) else {
            return true;
        };
        let fenced =
            player.state.version != decision.expected_version || player.state.lane != decision.lane;
        let taken = decision.transactions.iter().any(|transaction| {
            let key = key(&transaction.key);
            let wide = transaction.key.scope == TransactionScope::Provider;
            player.transactions.contains_key(&key)
                || (wide && self.provider_keys.contains_key(&key))
        });
        let exists = decision
            .rounds
            .iter()
            .any(|change| change.is_new && player.round(&change.round.key).is_some());
        let overdrawn = decision
            .balances
            .iter()
            .any(|change| change.units < 0 && change.account != Account::Receivable);
        fenced || taken || exists || overdrawn
    }

    fn commit(&mut self, decision: &Decision) -> Committed {
        if self.is_stale(decision) {
            return Committed::Stale;
        }
        let Some(player) = self.players.get_mut(&decision.player) else {
            return Committed::Stale;
        };
        apply(&mut player.state, decision, NOTHING_CACHED);
        let at = decision.events.first().map(|event| event.at);
        for change in &decision.rounds {
            let touched = at.unwrap_or(change.round.opened_at);
            let key = &change.round.key;
            match player.rounds.iter_mut().find(|(old, _)| old.key == *key) {
                Some(old) => *old = (change.round.clone(), touched),
                None => player.rounds.push((change.round.clone(), touched)),
            }
        }
        for change in &decision.sessions {
            let id = change.session.id;
            match player.sessions.iter_mut().find(|old| old.id == id) {
                Some(old) => *old = change.session.clone(),
                None => player.sessions.push(change.session.clone()),
            }
        }
        for change in &decision.payments {
            let id = change.payment.id();
            player.payments.retain(|old| old.id() != id);
            player.payments.push(change.payment.clone());
        }
        for transaction in &decision.transactions {
            let key = key(&transaction.key);
            if transaction.key.scope == TransactionScope::Provider {
                self.provider_keys
                    .insert(key.clone(), decision.player.clone());
            }
            if let Some(target) = transaction.reverses {
                player.reversals.insert(target, transaction.receipt.clone());
            }
            let stored = StoredTransaction {
                key: transaction.key.clone(),
                player: decision.player.clone(),
                state: transaction.state,
                fingerprint: transaction.fingerprint,
                round: transaction.round.clone(),
                receipt: transaction.receipt.clone(),
                refusal: transaction.refusal.clone(),
                reversal: None,
            };
            player.transactions.insert(key, stored);
        }
        let lane = &mut self.lanes[usize::from(decision.lane)];
        for event in &decision.events {
            player.events.push(PlayerEvent {
                seq: event.seq,
                body: Arc::from(event.body.as_str()),
            });
            let lane_seq = count(lane.events.len()) + 1;
            let event = OutboxEvent::of(lane_seq, &decision.player, event);
            lane.events.push(event);
        }
        Committed::Durable
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn load(&self, player: &PlayerId) -> Result<Option<PlayerState>, PortError> {
        Ok(self.lock().players.get(player).map(Player::load))
    }

    async fn find(&self, player: &PlayerId, facts: &[Fact]) -> Result<Facts, PortError> {
        let inner = self.lock();
        let own = inner.players.get(player);
        let mut found = Facts {
            version: own.map(|own| own.state.version),
            ..Facts::default()
        };
        for fact in facts {
            match fact {
                Fact::Transaction(asked) => {
                    let wide = asked.scope == TransactionScope::Provider;
                    let owner = inner.provider_keys.get(&key(asked)).filter(|_| wide);
                    let of = owner.map_or(own, |owner| inner.players.get(owner));
                    let stored = of.and_then(|of| of.stored(asked));
                    found.transactions.push((asked.clone(), stored));
                }
                Fact::Round(key) => {
                    let round = own.and_then(|own| own.round(key)).cloned();
                    found.rounds.push((key.clone(), round));
                }
                Fact::Session(id) => {
                    let session = own.and_then(|own| own.sessions.iter().find(|s| s.id == *id));
                    found.sessions.push((*id, session.cloned()));
                }
                Fact::Sessions => {
                    let his = own.into_iter().flat_map(|own| &own.sessions);
                    let unended = his.filter(|session| session.ended_at.is_none());
                    found.unended = Some(unended.cloned().collect());
                }
                Fact::Payment(id) => {
                    let mut his = own.into_iter().flat_map(|own| &own.payments);
                    let payment = his.find(|payment| payment.id() == *id);
                    found.payments.push((*id, payment.cloned()));
                }
            }
        }
        Ok(found)
    }

    async fn events(
        &self,
        player: &PlayerId,
        after: i64,
        up_to: i64,
        limit: usize,
    ) -> Result<Vec<PlayerEvent>, PortError> {
        let inner = self.lock();
        let events = inner.players.get(player).map(|player| &player.events);
        let wanted = events
            .into_iter()
            .flatten()
            .filter(|event| event.seq > after && event.seq <= up_to);
        Ok(wanted.take(limit).cloned().collect())
    }

    async fn writer(&self) -> Result<Box<dyn Writer>, PortError> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Writer for MemoryLedger {
    async fn commit(&self, batch: &[Arc<Decision>]) -> Result<Vec<Committed>, CommitError> {
        let mut inner = self.lock();
        let fault = inner.faults.pop_front();
        match fault {
            Some(Fault::Failed) => return Err(CommitError::Failed("injected".to_owned())),
            Some(Fault::LostRequest) => return Err(CommitError::Unknown("injected".to_owned())),
            Some(Fault::LostAnswer) | None => {}
        }
        // One after the other: a second decision for one player finds the version moved.
        let answers = batch.iter().map(|entry| inner.commit(entry)).collect();
        match fault {
            Some(_) => Err(CommitError::Unknown("injected".to_owned())),
            None => Ok(answers),
        }
    }
}

#[async_trait]
impl Housekeeping for MemoryLedger {
    async fn overdue_rounds(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OverdueRound>, PortError> {
        let inner = self.lock();
        let mut overdue = Vec::new();
        for player in inner.players.values() {
            for (round, touched) in &player.rounds {
                let policy = inner.policies.get(&round.key.provider);
                let after_s = policy.and_then(|policy| policy.auto_close_after_s);
                let (Some(policy), Some(after_s)) = (policy, after_s) else {
                    continue;
                };
                if round.state.is_open() && touched.plus_seconds(i64::from(after_s)) <= now {
                    let round = OverdueRound {
                        player: player.state.id.clone(),
                        origin: Origin {
                            provider: round.key.provider.clone(),
                            policy: policy.clone(),
                        },
                        game: round.game.clone(),
                        round: round.key.round.clone(),
                    };
                    overdue.push((*touched, round));
                }
            }
        }
        overdue.sort_by_key(|(touched, _)| *touched);
        overdue.truncate(limit);
        Ok(overdue.into_iter().map(|(_, round)| round).collect())
    }

    async fn players_with_due_sessions(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<PlayerId>, PortError> {
        let inner = self.lock();
        let mut due = Vec::new();
        for player in inner.players.values() {
            let unended = player.sessions.iter().filter(|s| s.ended_at.is_none());
            let over = unended.map(|session| session.expires_at);
            due.extend(
                over.filter(|at| *at <= now)
                    .map(|at| (at, &player.state.id)),
            );
        }
        due.sort();
        due.truncate(limit);
        let players: BTreeSet<&PlayerId> = due.into_iter().map(|(_, player)| player).collect();
        Ok(players.into_iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        conformance::{self, Subject},
        ports::Outbox,
    };

    struct Memory(MemoryLedger);

    #[async_trait]
    impl Subject for Memory {
        fn ledger(&self) -> Arc<dyn Ledger> {
            Arc::new(self.0.clone())
        }

        fn outbox(&self) -> Arc<dyn Outbox> {
            Arc::new(self.0.clone())
        }

        fn housekeeping(&self) -> Arc<dyn Housekeeping> {
            Arc::new(self.0.clone())
        }

        async fn create_player(&self, player: &PlayerId) -> Result<(), PortError> {
            self.0.create_player(player);
            Ok(())
        }

        async fn put_provider(&self, origin: &Origin) -> Result<(), PortError> {
            self.0.put_provider(origin);
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_ledger_in_memory_conforms() {
        let failed = conformance::run(&Memory(MemoryLedger::new(4))).await;
        let report: Vec<String> = failed
            .iter()
            .map(|(name, failure)| format!("{name}: {failure}"))
            .collect();
        assert!(report.is_empty(), "{}", report.join("\n"));
    }
}
