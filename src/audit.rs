//! `pitboss audit`: the invariants of a ledger, recomputed and shown as a table.

use std::{
    fmt::Write,
    io::{IsTerminal, stderr},
};

use pitboss_schema::{
    Store, StoreError,
    audit::{Progress, Report, audit, audit_player},
};
use pitboss_wallet::{Environment, PlayerId};

/// Where nobody watches, only a check that takes longer than this is told of, and then as often.
const LONG_S: u64 = 10;

/// Recomputes everything and returns whether all holds, with a table for a person. Progress goes to standard
/// error: a long ledger takes a while.
///
/// # Errors
/// The database did not answer.
pub async fn run(environment: Environment, store: &Store) -> Result<(bool, String), StoreError> {
    let mut screen = Screen::stderr();
    let report = audit(store, |progress| screen.tell(&progress)).await?;
    screen.clear();
    let title = format!("Audit of {environment}");
    Ok((report.is_clean(), table(&title, &report)))
}

/// The same for one player. `None`: there is no such player.
///
/// # Errors
/// The database did not answer.
pub async fn run_player(
    environment: Environment,
    store: &Store,
    player: &PlayerId,
) -> Result<Option<(bool, String)>, StoreError> {
    let mut screen = Screen::stderr();
    let report = audit_player(store, player, |progress| screen.tell(&progress)).await?;
    screen.clear();
    let title = format!("Audit of {environment}, player {player}");
    Ok(report.map(|report| (report.is_clean(), table(&title, &report))))
}

/// Shows how far the audit is: one line that changes, on a terminal; otherwise lines for what takes long.
struct Screen {
    is_terminal: bool,
    /// How often the running check has been told of.
    told: u64,
}

impl Screen {
    fn stderr() -> Self {
        Self {
            is_terminal: stderr().is_terminal(),
            told: 0,
        }
    }

    fn tell(&mut self, progress: &Progress) {
        if let Some(text) = self.text(progress) {
            eprint!("{text}");
        }
    }

    fn text(&mut self, progress: &Progress) -> Option<String> {
        let Progress {
            number,
            of,
            invariant,
            what,
            elapsed,
        } = progress;
        let seconds = elapsed.as_secs();
        let line = match seconds {
            0 => format!("audit {number}/{of}: {invariant} {what}"),
            _ => format!("audit {number}/{of}: {invariant} {what}: {seconds} s"),
        };
        if self.is_terminal {
            return Some(format!("\r\x1b[K{line}"));
        }
        let due = seconds / LONG_S > self.told;
        self.told = seconds / LONG_S;
        due.then(|| format!("{line}\n"))
    }

    fn clear(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }
}

fn table(title: &str, report: &Report) -> String {
    let mut text = String::new();
    let width = report
        .checks
        .iter()
        .map(|check| check.what.chars().count())
        .max()
        .unwrap_or(0);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{title}");
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
    if let Some((number, hash)) = &report.head {
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = write!(
            text,
            "\nThe audit log ends with entry {number}, hash {hash}."
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
            head: None,
        };
        let table = table("Audit of live", &report);
        assert!(table.starts_with("Audit of live\n"), "{table}");
        assert!(table.contains("2  <-\n           alice\n"), "{table}");
        assert!(table.ends_with("2 breaches."), "{table}");
        let head = Some((7, vec![0, 255]));
        let text = super::table("Audit of live", &Report { head, ..report });
        assert!(
            text.ends_with("\nThe audit log ends with entry 7, hash 00ff."),
            "{text}"
        );
    }

    /// What is shown of a check that runs for so many seconds.
    fn shown(is_terminal: bool, seconds: &[u64]) -> Vec<Option<String>> {
        let mut screen = Screen {
            is_terminal,
            told: 0,
        };
        let progress = |&seconds: &u64| Progress {
            number: 2,
            of: 9,
            invariant: "INV-1",
            what: "sums",
            elapsed: Duration::from_secs(seconds),
        };
        let texts = seconds.iter().map(progress);
        texts.map(|progress| screen.text(&progress)).collect()
    }

    #[test]
    fn a_terminal_sees_every_check_begin_and_run() {
        let line = |text: &str| Some(format!("\r\x1b[K{text}"));
        assert_eq!(
            shown(true, &[0, 2]),
            [
                line("audit 2/9: INV-1 sums"),
                line("audit 2/9: INV-1 sums: 2 s")
            ]
        );
    }

    #[test]
    fn elsewhere_only_a_long_check_is_told_of_and_not_too_often() {
        let line = |text: &str| Some(format!("{text}\n"));
        assert_eq!(
            shown(false, &[0, 8, 10, 12, 20, 0, 2]),
            [
                None,
                None,
                line("audit 2/9: INV-1 sums: 10 s"),
                None,
                line("audit 2/9: INV-1 sums: 20 s"),
                None,
                None
            ]
        );
    }
}
