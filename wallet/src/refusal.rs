//! Why a command is not carried out. Every code is stable: clients may match on it.

use serde::{Deserialize, Serialize};

use crate::{Balance, Receipt};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident => $code:literal),+ $(,)?) => {
        /// A stable refusal code. `docs/errors.md` has one entry for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum RefusalCode { $($(#[$doc])* #[serde(rename = $code)] $variant),+ }

        impl RefusalCode {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
    };
}

codes! {
    /// No such player.
    UnknownPlayer => "unknown_player",
    /// The game is not in the catalogue.
    UnknownGame => "unknown_game",
    /// A win names a bet that is not known, or a close names a round that is not known.
    UnknownBet => "unknown_bet",
    /// The balance does not cover the bet.
    InsufficientFunds => "insufficient_funds",
    /// The session was live once and is not any more.
    SessionExpired => "session_expired",
    /// No such session, or not of this player, provider or currency, or the launch token was used before.
    SessionInvalid => "session_invalid",
    /// The player has as many live sessions as he may have.
    SessionLimit => "session_limit",
    /// The player may not bet.
    PlayerBlocked => "player_blocked",
    /// The game takes no bets.
    GameDisabled => "game_disabled",
    /// The game is not offered in the player's country.
    CountryRefused => "country_refused",
    /// The same id came before with other data (T2).
    TransactionMismatch => "transaction_mismatch",
    /// The transaction, or the bet that it belongs to, was rolled back (T5, T8).
    RolledBack => "rolled_back",
    /// The bet has a win already (T7).
    AlreadySettled => "already_settled",
    /// The round takes no more bets.
    RoundClosed => "round_closed",
    /// The bet is below or above a limit on one bet.
    BetLimit => "bet_limit",
    /// The bet would go beyond a limit on losses.
    LossLimit => "loss_limit",
    /// The player has no such deposit or withdrawal.
    UnknownPayment => "unknown_payment",
    /// The state that the deposit or withdrawal is in does not lead there.
    PaymentState => "payment_state",
    /// Another person has to do it.
    SamePerson => "same_person",
    /// The player may not cancel this withdrawal.
    CancelRefused => "cancel_refused",
    /// The player has no wallet in this currency, the round or session is in another, or the game is not offered in it.
    CurrencyMismatch => "currency_mismatch",
    /// The request is well signed but is not one that can be carried out.
    Malformed => "malformed",
}

/// A refusal: nothing was written, and the same id may be sent again later (T4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub code: RefusalCode,
    /// For a person; never needed to tell refusals apart.
    pub detail: String,
    /// The player's balance, where the code is about money.
    pub balance: Option<Balance>,
    /// The transaction that was stored under the id, when that is why (T11).
    pub original: Option<Box<Receipt>>,
}

impl Refusal {
    #[must_use]
    pub fn new(code: RefusalCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            balance: None,
            original: None,
        }
    }

    #[must_use]
    pub fn with_balance(mut self, balance: Option<Balance>) -> Self {
        self.balance = balance;
        self
    }

    #[must_use]
    pub fn with_original(mut self, original: &Receipt) -> Self {
        self.original = Some(Box::new(original.clone()));
        self
    }
}
