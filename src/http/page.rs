//! Lists, page by page: `limit`, `after`, `next`. However deep a page lies, it costs the same: `after` names the last
//! row of the page before by what the list is ordered by, never a count of rows to skip.

use actix_web::HttpResponse;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pitboss_providers::Code;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::ApiError;

/// Rows of a page, when the request does not say.
const PAGE_DEFAULT: usize = 50;

/// A page of a list.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ListOf{T}")]
pub struct List<'a, T> {
    pub data: &'a [T],
    /// Goes into `after` of the next request; `null` at the end.
    pub next: Option<String>,
}

/// The rows of a page: as many as asked for, within the bound.
pub fn limit_of(limit: Option<usize>, max: usize) -> Result<usize, ApiError> {
    let limit = limit.unwrap_or(PAGE_DEFAULT.min(max));
    if limit == 0 || limit > max {
        let detail = format!("limit: must be from 1 to {max}");
        return Err(ApiError::new(Code::Malformed, detail));
    }
    Ok(limit)
}

/// A page of rows, and where to go on when it is full.
pub fn answer<T: Serialize>(
    rows: &[T],
    limit: usize,
    cursor: impl FnOnce(&T) -> String,
) -> HttpResponse {
    let next = rows.last().filter(|_| rows.len() == limit).map(cursor);
    HttpResponse::Ok().json(List { data: rows, next })
}

/// What a list is ordered by, of its last row, as an opaque text.
pub fn cursor(key: &impl Serialize) -> String {
    let text = serde_json::to_vec(key).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(text)
}

/// Reads what [`cursor`] wrote.
pub fn parse_cursor<K: DeserializeOwned>(after: Option<&str>) -> Result<Option<K>, ApiError> {
    let Some(after) = after else {
        return Ok(None);
    };
    let key = URL_SAFE_NO_PAD.decode(after).ok();
    let key = key.and_then(|text| serde_json::from_slice(&text).ok());
    key.map(Some).ok_or_else(wrong_cursor)
}

/// An `after` that no page gave out.
pub fn wrong_cursor() -> ApiError {
    ApiError::new(
        Code::Malformed,
        "after: must be the next of the page before",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let text = cursor(&("alice", 7));
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        let read: Option<(String, i64)> = parse_cursor(Some(&text)).unwrap();
        assert_eq!(read, Some(("alice".to_owned(), 7)));
        assert_eq!(parse_cursor::<i64>(None).unwrap(), None);
        for wrong in ["", "x", "!", &cursor(&"text")] {
            assert!(parse_cursor::<i64>(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
