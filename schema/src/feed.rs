//! The event feed: every event of every player, lane by lane, from a position on.
//!
//! A position counts, for each lane, the rows (decisions) that were read, and in the row after them the events
//! that were read. Numbers of a lane are contiguous and in commit order, so whoever reads up to what is
//! committed misses nothing, whatever is being written meanwhile.

use pitboss_wallet::{PlayerId, Timestamp};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Store, StoreError, moment::Moment, store::get};

/// How far one lane was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LanePosition {
    /// Rows up to this number were read.
    pub rows: i64,
    /// Events of the next row that were read.
    pub events: u32,
}

/// How far all lanes were read, from lane 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPosition(pub Vec<LanePosition>);

/// Where the feed begins and ends now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEnds {
    /// Before the oldest event that is kept.
    pub oldest: FeedPosition,
    /// After the newest event that is committed.
    pub newest: FeedPosition,
}

/// An event of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    pub id: Uuid,
    pub kind: String,
    /// '': it belongs to no player.
    pub player: String,
    /// When it was decided.
    pub at: Timestamp,
    pub body: String,
    /// Where whoever has read this event goes on.
    pub next: LanePosition,
    pub lane: usize,
}

/// What was read of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedPage {
    Read {
        /// About oldest first over all players, exactly in order for each.
        events: Vec<FeedEvent>,
        /// There may be more right behind them.
        more: bool,
    },
    /// Events after the position are no longer kept, or the position lies ahead of all there is, or has other
    /// lanes.
    Gone,
}

/// What was read of one player's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayerPage {
    Read {
        /// With their `seq`.
        events: Vec<(i64, FeedEvent)>,
        more: bool,
    },
    Gone,
    UnknownPlayer,
}

/// An event found by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundEvent {
    pub id: Uuid,
    pub kind: String,
    /// '': it belongs to no player.
    pub player: String,
    pub seq: i64,
    pub body: String,
}

/// The events of an outbox row.
struct Events {
    player: String,
    at: Timestamp,
    ids: Vec<Uuid>,
    types: Vec<String>,
    bodies: Vec<String>,
}

impl FeedPosition {
    fn numbers(&self) -> Vec<i64> {
        self.0.iter().map(|lane| lane.rows).collect()
    }
}

impl Store {
    /// Where the feed begins and ends.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn feed_ends(&self) -> Result<FeedEnds, StoreError> {
        let sql = include_str!("../queries/feed_ends.sql");
        let rows = self.rows("look at the feed", sql, &[]).await?;
        let column = |name: &str| -> Result<FeedPosition, StoreError> {
            let position = |row: &Row| {
                let rows = get(row, name)?;
                Ok(LanePosition { rows, events: 0 })
            };
            Ok(FeedPosition(
                rows.iter()
                    .map(position)
                    .collect::<Result<_, StoreError>>()?,
            ))
        };
        Ok(FeedEnds {
            oldest: column("before_oldest")?,
            newest: column("newest")?,
        })
    }

    /// How many decisions with events all lanes have committed: it grows with each.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn events_committed(&self) -> Result<i64, StoreError> {
        let sql = include_str!("../queries/feed_newest.sql");
        let row = self.row("look for new events", sql, &[]).await?;
        row.map_or(Ok(0), |row| get(&row, "committed"))
    }

    /// Reads the feed after a position: at most `scan` rows of the outbox, whatever is in them.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn feed(&self, after: &FeedPosition, scan: usize) -> Result<FeedPage, StoreError> {
        // At least one row of each lane, or a lane would never be read.
        let of_lane = (scan / after.0.len().max(1)).max(1);
        let limit = i64::try_from(of_lane).unwrap_or(i64::MAX);
        let sql = include_str!("../queries/feed_page.sql");
        let rows = self
            .rows("read the feed", sql, &[&after.numbers(), &limit])
            .await?;
        let mut lanes: Vec<Vec<FeedEvent>> = vec![Vec::new(); after.0.len()];
        let mut more = false;
        let mut read = vec![0; after.0.len()];
        let mut there_are = 0;
        for row in &rows {
            let lane = usize::try_from(get::<i16>(row, "lane")?).map_err(StoreError::corrupt)?;
            let newest: i64 = get(row, "newest")?;
            there_are = lane + 1;
            let Some(position) = after.0.get(lane) else {
                return Ok(FeedPage::Gone);
            };
            let Some(number) = get::<Option<i64>>(row, "lane_seq")? else {
                // Nothing is kept behind the position: then nothing may have been committed there either.
                if newest == position.rows {
                    continue;
                }
                return Ok(FeedPage::Gone);
            };
            // Numbers are contiguous: a first one that is not the next was thrown away with all before it.
            if read[lane] == 0 && number != position.rows + 1 {
                return Ok(FeedPage::Gone);
            }
            let skip = if read[lane] == 0 { position.events } else { 0 };
            read[lane] += 1;
            more |= read[lane] == of_lane && number < newest;
            let events = events(row)?;
            lanes[lane].extend(events.into_feed(lane, number, skip));
        }
        if there_are < after.0.len() {
            return Ok(FeedPage::Gone);
        }
        Ok(FeedPage::Read {
            events: merged(lanes),
            more,
        })
    }

    /// Reads one player's events with a `seq` after this one: at most `scan` rows of the outbox.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn player_feed(
        &self,
        player: &PlayerId,
        after: Option<i64>,
        scan: usize,
    ) -> Result<PlayerPage, StoreError> {
        let limit = i64::try_from(scan.max(1)).unwrap_or(i64::MAX);
        let sql = include_str!("../queries/feed_of_player.sql");
        let from = after.unwrap_or(0);
        let rows = self
            .rows(
                "read a player's feed",
                sql,
                &[&player.as_str(), &from, &limit],
            )
            .await?;
        let Some(first) = rows.first() else {
            return Ok(PlayerPage::UnknownPlayer);
        };
        let newest: i64 = get(first, "last_event")?;
        let mut found: Vec<(i64, FeedEvent)> = Vec::new();
        for row in &rows {
            let Some(last) = get::<Option<i64>>(row, "last_seq")? else {
                continue;
            };
            let events = events(row)?;
            let count = i64::try_from(events.ids.len()).map_err(StoreError::corrupt)?;
            let numbered = (last - count + 1..).zip(events.into_feed(0, 0, 0));
            found.extend(numbered.filter(|(seq, _)| *seq > from));
        }
        // His events are gap-free: what does not begin right behind the position was thrown away.
        let expected = found.first().map_or(newest, |(seq, _)| seq - 1);
        if after.is_some_and(|after| after != expected) {
            return Ok(PlayerPage::Gone);
        }
        let last = found.last().map_or(newest, |(seq, _)| *seq);
        Ok(PlayerPage::Read {
            events: found,
            more: last < newest,
        })
    }

    /// The `seq` of a player's newest event. `None`: there is no such player.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn newest_event(&self, player: &PlayerId) -> Result<Option<i64>, StoreError> {
        let sql = include_str!("../queries/feed_newest_of_player.sql");
        let row = self
            .row("look at a player's feed", sql, &[&player.as_str()])
            .await?;
        row.map(|row| get(&row, "last_event")).transpose()
    }

    /// A position before every event of this moment and later, by the clocks that the events carry: those of
    /// `margin_s` seconds before may come as well.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn feed_position_at(
        &self,
        at: Timestamp,
        margin_s: i64,
    ) -> Result<FeedPosition, StoreError> {
        let at = at.plus_seconds(-margin_s);
        let ends = self.feed_ends().await?;
        // Rows up to `low` are older, rows from `high` on are not; the times of a lane are as good as in order.
        let mut low = ends.oldest.numbers();
        let mut high: Vec<i64> = ends
            .newest
            .numbers()
            .iter()
            .map(|newest| newest + 1)
            .collect();
        let sql = include_str!("../queries/feed_moment.sql");
        loop {
            let middle: Vec<i64> = low
                .iter()
                .zip(&high)
                .map(|(low, high)| low + (high - low) / 2)
                .collect();
            let open = |lane: usize| high[lane] - low[lane] > 1;
            if !(0..low.len()).any(open) {
                break;
            }
            let rows = self.rows("look for a time", sql, &[&middle]).await?;
            for (lane, row) in rows.iter().enumerate() {
                if high[lane] - low[lane] <= 1 {
                    continue;
                }
                let of_row = get::<Option<Moment>>(row, "at")?;
                if of_row.is_none_or(|of_row| of_row.0 >= at) {
                    high[lane] = middle[lane];
                } else {
                    low[lane] = middle[lane];
                }
            }
        }
        let lanes = low.into_iter().map(|rows| LanePosition { rows, events: 0 });
        Ok(FeedPosition(lanes.collect()))
    }

    /// The event with this id, if it is still kept. Ids carry their time, which bounds the search.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn event_by_id(&self, event: Uuid) -> Result<Option<FoundEvent>, StoreError> {
        /// Between the time in an id and the order of commits lie a queue and the difference of two clocks.
        const MARGIN_S: i64 = 10;
        let Some(made) = event.get_timestamp() else {
            return Ok(None);
        };
        let (seconds, nanos) = made.to_unix();
        let micros = i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000)
            .saturating_add(i64::from(nanos / 1000));
        let made = Timestamp::from_micros(micros);
        let from = self.feed_position_at(made, MARGIN_S).await?;
        let to = self.feed_position_at(made, -MARGIN_S).await?;
        let sql = include_str!("../queries/feed_event.sql");
        let row = self
            .row(
                "find an event",
                sql,
                &[&event, &from.numbers(), &to.numbers()],
            )
            .await?;
        let found = row.map(|row| {
            Ok(FoundEvent {
                id: get(&row, "id")?,
                kind: get(&row, "type")?,
                player: get(&row, "player_id")?,
                seq: get(&row, "seq")?,
                body: get(&row, "body")?,
            })
        });
        found.transpose()
    }
}

fn events(row: &Row) -> Result<Events, StoreError> {
    Ok(Events {
        player: get(row, "player_id")?,
        at: get::<Moment>(row, "created_at")?.0,
        ids: get(row, "ids")?,
        types: get(row, "types")?,
        bodies: get(row, "bodies")?,
    })
}

impl Events {
    /// All but the first `skip` of them, as events of row `number` of a lane.
    fn into_feed(self, lane: usize, number: i64, skip: u32) -> impl Iterator<Item = FeedEvent> {
        let count = self.ids.len();
        let (player, at) = (self.player, self.at);
        let all = self.ids.into_iter().zip(self.types).zip(self.bodies);
        let numbered = all.enumerate().skip(skip as usize);
        numbered.map(move |(index, ((id, kind), body))| FeedEvent {
            id,
            kind,
            player: player.clone(),
            at,
            body,
            next: match u32::try_from(index + 1) {
                Ok(events) if index + 1 < count => LanePosition {
                    rows: number - 1,
                    events,
                },
                _ => LanePosition {
                    rows: number,
                    events: 0,
                },
            },
            lane,
        })
    }
}

/// About by time, and each lane in its own order, whatever the clocks of its writers said.
fn merged(lanes: Vec<Vec<FeedEvent>>) -> Vec<FeedEvent> {
    let mut keyed = Vec::new();
    for lane in lanes {
        let mut latest = Timestamp::from_micros(i64::MIN);
        for event in lane {
            latest = latest.max(event.at);
            keyed.push((latest, event));
        }
    }
    // Stable, and no time in a lane is before an earlier one.
    keyed.sort_by_key(|(at, _)| *at);
    keyed.into_iter().map(|(_, event)| event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(lane: usize, number: i64, at: i64) -> FeedEvent {
        FeedEvent {
            id: Uuid::nil(),
            kind: String::new(),
            player: String::new(),
            at: Timestamp::from_micros(at),
            body: String::new(),
            next: LanePosition {
                rows: number,
                events: 0,
            },
            lane,
        }
    }

    #[test]
    fn lanes_are_merged_by_time_and_each_keeps_its_order_whatever_the_clocks_said() {
        // The writer of row 2 in lane 0 has a clock that is behind.
        let lanes = vec![
            vec![event(0, 1, 10), event(0, 2, 5), event(0, 3, 30)],
            vec![event(1, 1, 7), event(1, 2, 20)],
        ];
        let order: Vec<(usize, i64)> = merged(lanes)
            .iter()
            .map(|event| (event.lane, event.next.rows))
            .collect();
        assert_eq!(order, [(1, 1), (0, 1), (0, 2), (1, 2), (0, 3)]);
    }

    #[test]
    fn a_row_is_left_in_its_middle_and_taken_up_there() {
        let row = || Events {
            player: String::new(),
            at: Timestamp::from_micros(0),
            ids: vec![Uuid::nil(); 3],
            types: vec!["a".into(), "b".into(), "c".into()],
            bodies: vec![String::new(); 3],
        };
        let next: Vec<(i64, u32)> = row()
            .into_feed(0, 7, 0)
            .map(|event| (event.next.rows, event.next.events))
            .collect();
        assert_eq!(next, [(6, 1), (6, 2), (7, 0)]);
        let rest: Vec<String> = row().into_feed(0, 7, 2).map(|event| event.kind).collect();
        assert_eq!(rest, ["c"]);
    }
}
