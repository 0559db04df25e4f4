//! What a provider account may choose. The defaults are those of the native dialect.

use serde::{Deserialize, Serialize};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { #[default] $($(#[$vdoc])* $variant),+ }
    };
}

choice! {
    /// Within what a transaction id is unique (T1).
    TransactionScope {
        /// Two players may have a transaction with one id.
        Player,
        /// An id belongs to one player of the whole provider account.
        Provider,
    }
}
choice! {
    /// Within what a round id is unique (section 2).
    RoundScope { Provider, Game }
}
choice! {
    /// The answer to a bet whose rollback came first (T5).
    LateBet {
        Refuse,
        /// Answered as a success without a movement.
        Accept,
    }
}
choice! {
    /// A rollback of a bet that has a win (T7).
    RollbackAfterWin {
        Refuse,
        /// The bet alone is given back; the win has a rollback of its own.
        Reverse,
    }
}
choice! {
    /// A rollback that names a win (T7).
    RollbackOfWin { Reverse, Refuse }
}
choice! {
    /// What an amount in a rollback request means (T7).
    RollbackAmount { Ignore, MustEqual, Partial }
}
choice! {
    /// An ordinary win in a round that has no bet (T8).
    WinWithoutBet { Allow, Refuse }
}
choice! {
    /// A win in a round that is closed (section 2).
    LateWin { Allow, Refuse }
}

/// The choices of one provider account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    pub transaction_scope: TransactionScope,
    pub round_scope: RoundScope,
    pub late_bet: LateBet,
    pub rollback_after_win: RollbackAfterWin,
    pub rollback_of_win: RollbackOfWin,
    pub rollback_amount: RollbackAmount,
    pub win_without_bet: WinWithoutBet,
    pub late_win: LateWin,
    /// A refused bet uses its id up: the same id is refused for ever (T4).
    pub refusal_burns_id: bool,
    /// Seconds after which the sweeper closes a round that has had no movement; `None`: never.
    pub auto_close_after_s: Option<u32>,
}
