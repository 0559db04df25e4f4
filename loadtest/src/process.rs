//! What `/proc` tells about the processes of a run: processor time and resident memory. Linux only, as the
//! sandbox is.

use std::fs;

use serde::Serialize;

use crate::{
    error::{Error, Result},
    target::Pids,
};

/// Clock ticks per second in `/proc/<pid>/stat`: 100 on every Linux that user space sees.
const TICKS_PER_S: f64 = 100.0;

/// Processor seconds used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct CpuSeconds {
    driver: f64,
    server: f64,
    postgres: f64,
    nats: f64,
}

/// Processors in use on average: 1.0 is one core.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CpuUse {
    pub driver: f64,
    pub server: f64,
    pub postgres: f64,
    pub nats: f64,
}

pub fn cpu(pids: Pids) -> CpuSeconds {
    CpuSeconds {
        driver: own_seconds(std::process::id()),
        server: own_seconds(pids.server),
        postgres: family_seconds(pids.postgres),
        nats: own_seconds(pids.nats),
    }
}

impl CpuSeconds {
    /// What was used from `self` to `later`, over so many seconds.
    pub fn use_until(&self, later: &Self, seconds: f64) -> CpuUse {
        // A process that ended in between has used nothing by now.
        let of = |from: f64, to: f64| (to - from).max(0.0) / seconds;
        CpuUse {
            driver: of(self.driver, later.driver),
            server: of(self.server, later.server),
            postgres: of(self.postgres, later.postgres),
            nats: of(self.nats, later.nats),
        }
    }
}

/// Fields of a `stat` line that follow the program's name, which stands in parentheses and may hold anything.
struct Stat {
    parent: u32,
    /// User and system time of the process itself.
    own_ticks: u64,
    /// The same of its children that have ended.
    ended_children_ticks: u64,
}

fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own_ticks: number(11)? + number(12)?,
        ended_children_ticks: number(13)? + number(14)?,
    })
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

#[expect(clippy::cast_precision_loss)]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_S
}

fn own_seconds(pid: u32) -> f64 {
    stat(pid).map_or(0.0, |stat| seconds(stat.own_ticks))
}

/// A process with its living and ended children: Postgres has one process per connection.
fn family_seconds(pid: u32) -> f64 {
    let Some(parent) = stat(pid) else {
        return 0.0;
    };
    let living: u64 = processes()
        .filter_map(stat)
        .filter(|child| child.parent == pid)
        .map(|child| child.own_ticks)
        .sum();
    seconds(parent.own_ticks + parent.ended_children_ticks + living)
}

fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Resident memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Memory {
    /// All of it (`VmRSS`).
    pub resident_bytes: u64,
    /// Without pages of files, such as the program itself (`RssAnon`).
    pub anonymous_bytes: u64,
}

pub fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(Error::io(format!("cannot read {path}")))?;
    parse_memory(&text)
        .ok_or_else(|| Error::given(format!("{path} does not tell the resident memory")))
}

fn parse_memory(status: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib = line.trim().strip_suffix("kB")?.trim();
        kib.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    Some(Memory {
        resident_bytes: bytes("VmRSS:")?,
        anonymous_bytes: bytes("RssAnon:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_spaces_and_parentheses_shifts_no_field() {
        let stat = parse_stat("7 (a ) b) S 3 7 7 0 -1 0 1 2 3 4 100 20 30 4 20 0 1 0 55").unwrap();
        assert_eq!(stat.parent, 3);
        assert_eq!((stat.own_ticks, stat.ended_children_ticks), (120, 34));
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tx\nVmRSS:\t    2048 kB\nRssAnon:\t    1024 kB\n";
        let memory = parse_memory(status).unwrap();
        assert_eq!(memory.resident_bytes, 2 * 1024 * 1024);
        assert_eq!(memory.anonymous_bytes, 1024 * 1024);
        assert!(parse_memory("Name: x").is_none());
    }

    #[test]
    fn our_own_processor_time_is_seen() {
        let started = std::time::Instant::now();
        while started.elapsed().as_millis() < 60 {
            std::hint::black_box(0);
        }
        assert!(own_seconds(std::process::id()) > 0.0);
        assert!(memory(std::process::id()).unwrap().resident_bytes > 100_000);
    }
}
