//! What the wallet must know of a game.

/// Whether a known game takes bets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GameSwitch {
    Enabled,
    Disabled,
}

/// How a game of a request stands in the catalogue. Only bets ask: wins are paid whatever it says (T8),
/// and a repeat is answered before anybody looks (T3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GameStanding {
    Known(GameSwitch),
    Unknown,
}

impl GameStanding {
    /// A game that is known and takes bets.
    pub const ENABLED: Self = Self::Known(GameSwitch::Enabled);
}
