//! Scopes: for each resource of the REST API, reading and writing apart.

use std::fmt;

macro_rules! resources {
    ($($(#[doc = $meaning:literal])+ $variant:ident => $name:literal),+ $(,)?) => {
        /// What a scope is about. Most resources are the first segment of their paths.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Resource { $($(#[doc = $meaning])+ $variant),+ }

        impl Resource {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What the resource is, in a line.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($meaning),+)),+ }
            }
        }
    };
}

resources! {
    /// Players, their wallets and their statements.
    Players => "players",
    /// Money that came from outside.
    Deposits => "deposits",
    /// Money that leaves, and who approves it.
    Withdrawals => "withdrawals",
    /// Corrections of a balance by hand.
    Adjustments => "adjustments",
    /// What one person asked for and a second has to approve.
    Approvals => "approvals",
    /// Logins and game sessions.
    Sessions => "sessions",
    /// The catalogue of games, and launching them.
    Games => "games",
    /// Provider accounts and their callback logs.
    Providers => "providers",
    /// Transactions of the ledger.
    Transactions => "transactions",
    /// Rounds, and voiding them.
    Rounds => "rounds",
    /// Revenue, liability and other sums.
    Reports => "reports",
    /// The feed of events.
    Events => "events",
    /// Webhook endpoints.
    Webhooks => "webhooks",
    /// Operator keys.
    Keys => "keys",
    /// The audit log.
    Audit => "audit",
}

/// To look, or to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    Read,
    Write,
}

impl Right {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One resource and one right, written `players:read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope {
    pub resource: Resource,
    pub right: Right,
}

impl Scope {
    /// Every scope, in the order of the resources.
    pub fn all() -> impl Iterator<Item = Self> {
        Resource::ALL
            .iter()
            .flat_map(|&resource| [Right::Read, Right::Write].map(|right| Self { resource, right }))
    }

    const fn bit(self) -> u64 {
        1 << (2 * self.resource as u32 + self.right as u32)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource.as_str(), self.right.as_str())
    }
}

/// A scope that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?}: must be \"*\", or a resource with \":read\" or \":write\", such as \"players:read\""
)]
pub struct UnknownScope(String);

/// What a key may do. Writing does not include reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u64);

impl Scopes {
    /// Everything, also what later versions add. Written `*`.
    pub const ALL: Self = Self(u64::MAX);
    /// Everything, in writing.
    const STAR: &'static str = "*";

    /// # Errors
    /// One of the names is no scope.
    pub fn parse(names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, UnknownScope> {
        let mut scopes = Self(0);
        for name in names {
            let name = name.as_ref();
            if name == Self::STAR {
                return Ok(Self::ALL);
            }
            let scope = Scope::all().find(|scope| scope.to_string() == name);
            let scope = scope.ok_or_else(|| UnknownScope(name.chars().take(64).collect()))?;
            scopes.0 |= scope.bit();
        }
        Ok(scopes)
    }

    /// Those of the names that are scopes.
    #[must_use]
    pub fn known(names: &[String]) -> Self {
        let each = names.iter().filter_map(|name| Self::parse([name]).ok());
        Self(each.fold(0, |bits, scopes| bits | scopes.0))
    }

    #[must_use]
    pub const fn allows(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether everything that `other` may do is in here.
    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// As they are written.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        if self == Self::ALL {
            return vec![Self::STAR.to_owned()];
        }
        Scope::all()
            .filter(|scope| self.allows(*scope))
            .map(|scope| scope.to_string())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let scopes = Scopes::parse(["players:read", "keys:write"]).unwrap();
        assert_eq!(scopes.names(), ["players:read", "keys:write"]);
        let may = |resource, right| scopes.allows(Scope { resource, right });
        assert!(may(Resource::Players, Right::Read) && may(Resource::Keys, Right::Write));
        assert!(!may(Resource::Players, Right::Write) && !may(Resource::Keys, Right::Read));
        assert!(Scopes::ALL.includes(scopes) && !scopes.includes(Scopes::ALL));
        assert_eq!(Scopes::parse(["*"]).unwrap().names(), ["*"]);
        let known = Scopes::known(&["players:read".to_owned(), "moon:read".to_owned()]);
        assert_eq!(known.names(), ["players:read"]);
    }

    #[test]
    fn every_scope_has_a_bit_of_its_own() {
        let bits: std::collections::HashSet<u64> = Scope::all().map(Scope::bit).collect();
        assert_eq!(bits.len(), 2 * Resource::ALL.len());
        assert!(Scopes::parse(["players"]).is_err() && Scopes::parse([""]).is_err());
    }
}
