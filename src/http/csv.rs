//! Tables for spreadsheets: CSV as RFC 4180 has it, in UTF-8, and nothing in it that a spreadsheet would carry out.

use std::borrow::Cow;

use actix_web::web::Bytes;
use csv::{Terminator, WriterBuilder};

use super::ApiError;

/// The content type of a table.
pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// Records, one after the other, as they go out.
pub struct Table(csv::Writer<Vec<u8>>);

impl Table {
    pub fn new() -> Self {
        let writer = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(Vec::new());
        Self(writer)
    }

    /// Adds a record. All of a table must have as many cells.
    ///
    /// # Errors
    /// A record has more or fewer cells than the first.
    pub fn record<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> Result<(), ApiError> {
        for cell in cells {
            self.0
                .write_field(harmless(cell).as_ref())
                .map_err(ApiError::internal)?;
        }
        self.0
            .write_record(None::<&[u8]>)
            .map_err(ApiError::internal)
    }

    /// What was added.
    ///
    /// # Errors
    /// None that a memory knows.
    pub fn into_bytes(self) -> Result<Bytes, ApiError> {
        self.0
            .into_inner()
            .map(Bytes::from)
            .map_err(ApiError::internal)
    }
}

/// A cell that a spreadsheet shows, and does not take for a formula: an apostrophe stands before one that begins like
/// one. Numbers stay as they are.
fn harmless(cell: &str) -> Cow<'_, str> {
    let like_a_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if like_a_formula && !is_number(cell) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// Digits with at most one point, and at most a minus before them.
fn is_number(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: &[&str]) -> String {
        let mut table = Table::new();
        table.record(cells.iter().copied()).unwrap();
        String::from_utf8(table.into_bytes().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn what_begins_like_a_formula_is_shown_and_not_carried_out() {
        for (cell, shown) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-cmd", "'-cmd"),
            ("--1", "'--1"),
            ("-1-1", "'-1-1"),
            ("-", "'-"),
            ("@sum", "'@sum"),
            ("\tx", "'\tx"),
            ("-12.50", "-12.50"),
            ("-3", "-3"),
            ("12.50", "12.50"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), shown);
        }
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(
            table(&["a,b", "say \"ü\"", "two\nlines", "=x,y"]),
            "\"a,b\",\"say \"\"ü\"\"\",\"two\nlines\",\"'=x,y\"\r\n"
        );
    }

    #[test]
    fn a_record_of_another_length_is_no_record_of_the_table() {
        let mut table = Table::new();
        table.record(["a", "b"]).unwrap();
        assert!(table.record(["a"]).is_err());
    }
}
