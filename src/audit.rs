//! `pitboss audit`: the invariants of a ledger, recomputed and shown as a table.

use std::{
    fmt::Write,
    io::{IsTerminal, stderr},
};

use pitboss_schema::{
    Store, StoreError,
    audit::{Report, audit},
};
use pitboss_wallet::Environment;

/// Recomputes everything and returns whether all holds, with a table for a person. Progress goes to standard
/// error, when that is a terminal: a long ledger takes a while.
///
/// # Errors
/// The database did not answer.
pub async fn run(environment: Environment, store: &Store) -> Result<(bool, String), StoreError> {
    let shows = stderr().is_terminal();
    let report = audit(store, |progress| {
        if shows {
            let pitboss_schema::audit::Progress {
                number,
                of,
                invariant,
                what,
            } = progress;
            eprint!("\r\x1b[Kaudit {number}/{of}: {invariant} {what}");
        }
    })
    .await?;
    if shows {
        eprint!("\r\x1b[K");
    }
    Ok((report.is_clean(), table(environment, &report)))
}

fn table(environment: Environment, report: &Report) -> String {
    let mut text = String::new();
    let width = report
        .checks
        .iter()
        .map(|check| check.what.chars().count())
        .max()
        .unwrap_or(0);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "Audit of {environment}");
    let _ = writeln!(
        text,
        "{:<7}  {:<width$}  {:>12}  {:>9}",
        "rule", "what", "checked", "breaches"
    );
    for check in &report.checks {
        let mark = if check.breaches == 0 { "" } else { "  <-" };
        let _ = writeln!(
            text,
            "{:<7}  {:<width$}  {:>12}  {:>9}{mark}",
            check.invariant, check.what, check.checked, check.breaches
        );
        for example in &check.examples {
            let _ = writeln!(text, "           {example}");
        }
    }
    let breaches: u64 = report.checks.iter().map(|check| check.breaches).sum();
    let verdict = match breaches {
        0 => "All invariants hold.".to_owned(),
        1 => "1 breach.".to_owned(),
        breaches => format!("{breaches} breaches."),
    };
    text.push_str(&verdict);
    text
}

#[cfg(test)]
mod tests {
    use pitboss_schema::audit::Check;

    use super::*;

    #[test]
    fn a_breach_is_marked_shown_and_counted() {
        let check = |invariant, breaches, examples: &[&str]| Check {
            invariant,
            what: "postings sum to zero",
            checked: 3,
            breaches,
            examples: examples.iter().map(ToString::to_string).collect(),
        };
        let report = Report {
            checks: vec![check("INV-1", 0, &[]), check("INV-2", 2, &["alice"])],
        };
        let table = table(Environment::Live, &report);
        assert!(table.starts_with("Audit of live\n"), "{table}");
        assert!(table.contains("2  <-\n           alice\n"), "{table}");
        assert!(table.ends_with("2 breaches."), "{table}");
    }
}
