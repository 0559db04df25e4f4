//! Where this server lets itself be sent: whoever holds an operator key chooses the address of an endpoint, and
//! must not reach what only this server can reach (SSRF).
//!
//! A name is resolved once per connection, its addresses are checked, and the connection goes to one of these very
//! addresses: a name that answers otherwise a moment later gains nothing.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};

use hyper_util::client::legacy::connect::dns::Name;
use pitboss_wallet::Environment;
use reqwest::Url;
use tower_service::Service;

use crate::config::Webhooks;

const URL_CHARS_MAX: usize = 2048;

/// What may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    http: bool,
    private: bool,
    /// The sandbox's: `http` too, for a receiver on the developer's own machine.
    loopback: bool,
}

/// Why an address is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    #[error(
        "is not an absolute URL of at most {URL_CHARS_MAX} characters, none of them a control character"
    )]
    Form,
    #[error("must begin with https://")]
    Scheme,
    #[error("must not carry a user, a password or a fragment")]
    Extras,
    #[error("leads to an address that is not public")]
    Address,
}

impl Guard {
    #[must_use]
    pub fn new(environment: Environment, settings: &Webhooks) -> Self {
        Self {
            http: settings.allow_http,
            private: settings.allow_private,
            loopback: environment == Environment::Sandbox,
        }
    }

    /// The URL of an endpoint. A name's addresses are checked when it is connected to.
    ///
    /// # Errors
    /// [`NotAllowed`]
    pub fn check(&self, text: &str) -> Result<Url, NotAllowed> {
        // The parser would pass over some control characters and escape others; the text is kept as it came.
        if text.len() > URL_CHARS_MAX || text.contains(char::is_control) {
            return Err(NotAllowed::Form);
        }
        let url = Url::parse(text).map_err(|_| NotAllowed::Form)?;
        let host = url.host_str().ok_or(NotAllowed::Form)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(NotAllowed::Extras);
        }
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let is_local =
            host == "localhost" || literal.is_some_and(|address| canonical(address).is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if self.http || (self.loopback && is_local) => {}
            _ => return Err(NotAllowed::Scheme),
        }
        if literal.is_some_and(|address| !self.allows(address)) {
            return Err(NotAllowed::Address);
        }
        Ok(url)
    }

    /// Whether a connection may go to this address.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        is_public(address) || self.private || (self.loopback && address.is_loopback())
    }
}

/// An IPv4 address that is written as an IPv6 one, as what it is.
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let segments = v6.segments();
    let embedded = match segments {
        // Mapped and compatible; NAT64; 6to4.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if !v6.is_loopback() => Some([high, low]),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some([high, low]),
        [0x2002, high, low, ..] => Some([high, low]),
        _ => None,
    };
    match embedded {
        Some([high, low]) => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            Ipv4Addr::new(a, b, c, d).into()
        }
        None => address,
    }
}

/// Whether anybody on the Internet could reach the same host there.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast();
    // "This network", shared by carriers, protocol assignments, benchmarks, reserved.
    let reserved = a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240;
    !special && !reserved
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let segments = v6.segments();
    // Global unicast is 2000::/3; of it not Teredo, ORCHID and other assignments, nor documentation.
    let global = segments[0] & 0xe000 == 0x2000;
    let assigned = segments[0] == 0x2001 && segments[1] < 0x0200;
    let documentation = segments[0] == 0x2001 && segments[1] == 0x0db8;
    let documentation = documentation || (segments[0] == 0x3fff && segments[1] < 0x1000);
    global && !assigned && !documentation
}

/// The resolver of the HTTP client: it hands out allowed addresses alone.
impl Service<Name> for Guard {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let guard = *self;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| guard.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(io::Error::other(NotAllowed::Address));
            }
            Ok(allowed.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: Guard = Guard {
        http: false,
        private: false,
        loopback: false,
    };
    const SANDBOX: Guard = Guard {
        loopback: true,
        ..LIVE
    };

    #[test]
    fn only_public_addresses_are_reached() {
        for public in [
            "93.184.216.34",
            "1.1.1.1",
            "2606:4700::1111",
            "2a00:1450:4001::200e",
        ] {
            assert!(LIVE.allows(public.parse().unwrap()), "{public}");
        }
        for inside in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!LIVE.allows(inside.parse().unwrap()), "{inside}");
        }
        for loopback in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(SANDBOX.allows(loopback.parse().unwrap()), "{loopback}");
        }
        assert!(!SANDBOX.allows("10.0.0.1".parse().unwrap()));
        let inside = Guard {
            private: true,
            ..LIVE
        };
        assert!(inside.allows("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_url_is_https_of_a_public_host_however_it_is_written() {
        assert!(LIVE.check("https://hooks.example/in?x=1").is_ok());
        for (url, why) in [
            ("http://hooks.example/", NotAllowed::Scheme),
            ("ftp://hooks.example/", NotAllowed::Scheme),
            ("http://localhost/", NotAllowed::Scheme),
            ("https://127.0.0.1/", NotAllowed::Address),
            ("https://0x7f.1/", NotAllowed::Address),
            ("https://2130706433/", NotAllowed::Address),
            ("https://[::1]/", NotAllowed::Address),
            ("https://[::ffff:10.0.0.1]/", NotAllowed::Address),
            ("https://169.254.169.254/latest", NotAllowed::Address),
            ("https://user:pass@hooks.example/", NotAllowed::Extras),
            ("https://hooks.example/#x", NotAllowed::Extras),
            ("hooks.example", NotAllowed::Form),
            ("", NotAllowed::Form),
        ] {
            assert_eq!(LIVE.check(url), Err(why), "{url}");
        }
        let long = format!("https://hooks.example/{}", "x".repeat(URL_CHARS_MAX));
        assert_eq!(LIVE.check(&long), Err(NotAllowed::Form));
    }

    #[test]
    fn the_sandbox_reaches_the_developers_own_machine_over_http_and_no_other() {
        for url in [
            "http://localhost:9/",
            "http://127.0.0.1:9/",
            "http://[::1]:9/",
        ] {
            assert!(SANDBOX.check(url).is_ok(), "{url}");
        }
        assert_eq!(
            SANDBOX.check("http://hooks.example/"),
            Err(NotAllowed::Scheme)
        );
        assert_eq!(SANDBOX.check("https://10.0.0.1/"), Err(NotAllowed::Address));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let name = || "localhost".parse::<Name>().unwrap();
        let (mut live, mut sandbox) = (LIVE, SANDBOX);
        assert!(live.call(name()).await.is_err());
        assert!(sandbox.call(name()).await.is_ok());
    }
}
