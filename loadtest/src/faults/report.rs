//! What `loadtest faults` prints and writes as JSON.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{inflict::Made, scenario::Scenario};
use crate::{
    audit::Invariants,
    stats::{Latency, thousands},
};

/// What must not be, and was.
#[derive(Debug, Serialize)]
pub struct Breach {
    pub what: &'static str,
    pub count: u64,
    pub examples: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct ScenarioReport {
    pub scenario: Scenario,
    pub servers: usize,
    pub load_s: f64,
    pub faults: Made,
    /// Answers swallowed with their connection.
    pub connections_cut: u64,
    /// Requests that ended with their one answer, tries that it took, answers told as repeats.
    pub requests: u64,
    pub tries: u64,
    pub replayed: u64,
    pub again: BTreeMap<String, u64>,
    /// From the first try to the answer.
    pub latency: Latency,
    pub ledger_rows: u64,
    pub events: u64,
    /// On the bus more than once, which readers drop by the id.
    pub events_repeated: u64,
    pub streams: u64,
    pub stream_connections: u64,
    pub stream_resumes: u64,
    pub stream_ends: BTreeMap<String, u64>,
    pub stopped_gracefully: bool,
    pub lost: u64,
    pub doubled: u64,
    pub breaches: Vec<Breach>,
    pub invariants: Invariants,
}

impl ScenarioReport {
    pub fn passed(&self) -> bool {
        self.requests > 0
            && self.faults_made() > 0
            && self.breaches.is_empty()
            && self.invariants.hold()
    }

    fn faults_made(&self) -> u64 {
        self.faults.values().sum()
    }
}

#[derive(Debug, Serialize)]
pub struct FaultsReport {
    pub seed: u64,
    pub seconds_each: f64,
    pub players: usize,
    pub workers: u32,
    pub rate: f64,
    pub scenarios: Vec<ScenarioReport>,
}

impl FaultsReport {
    pub fn passed(&self) -> bool {
        !self.scenarios.is_empty() && self.scenarios.iter().all(ScenarioReport::passed)
    }
}

fn list(counts: impl Iterator<Item = (String, u64)>) -> String {
    let all: Vec<String> = counts
        .map(|(what, count)| format!("{} {what}", thousands(count)))
        .collect();
    match all.is_empty() {
        true => "none".to_owned(),
        false => all.join(", "),
    }
}

impl fmt::Display for ScenarioReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} s of load, {} server{}",
            self.scenario,
            self.load_s.round(),
            self.servers,
            if self.servers == 1 { "" } else { "s" }
        )?;
        let faults = self
            .faults
            .iter()
            .map(|(what, count)| ((*what).to_owned(), *count));
        writeln!(
            f,
            "  faults         {}; {} connections cut before their reply",
            list(faults),
            thousands(self.connections_cut)
        )?;
        writeln!(
            f,
            "  requests       {} answered in {} tries, {} told as repeats; from first try to answer {}",
            thousands(self.requests),
            thousands(self.tries),
            thousands(self.replayed),
            self.latency
        )?;
        let again = self.again.iter().map(|(why, count)| (why.clone(), *count));
        writeln!(f, "  sent again     {}", list(again))?;
        writeln!(
            f,
            "  ledger         {} rows: lost {}, doubled {}",
            thousands(self.ledger_rows),
            self.lost,
            self.doubled
        )?;
        writeln!(
            f,
            "  bus            {} events, {} of them there more than once and dropped by id",
            thousands(self.events),
            thousands(self.events_repeated)
        )?;
        writeln!(
            f,
            "  streams        {} watched over {} connections, {} resumed; ends: {}",
            self.streams,
            thousands(self.stream_connections),
            thousands(self.stream_resumes),
            list(
                self.stream_ends
                    .iter()
                    .map(|(why, count)| (why.clone(), *count))
            )
        )?;
        write!(f, "{}", self.invariants)?;
        for Breach {
            what,
            count,
            examples,
        } in &self.breaches
        {
            writeln!(f, "  BREACH         {} x {what}", thousands(*count))?;
            for example in examples {
                writeln!(f, "                   {example}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for FaultsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nfaults: seed {}, {} players, {} workers, up to {} requests/s",
            self.seed, self.players, self.workers, self.rate
        )?;
        let sum = |of: fn(&ScenarioReport) -> u64| self.scenarios.iter().map(of).sum::<u64>();
        writeln!(
            f,
            "  {} faults, {} requests answered in {} tries, {} ledger rows, {} events: lost {}, doubled {}",
            thousands(sum(ScenarioReport::faults_made)),
            thousands(sum(|s| s.requests)),
            thousands(sum(|s| s.tries)),
            thousands(sum(|s| s.ledger_rows)),
            thousands(sum(|s| s.events)),
            sum(|s| s.lost),
            sum(|s| s.doubled)
        )?;
        let failed = self.scenarios.iter().filter(|scenario| !scenario.passed());
        let failed: Vec<String> = failed.map(|failed| failed.scenario.to_string()).collect();
        match failed.is_empty() {
            true => write!(
                f,
                "  {} scenarios, each as it must be",
                self.scenarios.len()
            ),
            false => write!(
                f,
                "  FAILED: {}; the same seed gives the same schedule",
                failed.join(", ")
            ),
        }
    }
}
