//! The two forms of a report: JSON, and CSV (RFC 4180). Both say first whose it is, of what and of when, and both say
//! when nothing happened.

use bytes::Bytes;
use pitboss_wallet::{Environment, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::csv::{Format, Table, disarmed};

/// Bytes that are gathered before they are sent.
const CHUNK: usize = 16 * 1024;
/// What stands in for the lines when there are none.
const NO_ACTIVITY: &str = "No Activity";

/// What every report says of itself.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Head {
    /// The last segment of its path.
    pub report: &'static str,
    pub title: &'static str,
    /// As `reports.operator` has it.
    pub operator: String,
    pub environment: Environment,
    /// Of what time it tells: from this moment on; `null`: of one moment alone.
    pub from: Option<Timestamp>,
    /// Up to before this moment.
    pub to: Option<Timestamp>,
    /// The moment that it tells of, if it is one.
    pub at: Option<Timestamp>,
    pub generated_at: Timestamp,
    /// Whether the play of test players is in it.
    pub test_players: bool,
}

/// A report in JSON, for the description of the API: what is sent is written line by line.
#[derive(JsonSchema)]
#[schemars(rename = "ReportOf{T}")]
#[allow(dead_code, reason = "the shape of what is written line by line")]
pub struct Report<T> {
    #[schemars(flatten)]
    head: Head,
    data: Vec<T>,
    /// There is not one line.
    no_activity: bool,
}

/// A line of a report.
pub trait Line: Serialize + 'static {
    const COLUMNS: &'static [&'static str];
    /// For CSV, a cell for each column.
    fn cells(&self) -> Vec<String>;
}

/// A struct whose fields are the columns of a report.
macro_rules! line {
    (
        $(#[$about:meta])*
        $name:ident { $($(#[$doc:meta])+ $field:ident: $type:ty),+ $(,)? }
    ) => {
        $(#[$about])*
        #[derive(Debug, serde::Serialize, schemars::JsonSchema)]
        pub struct $name { $($(#[$doc])+ pub $field: $type),+ }

        impl $crate::http::reports::table::Line for $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];

            fn cells(&self) -> Vec<String> {
                vec![$($crate::http::csv::Cell::cell(&self.$field)),+]
            }
        }
    };
}
pub(super) use line;

/// Writes a report, line by line. What it gathers is bounded, however many lines there are.
pub enum Pen {
    Json { out: Vec<u8>, lines: u64 },
    Csv { table: Table, lines: u64 },
}

/// Why a line could not be written: a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum PenError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Csv(#[from] ::csv::Error),
}

impl Pen {
    /// Begins with the head.
    pub fn new<L: Line>(format: Format, head: &Head) -> Result<Self, PenError> {
        match format {
            Format::Json => {
                let mut out = serde_json::to_vec(head)?;
                out.pop();
                out.extend_from_slice(b",\"data\":[");
                Ok(Self::Json { out, lines: 0 })
            }
            Format::Csv => {
                let mut table = Table::new(L::COLUMNS.len().max(2));
                for (name, value) in preamble(head) {
                    table.record(&[name, &value])?;
                }
                table.record(L::COLUMNS)?;
                Ok(Self::Csv { table, lines: 0 })
            }
        }
    }

    pub fn line<L: Line>(&mut self, line: &L) -> Result<(), PenError> {
        match self {
            Self::Json { out, lines } => {
                if *lines > 0 {
                    out.push(b',');
                }
                *lines += 1;
                serde_json::to_writer(out, line)?;
                Ok(())
            }
            Self::Csv { table, lines } => {
                *lines += 1;
                Ok(table.record(&line.cells())?)
            }
        }
    }

    /// Ends the report.
    pub fn end(&mut self) -> Result<(), PenError> {
        match self {
            Self::Json { out, lines } => {
                let end = format!("],\"no_activity\":{}}}", *lines == 0);
                out.extend_from_slice(end.as_bytes());
                Ok(())
            }
            Self::Csv { table, lines: 0 } => Ok(table.record(&[NO_ACTIVITY])?),
            Self::Csv { .. } => Ok(()),
        }
    }

    /// Whether enough is gathered to be sent.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Json { out, .. } => out.len() >= CHUNK,
            Self::Csv { table, .. } => table.len() >= CHUNK,
        }
    }

    /// What is gathered.
    pub fn take(&mut self) -> Result<Bytes, PenError> {
        match self {
            Self::Json { out, .. } => Ok(std::mem::take(out).into()),
            Self::Csv { table, .. } => Ok(table.take()?),
        }
    }
}

fn preamble(head: &Head) -> Vec<(&'static str, String)> {
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let lines = [
        ("title", Some(head.title.to_owned())),
        ("operator", Some(disarmed(&head.operator))),
        ("environment", Some(head.environment.as_str().to_owned())),
        ("from", at(head.from)),
        ("to", at(head.to)),
        ("at", at(head.at)),
        ("generated_at", at(Some(head.generated_at))),
        ("test_players", Some(head.test_players.to_string())),
    ];
    let told = lines.into_iter();
    told.filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    line!(
        /// For tests.
        Sample {
            /// Of others.
            name: String,
            /// Ours.
            amount: i64,
            /// Perhaps.
            more: Option<String>,
        }
    );

    fn head() -> Head {
        Head {
            report: "sample",
            title: "A sample",
            operator: "=cmd()".to_owned(),
            environment: Environment::Sandbox,
            from: Some(Timestamp::from_micros(0)),
            to: Some(Timestamp::from_micros(1_000_000)),
            at: None,
            generated_at: Timestamp::from_micros(2_000_000),
            test_players: false,
        }
    }

    fn written(format: Format, lines: &[Sample]) -> String {
        let mut pen = Pen::new::<Sample>(format, &head()).unwrap();
        for line in lines {
            pen.line(line).unwrap();
        }
        pen.end().unwrap();
        String::from_utf8(pen.take().unwrap().to_vec()).unwrap()
    }

    fn sample(name: &str) -> Sample {
        Sample {
            name: name.to_owned(),
            amount: -5,
            more: None,
        }
    }

    #[test]
    fn csv_is_whole_records_of_one_width_and_no_text_is_a_formula() {
        let names = ["=1+1", "-x", "@x", "\tx", "a,b", "a\"b", "a\r\nb", "plain"];
        let text = written(Format::Csv, &names.map(sample));
        assert!(
            text.starts_with("title,A sample,\r\noperator,'=cmd(),\r\n"),
            "{text}"
        );
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        // A record of another width would be an error.
        let records: Vec<Vec<String>> = reader.deserialize().map(Result::unwrap).collect();
        let first = records
            .iter()
            .position(|record| record[0] == "name")
            .unwrap();
        let found: Vec<&str> = records[first + 1..]
            .iter()
            .map(|record| &*record[0])
            .collect();
        let safe = [
            "'=1+1", "'-x", "'@x", "'\tx", "a,b", "a\"b", "a\r\nb", "plain",
        ];
        assert_eq!(found, safe);
        assert!(records[first + 1..].iter().all(|record| record[1] == "-5"));
    }

    #[test]
    fn json_is_one_document() {
        let text = written(Format::Json, &[sample("=1"), sample("b")]);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["data"][0]["name"], "=1");
        assert_eq!(json["data"][1]["amount"], -5);
        assert_eq!(
            (&json["no_activity"], &json["title"]),
            (&false.into(), &"A sample".into())
        );
    }

    #[test]
    fn an_empty_report_says_so() {
        assert!(written(Format::Csv, &[]).ends_with("name,amount,more\r\nNo Activity,,\r\n"));
        let json: serde_json::Value = serde_json::from_str(&written(Format::Json, &[])).unwrap();
        assert_eq!(json["no_activity"], true);
        assert_eq!(json["data"].as_array().unwrap().len(), 0);
    }
}
