//! A node on a ledger in memory whose commits can be held, and which can panic or fail on demand.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::Arbiter;
use async_trait::async_trait;
use pitboss_actors::{
    bridge::Wake,
    journal::{Journal, JournalLimits},
    memory::MemoryLedger,
    player::{Failure, PlayerPorts},
    ports::{Clock, CommitError, Committed, Ids, Ledger, PlayerEvent, PortError, Writer},
    registry::{Registry, RegistryLimits},
};
use pitboss_wallet::{
    Bet, CacheLimits, Command, Currency, Decision, Deposit, Environment, ExternalId, Fact, Facts,
    GameId, GameStanding, Launch, Money, Origin, Outcome, Play, PlayCommand, PlayerId, PlayerState,
    Policy, ProviderId, RefusalCode, Reply, RoundId, SessionId, SessionRules, Settled, Timestamp,
};
use tokio::sync::Semaphore;
use uuid::Uuid;

pub const CACHE: CacheLimits = CacheLimits {
    rounds: 8,
    transactions: 8,
    sessions: 4,
};
pub const UNIT: i64 = 1_000_000;

/// Time that a test moves.
#[derive(Default)]
pub struct TestClock(pub AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub struct TestIds;

impl Ids for TestIds {
    #[allow(clippy::disallowed_methods, reason = "a seam of the tests")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// The ledger in memory, with a hand on it.
#[derive(Clone)]
pub struct TestLedger {
    pub memory: MemoryLedger,
    /// Commits under way wait for a permit when `held`.
    pub gate: Arc<Semaphore>,
    pub held: Arc<AtomicBool>,
    /// Commits that came to the gate.
    pub at_gate: Arc<AtomicUsize>,
    /// The next load, or the next commit, panics.
    pub load_panics: Arc<AtomicBool>,
    pub commit_panics: Arc<AtomicBool>,
    pub loads: Arc<AtomicUsize>,
    /// The players of each batch that was committed.
    pub batches: Arc<Mutex<Vec<Vec<PlayerId>>>>,
}

impl TestLedger {
    pub fn new() -> Self {
        Self {
            memory: MemoryLedger::new(4),
            gate: Arc::new(Semaphore::new(0)),
            held: Arc::default(),
            at_gate: Arc::default(),
            load_panics: Arc::default(),
            commit_panics: Arc::default(),
            loads: Arc::default(),
            batches: Arc::default(),
        }
    }

    pub fn hold(&self) {
        self.held.store(true, Ordering::SeqCst);
    }

    pub fn release(&self) {
        self.held.store(false, Ordering::SeqCst);
        self.gate.add_permits(1000);
    }

    /// The players that have been in more than one place of one batch.
    pub fn doubled_in_a_batch(&self) -> usize {
        let batches = self.batches.lock().unwrap();
        batches
            .iter()
            .filter(|batch| batch.iter().collect::<HashSet<_>>().len() != batch.len())
            .count()
    }
}

#[async_trait]
impl Ledger for TestLedger {
    async fn load(&self, player: &PlayerId) -> Result<Option<PlayerState>, PortError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        assert!(
            !self.load_panics.swap(false, Ordering::SeqCst),
            "a panic that a test asked for"
        );
        self.memory.load(player).await
    }

    async fn find(&self, player: &PlayerId, facts: &[Fact]) -> Result<Facts, PortError> {
        self.memory.find(player, facts).await
    }

    async fn events(
        &self,
        player: &PlayerId,
        after: i64,
        up_to: i64,
        limit: usize,
    ) -> Result<Vec<PlayerEvent>, PortError> {
        self.memory.events(player, after, up_to, limit).await
    }

    async fn writer(&self) -> Result<Box<dyn Writer>, PortError> {
        let inner = self.memory.writer().await?;
        Ok(Box::new(TestWriter {
            ledger: self.clone(),
            inner,
        }))
    }
}

struct TestWriter {
    ledger: TestLedger,
    inner: Box<dyn Writer>,
}

#[async_trait]
impl Writer for TestWriter {
    async fn commit(&self, batch: &[Arc<Decision>]) -> Result<Vec<Committed>, CommitError> {
        if self.ledger.held.load(Ordering::SeqCst) {
            self.ledger.at_gate.fetch_add(1, Ordering::SeqCst);
            self.ledger.gate.acquire().await.unwrap().forget();
        }
        assert!(
            !self.ledger.commit_panics.swap(false, Ordering::SeqCst),
            "a panic that a test asked for"
        );
        let players = batch
            .iter()
            .map(|decision| decision.player.clone())
            .collect();
        self.ledger.batches.lock().unwrap().push(players);
        self.inner.commit(batch).await
    }
}

pub const JOURNAL: JournalLimits = JournalLimits {
    writers: 2,
    batch_max: 16,
    linger: Duration::ZERO,
    queue_max: 1000,
    commit_timeout: Duration::from_secs(20),
};

pub const REGISTRY: RegistryLimits = RegistryLimits {
    in_flight_max: 1000,
    per_player_max: 100,
    players_max: 1000,
    patience: Duration::from_secs(20),
};

/// One node.
pub struct Node {
    pub ledger: TestLedger,
    pub registry: Arc<Registry>,
    pub journal: Journal,
    pub wake: Wake,
    pub clock: Arc<TestClock>,
    _arbiters: Vec<Arbiter>,
}

impl Node {
    pub fn new(ledger: &TestLedger) -> Self {
        Self::with(ledger, REGISTRY, JOURNAL)
    }

    pub fn with(ledger: &TestLedger, registry: RegistryLimits, journal: JournalLimits) -> Self {
        let arbiters: Vec<Arbiter> = (0..2).map(|_| Arbiter::new()).collect();
        let handles: Vec<_> = arbiters.iter().map(Arbiter::handle).collect();
        let port: Arc<dyn Ledger> = Arc::new(ledger.clone());
        let journal = Journal::start(port.clone(), journal, &handles);
        let wake = Wake::new(4);
        let clock = Arc::new(TestClock::default());
        let ports = Arc::new(PlayerPorts {
            environment: Environment::Sandbox,
            ledger: port,
            journal: journal.clone(),
            clock: clock.clone(),
            ids: Arc::new(TestIds),
            wake: wake.clone(),
            cache: CACHE,
            sessions: SessionRules::default(),
        });
        let registry = Registry::new(ports, handles, registry);
        Self {
            ledger: ledger.clone(),
            registry,
            journal,
            wake,
            clock,
            _arbiters: arbiters,
        }
    }

    /// A player with 100.00 EUR and a game session.
    pub async fn player(&self, name: &str) -> Player {
        let id = PlayerId::new(name).unwrap();
        self.ledger.memory.create_player(&id);
        let session = SessionId(TestIds.uuid());
        let player = Player { id, session };
        let deposit = Deposit {
            reference: external(&format!("d-{name}")),
            amount: eur(100),
        };
        let launch = Launch {
            session,
            currency: currency(),
            provider: origin().provider,
            game: game(),
            standing: GameStanding::ENABLED,
            token_hash: [0; 32],
            token_expires_at: Timestamp::from_micros(i64::MAX),
            expires_at: Timestamp::from_micros(i64::MAX),
            login: None,
            per_game_max: None,
        };
        for command in [
            Command::OpenAccount(currency()),
            Command::Deposit(deposit),
            Command::Launch(launch),
        ] {
            self.registry
                .execute(&player.id, command)
                .await
                .unwrap()
                .unwrap();
        }
        player
    }

    pub async fn bet(&self, player: &Player, id: &str, units: i64) -> Result<Outcome, Failure> {
        self.registry
            .execute(&player.id, player.bet(id, units))
            .await
    }

    /// The player's cash as this node sees it, in ledger units.
    pub async fn cash(&self, player: &Player) -> i64 {
        match self
            .registry
            .execute(&player.id, Command::Balance(currency()))
            .await
        {
            Ok(Ok(Reply::Balance(balance))) => balance.cash,
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Clone)]
pub struct Player {
    pub id: PlayerId,
    pub session: SessionId,
}

impl Player {
    pub fn bet(&self, id: &str, units: i64) -> Command {
        Command::Play(Play {
            origin: origin(),
            command: PlayCommand::Bet(Bet {
                transaction: external(id),
                session: self.session,
                game: game(),
                standing: GameStanding::ENABLED,
                round: RoundId::new("round").unwrap(),
                amount: Money::new(units, currency()),
                closes_round: false,
                free_round: None,
                jackpot_contribution: None,
            }),
        })
    }
}

pub fn currency() -> Currency {
    Currency::from_code("EUR").unwrap()
}

pub fn eur(major: i64) -> Money {
    Money::new(major * UNIT, currency())
}

pub fn external(id: &str) -> ExternalId {
    ExternalId::new(id).unwrap()
}

pub fn game() -> GameId {
    GameId::new("dice").unwrap()
}

pub fn origin() -> Origin {
    let policy = Policy {
        auto_close_after_s: Some(60),
        ..Policy::default()
    };
    Origin {
        provider: ProviderId::new("demo").unwrap(),
        policy: Arc::new(policy),
    }
}

pub fn settled(outcome: Result<Outcome, Failure>) -> Settled {
    match outcome {
        Ok(Ok(Reply::Settled(settled))) => settled,
        other => panic!("not settled: {other:?}"),
    }
}

pub fn refused(outcome: Result<Outcome, Failure>) -> RefusalCode {
    match outcome {
        Ok(Err(refusal)) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

/// Waits for something that happens on another thread.
pub async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never happened: {what}");
}
