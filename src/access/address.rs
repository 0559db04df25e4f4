//! Where a request came from, and the networks from which a key may be used.
//!
//! Behind proxies the peer is the nearest of them. Each appends to `X-Forwarded-For` whom it was asked by, so of that
//! header only as many of the last entries are believed as there are proxies of ours; what a client wrote stands before
//! them and is never looked at.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The client, or the nearest of the proxies between us that said nothing usable.
    pub address: IpAddr,
    /// Whether it is the client's own.
    pub is_certain: bool,
}

impl Origin {
    /// By the peer of the connection, the lines of `X-Forwarded-For` and the number of our proxies.
    pub fn of<'a>(
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
        trusted_hops: u8,
    ) -> Self {
        let mut origin = Self {
            address: peer.to_canonical(),
            is_certain: trusted_hops == 0,
        };
        let entries = forwarded.rev().flat_map(|line| line.rsplit(|b| *b == b','));
        let mut entries = entries.take(trusted_hops.into());
        for hop in 1..=trusted_hops {
            let Some(address) = entries.next().and_then(parse) else {
                return origin;
            };
            origin = Self {
                address,
                is_certain: hop == trusted_hops,
            };
        }
        origin
    }
}

/// An address, as proxies write it: some add the port.
fn parse(entry: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(entry).ok()?.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    address
        .or_else(with_port)
        .map(|ip: IpAddr| ip.to_canonical())
}

/// What is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?}: must be a network such as 192.0.2.0/24 or 2001:db8::/32, or one address")]
pub struct NotANetwork(String);

/// Networks from which a key may be used. None: from anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Vec<IpNet>);

impl AllowList {
    /// # Errors
    /// One of the texts is neither a network nor an address.
    pub fn parse(texts: &[impl AsRef<str>]) -> Result<Self, NotANetwork> {
        let network = |text: &str| {
            let address = || text.parse::<IpAddr>().map(IpNet::from);
            let network = text.parse::<IpNet>().or_else(|_| address());
            let network = network.map_err(|_| NotANetwork(text.chars().take(64).collect()))?;
            Ok(canonical(network))
        };
        let networks = texts.iter().map(|text| network(text.as_ref()));
        Ok(Self(networks.collect::<Result<_, _>>()?))
    }

    /// Whether a request from there is let in. Of one whose origin is not certain only a key without a list takes any.
    #[must_use]
    pub fn admits(&self, origin: Origin) -> bool {
        self.0.is_empty()
            || origin.is_certain && self.0.iter().any(|net| net.contains(&origin.address))
    }

    /// Whether whatever `other` admits is admitted here.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        let is_within = |inner: &IpNet| self.0.iter().any(|net| net.contains(inner));
        self.0.is_empty() || !other.0.is_empty() && other.0.iter().all(is_within)
    }

    /// As they are written.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

/// The network without what its mask hides, and of IPv4 that is written as IPv6 the IPv4: requests are compared as such.
fn canonical(network: IpNet) -> IpNet {
    let network = network.trunc();
    if let IpNet::V6(six) = network
        && let Some(four) = six.addr().to_ipv4_mapped()
        && let Some(prefix) = six.prefix_len().checked_sub(96)
        && let Ok(four) = ipnet::Ipv4Net::new(four, prefix)
    {
        return four.into();
    }
    network
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(peer: &str, forwarded: &[&str], hops: u8) -> (String, bool) {
        let lines = forwarded.iter().map(|line| line.as_bytes());
        let found = Origin::of(peer.parse().unwrap(), lines, hops);
        (found.address.to_string(), found.is_certain)
    }

    fn certain(address: &str) -> (String, bool) {
        (address.to_owned(), true)
    }

    #[test]
    fn without_proxies_the_header_means_nothing() {
        assert_eq!(origin("192.0.2.1", &["10.0.0.1"], 0), certain("192.0.2.1"));
        assert_eq!(origin("::ffff:192.0.2.1", &[], 0), certain("192.0.2.1"));
    }

    #[test]
    fn entries_are_counted_from_the_right_over_all_lines_and_what_the_client_wrote_is_not_looked_at()
     {
        let forged = "10.0.0.1, 10.0.0.2";
        let honest = "203.0.113.9, 10.1.1.1";
        assert_eq!(
            origin("10.9.9.9", &["203.0.113.9"], 1),
            certain("203.0.113.9")
        );
        assert_eq!(
            origin("10.9.9.9", &[forged, honest], 2),
            certain("203.0.113.9")
        );
        assert_eq!(
            origin("10.9.9.9", &["10.0.0.1,203.0.113.9"], 1),
            certain("203.0.113.9")
        );
        assert_eq!(
            origin("10.9.9.9", &["10.0.0.1", "[2001:db8::1]:4711"], 1),
            certain("2001:db8::1")
        );
        assert_eq!(
            origin("10.9.9.9", &["203.0.113.9:80"], 1),
            certain("203.0.113.9")
        );
        assert_eq!(
            origin("10.9.9.9", &["[2001:db8::1]"], 1),
            certain("2001:db8::1")
        );
    }

    #[test]
    fn what_is_missing_or_malformed_leaves_the_last_address_that_is_known_and_is_not_certain() {
        let unsure = |address: &str| (address.to_owned(), false);
        assert_eq!(origin("10.9.9.9", &[], 1), unsure("10.9.9.9"));
        assert_eq!(
            origin("10.9.9.9", &["203.0.113.9"], 2),
            unsure("203.0.113.9")
        );
        for wrong in [
            "",
            "unknown",
            "203.0.113.9x",
            "fe80::1%eth0",
            "203.0.113.9,",
            "\u{a0}",
        ] {
            assert_eq!(
                origin("10.9.9.9", &[wrong], 1),
                unsure("10.9.9.9"),
                "{wrong}"
            );
        }
        // A good entry of the client's own does not stand in for the proxy's.
        assert_eq!(
            origin("10.9.9.9", &["203.0.113.9, x"], 1),
            unsure("10.9.9.9")
        );
    }

    fn list(texts: &[&str]) -> AllowList {
        AllowList::parse(texts).unwrap()
    }

    #[test]
    fn a_list_admits_its_networks_and_nothing_that_is_not_certain() {
        let at = |address: &str, is_certain| Origin {
            address: address.parse().unwrap(),
            is_certain,
        };
        let some = list(&[
            "192.0.2.77/24",
            "2001:db8::/32",
            "::ffff:198.51.100.0/120",
            "10.0.0.1",
        ]);
        assert_eq!(some.names()[0], "192.0.2.0/24");
        for inside in [
            "192.0.2.200",
            "2001:db8:ffff::1",
            "198.51.100.3",
            "10.0.0.1",
        ] {
            assert!(some.admits(at(inside, true)), "{inside}");
            assert!(!some.admits(at(inside, false)), "{inside}");
        }
        for outside in ["192.0.3.1", "2001:db9::1", "198.51.101.3", "10.0.0.2"] {
            assert!(!some.admits(at(outside, true)), "{outside}");
        }
        assert!(list(&[]).admits(at("10.0.0.2", false)));
        for wrong in ["", "x", "10.0.0.0/33", "10.0.0/8", "*", "10.0.0.1-9"] {
            assert!(AllowList::parse(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_list_includes_what_lies_within_its_networks() {
        let some = list(&["10.0.0.0/8", "2001:db8::/32"]);
        assert!(some.includes(&list(&["10.1.0.0/16", "2001:db8:1::/48"])));
        assert!(!some.includes(&list(&["10.1.0.0/16", "0.0.0.0/0"])));
        assert!(!some.includes(&list(&[])) && list(&[]).includes(&some));
    }
}
