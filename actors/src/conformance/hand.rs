//! A player actor without the actor: loads, decides, commits, applies; again when it was stale.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use pitboss_wallet::{
    Adjust, AdjustmentCategory, Bet, By, CacheLimits, CloseRound, Command, Currency, Decision,
    Deposit, Direction, Environment, ExternalId, Facts, GameId, GameStanding, Launch, MakerChecker,
    Money, Origin, Outcome, Play, PlayCommand, PlayerId, PlayerState, PlayerStatus, Policy,
    ProviderId, Rollback, Round, RoundId, Seam, Session, SessionId, SessionRules, SetStatus,
    Timestamp, Verdict, VoidRound, Wallet, Win, WinKind, apply, decide, invariants,
};
use uuid::Uuid;

use super::{Checked, Failure, Subject, same, wrong};
use crate::ports::{Committed, Ledger, Writer};

/// Longer than any case fights for a version.
const TRIES: usize = 10_000;

pub(super) const LIMITS: CacheLimits = CacheLimits {
    rounds: 1_000,
    transactions: 1_000,
    sessions: 100,
};

/// Far in the future, so that sessions of these tests are live by a database's clock too.
const FIRST_MOMENT_US: i64 = 4_000_000_000_000_000;

static TICK: AtomicI64 = AtomicI64::new(0);
static ID: AtomicU64 = AtomicU64::new(1);

/// A new moment, one second after the one before.
pub(super) fn now() -> Timestamp {
    let tick = TICK.fetch_add(1, Ordering::Relaxed);
    Timestamp::from_micros(FIRST_MOMENT_US + tick * 1_000_000)
}

/// Ids that no other call gave out.
pub(super) fn new_id() -> Uuid {
    Uuid::from_u64_pair(0x5eed, ID.fetch_add(1, Ordering::Relaxed))
}

/// What [`id`](fn@player) builders do with a text that these tests wrote wrong.
fn valid<T, E: std::fmt::Debug>(checked: Result<T, E>) -> T {
    match checked {
        Ok(value) => value,
        Err(error) => unreachable!("a constant of the suite is not an id: {error:?}"),
    }
}

pub(super) fn player(name: &str) -> PlayerId {
    valid(PlayerId::new(name))
}

pub(super) fn external(text: &str) -> ExternalId {
    valid(ExternalId::new(text))
}

pub(super) fn round_id(text: &str) -> RoundId {
    valid(RoundId::new(text))
}

pub(super) fn game() -> GameId {
    valid(GameId::new("dice"))
}

pub(super) fn eur() -> Currency {
    valid(Currency::from_code("EUR").ok_or("EUR"))
}

pub(super) fn money(units: i64) -> Money {
    Money::new(units, eur())
}

/// The account that the cases play with.
pub(super) fn origin(policy: Policy) -> Origin {
    Origin {
        provider: valid(ProviderId::new("demo")),
        policy: Arc::new(policy),
    }
}

pub(super) fn deposit(reference: &str, units: i64) -> Command {
    Command::Deposit(Deposit {
        reference: external(reference),
        amount: money(units),
    })
}

/// Who decides in these cases.
pub(super) fn by(person: &str) -> By {
    By {
        key: Uuid::from_u128(0xb1),
        person: person.to_owned(),
    }
}

pub(super) fn status(status: PlayerStatus) -> Command {
    Command::SetStatus(SetStatus {
        status,
        reason: "a reason".to_owned(),
        by: by("Mary"),
    })
}

/// A correction, which may leave a debt when it takes.
pub(super) fn adjust(reference: &str, direction: Direction, units: i64) -> Command {
    Command::Adjust(Adjust {
        reference: external(reference),
        direction,
        amount: money(units),
        category: AdjustmentCategory::Correction,
        reason: "paid twice".to_owned(),
        allow_debt: direction == Direction::Debit,
        by: MakerChecker {
            maker: by("Mary"),
            checker: Some(by("Carl")),
        },
    })
}

/// Requests of one provider in one session.
#[derive(Clone)]
pub(super) struct Table {
    pub origin: Origin,
    pub session: SessionId,
}

impl Table {
    pub fn play(&self, command: PlayCommand) -> Command {
        Command::Play(Play {
            origin: self.origin.clone(),
            command,
        })
    }

    pub fn bet(&self, id: &str, round: &str, units: i64) -> Command {
        self.play(PlayCommand::Bet(Bet {
            transaction: external(id),
            session: self.session,
            game: game(),
            standing: GameStanding::ENABLED,
            round: round_id(round),
            amount: money(units),
            closes_round: false,
            free_round: None,
            jackpot_contribution: None,
        }))
    }

    pub fn win(&self, id: &str, round: &str, units: i64) -> Command {
        self.play(PlayCommand::Win(Win {
            transaction: external(id),
            game: game(),
            standing: GameStanding::ENABLED,
            round: round_id(round),
            amount: money(units),
            bet: None,
            kind: WinKind::Ordinary,
            closes_round: false,
        }))
    }

    pub fn rollback(&self, id: &str, target: &str) -> Command {
        self.play(PlayCommand::Rollback(Rollback {
            transaction: external(id),
            target: external(target),
            round: None,
            units: None,
        }))
    }

    pub fn close(&self, round: &str) -> Command {
        self.play(PlayCommand::CloseRound(CloseRound {
            game: game(),
            round: round_id(round),
        }))
    }

    pub fn void(&self, id: &str, round: &str) -> Command {
        self.play(PlayCommand::VoidRound(VoidRound {
            transaction: external(id),
            game: game(),
            round: round_id(round),
            reason: "the wheel broke".to_owned(),
            by: None,
        }))
    }
}

/// One owner of one player.
pub(super) struct Hand {
    pub ledger: Arc<dyn Ledger>,
    pub writer: Box<dyn Writer>,
    pub state: PlayerState,
    /// So many seconds are added to the time of his decisions.
    pub later_s: i64,
}

impl Hand {
    /// Creates the player.
    pub async fn of_new(subject: &dyn Subject, name: &str) -> Result<Self, Failure> {
        subject.create_player(&player(name)).await?;
        Self::of(subject, name).await
    }

    /// Loads a player who exists.
    pub async fn of(subject: &dyn Subject, name: &str) -> Result<Self, Failure> {
        let ledger = subject.ledger();
        let writer = ledger.writer().await?;
        let state = ledger.load(&player(name)).await?;
        let state = state.ok_or_else(|| wrong(format!("{name} is not there")))?;
        Ok(Self {
            ledger,
            writer,
            state,
            later_s: 0,
        })
    }

    /// Creates a player with a EUR wallet, money in it, and a game session of the account.
    pub async fn seated(
        subject: &dyn Subject,
        name: &str,
        units: i64,
        policy: Policy,
    ) -> Result<(Self, Table), Failure> {
        let mut hand = Self::of_new(subject, name).await?;
        hand.accepted(&Command::OpenAccount(eur())).await?;
        if units > 0 {
            let first = deposit(&format!("first of {name}"), units);
            hand.accepted(&first).await?;
        }
        let table = Table {
            origin: origin(policy),
            session: SessionId(new_id()),
        };
        hand.accepted(&launch(&table)).await?;
        Ok((hand, table))
    }

    /// Decides on the state as it is, asking the ledger for what is needed.
    pub async fn verdict(&self, command: &Command) -> Result<Verdict, Failure> {
        self.verdict_with(command, Facts::default()).await
    }

    async fn verdict_with(&self, command: &Command, mut facts: Facts) -> Result<Verdict, Failure> {
        let at = now().plus_seconds(self.later_s);
        for _ in 0..8 {
            let mut seam = Seam {
                now: at,
                environment: Environment::Sandbox,
                sessions: SessionRules::default(),
                new_id: &mut new_id,
            };
            match decide(&self.state, &facts, command, &mut seam) {
                Verdict::Need(more) => {
                    let found = self.ledger.find(&self.state.id, &more).await?;
                    // Facts of another version are not taken: another owner has moved on.
                    if found.version != Some(self.state.version) {
                        return Ok(Verdict::Need(more));
                    }
                    facts.extend(found);
                }
                verdict => return Ok(verdict),
            }
        }
        Err(wrong("decide asks for ever"))
    }

    /// A decision on the state as it is; the case is wrong when there is none.
    pub async fn decision(&self, command: &Command) -> Result<Arc<Decision>, Failure> {
        match self.verdict(command).await? {
            Verdict::Commit(decision) => {
                invariants::check_decision(&decision)
                    .map_err(|breach| wrong(breach.to_string()))?;
                Ok(Arc::from(decision))
            }
            other => Err(wrong(format!("not a decision: {other:?}"))),
        }
    }

    pub async fn commit(&mut self, decision: &Arc<Decision>) -> Result<Committed, Failure> {
        let answers = self.writer.commit(std::slice::from_ref(decision)).await?;
        match answers.as_slice() {
            [answer] => Ok(*answer),
            other => Err(wrong(format!("{} answers to one decision", other.len()))),
        }
    }

    pub async fn reload(&mut self) -> Checked {
        let state = self.ledger.load(&self.state.id).await?;
        self.state = state.ok_or_else(|| wrong("the player is gone"))?;
        Ok(())
    }

    /// Carries a command out as an actor would: on what it remembers, and once that was stale, on
    /// everything that the ledger knows of the command.
    pub async fn run(&mut self, command: &Command) -> Result<Outcome, Failure> {
        let mut facts = Facts::default();
        for _ in 0..TRIES {
            match self.verdict_with(command, facts).await? {
                Verdict::Answer(reply) => return Ok(Ok(reply)),
                // On a stale state a refusal means nothing.
                Verdict::Refuse(refusal) if self.is_fresh().await? => return Ok(Err(refusal)),
                Verdict::Refuse(_) => self.reload().await?,
                Verdict::Need(_) => self.reload().await?,
                Verdict::Commit(decision) => {
                    let decision = Arc::from(decision);
                    match self.commit(&decision).await? {
                        Committed::Durable => {
                            apply(&mut self.state, &decision, LIMITS);
                            return Ok(decision.outcome.clone());
                        }
                        Committed::Stale => self.reload().await?,
                    }
                }
            }
            facts = self.ledger.find(&self.state.id, &command.facts()).await?;
        }
        Err(wrong("stale for ever"))
    }

    async fn is_fresh(&self) -> Result<bool, Failure> {
        let facts = self.ledger.find(&self.state.id, &[]).await?;
        Ok(facts.version == Some(self.state.version))
    }

    /// Carries a command out that must not be refused.
    #[track_caller]
    pub fn accepted<'a>(&'a mut self, command: &'a Command) -> impl Future<Output = Checked> + 'a {
        let at = std::panic::Location::caller();
        async move {
            match self.run(command).await? {
                Ok(_) => Ok(()),
                Err(refusal) => Err(Failure::Wrong {
                    at,
                    what: format!("refused: {refusal:?}"),
                }),
            }
        }
    }

    /// What is loaded must be what was applied, as far as a load goes: all but caches of what is over.
    #[track_caller]
    pub fn reads_back<'a>(&'a self, after: &'a str) -> impl Future<Output = Checked> + 'a {
        let at = std::panic::Location::caller();
        async move {
            let loaded = self.ledger.load(&self.state.id).await?;
            let loaded = loaded.ok_or_else(|| wrong("the player is gone"))?;
            let check = || -> Checked {
                same("counters", counters(&loaded), counters(&self.state))?;
                same("wallets", wallets(&loaded), wallets(&self.state))?;
                same(
                    "open rounds",
                    open_rounds(&loaded),
                    open_rounds(&self.state),
                )?;
                same("sessions", sessions(&loaded), sessions(&self.state))
            };
            check().map_err(|failure| Failure::Wrong {
                at,
                what: format!("after {after}: {failure}"),
            })
        }
    }
}

pub(super) fn launch(table: &Table) -> Command {
    let mut token_hash = [0; 32];
    token_hash[..16].copy_from_slice(table.session.0.as_bytes());
    let later = now().plus_seconds(1_000_000);
    Command::Launch(Launch {
        session: table.session,
        currency: eur(),
        provider: table.origin.provider.clone(),
        game: game(),
        standing: GameStanding::ENABLED,
        token_hash,
        token_expires_at: later,
        expires_at: later,
        login: None,
        per_game_max: None,
    })
}

fn counters(state: &PlayerState) -> impl PartialEq + std::fmt::Debug {
    let PlayerState {
        id,
        status,
        lane,
        version,
        last_transaction,
        last_event,
        ..
    } = state;
    (
        id.clone(),
        *status,
        *lane,
        *version,
        *last_transaction,
        *last_event,
    )
}

fn wallets(state: &PlayerState) -> Vec<Wallet> {
    let mut wallets = state.wallets.clone();
    wallets.sort_by_key(|wallet| wallet.currency.code());
    wallets
}

fn open_rounds(state: &PlayerState) -> Vec<Round> {
    let open = state.rounds.iter().filter(|round| round.state.is_open());
    let mut rounds: Vec<Round> = open.cloned().collect();
    rounds.sort_by_key(|round| (round.opened_at, round.key.round.clone()));
    rounds
}

fn sessions(state: &PlayerState) -> Vec<Session> {
    let live = state.sessions.iter().filter(|s| s.ended_at.is_none());
    let mut sessions: Vec<Session> = live.cloned().collect();
    sessions.sort_by_key(|session| session.id);
    sessions
}
