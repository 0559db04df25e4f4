//! A player who plays through the real wallet, for tests of Postgres itself.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "a test is a seam of its own")]

pub mod history;
pub mod random;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use pitboss_actors::ports::{Committed, Ledger, Writer};
use pitboss_schema::{Profile, Store};
use pitboss_wallet::{
    Bet, CacheLimits, CloseRound, Command, Currency, Decision, Deposit, Environment, ExternalId,
    Facts, GameId, GameStanding, Launch, Money, Origin, Play, PlayCommand, PlayerId, PlayerState,
    Policy, ProviderId, RoundId, Seam, SessionId, SessionRules, Timestamp, Verdict, apply, decide,
};
use uuid::Uuid;

const LIMITS: CacheLimits = CacheLimits {
    rounds: 100,
    transactions: 100,
    sessions: 100,
};

pub fn policy() -> Policy {
    Policy::default()
}

pub fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

pub fn game() -> GameId {
    GameId::new("dice").unwrap()
}

pub fn external(id: &str) -> ExternalId {
    ExternalId::new(id).unwrap()
}

pub fn now() -> Timestamp {
    Timestamp::from_micros(4_000_000_000_000_000)
}

/// A UUID v7 of this moment, after all that were made before.
fn id_at(at: Timestamp) -> Uuid {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = u128::from(COUNT.fetch_add(1, Ordering::Relaxed));
    let millis = u128::try_from(at.as_micros() / 1000).unwrap();
    Uuid::from_u128(millis << 80 | 0x7 << 76 | 0x2 << 62 | count)
}

pub struct Player {
    pub store: Store,
    pub state: PlayerState,
    pub session: SessionId,
    pub token_hash: [u8; 32],
    /// What his clock says.
    pub at: Timestamp,
    origin: Origin,
    writer: Box<dyn Writer>,
}

impl Player {
    /// A new player with 1,000 units and a game session.
    pub async fn seated(store: &Store, name: &str, policy: Policy) -> Self {
        let id = PlayerId::new(name).unwrap();
        store.create_player(&id, &Profile::default()).await.unwrap();
        let session = SessionId(Uuid::now_v7());
        let mut token_hash = [0; 32];
        token_hash[..16].copy_from_slice(session.0.as_bytes());
        let mut player = Self {
            store: store.clone(),
            state: store.load(&id).await.unwrap().unwrap(),
            session,
            token_hash,
            at: now(),
            origin: Origin {
                provider: ProviderId::new("demo").unwrap(),
                policy: Arc::new(policy),
            },
            writer: store.writer().await.unwrap(),
        };
        player.run(&Command::OpenAccount(eur())).await;
        let deposit = Deposit {
            reference: external(&format!("first of {name}")),
            amount: Money::new(1_000, eur()),
        };
        player.run(&Command::Deposit(deposit)).await;
        let launch = player.launch_command(session, player.token_hash);
        player.run(&launch).await;
        player
    }

    /// A player whom an earlier version has seated.
    pub async fn returning(store: &Store, name: &str, policy: Policy) -> Self {
        let state = store.load(&PlayerId::new(name).unwrap()).await;
        let state = state.unwrap().unwrap();
        Self {
            store: store.clone(),
            session: state.sessions[0].id,
            state,
            token_hash: [0; 32],
            at: now(),
            origin: Origin {
                provider: ProviderId::new("demo").unwrap(),
                policy: Arc::new(policy),
            },
            writer: store.writer().await.unwrap(),
        }
    }

    pub async fn decide(&self, command: &Command) -> Arc<Decision> {
        let mut facts = Facts::default();
        loop {
            let mut seam = Seam {
                now: self.at,
                environment: Environment::Sandbox,
                sessions: SessionRules::default(),
                new_id: &mut || id_at(self.at),
            };
            match decide(&self.state, &facts, command, &mut seam) {
                Verdict::Commit(decision) => return Arc::from(decision),
                Verdict::Need(more) => {
                    facts.extend(self.store.find(&self.state.id, &more).await.unwrap());
                }
                other => panic!("no decision: {other:?}"),
            }
        }
    }

    /// Carries a command out if it is not refused; whether it was new.
    pub async fn attempt(&mut self, command: &Command) -> bool {
        let mut facts = Facts::default();
        loop {
            let mut seam = Seam {
                now: self.at,
                environment: Environment::Sandbox,
                sessions: SessionRules::default(),
                new_id: &mut || id_at(self.at),
            };
            match decide(&self.state, &facts, command, &mut seam) {
                Verdict::Commit(_) => break,
                Verdict::Need(more) => {
                    facts.extend(self.store.find(&self.state.id, &more).await.unwrap());
                }
                Verdict::Answer(_) | Verdict::Refuse(_) => return false,
            }
        }
        self.run(command).await;
        true
    }

    pub async fn run(&mut self, command: &Command) {
        let decision = self.decide(command).await;
        let answers = self.writer.commit(std::slice::from_ref(&decision)).await;
        assert_eq!(answers.unwrap(), [Committed::Durable]);
        apply(&mut self.state, &decision, LIMITS);
    }

    pub fn play(&self, command: PlayCommand) -> Command {
        Command::Play(Play {
            origin: self.origin.clone(),
            command,
        })
    }

    pub fn bet_command(&self, id: &str, units: i64) -> Command {
        self.bet_in(id, &format!("round of {id}"), units)
    }

    pub fn bet_in(&self, id: &str, round: &str, units: i64) -> Command {
        self.play(PlayCommand::Bet(Bet {
            transaction: external(id),
            session: self.session,
            game: game(),
            standing: GameStanding::ENABLED,
            round: RoundId::new(round).unwrap(),
            amount: Money::new(units, eur()),
            closes_round: false,
            free_round: None,
            jackpot_contribution: None,
        }))
    }

    pub async fn decide_bet(&self, id: &str, units: i64) -> Arc<Decision> {
        self.decide(&self.bet_command(id, units)).await
    }

    pub async fn bet(&mut self, id: &str, units: i64) {
        self.run(&self.bet_command(id, units)).await;
    }

    pub async fn rollback(&mut self, id: &str, target: &str) {
        self.take_back(id, target, None).await;
    }

    pub async fn close(&mut self, round: &str) {
        let close = CloseRound {
            game: game(),
            round: RoundId::new(round).unwrap(),
        };
        self.run(&self.play(PlayCommand::CloseRound(close))).await;
    }

    /// What is stored is what this decision makes of the player.
    pub async fn applied(&mut self, decision: &Decision) {
        apply(&mut self.state, decision, LIMITS);
        let loaded = self.store.load(&self.state.id).await.unwrap().unwrap();
        assert_eq!(loaded.version, self.state.version);
        assert_eq!(loaded.wallets, self.state.wallets);
    }

    /// Memory is a cache: what it held of his past is gone.
    pub fn forget(&mut self) {
        self.state.transactions.clear();
        self.state.rounds.clear();
    }

    pub fn launch_command(&self, session: SessionId, token_hash: [u8; 32]) -> Command {
        Command::Launch(Launch {
            session,
            currency: eur(),
            provider: self.origin.provider.clone(),
            game: game(),
            standing: GameStanding::ENABLED,
            token_hash,
            token_expires_at: now().plus_seconds(60),
            expires_at: now().plus_seconds(3_600),
            login: None,
            per_game_max: None,
        })
    }

    pub async fn reload(&mut self) {
        self.state = self.store.load(&self.state.id).await.unwrap().unwrap();
    }
}
