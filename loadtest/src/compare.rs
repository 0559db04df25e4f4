//! `loadtest compare`: baseline and bets in turn, and their ratio.

use std::fmt;

use serde::Serialize;

use crate::{
    audit::{self, Invariants},
    baseline::{self, BaselineReport},
    bets::{self, BetsReport},
    cli::{BaselineOptions, BetsOptions, CompareCommand},
    error::Result,
    runtime,
    sandbox::Place,
    stats::median,
    target::Target,
};

#[derive(Debug, Serialize)]
pub struct CompareReport {
    pub baseline_per_s: Vec<f64>,
    pub bets_per_s: Vec<f64>,
    pub baseline_median_per_s: f64,
    pub bets_median_per_s: f64,
    pub ratio: f64,
    pub at_least: f64,
    pub audits_passed: bool,
    pub invariants: Option<Invariants>,
    pub baselines: Vec<BaselineReport>,
    pub bets: Vec<BetsReport>,
}

impl CompareReport {
    fn new(
        baselines: Vec<BaselineReport>,
        bets: Vec<BetsReport>,
        invariants: Option<Invariants>,
        at_least: f64,
    ) -> Self {
        let baseline_per_s: Vec<f64> = baselines.iter().map(|run| run.committed_per_s).collect();
        let bets_per_s: Vec<f64> = bets.iter().map(|run| run.acknowledged_per_s).collect();
        let baseline_median_per_s = median(&baseline_per_s);
        let bets_median_per_s = median(&bets_per_s);
        Self {
            ratio: ratio(bets_median_per_s, baseline_median_per_s),
            audits_passed: bets.iter().all(BetsReport::passed)
                && baselines.iter().all(|run| run.agrees)
                && invariants.as_ref().is_none_or(Invariants::hold),
            invariants,
            baseline_per_s,
            bets_per_s,
            baseline_median_per_s,
            bets_median_per_s,
            at_least,
            baselines,
            bets,
        }
    }

    pub fn passed(&self) -> bool {
        self.audits_passed && self.ratio >= self.at_least
    }
}

fn ratio(bets: f64, baseline: f64) -> f64 {
    if baseline > 0.0 { bets / baseline } else { 0.0 }
}

impl fmt::Display for CompareReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "        textbook/s    bets over HTTP/s    ratio")?;
        let pairs = self.baseline_per_s.iter().zip(&self.bets_per_s);
        for (number, (baseline, bets)) in (1..).zip(pairs) {
            let ratio = ratio(*bets, *baseline);
            writeln!(
                f,
                "{number:>6}  {baseline:>10.0}    {bets:>16.0}    {ratio:>5.2}"
            )?;
        }
        let (baseline, bets) = (self.baseline_median_per_s, self.bets_median_per_s);
        writeln!(
            f,
            "median  {baseline:>10.0}    {bets:>16.0}    {:>5.2}",
            self.ratio
        )?;
        if let Some(invariants) = &self.invariants {
            write!(f, "{invariants}")?;
        }
        if !self.audits_passed {
            writeln!(f, "an audit FAILED: see the runs above")?;
        }
        let verdict = if self.ratio >= self.at_least {
            "reached"
        } else {
            "NOT reached"
        };
        writeln!(f, "at least {:.2}: {verdict}", self.at_least)
    }
}

/// Blocks until it is done.
pub fn run(command: &CompareCommand) -> Result<CompareReport> {
    if let Some(connection) = &command.connection {
        return compare(&Target::read(connection)?, command);
    }
    let place = Place::new(&command.sandbox)?;
    eprintln!("starting a sandbox");
    let sandbox = place.start(true)?;
    let report = compare(&place.target()?, command)?;
    sandbox.stop()?;
    place.remove()?;
    Ok(report)
}

fn compare(target: &Target, command: &CompareCommand) -> Result<CompareReport> {
    let (mut baselines, mut bets) = (Vec::new(), Vec::new());
    for number in 0..command.repeat {
        eprintln!("pair {} of {}", number + 1, command.repeat);
        // Every other pair in the other order: what only grows (tables, logs) must not favour one of them.
        for turn in [number % 2, (number + 1) % 2] {
            match turn {
                0 => {
                    let report = baseline::run(target, &baseline_options(command))?;
                    println!("{report}");
                    baselines.push(report);
                }
                _ => {
                    let report = runtime::run_local(bets::run(target, &bets_options(command)))?;
                    println!("{report}");
                    bets.push(report);
                }
            }
        }
    }
    eprintln!("audit of the whole ledger");
    let invariants = runtime::run_local(audit::invariants(&target.postgres))?;
    Ok(CompareReport::new(
        baselines,
        bets,
        Some(invariants),
        command.at_least,
    ))
}

fn baseline_options(command: &CompareCommand) -> BaselineOptions {
    BaselineOptions {
        connections: command.baseline_connections,
        duration_s: command.duration_s,
        warm_up_s: command.warm_up_s,
        players: command.players,
        pipelined: false,
        threads: 1,
    }
}

fn bets_options(command: &CompareCommand) -> BetsOptions {
    BetsOptions {
        rate: None,
        connections: Some(command.connections),
        duration_s: command.duration_s,
        warm_up_s: command.warm_up_s,
        players: command.players,
        bets_per_round: 1,
        close_rounds: false,
        overlap: false,
        provider: None,
        game: None,
        timeout_ms: 10_000,
        tries: 30,
        seed: None,
        no_audit: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_without_a_baseline_is_none_and_never_passes() {
        assert!(ratio(5_000.0, 0.0).abs() < f64::EPSILON);
        assert!(!CompareReport::new(Vec::new(), Vec::new(), None, 2.0).passed());
        assert!((ratio(6_000.0, 3_000.0) - 2.0).abs() < 1e-9);
    }
}
