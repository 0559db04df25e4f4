//! What came out.

use std::fmt;

/// One step of a case.
#[derive(Debug, Clone)]
pub struct Row {
    pub step: String,
    pub expected: String,
    pub got: String,
    pub holds: bool,
}

/// All cases of a run.
#[derive(Debug, Clone)]
pub struct Report {
    dialect: &'static str,
    cases: Vec<(&'static str, Vec<Row>)>,
}

impl Report {
    pub(super) fn new(dialect: &'static str) -> Self {
        Self {
            dialect,
            cases: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, name: &'static str, rows: Vec<Row>) {
        self.cases.push((name, rows));
    }

    #[must_use]
    pub fn holds(&self) -> bool {
        self.cases
            .iter()
            .all(|(_, rows)| rows.iter().all(|row| row.holds))
    }
}

/// A line for each case; of one that does not hold, each step.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut held = 0;
        for (name, rows) in &self.cases {
            let holds = rows.iter().all(|row| row.holds);
            held += usize::from(holds);
            let sign = if holds { "ok  " } else { "FAIL" };
            writeln!(f, "{sign} {name} ({} steps)", rows.len())?;
            if holds {
                continue;
            }
            for row in rows {
                let sign = if row.holds { "ok  " } else { "FAIL" };
                writeln!(f, "     {sign} {}", row.step)?;
                if !row.holds {
                    writeln!(f, "            expected {}", row.expected)?;
                    writeln!(f, "            got      {}", row.got)?;
                }
            }
        }
        write!(
            f,
            "{}: {held} of {} cases hold",
            self.dialect,
            self.cases.len()
        )
    }
}
