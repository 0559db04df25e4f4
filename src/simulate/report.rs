//! What came out.

use std::fmt;

/// One step of a case.
#[derive(Debug, Clone)]
pub struct Row {
    pub step: String,
    pub expected: String,
    pub got: String,
    /// The answer itself.
    pub answer: String,
    pub holds: bool,
}

/// One case.
#[derive(Debug, Clone)]
struct Tried {
    name: &'static str,
    rows: Vec<Row>,
}

impl Tried {
    fn holds(&self) -> bool {
        self.rows.iter().all(|row| row.holds)
    }
}

/// All cases of a run.
#[derive(Debug, Clone)]
pub struct Report {
    dialect: &'static str,
    tried: Vec<Tried>,
    /// With the reasons.
    left_out: Vec<(&'static str, &'static str)>,
    /// Whether also what holds is shown step by step.
    pub in_full: bool,
}

impl Report {
    pub(super) fn new(dialect: &'static str) -> Self {
        Self {
            dialect,
            tried: Vec::new(),
            left_out: Vec::new(),
            in_full: true,
        }
    }

    /// A case of which the dialect has no step is left out.
    pub(super) fn add(&mut self, name: &'static str, rows: Vec<Row>) {
        if rows.is_empty() {
            self.leave_out(name, "the dialect has no such call");
        } else {
            self.tried.push(Tried { name, rows });
        }
    }

    pub(super) fn leave_out(&mut self, name: &'static str, why: &'static str) {
        self.left_out.push((name, why));
    }

    /// Something was tried, and everything was as expected.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.tried.is_empty() && self.tried.iter().all(Tried::holds)
    }
}

/// Columns are as wide as that, where the text is not longer.
const STEP: usize = 44;
const VERDICT: usize = 44;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.in_full {
            writeln!(f, "{:6}{:STEP$} {:VERDICT$} got", "", "case", "expected")?;
        }
        for tried in &self.tried {
            let sign = if tried.holds() { "ok" } else { "FAIL" };
            writeln!(f, "{sign:6}{}", tried.name)?;
            if !tried.holds() || self.in_full {
                tried.rows.iter().try_for_each(|row| row.write(f))?;
            }
        }
        for (name, why) in &self.left_out {
            writeln!(f, "{:6}{name}: left out, {why}", "-")?;
        }
        let held = self.tried.iter().filter(|tried| tried.holds()).count();
        let all = self.tried.len();
        write!(f, "{}: {held} of {all} cases hold", self.dialect)
    }
}

impl Row {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.holds { "" } else { "FAIL" };
        let Self {
            step,
            expected,
            got,
            ..
        } = self;
        writeln!(f, "{sign:>6}  {step:42} {expected:VERDICT$} {got}")?;
        if self.holds {
            return Ok(());
        }
        writeln!(f, "{:10}answer: {}", "", self.answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(holds: bool) -> Row {
        Row {
            step: "bet of 1.00".to_owned(),
            expected: "ok, cash 9.00".to_owned(),
            got: "ok, cash 8.00".to_owned(),
            answer: "200 {}".to_owned(),
            holds,
        }
    }

    #[test]
    fn one_step_that_differs_is_a_case_that_does_not_hold() {
        let mut report = Report::new("test");
        assert!(!report.holds(), "nothing was tried");
        report.add("good", vec![row(true)]);
        report.add("none", vec![]);
        assert!(report.holds());
        report.add("bad", vec![row(true), row(false)]);
        assert!(!report.holds());
        let text = report.to_string();
        assert!(text.contains("none: left out"), "{text}");
        assert!(text.ends_with("test: 1 of 2 cases hold"), "{text}");
        assert_eq!(text.matches("answer: 200 {}").count(), 1, "{text}");
    }
}
