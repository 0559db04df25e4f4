//! What `loadtest bets` prints and writes as JSON.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{
    audit::{AuditReport, Invariants},
    process::CpuUse,
    stats::{Latency, thousands},
};

/// Events that were committed and not on the bus when the last bet was answered.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Outbox {
    pub left_at_end: i64,
    /// `None`: they were not on the bus within two minutes.
    pub drained_after_s: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct BetsReport {
    pub run: String,
    pub seed: u64,
    /// Bets per second of the open loop; `None` in a closed loop.
    pub rate: Option<f64>,
    pub connections: u32,
    pub players: u32,
    pub bets_per_round: u32,
    pub warm_up_s: u64,
    pub duration_s: u64,
    /// Acknowledgements that arrived in the measured time, per second of it.
    pub acknowledged_per_s: f64,
    pub acknowledged_measured: u64,
    /// Of acknowledged bets, from due to answered, retries included.
    pub latency: Latency,
    /// The part of it before the first byte was sent.
    pub send_delay: Latency,
    /// All bets, those of the warm-up and the tail included, as in what follows.
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    pub unknown: u64,
    pub requests: u64,
    pub retries: BTreeMap<String, u64>,
    pub refusals: BTreeMap<String, u64>,
    pub given_up: u64,
    pub not_sent: u64,
    pub replays: u64,
    pub wrong: BTreeMap<&'static str, u64>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub cpu: Option<CpuUse>,
    pub outbox: Option<Outbox>,
    pub audit: Option<AuditReport>,
    /// Of the whole ledger; `compare` looks at them once for all its runs.
    pub invariants: Option<Invariants>,
}

impl BetsReport {
    /// Bets were acknowledged, no answer was wrong, and the audit found nothing.
    pub fn passed(&self) -> bool {
        self.acknowledged > 0
            && self.wrong.is_empty()
            && self.audit.as_ref().is_none_or(AuditReport::passed)
            && self.invariants.as_ref().is_none_or(Invariants::hold)
    }
}

impl fmt::Display for BetsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.rate {
            Some(rate) => format!(
                "open loop, {rate} bets/s, at most {} in flight",
                self.connections
            ),
            None => format!("closed loop, {} connections", self.connections),
        };
        writeln!(f, "bets over HTTP: run {}, seed {}", self.run, self.seed)?;
        writeln!(
            f,
            "  load           {how}, {} players",
            thousands(self.players.into())
        )?;
        writeln!(
            f,
            "  acknowledged   {:.0}/s ({} in {} s, after {} s of warm-up)",
            self.acknowledged_per_s,
            thousands(self.acknowledged_measured),
            self.duration_s,
            self.warm_up_s
        )?;
        writeln!(f, "  latency        {}", self.latency)?;
        if self.rate.is_some() {
            writeln!(f, "  of it, unsent  {}", self.send_delay)?;
        }
        writeln!(
            f,
            "  all bets       {} sent, {} acknowledged, {} refused, {} without a final answer",
            thousands(self.sent),
            thousands(self.acknowledged),
            thousands(self.refused),
            thousands(self.unknown)
        )?;
        if self.not_sent > 0 {
            writeln!(
                f,
                "  NOT SENT       {} bets that were due: the rate was not reached, and the latencies are too good",
                thousands(self.not_sent)
            )?;
        }
        for (kind, counts) in [("retried", &self.retries), ("refused", &self.refusals)] {
            for (reason, count) in counts {
                writeln!(f, "  {kind:<14} {} x {reason}", thousands(*count))?;
            }
        }
        for (kind, count) in &self.wrong {
            writeln!(f, "  WRONG ANSWER   {} x {kind}", thousands(*count))?;
        }
        writeln!(
            f,
            "  requests       {}, {} answered as repeats, {} KB sent, {} KB received",
            thousands(self.requests),
            thousands(self.replays),
            thousands(self.bytes_sent / 1000),
            thousands(self.bytes_received / 1000)
        )?;
        if let Some(cpu) = &self.cpu {
            writeln!(
                f,
                "  processors     server {:.2}, Postgres {:.2}, NATS {:.2}, this driver {:.2}",
                cpu.server, cpu.postgres, cpu.nats, cpu.driver
            )?;
        }
        if let Some(outbox) = &self.outbox {
            let drained = match outbox.drained_after_s {
                Some(seconds) => format!("all on the bus {seconds:.1} s later"),
                None => "NOT on the bus two minutes later".into(),
            };
            writeln!(f, "  events put off {}, {drained}", outbox.left_at_end)?;
        }
        match &self.audit {
            Some(audit) => write!(f, "{audit}")?,
            None => writeln!(f, "  audit          not done")?,
        }
        match &self.invariants {
            Some(invariants) => write!(f, "{invariants}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  audit          {}: {} acknowledged bets, {} ledger rows, {} balances; without an answer: {} applied, {} not",
            if self.passed() { "passed" } else { "FAILED" },
            thousands(self.acknowledged),
            thousands(self.ledger_rows),
            thousands(self.balances),
            thousands(self.unknown_applied),
            thousands(self.unknown_absent)
        )?;
        for (kind, finding) in &self.breaches {
            writeln!(f, "  BREACH         {} x {kind}", thousands(finding.count))?;
            for example in &finding.examples {
                writeln!(f, "                   {example}")?;
            }
        }
        Ok(())
    }
}
