//! What `loadtest sockets` prints and writes as JSON.

use std::fmt;

use serde::Serialize;

use crate::{
    process::CpuUse,
    stats::{Latency, thousands},
};

/// What a client that does not read may cost, and how long it may stay.
const JAMMED_BYTES_MAX: u64 = 4 * 1024 * 1024;
const JAMMED_S_MAX: f64 = 20.0;
/// From commit to receipt.
const DELIVERY_P99_MS_MAX: f64 = 50.0;

/// All clients come back at once.
#[derive(Debug, Serialize)]
pub struct Storm {
    pub within_s: u64,
    pub took_s: f64,
    /// From the first try to the greeting.
    pub greeted: Latency,
    /// Tries that were refused or broke.
    pub again: u64,
}

/// A client that stopped reading.
#[derive(Debug, Serialize)]
pub struct Jammed {
    pub bets: u32,
    pub grew_bytes: u64,
    /// `None`: it was still there at the end.
    pub gone_after_s: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct SocketsReport {
    pub sockets: u32,
    pub busy: u32,
    pub resident_before_bytes: u64,
    pub resident_after_bytes: u64,
    /// With the player's actor.
    pub bytes_per_socket: u64,
    pub at_most: u64,
    pub bets: u64,
    pub events: u64,
    pub events_per_s: f64,
    /// From an event's own time, which is taken before the commit, to its arrival.
    pub delivery: Latency,
    pub gaps: u64,
    /// Connections that broke.
    pub lost: u64,
    pub cpu: CpuUse,
    pub storm: Storm,
    pub jammed: Jammed,
}

impl SocketsReport {
    pub fn passed(&self) -> bool {
        self.bytes_per_socket <= self.at_most
            && self.events == 2 * self.bets
            && self.gaps == 0
            && self.lost == 0
            && self.delivery.p99_ms < DELIVERY_P99_MS_MAX
            && self.jammed.grew_bytes <= JAMMED_BYTES_MAX
            && self.jammed.gone_after_s.is_some_and(|s| s <= JAMMED_S_MAX)
    }
}

impl fmt::Display for SocketsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} WebSockets, each of its own player",
            thousands(self.sockets.into())
        )?;
        writeln!(
            f,
            "  memory         {} bytes per idle connection with its player's actor; at most {}",
            thousands(self.bytes_per_socket),
            thousands(self.at_most)
        )?;
        writeln!(
            f,
            "  events         {} of {} bets, {:.0}/s to {} connections; {} gaps, {} connections lost",
            thousands(self.events),
            thousands(self.bets),
            self.events_per_s,
            thousands(self.busy.into()),
            self.gaps,
            self.lost
        )?;
        writeln!(f, "  delivery       {} (commit included)", self.delivery)?;
        let cpu = &self.cpu;
        writeln!(
            f,
            "  processors     server {:.2}, Postgres {:.2}, NATS {:.2}, this driver {:.2}",
            cpu.server, cpu.postgres, cpu.nats, cpu.driver
        )?;
        let storm = &self.storm;
        writeln!(
            f,
            "  storm          all back after {:.1} s of {} s; to the greeting {}; {} tries repeated",
            storm.took_s, storm.within_s, storm.greeted, storm.again
        )?;
        let gone = self.jammed.gone_after_s.map_or_else(
            || "still there at the end".to_owned(),
            |seconds| format!("gone after {seconds:.1} s"),
        );
        writeln!(
            f,
            "  does not read  {gone}, the server grew by {} KiB over {} bets",
            thousands(self.jammed.grew_bytes / 1024),
            thousands(self.jammed.bets.into())
        )?;
        write!(
            f,
            "  {}",
            if self.passed() {
                "as it must be"
            } else {
                "NOT as it must be"
            }
        )
    }
}
