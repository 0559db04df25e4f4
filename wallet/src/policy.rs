//! What a provider account may choose. The defaults are those of the native dialect.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])+ $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { #[default] $($(#[$vdoc])+ $variant),+ }
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
    RoundScope {
        /// Within the player's rounds with the account.
        Provider,
        /// Within the player's rounds of one game: two games may have a round with one id.
        Game,
    }
}
choice! {
    /// The answer to a bet whose rollback came first (T5).
    LateBet {
        /// Refused as `rolled_back`.
        Refuse,
        /// Answered as a success without a movement.
        Accept,
    }
}
choice! {
    /// A rollback of a bet that has a win (T7).
    RollbackAfterWin {
        /// Refused as `already_settled`.
        Refuse,
        /// The bet alone is given back; the win has a rollback of its own.
        Reverse,
    }
}
choice! {
    /// A rollback that names a win (T7).
    RollbackOfWin {
        /// The win is taken back; what the player no longer has is owed.
        Reverse,
        /// Refused.
        Refuse,
    }
}
choice! {
    /// What an amount in a rollback request means (T7).
    RollbackAmount {
        /// Nothing: the target goes back whole.
        Ignore,
        /// It must be the target's.
        MustEqual,
        /// So much of the target goes back.
        Partial,
    }
}
choice! {
    /// An ordinary win in a round that has no bet (T8).
    WinWithoutBet {
        /// Paid.
        Allow,
        /// Refused as `unknown_bet`.
        Refuse,
    }
}
choice! {
    /// A win in a round that is closed (section 2).
    LateWin {
        /// Paid, and its event says so.
        Allow,
        /// Refused as `round_closed`.
        Refuse,
    }
}

macro_rules! policy {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty as $schema:literal),+ $(,)?) => {
        /// The choices of one provider account.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct Policy { $($(#[doc = $doc])+ pub $field: $type),+ }

        /// Some of the choices; one that is not there stays as it is.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct PolicyChange {
            $(
                $(#[doc = $doc])+
                #[serde(deserialize_with = "given")]
                #[schemars(with = $schema)]
                pub $field: Option<$type>
            ),+
        }

        impl PolicyChange {
            /// The policy with these choices made.
            #[must_use]
            pub fn applied_to(&self, policy: &Policy) -> Policy {
                Policy { $($field: self.$field.unwrap_or(policy.$field)),+ }
            }
        }
    };
}

policy! {
    /// Within what a transaction id is unique. Fixed once the account has transactions.
    transaction_scope: TransactionScope as "TransactionScope",
    /// Within what a round id is unique. Fixed once the account has transactions.
    round_scope: RoundScope as "RoundScope",
    /// The answer to a bet whose rollback came first.
    late_bet: LateBet as "LateBet",
    /// A rollback of a bet that has a win.
    rollback_after_win: RollbackAfterWin as "RollbackAfterWin",
    /// A rollback that names a win.
    rollback_of_win: RollbackOfWin as "RollbackOfWin",
    /// What an amount in a rollback means. Fixed once the account has transactions.
    rollback_amount: RollbackAmount as "RollbackAmount",
    /// An ordinary win in a round that has no bet.
    win_without_bet: WinWithoutBet as "WinWithoutBet",
    /// A win in a round that is closed.
    late_win: LateWin as "LateWin",
    /// Whether a refused bet uses its id up: the same id is refused for ever.
    refusal_burns_id: bool as "bool",
    /// Seconds after which a round without a movement is closed; null: never.
    auto_close_after_s: Option<u32> as "Option<u32>",
}

/// A value that is there, also `null`, which is not the same as none.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

impl Policy {
    /// What the keys and fingerprints of stored transactions are made by, by name: another choice would make a repeat
    /// of one of them another transaction.
    #[must_use]
    pub fn differing_keys(&self, other: &Self) -> Vec<&'static str> {
        let differ = [
            (
                "transaction_scope",
                self.transaction_scope != other.transaction_scope,
            ),
            ("round_scope", self.round_scope != other.round_scope),
            (
                "rollback_amount",
                self.rollback_amount != other.rollback_amount,
            ),
        ];
        let differ = differ.into_iter().filter(|(_, differs)| *differs);
        differ.map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_changes_what_it_names_and_null_is_a_value() {
        let before = Policy {
            late_win: LateWin::Refuse,
            auto_close_after_s: Some(60),
            ..Policy::default()
        };
        let change: PolicyChange = serde_json::from_str(r#"{"late_bet":"accept"}"#).unwrap();
        let after = change.applied_to(&before);
        assert_eq!(after.late_bet, LateBet::Accept);
        assert_eq!(
            (after.late_win, after.auto_close_after_s),
            (LateWin::Refuse, Some(60))
        );
        let never: PolicyChange = serde_json::from_str(r#"{"auto_close_after_s":null}"#).unwrap();
        assert_eq!(never.applied_to(&before).auto_close_after_s, None);
        for wrong in [
            r#"{"late_bet":null}"#,
            r#"{"late_bet":"maybe"}"#,
            r#"{"late":"refuse"}"#,
        ] {
            assert!(
                serde_json::from_str::<PolicyChange>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_keys_are_made_by_is_named() {
        let policy = Policy::default();
        let other = Policy {
            round_scope: RoundScope::Game,
            rollback_amount: RollbackAmount::Partial,
            late_win: LateWin::Refuse,
            ..Policy::default()
        };
        assert_eq!(
            policy.differing_keys(&other),
            ["round_scope", "rollback_amount"]
        );
        assert!(policy.differing_keys(&policy).is_empty());
    }
}
