//! What the wallet must know of a game.

use std::sync::Arc;

use crate::{Countries, Currency, Money};

/// Whether a known game takes bets. From the most to the least: of two switches the greater counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum GameSwitch {
    #[default]
    Enabled,
    /// No launches, and bets only in rounds that are open already: what was begun may be finished.
    Finishing,
    Disabled,
}

impl GameSwitch {
    /// Of what was switched off.
    #[must_use]
    pub const fn off(finish_open_round: bool) -> Self {
        if finish_open_round {
            Self::Finishing
        } else {
            Self::Disabled
        }
    }
}

/// What one bet may be, in a currency, in ledger units. `None`: without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StakeLimits {
    pub currency: Currency,
    pub min: Option<i64>,
    pub max: Option<i64>,
}

impl StakeLimits {
    /// A bet of 0 is a free round or a feature of a round that is paid for: no minimum is meant for it.
    #[must_use]
    pub fn allow(&self, units: i64) -> bool {
        let enough = units == 0 || self.min.is_none_or(|min| units >= min);
        enough && self.max.is_none_or(|max| units <= max)
    }

    /// For a person: `from 0.10 to 100.00 EUR`.
    #[must_use]
    pub fn range(&self) -> String {
        let amount = |units| Money::new(units, self.currency);
        match (self.min.map(amount), self.max.map(amount)) {
            (Some(min), Some(max)) => format!("from {min} to {max} {}", self.currency),
            (Some(min), None) => format!("at least {min} {}", self.currency),
            (None, Some(max)) => format!("at most {max} {}", self.currency),
            (None, None) => format!("any amount of {}", self.currency),
        }
    }
}

/// To whom, in what and for how much a game is offered. The default: to everybody, in everything, for any amount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GameTerms {
    /// Empty: every currency.
    pub currencies: Vec<Currency>,
    pub limits: Vec<StakeLimits>,
    pub countries: Countries,
}

impl GameTerms {
    #[must_use]
    pub fn offer(&self, currency: Currency) -> bool {
        self.currencies.is_empty() || self.currencies.contains(&currency)
    }

    #[must_use]
    pub fn limits(&self, currency: Currency) -> Option<&StakeLimits> {
        let mut limits = self.limits.iter();
        limits.find(|limits| limits.currency == currency)
    }
}

/// How a game of a request stands in the catalogue. Only bets and launches ask: wins are paid whatever it says
/// (T8), and a repeat is answered before anybody looks (T3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GameStanding {
    Known {
        switch: GameSwitch,
        /// `None`: the default ones.
        terms: Option<Arc<GameTerms>>,
    },
    Unknown,
}

impl GameStanding {
    /// A game that is known and takes bets.
    pub const ENABLED: Self = Self::switched(GameSwitch::Enabled);
    /// A game that is known and takes bets in open rounds alone.
    pub const FINISHING: Self = Self::switched(GameSwitch::Finishing);
    /// A game that is known and takes no bets.
    pub const DISABLED: Self = Self::switched(GameSwitch::Disabled);

    const fn switched(switch: GameSwitch) -> Self {
        Self::Known {
            switch,
            terms: None,
        }
    }

    /// The same game, switched off as far as `other` is.
    #[must_use]
    pub fn at_most(self, other: GameSwitch) -> Self {
        match self {
            Self::Known { switch, terms } => Self::Known {
                switch: switch.max(other),
                terms,
            },
            Self::Unknown => Self::Unknown,
        }
    }
}
