//! What a client wants to hear of: a set of event types, and whether balances.

use std::fmt;

use pitboss_wallet::EventType;

/// The first tokens of event types. Each is a topic with a star, also while it has no types.
const FAMILIES: [&str; 5] = ["wallet", "game", "bonus", "withdrawal", "player"];
const BALANCE_NAME: &str = "balance";
const BALANCE: u64 = 1 << 63;

const _: () = assert!(EventType::ALL.len() < 63, "a bit for each type, and one");

/// A name that stands for no type of event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?}: must be balance, the name of an event type, or one of wallet.*, game.*, bonus.*, withdrawal.*, player.* and *"
)]
pub struct UnknownTopic(pub String);

/// A set of topics. By default all events, and no balances.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Topics(u64);

impl Default for Topics {
    fn default() -> Self {
        Self(all_events())
    }
}

fn bit(kind: EventType) -> u64 {
    1 << kind as u32
}

fn bits(wanted: impl Fn(&str) -> bool) -> u64 {
    let kinds = EventType::ALL.iter().filter(|kind| wanted(kind.as_str()));
    kinds.fold(0, |bits, kind| bits | bit(*kind))
}

fn all_events() -> u64 {
    bits(|_| true)
}

fn of_family(family: &str) -> u64 {
    bits(|name| name.split('.').next() == Some(family))
}

/// The bits of one name of a list.
fn named(name: &str) -> Result<u64, UnknownTopic> {
    if name == BALANCE_NAME {
        return Ok(BALANCE);
    }
    if name == "*" {
        return Ok(all_events());
    }
    if let Some(family) = name.strip_suffix(".*")
        && FAMILIES.contains(&family)
    {
        return Ok(of_family(family));
    }
    match bits(|kind| kind == name) {
        0 => Err(UnknownTopic(name.to_owned())),
        bit => Ok(bit),
    }
}

impl Topics {
    /// Nothing at all.
    pub const NONE: Self = Self(0);

    /// With these names besides.
    ///
    /// # Errors
    /// The first name that is not known.
    pub fn with<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownTopic> {
        names
            .into_iter()
            .try_fold(self, |all, name| Ok(Self(all.0 | named(name)?)))
    }

    /// Without these names.
    ///
    /// # Errors
    /// The first name that is not known.
    pub fn without<'a>(
        self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, UnknownTopic> {
        names
            .into_iter()
            .try_fold(self, |all, name| Ok(Self(all.0 & !named(name)?)))
    }

    pub(super) fn has(self, kind: EventType) -> bool {
        self.0 & bit(kind) != 0
    }

    pub(super) fn has_balance(self) -> bool {
        self.0 & BALANCE != 0
    }

    pub(super) fn has_all_events(self) -> bool {
        self.0 & all_events() == all_events()
    }

    /// As few names as say it.
    pub(super) fn names(self) -> Vec<String> {
        let mut names = Vec::new();
        for family in FAMILIES {
            let all = of_family(family);
            if all != 0 && self.0 & all == all {
                names.push(format!("{family}.*"));
                continue;
            }
            let kinds = EventType::ALL.iter().filter(|kind| bit(**kind) & all != 0);
            names.extend(
                kinds
                    .filter(|kind| self.has(**kind))
                    .map(|kind| kind.as_str().to_owned()),
            );
        }
        if self.has_balance() {
            names.push(BALANCE_NAME.to_owned());
        }
        names
    }
}

impl fmt::Debug for Topics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Topics {
        Topics::NONE.with(names.iter().copied()).unwrap()
    }

    #[test]
    fn a_star_is_its_family_and_a_name_is_itself() {
        let topics = of(&["wallet.*", "game.launched"]);
        for kind in EventType::ALL {
            let name = kind.as_str();
            let wanted = name.starts_with("wallet.") || name == "game.launched";
            assert_eq!(topics.has(*kind), wanted, "{name}");
        }
        assert_eq!(topics.names(), ["wallet.*", "game.launched"]);
        assert!(!topics.has_balance() && of(&["balance"]).has_balance());
        assert!(Topics::default().has_all_events() && !Topics::default().has_balance());
        assert_eq!(of(&["*"]), Topics::default());
        assert_eq!(
            of(&["bonus.*", "withdrawal.*"]).without(["*"]).unwrap(),
            Topics::NONE
        );
    }

    #[test]
    fn one_type_can_be_taken_out_of_a_family() {
        let topics = of(&["wallet.*", "balance"]);
        let topics = topics.without(["wallet.bet_debited"]).unwrap();
        assert!(!topics.has(EventType::BetDebited) && topics.has(EventType::WinCredited));
        assert!(!topics.names().contains(&"wallet.*".to_owned()));
        assert!(topics.has_balance());
    }

    #[test]
    fn what_stands_for_nothing_is_named() {
        for name in [
            "slots.*",
            "wallet",
            "wallet.bet",
            "wallet.bet_*",
            "",
            ".*",
            "Balance",
        ] {
            let refused = Topics::default().with(["game.*", name]).unwrap_err();
            assert_eq!(refused, UnknownTopic(name.to_owned()));
            assert!(Topics::default().without([name]).is_err(), "{name}");
        }
    }
}
