//! Rounds: what groups the bets and wins of one play of a game.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Currency, ExternalId, Funding, GameId, Kind, ProviderId, RoundId, Timestamp, TransactionId,
};

/// What names a round of one player.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoundKey {
    // First what tells two of them apart, as in a transaction's key.
    pub round: RoundId,
    /// Set when the provider's round ids are unique within a game only.
    pub game: Option<GameId>,
    pub provider: ProviderId,
}

/// `open -> closed | voided`, and `interrupted` in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundState {
    Open,
    /// Open, but nobody plays it: it waits to be resumed, closed or voided.
    Interrupted,
    Closed,
    /// Taken back as a whole.
    Voided,
}

impl RoundState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Interrupted => "interrupted",
            Self::Closed => "closed",
            Self::Voided => "voided",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Interrupted, Self::Closed, Self::Voided]
            .into_iter()
            .find(|state| state.as_str() == name)
    }

    /// Whether the round takes bets.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Interrupted)
    }
}

/// A bet or a win of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundEntry {
    pub transaction: TransactionId,
    /// [`Kind::Bet`] or [`Kind::Win`].
    pub kind: Kind,
    pub external_id: ExternalId,
    /// Ledger units.
    pub units: i64,
    pub funding: Funding,
    /// The bet that a win names.
    pub names_bet: Option<ExternalId>,
    /// Ledger units given back, once the entry was reversed (a partial rollback gives less than all).
    pub reversed_units: Option<i64>,
}

impl RoundEntry {
    /// Whether it stands, wholly or in part.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        match self.reversed_units {
            Some(back) => back < self.units,
            None => true,
        }
    }

    /// What still stands of the amount.
    #[must_use]
    pub const fn standing_units(&self) -> i64 {
        match self.reversed_units {
            Some(back) => self.units.saturating_sub(back),
            None => self.units,
        }
    }
}

/// A round with everything that happened in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    pub key: RoundKey,
    pub game: GameId,
    pub currency: Currency,
    pub state: RoundState,
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// In the order in which they were accepted.
    pub entries: Vec<RoundEntry>,
}

impl Round {
    fn sum(&self, kind: Kind) -> i64 {
        self.entries
            .iter()
            .filter(|entry| entry.kind == kind)
            .fold(0, |sum, entry| sum.saturating_add(entry.standing_units()))
    }

    /// Bets that stand, in ledger units.
    #[must_use]
    pub fn stake(&self) -> i64 {
        self.sum(Kind::Bet)
    }

    /// Wins that stand, in ledger units.
    #[must_use]
    pub fn won(&self) -> i64 {
        self.sum(Kind::Win)
    }

    /// The stake that an open round holds, in ledger units.
    #[must_use]
    pub fn held(&self) -> i64 {
        if self.state.is_open() {
            self.stake()
        } else {
            0
        }
    }

    /// The stake that an open round holds, whatever it comes to.
    pub(crate) fn exactly_held(&self) -> i128 {
        if !self.state.is_open() {
            return 0;
        }
        let bets = self.entries.iter().filter(|entry| entry.kind == Kind::Bet);
        bets.map(|entry| i128::from(entry.standing_units())).sum()
    }

    /// The entry of this kind with this external id.
    #[must_use]
    pub fn entry(&self, kind: Kind, external_id: &ExternalId) -> Option<&RoundEntry> {
        self.entries
            .iter()
            .find(|entry| entry.kind == kind && entry.external_id == *external_id)
    }

    /// Whether a win stands that settles this bet: one that names it; or one that names none and came after
    /// it, or came when the round had no bet that it could have been for.
    #[must_use]
    pub fn is_settled(&self, bet: &ExternalId) -> bool {
        let is_bet = |entry: &RoundEntry| entry.kind == Kind::Bet;
        let first = self.entries.iter().position(is_bet);
        let at = self
            .entries
            .iter()
            .position(|entry| is_bet(entry) && entry.external_id == *bet);
        self.entries.iter().enumerate().any(|(place, entry)| {
            let settles = match &entry.names_bet {
                Some(named) => named == bet,
                None => at.is_none_or(|at| place > at) || first.is_none_or(|first| place < first),
            };
            entry.kind == Kind::Win && entry.is_live() && settles
        })
    }

    /// Whether the round had bets and none of them stands.
    #[must_use]
    pub fn is_fully_rolled_back(&self) -> bool {
        let mut bets = self
            .entries
            .iter()
            .filter(|entry| entry.kind == Kind::Bet)
            .peekable();
        bets.peek().is_some() && bets.all(|bet| !bet.is_live())
    }

    /// Whether the round ever had a bet.
    #[must_use]
    pub fn has_bets(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == Kind::Bet)
    }
}
