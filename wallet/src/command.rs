//! What can be asked of a player's wallet.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Currency, ExternalId, GameId, GameStanding, Money, Policy, ProviderId, RoundId, SessionEnd,
    SessionId, Timestamp, state::PlayerStatus,
};

/// One request to a player's wallet.
#[derive(Debug, Clone)]
pub enum Command {
    /// Opens the player's wallet in a currency; a wallet that is open stays as it is.
    OpenAccount(Currency),
    Deposit(Deposit),
    OpenSession(OpenSession),
    Launch(Launch),
    Authenticate(Authenticate),
    /// Ends a session; with a login, the games that were launched from it.
    EndSession(SessionId),
    /// Ends all that are live, for this reason.
    EndSessions(SessionEnd),
    /// Ends those whose time is over.
    ExpireSessions,
    /// The player did something in this session that is no bet.
    KeepAlive(SessionId),
    /// Tells of a new player; of one who has events already, nothing.
    Register(Registration),
    SetStatus(SetStatus),
    Adjust(Adjust),
    /// Reads the balance in a currency; writes nothing.
    Balance(Currency),
    /// A provider's request that may move money.
    Play(Play),
}

/// Money that arrived from a payment provider, idempotent on its reference.
#[derive(Debug, Clone)]
pub struct Deposit {
    /// Unique among all deposits, whoever the player is.
    pub reference: ExternalId,
    pub amount: Money,
}

/// What is told of a new player.
#[derive(Debug, Clone)]
pub struct Registration {
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// A language tag, such as `de` or `pt-BR`.
    pub language: Option<String>,
    /// A test account: no report counts it.
    pub test: bool,
}

/// The person, and the operator key by which he acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct By {
    /// The id of the operator key.
    pub key: Uuid,
    /// Whom the key is for.
    pub person: String,
}

/// Who asked for something that needs two persons, and who approved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MakerChecker {
    pub maker: By,
    /// Absent where the operator lets one person decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checker: Option<By>,
}

/// Blocks a player, closes his account, or lets him in again.
#[derive(Debug, Clone)]
pub struct SetStatus {
    pub status: PlayerStatus,
    pub reason: String,
    pub by: By,
}

/// Which way an adjustment goes, as the player sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Credit,
    Debit,
}

impl Direction {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
        }
    }
}

/// What an adjustment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentCategory {
    Goodwill,
    /// Something was booked wrong. The only one that may leave a debt.
    Correction,
    Fraud,
    Other,
}

impl AdjustmentCategory {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Goodwill => "goodwill",
            Self::Correction => "correction",
            Self::Fraud => "fraud",
            Self::Other => "other",
        }
    }
}

/// Money that people give or take by hand, once for each reference.
#[derive(Debug, Clone)]
pub struct Adjust {
    /// The approval by which it was decided.
    pub reference: ExternalId,
    pub direction: Direction,
    /// Above 0.
    pub amount: Money,
    pub category: AdjustmentCategory,
    pub reason: String,
    /// A debit may take more than there is: the rest is owed. For corrections only.
    pub allow_debt: bool,
    pub by: MakerChecker,
}

/// A player's login: the token opens the stream.
#[derive(Debug, Clone)]
pub struct OpenSession {
    pub session: SessionId,
    pub currency: Currency,
    /// SHA-256 of the token; the token itself is never kept.
    pub token_hash: [u8; 32],
    /// When it ends at the latest, whatever the player does.
    pub expires_at: Timestamp,
    pub client: Client,
}

/// From where a player logs in, as the operator tells it: for the history alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// A game session, to be taken over by the provider with a single-use launch token.
#[derive(Debug, Clone)]
pub struct Launch {
    pub session: SessionId,
    pub currency: Currency,
    pub provider: ProviderId,
    pub game: GameId,
    pub standing: GameStanding,
    pub token_hash: [u8; 32],
    pub token_expires_at: Timestamp,
    /// When it ends at the latest, whatever the player does.
    pub expires_at: Timestamp,
    /// The login that it is launched from: it ends with that.
    pub login: Option<SessionId>,
    /// Live sessions of this game for one player, where the game has a rule of its own.
    pub per_game_max: Option<usize>,
}

/// A provider exchanges the launch token of this session. It works once.
#[derive(Debug, Clone)]
pub struct Authenticate {
    pub session: SessionId,
    pub provider: ProviderId,
}

/// Who asks, and by which rules.
#[derive(Debug, Clone)]
pub struct Origin {
    pub provider: ProviderId,
    pub policy: Arc<Policy>,
}

/// A provider's request.
#[derive(Debug, Clone)]
pub struct Play {
    pub origin: Origin,
    pub command: PlayCommand,
}

#[derive(Debug, Clone)]
pub enum PlayCommand {
    Bet(Bet),
    Win(Win),
    BetWin(BetWin),
    Rollback(Rollback),
    /// Several in one call: all or nothing, in order. Those that came before keep their answers.
    Rollbacks(Vec<Rollback>),
    CloseRound(CloseRound),
    VoidRound(VoidRound),
}

impl PlayCommand {
    /// The game that a command bets on, and how it stands. A win is paid however it does (T8).
    pub fn standing_of_bet(&mut self) -> Option<(&GameId, &mut GameStanding)> {
        match self {
            Self::Bet(bet) => Some((&bet.game, &mut bet.standing)),
            Self::BetWin(batch) => Some((&batch.game, &mut batch.standing)),
            Self::Win(_)
            | Self::Rollback(_)
            | Self::Rollbacks(_)
            | Self::CloseRound(_)
            | Self::VoidRound(_) => None,
        }
    }

    /// The currency that it names; a rollback names none.
    #[must_use]
    pub const fn currency(&self) -> Option<Currency> {
        match self {
            Self::Bet(bet) => Some(bet.amount.currency),
            Self::Win(win) => Some(win.amount.currency),
            Self::BetWin(batch) => Some(batch.currency),
            Self::Rollback(_) | Self::Rollbacks(_) | Self::CloseRound(_) | Self::VoidRound(_) => {
                None
            }
        }
    }
}

#[derive(Debug, Clone)]
pub struct Bet {
    pub transaction: ExternalId,
    pub session: SessionId,
    pub game: GameId,
    pub standing: GameStanding,
    pub round: RoundId,
    pub amount: Money,
    /// No more bets after this one.
    pub closes_round: bool,
    /// The free round that this bet is; such a bet costs nothing.
    pub free_round: Option<ExternalId>,
    /// The part of the amount that goes to a jackpot, in ledger units.
    pub jackpot_contribution: Option<i64>,
}

/// What a win is paid for. Only an ordinary win belongs to a bet (T8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WinKind {
    #[default]
    Ordinary,
    Free,
    Jackpot,
    Promo,
    Tournament,
    Correction,
}

#[derive(Debug, Clone)]
pub struct Win {
    pub transaction: ExternalId,
    pub game: GameId,
    pub standing: GameStanding,
    pub round: RoundId,
    pub amount: Money,
    /// The bet that this win settles, when the provider names it.
    pub bet: Option<ExternalId>,
    pub kind: WinKind,
    pub closes_round: bool,
}

/// Bets and wins in one call: all or nothing, in order (T9).
#[derive(Debug, Clone)]
pub struct BetWin {
    pub session: SessionId,
    pub game: GameId,
    pub standing: GameStanding,
    pub round: RoundId,
    pub currency: Currency,
    pub actions: Vec<Action>,
    pub closes_round: bool,
}

/// One action of a [`BetWin`]; amounts are ledger units of its currency.
#[derive(Debug, Clone)]
pub enum Action {
    Bet {
        transaction: ExternalId,
        units: i64,
    },
    Win {
        transaction: ExternalId,
        units: i64,
        kind: WinKind,
    },
}

impl Action {
    #[must_use]
    pub const fn transaction(&self) -> &ExternalId {
        match self {
            Self::Bet { transaction, .. } | Self::Win { transaction, .. } => transaction,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Rollback {
    pub transaction: ExternalId,
    pub target: ExternalId,
    /// As the request says; the target itself knows better.
    pub round: Option<RoundId>,
    /// The amount in the request, in ledger units; its meaning is the account's policy.
    pub units: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct CloseRound {
    pub game: GameId,
    pub round: RoundId,
}

/// Takes a whole round back: its wins, then its bets, newest first, in one transaction.
#[derive(Debug, Clone)]
pub struct VoidRound {
    pub transaction: ExternalId,
    pub game: GameId,
    pub round: RoundId,
    pub reason: String,
    /// Who decided it, where people did.
    pub by: Option<MakerChecker>,
}
