//! Which types of events somebody wants.

use std::collections::HashSet;

use pitboss_wallet::EventType;

/// What is not a type of event, nor a family of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a type of event nor a family such as wallet.*")]
pub struct UnknownType(pub String);

/// The families that NATS has streams for, also those that have no events yet.
const FAMILIES: [&str; 5] = ["wallet", "game", "bonus", "withdrawal", "player"];

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
            let of_family = |family: &str| {
                let kinds = EventType::ALL
                    .iter()
                    .filter(move |kind| kind.family() == family);
                kinds.map(|kind| kind.as_str()).collect::<Vec<_>>()
            };
            let kinds = match (EventType::from_name(name), name.strip_suffix(".*")) {
                (Some(kind), _) => vec![kind.as_str()],
                (None, Some(family)) if FAMILIES.contains(&family) => of_family(family),
                _ => return Err(UnknownType(name.to_owned())),
            };
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
