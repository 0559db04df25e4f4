//! Where a request came from.
//!
//! Behind proxies the peer is the nearest of them. Each appends to `X-Forwarded-For` whom it was asked by, so of that
//! header only as many of the last entries are believed as there are proxies of ours; what a client wrote stands before
//! them and is never looked at.

use std::net::{IpAddr, SocketAddr};

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
}
