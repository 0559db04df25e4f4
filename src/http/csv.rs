//! Tables for spreadsheets: CSV as RFC 4180 has it, in UTF-8, and nothing in it that a spreadsheet would carry out.

use actix_web::{HttpRequest, http::header::ACCEPT, web::Bytes};
use csv::{Terminator, Writer, WriterBuilder};
use pitboss_wallet::{
    Currency, ExternalId, GameId, Kind, Money, PlayerId, ProviderId, RoundId, Timestamp,
    TransactionId, TransactionState,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::amount::Amount;

/// The media type of a table.
pub const MEDIA_TYPE: &str = "text/csv";

/// What is told in two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Json,
    Csv,
}

impl Format {
    /// The form that is asked for: by the query, else by `Accept`.
    pub fn of(request: &HttpRequest, asked: Option<Self>) -> Self {
        let accepts = request.headers().get_all(ACCEPT);
        let mut ranges = accepts
            .filter_map(|accept| accept.to_str().ok())
            .flat_map(|accept| accept.split(','));
        let is_csv = |range: &str| {
            let kind = range.split(';').next().unwrap_or_default();
            kind.trim().eq_ignore_ascii_case(MEDIA_TYPE)
        };
        asked.unwrap_or_else(|| {
            if ranges.any(is_csv) {
                Self::Csv
            } else {
                Self::Json
            }
        })
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// A value as a cell.
pub trait Cell {
    fn cell(&self) -> String;
}

macro_rules! printed {
    ($($type:ty),+) => { $(impl Cell for $type { fn cell(&self) -> String { self.to_string() } })+ };
}
// Our own words and numbers.
printed!(i64, Amount, Money, Timestamp, TransactionId, Currency);

macro_rules! named {
    ($($type:ty),+) => { $(impl Cell for $type { fn cell(&self) -> String { self.as_str().to_owned() } })+ };
}
named!(Kind, TransactionState);

macro_rules! foreign {
    ($($type:ty),+) => { $(impl Cell for $type { fn cell(&self) -> String { disarmed(self.as_str()) } })+ };
}
// What others wrote.
foreign!(String, PlayerId, ProviderId, GameId, RoundId, ExternalId);

impl<T: Cell> Cell for Option<T> {
    fn cell(&self) -> String {
        self.as_ref().map_or_else(String::new, Cell::cell)
    }
}

/// A text that a spreadsheet would take for a formula gets an apostrophe in front, which it shows as text.
pub fn disarmed(text: &str) -> String {
    const ARMED: [char; 11] = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    if text.starts_with(ARMED) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// Records of one width (RFC 4180, 2.4), one after the other, as they go out.
pub struct Table {
    out: Box<Writer<Vec<u8>>>,
    width: usize,
}

fn writer() -> Box<Writer<Vec<u8>>> {
    let mut builder = WriterBuilder::new();
    builder.terminator(Terminator::CRLF);
    Box::new(builder.from_writer(Vec::new()))
}

impl Table {
    pub fn new(width: usize) -> Self {
        Self {
            out: writer(),
            width,
        }
    }

    /// A record, filled up with empty cells.
    ///
    /// # Errors
    /// None that a memory knows.
    pub fn record(&mut self, cells: &[impl AsRef<str>]) -> csv::Result<()> {
        let empty = std::iter::repeat_n("", self.width.saturating_sub(cells.len()));
        let cells = cells.iter().map(AsRef::as_ref);
        self.out.write_record(cells.chain(empty))
    }

    /// Bytes that are gathered.
    pub fn len(&self) -> usize {
        self.out.get_ref().len()
    }

    /// What is gathered.
    ///
    /// # Errors
    /// None that a memory knows.
    pub fn take(&mut self) -> csv::Result<Bytes> {
        let full = std::mem::replace(&mut self.out, writer());
        let bytes = full.into_inner();
        Ok(bytes
            .map_err(|error| csv::Error::from(error.into_error()))?
            .into())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_shown_and_not_carried_out() {
        for (text, shown) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-12.50", "'-12.50"),
            ("@sum", "'@sum"),
            ("\tx", "'\tx"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("12.50", "12.50"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(text.to_owned().cell(), shown);
        }
        assert_eq!((-5).cell(), "-5", "a number of ours is none");
    }

    #[test]
    fn cells_are_quoted_where_they_must_be_and_records_are_of_one_width() {
        let mut table = Table::new(4);
        table
            .record(&["a,b", "say \"ü\"", "two\nlines", ""])
            .unwrap();
        table.record(&["x"]).unwrap();
        let text = "\"a,b\",\"say \"\"ü\"\"\",\"two\nlines\",\r\nx,,,\r\n";
        assert_eq!(table.take().unwrap(), text);
        assert_eq!(table.len(), 0);
        table
            .record(&["too", "many", "cells", "by", "one"])
            .unwrap();
        table.record(&["x"]).unwrap_err();
    }

    #[test]
    fn the_query_decides_before_accept() {
        let of = |accept: &[&str], asked| {
            let mut request = TestRequest::default();
            for value in accept {
                request = request.append_header((ACCEPT, *value));
            }
            Format::of(&request.to_http_request(), asked)
        };
        assert_eq!(of(&[], None), Format::Json);
        for accept in [
            &["text/csv"][..],
            &["application/json, Text/CSV;q=0.5"],
            &["x", "text/csv"],
        ] {
            assert_eq!(of(accept, None), Format::Csv, "{accept:?}");
        }
        assert_eq!(of(&["text/csvx"], None), Format::Json);
        assert_eq!(of(&["text/csv"], Some(Format::Json)), Format::Json);
        assert_eq!(of(&[], Some(Format::Csv)), Format::Csv);
    }
}
