//! Networks that requests may come from.

use std::net::IpAddr;

use ipnet::IpNet;

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
    pub fn parse(texts: &[String]) -> Result<Self, NetworkError> {
        let networks = texts.iter().map(|text| {
            let alone = || text.parse::<IpAddr>().map(IpNet::from);
            let network = text.parse::<IpNet>().or_else(|_| alone());
            let network =
                network.map_err(|_| NetworkError::Form(text.chars().take(64).collect()))?;
            let meant = network.trunc();
            if meant != network {
                return Err(NetworkError::HostBits {
                    given: network,
                    meant,
                });
            }
            // Addresses are compared in their short form: such a network would never match.
            match network {
                IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.addr().to_ipv4_mapped().is_some() => {
                    Err(NetworkError::Mapped(network))
                }
                network => Ok(network),
            }
        });
        networks.collect::<Result<_, _>>().map(Self)
    }

    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.is_everywhere() || self.0.iter().any(|network| network.contains(&address))
    }

    /// As they are written.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<Networks, NetworkError> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Networks::parse(&texts)
    }

    #[test]
    fn what_lies_in_one_of_the_networks_is_allowed() {
        let networks = parse(&["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"]).unwrap();
        for inside in [
            "192.0.2.255",
            "198.51.100.7",
            "2001:db8::1",
            "::ffff:192.0.2.1",
        ] {
            assert!(networks.allows(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "192.0.3.0",
            "198.51.100.8",
            "2001:db9::1",
            "::1",
            "127.0.0.1",
        ] {
            assert!(!networks.allows(outside.parse().unwrap()), "{outside}");
        }
        let names = ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"];
        assert_eq!(networks.names(), names);
        assert_eq!(parse(&names).unwrap(), networks);
        assert!(Networks::default().allows("203.0.113.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in [
            "",
            "x",
            "192.0.2.0/33",
            "192.0.2",
            "192.0.2.0/",
            "192.0.2.0/-1",
            "::/129",
            " 192.0.2.1",
        ] {
            assert!(
                matches!(parse(&[wrong]), Err(NetworkError::Form(_))),
                "{wrong}"
            );
        }
        let error = parse(&["10.1.2.3/8"]).unwrap_err().to_string();
        assert!(error.contains("10.0.0.0/8"), "{error}");
        assert!(matches!(
            parse(&["::ffff:10.0.0.0/104"]),
            Err(NetworkError::Mapped(_))
        ));
    }
}
