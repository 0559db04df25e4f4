//! Reading the event feed: the way in for `GET /v1/events` and for webhooks.
//!
//! What lives here: the opaque cursor ([`Cursor`]), the choice of types ([`TypeFilter`]), what of a page is
//! taken ([`take`]), and waiting for new events ([`FeedWatch`]). What must not: SQL (`schema/src/feed.rs` has
//! the reads), HTTP.

mod cursor;
mod filter;
mod watch;

use pitboss_schema::{FeedEvent, FeedPosition};

pub use cursor::{Cursor, CursorError};
pub use filter::{TypeFilter, UnknownType};
pub use watch::{BREATH, FeedWatch, Waiting};

/// Takes the events that the filter lets through, at most `limit`, and moves the position behind everything
/// that was looked at. `true`: some of the page was not looked at.
pub fn take(
    page: Vec<FeedEvent>,
    position: &mut FeedPosition,
    filter: &TypeFilter,
    limit: usize,
) -> (Vec<FeedEvent>, bool) {
    let mut taken = Vec::new();
    for event in page {
        let wanted = filter.has(&event.kind);
        if wanted && taken.len() == limit {
            return (taken, true);
        }
        if let Some(lane) = position.0.get_mut(event.lane) {
            *lane = event.next;
        }
        if wanted {
            taken.push(event);
        }
    }
    (taken, false)
}

#[cfg(test)]
mod tests {
    use pitboss_schema::LanePosition;
    use pitboss_wallet::Timestamp;

    use super::*;

    #[test]
    fn a_page_is_left_right_behind_the_last_event_that_was_looked_at() {
        let event = |number: i64, kind: &str| FeedEvent {
            id: uuid::Uuid::nil(),
            kind: kind.into(),
            player: String::new(),
            at: Timestamp::from_micros(0),
            body: String::new(),
            next: LanePosition {
                rows: number,
                events: 0,
            },
            lane: 0,
        };
        let page = || {
            vec![
                event(1, "wallet.bet_debited"),
                event(2, "game.round_opened"),
                event(3, "wallet.win_credited"),
                event(4, "game.round_closed"),
            ]
        };
        let filter = TypeFilter::parse(["wallet.*"]).unwrap();
        let read = |limit| {
            let mut position = FeedPosition(vec![LanePosition::default()]);
            let (taken, more) = take(page(), &mut position, &filter, limit);
            (taken.len(), more, position.0[0].rows)
        };
        // What the filter drops is behind the position, too: it is not scanned again.
        assert_eq!(read(1), (1, true, 2));
        assert_eq!(read(2), (2, false, 4));
    }
}
