//! Which types of events somebody wants.

use std::collections::HashSet;

use pitboss_schema::AuditAction;
use pitboss_wallet::EventType;

use crate::{contract, nats};

/// What is not a type of event, nor a family of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a type of event nor a family such as wallet.*")]
pub struct UnknownType(pub String);

/// The names of all types of events: those of players, and those that belong to nobody.
fn kinds() -> impl Iterator<Item = &'static str> {
    let of_players = EventType::ALL.iter().map(|kind| kind.as_str());
    of_players.chain(contract::system_types().map(AuditAction::as_str))
}

fn is_word(word: &str) -> bool {
    nats::words().any(|known| known == word)
}

/// A choice of event types: all of them, or those that were named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeFilter {
    /// `None`: every type.
    named: Option<HashSet<&'static str>>,
}

impl TypeFilter {
    /// Of names such as `wallet.bet_debited` and families such as `wallet.*`; no name at all is every type.
    ///
    /// # Errors
    /// [`UnknownType`]: the first name that is neither.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownType> {
        let mut named: Option<HashSet<&'static str>> = None;
        for name in names {
            // Also families that have no events yet.
            let family = name.strip_suffix(".*").filter(|word| is_word(word));
            let is_wanted = |kind: &str| match family {
                Some(family) => kind.split('.').next() == Some(family),
                None => kind == name,
            };
            let kinds: Vec<_> = kinds().filter(|kind| is_wanted(kind)).collect();
            if family.is_none() && kinds.is_empty() {
                return Err(UnknownType(name.to_owned()));
            }
            named.get_or_insert_default().extend(kinds);
        }
        Ok(Self { named })
    }

    #[must_use]
    pub fn has(&self, kind: &str) -> bool {
        self.named.as_ref().is_none_or(|named| named.contains(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_of_types_and_of_families() {
        let filter = TypeFilter::parse(["game.*", "wallet.bet_debited"]).unwrap();
        assert!(filter.has("game.round_closed") && filter.has("wallet.bet_debited"));
        assert!(!filter.has("wallet.win_credited"));
        assert!(TypeFilter::parse([]).unwrap().has("wallet.win_credited"));
        let keys = TypeFilter::parse(["key.*"]).unwrap();
        assert!(keys.has("key.revoked") && !keys.has("config.changed"));
        // A family without events yet is a choice of nothing, not of everything.
        let none = TypeFilter::parse(["withdrawal.*"]).unwrap();
        assert_eq!(
            EventType::ALL
                .iter()
                .filter(|kind| none.has(kind.as_str()))
                .count(),
            EventType::ALL
                .iter()
                .filter(|kind| kind.family() == "withdrawal")
                .count(),
        );
    }

    #[test]
    fn what_is_no_type_is_named() {
        for wrong in [
            "",
            "*",
            "wallet",
            "wallet.",
            "wallet.nothing",
            "Wallet.*",
            "access.failed",
            "casino.*",
            "wallet.bet*",
        ] {
            assert_eq!(
                TypeFilter::parse(["game.*", wrong]),
                Err(UnknownType(wrong.into()))
            );
        }
    }
}
