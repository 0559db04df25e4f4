//! The ledger's own invariants, recomputed by `pitboss_schema::audit`: all players and all runs, where
//! `check` looks at one run. The same as `pitboss audit`.

use std::fmt;

use pitboss_schema::{Store, StoreError, StoreOptions, audit};
use serde::Serialize;

use crate::{
    error::{Error, Result},
    stats::thousands,
};

#[derive(Debug, Serialize)]
pub struct Invariant {
    /// As in `docs/rules.md`.
    pub number: &'static str,
    pub what: &'static str,
    pub checked: u64,
    pub breaches: u64,
    pub examples: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Invariants(Vec<Invariant>);

impl Invariants {
    pub fn hold(&self) -> bool {
        self.0.iter().all(|invariant| invariant.breaches == 0)
    }
}

pub async fn invariants(postgres: &str) -> Result<Invariants> {
    let wrong = |error: StoreError| Error::given(format!("auditing the invariants: {error}"));
    let store = Store::connect(postgres, StoreOptions::default()).map_err(wrong)?;
    let report = audit::audit(&store, |_| ()).await.map_err(wrong)?;
    let invariants = report.checks.into_iter().map(|check| Invariant {
        number: check.invariant,
        what: check.what,
        checked: check.checked,
        breaches: check.breaches,
        examples: check.examples,
    });
    Ok(Invariants(invariants.collect()))
}

impl fmt::Display for Invariants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checked = self.0.iter().map(|invariant| invariant.checked).sum();
        writeln!(
            f,
            "  invariants     {}: {} checks of {} rows and groups",
            if self.hold() { "hold" } else { "BROKEN" },
            self.0.len(),
            thousands(checked)
        )?;
        for invariant in self.0.iter().filter(|invariant| invariant.breaches > 0) {
            let breaches = thousands(invariant.breaches);
            writeln!(
                f,
                "  BREACH         {breaches} x {}: {}",
                invariant.number, invariant.what
            )?;
            for example in &invariant.examples {
                writeln!(f, "                   {example}")?;
            }
        }
        Ok(())
    }
}
