//! Requests with plausible defaults, to be changed field by field.

use std::sync::Arc;

use pitboss_wallet::{
    Action, Adjust, AdjustmentCategory, Authenticate, Bet, BetWin, By, Client, CloseRound, Command,
    Currency, Deposit, DepositStep, Direction, ExternalId, GameId, GameStanding, InitiateDeposit,
    Launch, MakerChecker, Money, OpenSession, Origin, PaymentId, Person, Play, PlayCommand,
    PlayerId, PlayerStatus, Policy, ProviderId, RequestWithdrawal, Rollback, RoundId, SessionId,
    SetStatus, VoidRound, Win, WinKind, WithdrawalStep, WithdrawalTerms,
};
use uuid::Uuid;

use super::NOON;

pub const PROVIDER: &str = "demo";
pub const SESSION: u128 = 1;
pub const OTHERS_SESSION: u128 = 2;

pub fn eur() -> Currency {
    currency("EUR")
}

pub fn currency(code: &str) -> Currency {
    Currency::from_code(code).unwrap()
}

pub fn ext(id: &str) -> ExternalId {
    ExternalId::new(id).unwrap()
}

pub fn game(id: &str) -> GameId {
    GameId::new(id).unwrap()
}

pub fn round_id(id: &str) -> RoundId {
    RoundId::new(id).unwrap()
}

pub fn provider(id: &str) -> ProviderId {
    ProviderId::new(id).unwrap()
}

pub fn player(id: &str) -> PlayerId {
    PlayerId::new(id).unwrap()
}

pub fn session(id: u128) -> SessionId {
    SessionId(Uuid::from_u128(id))
}

pub fn cents(units: i64) -> Money {
    Money::new(units, eur())
}

/// Somebody with a key.
pub fn by(person: &str) -> By {
    By {
        key: Uuid::from_u128(0xb1),
        person: person.to_owned(),
    }
}

/// Two persons.
pub fn two() -> MakerChecker {
    MakerChecker {
        maker: by("Mary"),
        checker: Some(by("Carl")),
    }
}

pub fn status(status: PlayerStatus) -> Command {
    Command::SetStatus(SetStatus {
        status,
        reason: "a reason".to_owned(),
        by: by("Mary"),
    })
}

pub fn credit(reference: &str, units: i64) -> Adjust {
    Adjust {
        reference: ext(reference),
        direction: Direction::Credit,
        amount: cents(units),
        category: AdjustmentCategory::Goodwill,
        reason: "a late bus".to_owned(),
        allow_debt: false,
        by: two(),
    }
}

pub fn debit(reference: &str, units: i64) -> Adjust {
    Adjust {
        direction: Direction::Debit,
        category: AdjustmentCategory::Correction,
        reason: "paid twice".to_owned(),
        ..credit(reference, units)
    }
}

/// What a provider may send.
pub trait Request {
    fn play(self) -> PlayCommand;

    fn command(self, policy: &Policy) -> Command
    where
        Self: Sized,
    {
        Command::Play(Play {
            origin: Origin {
                provider: provider(PROVIDER),
                policy: Arc::new(policy.clone()),
            },
            command: self.play(),
        })
    }
}

macro_rules! requests {
    ($($name:ident),+) => {
        $(impl Request for $name {
            fn play(self) -> PlayCommand {
                PlayCommand::$name(self)
            }
        })+
    };
}

requests!(Bet, Win, BetWin, Rollback, CloseRound, VoidRound);

impl Request for PlayCommand {
    fn play(self) -> PlayCommand {
        self
    }
}

pub fn bet(id: &str, round: &str, units: i64) -> Bet {
    Bet {
        transaction: ext(id),
        session: session(SESSION),
        game: game("dice"),
        standing: GameStanding::ENABLED,
        round: round_id(round),
        amount: cents(units),
        closes_round: false,
        free_round: None,
        jackpot_contribution: None,
    }
}

pub fn win(id: &str, round: &str, units: i64) -> Win {
    Win {
        transaction: ext(id),
        game: game("dice"),
        standing: GameStanding::ENABLED,
        round: round_id(round),
        amount: cents(units),
        bet: None,
        kind: WinKind::Ordinary,
        closes_round: false,
    }
}

/// A win that names its bet.
pub fn win_of(bet: &str, id: &str, round: &str, units: i64) -> Win {
    Win {
        bet: Some(ext(bet)),
        ..win(id, round, units)
    }
}

pub fn rollback(id: &str, target: &str) -> Rollback {
    Rollback {
        transaction: ext(id),
        target: ext(target),
        round: None,
        units: None,
    }
}

pub fn rollback_units(id: &str, target: &str, units: i64) -> Rollback {
    Rollback {
        units: Some(units),
        ..rollback(id, target)
    }
}

pub fn close(round: &str) -> CloseRound {
    CloseRound {
        game: game("dice"),
        round: round_id(round),
    }
}

pub fn void(id: &str, round: &str) -> VoidRound {
    VoidRound {
        transaction: ext(id),
        game: game("dice"),
        round: round_id(round),
        reason: "the game crashed".to_owned(),
        by: None,
    }
}

pub fn batch(round: &str, actions: Vec<Action>) -> BetWin {
    BetWin {
        session: session(SESSION),
        game: game("dice"),
        standing: GameStanding::ENABLED,
        round: round_id(round),
        currency: eur(),
        actions,
        closes_round: false,
    }
}

pub fn a_bet(id: &str, units: i64) -> Action {
    Action::Bet {
        transaction: ext(id),
        units,
    }
}

pub fn a_win(id: &str, units: i64) -> Action {
    Action::Win {
        transaction: ext(id),
        units,
        kind: WinKind::Ordinary,
    }
}

pub fn deposit(reference: &str, units: i64) -> Command {
    Command::Deposit(Deposit {
        reference: ext(reference),
        amount: cents(units),
    })
}

/// A person with a key of his own.
pub fn person(name: &str) -> Person {
    let number = name
        .bytes()
        .fold(7_u128, |sum, byte| sum * 31 + u128::from(byte));
    Person {
        by: By {
            key: Uuid::from_u128(number),
            person: name.to_owned(),
        },
        hands: vec![name.to_lowercase()],
    }
}

/// A withdrawal without a fee that one person has to approve.
pub fn withdrawal(reference: &str, units: i64) -> RequestWithdrawal {
    RequestWithdrawal {
        reference: ext(reference),
        amount: cents(units),
        destination: Some("DE02".to_owned()),
        terms: WithdrawalTerms {
            fee_units: 0,
            approvers: 1,
            review: Vec::new(),
            may_cancel: true,
            expires_at: None,
        },
        by: person("Kate"),
    }
}

pub fn withdraw(request: RequestWithdrawal) -> Command {
    Command::RequestWithdrawal(Box::new(request))
}

pub fn initiate(reference: &str, units: i64) -> Command {
    Command::InitiateDeposit(InitiateDeposit {
        reference: ext(reference),
        amount: cents(units),
        expires_at: Some(NOON),
    })
}

pub fn step(id: PaymentId, step: WithdrawalStep) -> Command {
    Command::MoveWithdrawal(id, Box::new(step))
}

pub fn notice(id: PaymentId, step: DepositStep) -> Command {
    Command::MoveDeposit(id, step)
}

pub fn complete(reference: &str, units: i64) -> DepositStep {
    DepositStep::Complete {
        provider_reference: ext(reference),
        amount: cents(units),
    }
}

pub fn approve(name: &str) -> WithdrawalStep {
    WithdrawalStep::Approve { by: person(name) }
}

pub fn start_review() -> WithdrawalStep {
    WithdrawalStep::StartReview { by: by("Rita") }
}

pub fn cancel() -> WithdrawalStep {
    WithdrawalStep::Cancel { by: by("Kate") }
}

pub fn reject() -> WithdrawalStep {
    WithdrawalStep::Reject {
        reason: "a wrong account".to_owned(),
        by: by("Rita"),
    }
}

pub fn pay(reference: &str) -> WithdrawalStep {
    WithdrawalStep::Pay {
        provider_reference: ext(reference),
    }
}

pub fn fail() -> WithdrawalStep {
    WithdrawalStep::Fail {
        reason: "the bank refused it".to_owned(),
    }
}

pub fn give_back() -> WithdrawalStep {
    WithdrawalStep::Return {
        reason: "the account is closed".to_owned(),
    }
}

pub fn confiscate() -> WithdrawalStep {
    WithdrawalStep::Confiscate {
        reason: "fraud".to_owned(),
        by: two(),
    }
}

/// A launch that lives for a day, with a token that lives for a minute.
pub fn launch(id: u128) -> Launch {
    Launch {
        session: session(id),
        currency: eur(),
        provider: provider(PROVIDER),
        game: game("dice"),
        standing: GameStanding::ENABLED,
        token_hash: [7; 32],
        token_expires_at: NOON.plus_seconds(60),
        expires_at: NOON.plus_seconds(86_400),
        login: None,
        per_game_max: None,
    }
}

/// A login that lives for a day.
pub fn login(id: u128) -> Command {
    Command::OpenSession(OpenSession {
        session: session(id),
        currency: eur(),
        token_hash: [8; 32],
        expires_at: NOON.plus_seconds(86_400),
        client: Client::default(),
    })
}

pub fn authenticate(id: u128) -> Command {
    Command::Authenticate(Authenticate {
        session: session(id),
        provider: provider(PROVIDER),
    })
}
