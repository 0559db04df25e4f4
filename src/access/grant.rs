//! All that a key may do, as one thing: what one key can give out is what it has.

use pitboss_schema::Rate;
use pitboss_wallet::Timestamp;

use super::{Networks, Scopes};

/// What a key may do, from where, how often and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub scopes: Scopes,
    pub allowed: Networks,
    pub rate: Rate,
    /// `None`: for ever.
    pub expires_at: Option<Timestamp>,
}

/// What a key would give out although it has it not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    #[error("scopes: this key does not have all of them")]
    Scopes,
    #[error("allowed_addresses: this key may not be used from all of them")]
    Addresses,
    #[error("rate: this key may not make so many requests")]
    Rate,
    #[error("expires_at: this key expires before")]
    Expiry,
}

impl Grant {
    /// Whether whoever has this may give out `other`.
    ///
    /// # Errors
    /// What is in `other` and not in here.
    pub fn covers(&self, other: &Self) -> Result<(), Excess> {
        let Self {
            scopes,
            allowed,
            rate,
            expires_at,
        } = self;
        if !scopes.includes(other.scopes) {
            return Err(Excess::Scopes);
        }
        if !allowed.includes(&other.allowed) {
            return Err(Excess::Addresses);
        }
        if other.rate.per_s > rate.per_s || other.rate.burst > rate.burst {
            return Err(Excess::Rate);
        }
        let ends_in_time = |end| other.expires_at.is_some_and(|other| other <= end);
        if !expires_at.is_none_or(ends_in_time) {
            return Err(Excess::Expiry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_out_what_it_has_and_no_more() {
        let rate = |per_s, burst| Rate { per_s, burst };
        let at = |s| Some(Timestamp::from_micros(s));
        let grant = Grant {
            scopes: Scopes::parse(["keys:write", "players:read"]).unwrap(),
            allowed: Networks::parse(&["10.0.0.0/8"]).unwrap(),
            rate: rate(10, 20),
            expires_at: at(100),
        };
        assert_eq!(grant.covers(&grant), Ok(()));
        let with = |change: fn(&mut Grant)| {
            let mut other = grant.clone();
            change(&mut other);
            grant.covers(&other)
        };
        assert_eq!(
            with(|g| g.scopes = Scopes::parse(["players:read"]).unwrap()),
            Ok(())
        );
        assert_eq!(with(|g| g.scopes = Scopes::ALL), Err(Excess::Scopes));
        assert_eq!(
            with(|g| g.allowed = Networks::default()),
            Err(Excess::Addresses)
        );
        assert_eq!(with(|g| g.rate.per_s = 11), Err(Excess::Rate));
        assert_eq!(with(|g| g.rate.burst = 21), Err(Excess::Rate));
        assert_eq!(with(|g| g.expires_at = None), Err(Excess::Expiry));
        assert_eq!(
            with(|g| g.expires_at = Some(Timestamp::from_micros(101))),
            Err(Excess::Expiry)
        );
        assert_eq!(
            with(|g| g.expires_at = Some(Timestamp::from_micros(99))),
            Ok(())
        );
        let all = Grant {
            expires_at: None,
            ..grant.clone()
        };
        assert_eq!(all.covers(&grant), Ok(()));
    }
}
