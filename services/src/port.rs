//! Free loopback ports.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

const LOWEST: u16 = 20_000;
const RANDOM_TRIES: usize = 64;

/// A loopback port that nobody listens on at this moment.
///
/// Taken from below the range the kernel uses for outgoing connections where possible. A port
/// out of that range may be handed to any client socket while a service is down for a restart;
/// a client that retries against the dead port can even connect to itself and hold it.
pub fn free_port() -> io::Result<u16> {
    let end = ephemeral_start().min(32_768);
    if end > LOWEST {
        for _ in 0..RANDOM_TRIES {
            let random = getrandom::u32().map_err(|error| io::Error::other(error.to_string()))?;
            let port = LOWEST + (random % u32::from(end - LOWEST)) as u16;
            if is_free(port) {
                return Ok(port);
            }
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Whether a service could listen on this loopback port now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn ephemeral_start() -> u16 {
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound_and_is_then_no_longer_free() {
        let port = free_port().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }
}
