//! The cursor of the whole feed: opaque to whoever holds it, the same on every node.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pitboss_schema::{FeedPosition, LanePosition};
use uuid::Uuid;

/// Of this layout of a cursor.
const VERSION: u8 = 1;
/// Bytes of the database's incarnation that a cursor carries.
const INCARNATION_BYTES: usize = 4;

/// A position in the feed of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub FeedPosition);

/// Why a text is no cursor here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    #[error("is not a cursor of this feed")]
    Form,
    /// Its positions mean nothing in this database.
    #[error("is of another database")]
    Elsewhere,
}

impl Cursor {
    /// The cursor as text: letters, digits, `-` and `_`.
    #[must_use]
    pub fn encode(&self, incarnation: Uuid) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(&incarnation.as_bytes()[..INCARNATION_BYTES]);
        for lane in &self.0.0 {
            put(&mut bytes, u64::try_from(lane.rows).unwrap_or(0));
            put(&mut bytes, u64::from(lane.events));
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// # Errors
    /// [`CursorError`]
    pub fn decode(text: &str, incarnation: Uuid) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CursorError::Form)?;
        let Some((&VERSION, bytes)) = bytes.split_first() else {
            return Err(CursorError::Form);
        };
        let (of, mut bytes) = bytes
            .split_at_checked(INCARNATION_BYTES)
            .ok_or(CursorError::Form)?;
        if of != &incarnation.as_bytes()[..INCARNATION_BYTES] {
            return Err(CursorError::Elsewhere);
        }
        let mut lanes = Vec::new();
        while !bytes.is_empty() {
            let rows = i64::try_from(take(&mut bytes)?).map_err(|_| CursorError::Form)?;
            let events = u32::try_from(take(&mut bytes)?).map_err(|_| CursorError::Form)?;
            lanes.push(LanePosition { rows, events });
        }
        Ok(Self(FeedPosition(lanes)))
    }
}

/// Seven bits a byte, lowest first; the eighth says that more follow.
fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take(bytes: &mut &[u8]) -> Result<u64, CursorError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(CursorError::Form)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(CursorError::Form)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HERE: Uuid = Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);

    proptest! {
        #[test]
        fn a_cursor_reads_back(lanes in prop::collection::vec((0..=i64::MAX, 0..=u32::MAX), 1..40)) {
            let lanes = lanes.into_iter().map(|(rows, events)| LanePosition { rows, events });
            let cursor = Cursor(FeedPosition(lanes.collect()));
            let text = cursor.encode(HERE);
            prop_assert_eq!(Cursor::decode(&text, HERE), Ok(cursor));
            prop_assert_eq!(Cursor::decode(&text, Uuid::nil()), Err(CursorError::Elsewhere));
        }

        #[test]
        fn any_text_is_a_cursor_or_an_error(text in "[A-Za-z0-9_-]{0,60}|\\PC{0,20}") {
            let _ = Cursor::decode(&text, HERE);
        }
    }
}
