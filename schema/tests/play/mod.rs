//! A player who plays through the real wallet, for tests of Postgres itself.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::disallowed_methods, reason = "a test is a seam of its own")]

pub mod history;

use std::sync::Arc;

use pitboss_actors::ports::{Committed, Ledger, Writer};
use pitboss_schema::Store;
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

fn game() -> GameId {
    GameId::new("dice").unwrap()
}

fn external(id: &str) -> ExternalId {
    ExternalId::new(id).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_micros(4_000_000_000_000_000)
}

pub struct Player {
    pub store: Store,
    pub state: PlayerState,
    pub session: SessionId,
    pub token_hash: [u8; 32],
    origin: Origin,
    writer: Box<dyn Writer>,
}

impl Player {
    /// A new player with 1,000 units and a game session.
    pub async fn seated(store: &Store, name: &str, policy: Policy) -> Self {
        let id = PlayerId::new(name).unwrap();
        store.create_player(&id, None).await.unwrap();
        let session = SessionId(Uuid::now_v7());
        let mut token_hash = [0; 32];
        token_hash[..16].copy_from_slice(session.0.as_bytes());
        let mut player = Self {
            store: store.clone(),
            state: store.load(&id).await.unwrap().unwrap(),
            session,
            token_hash,
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
                now: now(),
                environment: Environment::Sandbox,
                sessions: SessionRules::default(),
                new_id: &mut Uuid::now_v7,
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

    pub async fn run(&mut self, command: &Command) {
        let decision = self.decide(command).await;
        let answers = self.writer.commit(std::slice::from_ref(&decision)).await;
        assert_eq!(answers.unwrap(), [Committed::Durable]);
        apply(&mut self.state, &decision, LIMITS);
    }

    fn play(&self, command: PlayCommand) -> Command {
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
