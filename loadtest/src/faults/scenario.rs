//! What goes wrong in a run, and when: pure. The same seed gives the same schedule.

use std::{fmt, time::Duration};

use clap::ValueEnum;
use serde::Serialize;

use crate::random::{Random, mix};

/// One kind of trouble. Each runs on a casino of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// kill -9 of the server at random moments.
    ServerKilled,
    /// Postgres stopped without a checkpoint (immediate), and restarted.
    PostgresCrashed,
    /// Connections cut after the commit and before its reply: of providers, of the server to Postgres.
    RepliesCut,
    /// Everything is slow: requests, replies, Postgres, NATS.
    Delayed,
    /// nats-server killed and restarted, and its connections cut.
    BusKilled,
    /// nats-server killed, and its store lost.
    BusStoreLost,
    /// Two servers on one database, every request to either of them; each is killed at times.
    TwoNodes,
    /// Postgres refuses commits: the disk is full.
    DiskFull,
    /// The servers' clocks jump, each by itself; once so far that no signature fits.
    ClockJumps,
    /// All of it at once.
    Everything,
}

impl Scenario {
    pub const fn nodes(self) -> usize {
        match self {
            Self::TwoNodes | Self::ClockJumps | Self::Everything => 2,
            _ => 1,
        }
    }

    pub const fn moves_clocks(self) -> bool {
        matches!(self, Self::ClockJumps | Self::Everything)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_possible_value() {
            Some(value) => f.write_str(value.get_name()),
            None => Ok(()),
        }
    }
}

/// A connection that trouble can be made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Between providers, players and operators, and the server with this number.
    Clients(usize),
    /// Between the servers and Postgres.
    Postgres,
    /// Between the servers and nats-server.
    Nats,
}

/// What a line does to what it carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weather {
    #[default]
    Fair,
    /// Each piece of data waits up to so long, in both directions.
    Slow { up_to_ms: u32 },
    /// So many in a thousand answers are swallowed and their connection cut: whoever asked does not learn
    /// that it was done.
    CutReplies { per_mille: u32 },
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// kill -9, and a start after a pause.
    KillServer {
        node: usize,
        down_ms: u32,
    },
    CrashPostgres {
        down_ms: u32,
    },
    KillNats {
        down_ms: u32,
        lose_store: bool,
    },
    Weather {
        line: Line,
        weather: Weather,
    },
    /// So many in a hundred commits fail with "disk full"; 0: none.
    RefuseCommits {
        per_cent: u32,
    },
    /// A server's clock goes wrong by so much.
    Clock {
        node: usize,
        offset_s: i32,
    },
}

/// A fault and its time, counted from the start of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Planned {
    pub at_ms: u32,
    pub fault: Fault,
}

/// Longest time without a fault.
const GAP_MAX_MS: u32 = 4_000;
const GAP_MIN_MS: u32 = 600;
/// How long a line's bad weather lasts at most.
const SPELL_MAX_MS: u32 = 3_000;
/// Within this a signature still fits (300 s).
const SKEW_MAX_S: u32 = 240;
/// So far off no signature fits, but no session or key has ended that the players need.
const FAR_OFF_S: i32 = 3_600;
/// How long a clock stays so far off.
const FAR_OFF_MS: u32 = 1_500;

/// The faults of a scenario over a time, in order.
pub fn schedule(scenario: Scenario, seed: u64, length: Duration) -> Vec<Planned> {
    let mut random = Random::new(mix(seed ^ mix(scenario as u64 + 1)));
    let length_ms = u32::try_from(length.as_millis()).unwrap_or(u32::MAX);
    let mut planned = Vec::new();
    let mut at_ms = GAP_MIN_MS;
    while at_ms < length_ms {
        let kind = match scenario {
            Scenario::Everything => EACH[random.below(EACH.len() as u32) as usize],
            one => one,
        };
        add(kind, scenario.nodes(), at_ms, &mut random, &mut planned);
        at_ms += GAP_MIN_MS + random.below(GAP_MAX_MS - GAP_MIN_MS);
    }
    planned.sort_by_key(|planned| planned.at_ms);
    planned
}

/// What `Everything` is made of.
const EACH: [Scenario; 9] = [
    Scenario::ServerKilled,
    Scenario::PostgresCrashed,
    Scenario::RepliesCut,
    Scenario::Delayed,
    Scenario::BusKilled,
    Scenario::BusStoreLost,
    Scenario::TwoNodes,
    Scenario::DiskFull,
    Scenario::ClockJumps,
];

/// One fault of a kind, and its end where it does not end by itself.
fn add(kind: Scenario, nodes: usize, at_ms: u32, random: &mut Random, planned: &mut Vec<Planned>) {
    let node = random.below(nodes as u32) as usize;
    let down_ms = random.below(1_500);
    let spell_ms = 300 + random.below(SPELL_MAX_MS - 300);
    let mut push = |at_ms, fault| planned.push(Planned { at_ms, fault });
    let mut spell = |line, weather| {
        push(at_ms, Fault::Weather { line, weather });
        let weather = Weather::Fair;
        push(at_ms + spell_ms, Fault::Weather { line, weather });
    };
    match kind {
        Scenario::ServerKilled | Scenario::TwoNodes => {
            push(at_ms, Fault::KillServer { node, down_ms });
        }
        Scenario::PostgresCrashed => push(at_ms, Fault::CrashPostgres { down_ms }),
        Scenario::RepliesCut => {
            let per_mille = 20 + random.below(180);
            let line = any_line(node, random);
            spell(line, Weather::CutReplies { per_mille });
        }
        Scenario::Delayed => {
            let up_to_ms = 20 + random.below(400);
            let line = any_line(node, random);
            spell(line, Weather::Slow { up_to_ms });
        }
        Scenario::BusKilled if random.below(3) == 0 => {
            let per_mille = 20 + random.below(180);
            spell(Line::Nats, Weather::CutReplies { per_mille });
        }
        Scenario::BusKilled | Scenario::BusStoreLost => {
            let lose_store = kind == Scenario::BusStoreLost;
            push(
                at_ms,
                Fault::KillNats {
                    down_ms,
                    lose_store,
                },
            );
        }
        Scenario::DiskFull => {
            let per_cent = 5 + random.below(95);
            push(at_ms, Fault::RefuseCommits { per_cent });
            push(at_ms + spell_ms, Fault::RefuseCommits { per_cent: 0 });
        }
        Scenario::ClockJumps if random.below(4) == 0 => {
            let offset_s = if random.below(2) == 0 {
                FAR_OFF_S
            } else {
                -FAR_OFF_S
            };
            push(at_ms, Fault::Clock { node, offset_s });
            push(at_ms + FAR_OFF_MS, Fault::Clock { node, offset_s: 0 });
        }
        Scenario::ClockJumps => {
            let skew = i32::try_from(random.below(2 * SKEW_MAX_S)).unwrap_or(0);
            let offset_s = skew - i32::try_from(SKEW_MAX_S).unwrap_or(0);
            push(at_ms, Fault::Clock { node, offset_s });
        }
        // Made of the others.
        Scenario::Everything => {}
    }
}

fn any_line(node: usize, random: &mut Random) -> Line {
    match random.below(5) {
        0 | 1 => Line::Clients(node),
        2 | 3 => Line::Postgres,
        _ => Line::Nats,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_same_seed_gives_the_same_schedule_and_another_seed_another() {
        for scenario in Scenario::value_variants() {
            let one = schedule(*scenario, 7, MINUTE);
            assert_eq!(one, schedule(*scenario, 7, MINUTE), "{scenario}");
            assert_ne!(one, schedule(*scenario, 8, MINUTE), "{scenario}");
        }
    }

    #[test]
    fn a_minute_has_more_than_ten_faults_of_its_own_kind() {
        for scenario in Scenario::value_variants() {
            let planned = schedule(*scenario, 1, MINUTE);
            assert!(planned.len() > 10, "{scenario}: {}", planned.len());
            assert!(planned.is_sorted_by_key(|planned| planned.at_ms));
        }
        let kills = schedule(Scenario::ServerKilled, 3, MINUTE);
        let is_kill = |planned: &Planned| matches!(planned.fault, Fault::KillServer { .. });
        assert!(kills.iter().all(is_kill));
    }

    #[test]
    fn even_the_shortest_run_has_a_fault_and_every_bad_spell_ends() {
        for scenario in Scenario::value_variants() {
            for seed in 0..50 {
                let planned = schedule(*scenario, seed, Duration::from_secs(2));
                assert!(!planned.is_empty(), "{scenario}");
                let mut weather = std::collections::HashMap::new();
                for Planned { fault, .. } in &planned {
                    if let Fault::Weather { line, weather: new } = fault {
                        weather.insert(format!("{line:?}"), *new);
                    }
                }
                assert!(weather.values().all(|last| *last == Weather::Fair));
            }
        }
    }

    #[test]
    fn all_of_it_at_once_has_every_kind() {
        let planned = schedule(Scenario::Everything, 1, MINUTE * 10);
        let has = |wanted: fn(&Fault) -> bool| planned.iter().any(|p| wanted(&p.fault));
        assert!(has(|f| matches!(f, Fault::KillServer { node: 1, .. })));
        assert!(has(|f| matches!(f, Fault::CrashPostgres { .. })));
        assert!(has(|f| matches!(
            f,
            Fault::KillNats {
                lose_store: true,
                ..
            }
        )));
        assert!(has(|f| matches!(f, Fault::RefuseCommits { per_cent: 1.. })));
        assert!(has(|f| matches!(
            f,
            Fault::Clock {
                offset_s: FAR_OFF_S,
                ..
            }
        )));
    }
}
