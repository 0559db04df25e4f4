//! What can be asked of a player's wallet.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Currency, ExternalId, GameId, GameStanding, Money, Policy, ProviderId, RoundId, SessionId,
    Timestamp, state::PlayerStatus,
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
    EndSession(SessionId),
    SetStatus(PlayerStatus),
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

/// A player's login: the token opens the stream.
#[derive(Debug, Clone)]
pub struct OpenSession {
    pub session: SessionId,
    pub currency: Currency,
    /// SHA-256 of the token; the token itself is never kept.
    pub token_hash: [u8; 32],
    pub expires_at: Timestamp,
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
    pub expires_at: Timestamp,
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
}
