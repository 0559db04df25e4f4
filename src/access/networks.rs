//! Networks that requests may come from: with an operator's key, or as callbacks of a provider account.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Origin;

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("{0:?}: must be an address or a network, such as 192.0.2.7 or 192.0.2.0/24")]
    Form(String),
    #[error("{given}: its address has bits beyond the network; did you mean {meant}?")]
    HostBits { given: IpNet, meant: IpNet },
    #[error("{0}: write it as an IPv4 network")]
    Mapped(IpNet),
}

/// A list of networks. The empty one is everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// # Errors
    /// One of the texts is no network.
    pub fn parse(texts: &[impl AsRef<str>]) -> Result<Self, NetworkError> {
        let networks = texts.iter().map(|text| network(text.as_ref()));
        networks.collect::<Result<_, _>>().map(Self)
    }

    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a request from there is let in. One whose origin is not certain is from nowhere.
    #[must_use]
    pub fn admits(&self, origin: Origin) -> bool {
        let is_inside = |network: &IpNet| network.contains(&origin.address);
        self.is_everywhere() || origin.is_certain && self.0.iter().any(is_inside)
    }

    /// Whether whatever `other` admits is admitted here.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        let is_within = |inner: &IpNet| self.0.iter().any(|network| network.contains(inner));
        self.is_everywhere() || !other.is_everywhere() && other.0.iter().all(is_within)
    }

    /// As they are written.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

fn network(text: &str) -> Result<IpNet, NetworkError> {
    let alone = || text.parse::<IpAddr>().map(IpNet::from);
    let given = text.parse::<IpNet>().or_else(|_| alone());
    let given = given.map_err(|_| NetworkError::Form(text.chars().take(64).collect()))?;
    let meant = given.trunc();
    if meant != given {
        return Err(NetworkError::HostBits { given, meant });
    }
    // Addresses are compared in their short form: such a network would never match.
    match given {
        IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.addr().to_ipv4_mapped().is_some() => {
            Err(NetworkError::Mapped(given))
        }
        given => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Networks {
        Networks::parse(texts).unwrap()
    }

    #[test]
    fn a_list_admits_its_networks_and_nothing_that_is_not_certain() {
        let at = |address: &str, is_certain| Origin {
            address: address.parse().unwrap(),
            is_certain,
        };
        let some = list(&["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"]);
        for inside in ["192.0.2.255", "198.51.100.7", "2001:db8:ffff::1"] {
            assert!(some.admits(at(inside, true)), "{inside}");
            assert!(!some.admits(at(inside, false)), "{inside}");
        }
        for outside in [
            "192.0.3.0",
            "198.51.100.8",
            "2001:db9::1",
            "::1",
            "127.0.0.1",
        ] {
            assert!(!some.admits(at(outside, true)), "{outside}");
        }
        assert!(list(&[]).admits(at("203.0.113.1", false)));
        let names = ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"];
        assert_eq!(some.names(), names);
        assert_eq!(list(&names), some);
    }

    #[test]
    fn a_list_includes_what_lies_within_its_networks() {
        let some = list(&["10.0.0.0/8", "2001:db8::/32"]);
        assert!(some.includes(&list(&["10.1.0.0/16", "2001:db8:1::/48"])));
        assert!(!some.includes(&list(&["10.1.0.0/16", "0.0.0.0/0"])));
        assert!(!some.includes(&list(&[])) && list(&[]).includes(&some));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        let parse = |text: &str| Networks::parse(&[text]);
        for wrong in [
            "",
            "x",
            "*",
            "192.0.2.0/33",
            "192.0.2",
            "192.0.2.0/",
            "192.0.2.0/-1",
            "10.0.0.1-9",
            "::/129",
            " 192.0.2.1",
        ] {
            assert!(
                matches!(parse(wrong), Err(NetworkError::Form(_))),
                "{wrong}"
            );
        }
        let error = parse("10.1.2.3/8").unwrap_err().to_string();
        assert!(error.contains("10.0.0.0/8"), "{error}");
        for mapped in ["::ffff:10.0.0.0/104", "::ffff:10.0.0.1"] {
            assert!(matches!(parse(mapped), Err(NetworkError::Mapped(_))));
        }
    }
}
