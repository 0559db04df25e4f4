//! What other servers committed: the lane numbers that are not this one's own.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use pitboss_wallet::PlayerId;

use crate::{Store, StoreError, document::id, store::get};

/// Between reading how far the lanes are and taking stock of what was committed here: a commit of this server
/// whose answer is on its way must not look like a neighbour's.
const ANSWERS_ARRIVE: Duration = Duration::from_millis(25);
/// Numbers of a lane that are looked at in one go: after an outage, the rest is for the next looks.
const LOOK_MAX: i64 = 20_000;
/// Stretches of own numbers that are kept per lane. More come up only when nobody looks.
const STRETCHES_MAX: usize = 20_000;

/// The lane numbers that this server committed and nobody took stock of yet.
#[derive(Default)]
pub(crate) struct OwnCommits(Mutex<Option<BTreeMap<i16, Vec<RangeInclusive<i64>>>>>);

impl OwnCommits {
    fn lock(&self) -> MutexGuard<'_, Option<BTreeMap<i16, Vec<RangeInclusive<i64>>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This server committed `decisions` after number `base` of a lane. Kept only for a [`Neighbours`].
    pub fn note(&self, lane: i16, base: i64, decisions: i64) {
        if let Some(lanes) = &mut *self.lock() {
            let ranges = lanes.entry(lane).or_default();
            if ranges.len() >= STRETCHES_MAX {
                // They will look like a neighbour's, which is only slower.
                *ranges = Vec::new();
            }
            match ranges.last_mut() {
                Some(last) if *last.end() == base => *last = *last.start()..=base + decisions,
                _ => ranges.push(base + 1..=base + decisions),
            }
        }
    }

    fn watch(&self) {
        self.lock().get_or_insert_default();
    }

    /// Takes what is own up to this number of a lane; what is above stays.
    fn take(&self, lane: i16, up_to: i64) -> Vec<RangeInclusive<i64>> {
        let mut lock = self.lock();
        let Some(ranges) = lock.as_mut().and_then(|lanes| lanes.get_mut(&lane)) else {
            return Vec::new();
        };
        let mut taken = Vec::new();
        ranges.retain_mut(|range| {
            if *range.start() <= up_to {
                taken.push(*range.start()..=up_to.min(*range.end()));
            }
            *range = up_to.max(*range.start() - 1) + 1..=*range.end();
            !range.is_empty()
        });
        taken
    }
}

/// What is in `all` and in none of `own`.
fn others(all: RangeInclusive<i64>, own: &mut [RangeInclusive<i64>]) -> Vec<RangeInclusive<i64>> {
    own.sort_unstable_by_key(|range| *range.start());
    let mut next = *all.start();
    let mut others = Vec::new();
    for range in own {
        if *range.end() < next {
            continue;
        }
        if *range.start() > next {
            others.push(next..=range.start() - 1);
        }
        next = range.end() + 1;
    }
    if next <= *all.end() {
        others.push(next..=*all.end());
    }
    others
}

/// Looks for the commits of other servers. One per [`Store`].
pub struct Neighbours {
    store: Store,
    /// How far each lane was looked at. Empty before the first look, which only finds out where the lanes are.
    seen: BTreeMap<i16, i64>,
}

impl Neighbours {
    #[must_use]
    pub fn of(store: Store) -> Self {
        store.own_commits().watch();
        Self {
            store,
            seen: BTreeMap::new(),
        }
    }

    /// The players that other servers moved since the last look, with the newest event of each. `wanted` is
    /// asked once it is known that there are any: if nobody wants to know, they are not read.
    ///
    /// # Errors
    /// What a query may meet. The next look finds what this one missed.
    pub async fn look(
        &mut self,
        wanted: impl FnOnce() -> bool,
    ) -> Result<Vec<(PlayerId, i64)>, StoreError> {
        let sql = include_str!("../queries/lanes.sql");
        let rows = self.store.rows("look at the lanes", sql, &[]).await?;
        let mut moved = Vec::new();
        for row in &rows {
            let (lane, seq): (i16, i64) = (get(row, "id")?, get(row, "seq")?);
            match self.seen.get(&lane) {
                Some(seen) if *seen < seq => {
                    moved.push((lane, *seen + 1..=seq.min(seen + LOOK_MAX)));
                }
                Some(_) => {}
                None => {
                    self.seen.insert(lane, seq);
                }
            }
        }
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        tokio::time::sleep(ANSWERS_ARRIVE).await;
        let mut gaps: Vec<(i16, RangeInclusive<i64>)> = Vec::new();
        for (lane, all) in &moved {
            let mut own = self.store.own_commits().take(*lane, *all.end());
            gaps.extend(
                others(all.clone(), &mut own)
                    .into_iter()
                    .map(|gap| (*lane, gap)),
            );
        }
        let found = if gaps.is_empty() || !wanted() {
            Ok(Vec::new())
        } else {
            self.read(&gaps).await
        };
        if found.is_ok() {
            self.seen
                .extend(moved.into_iter().map(|(lane, all)| (lane, *all.end())));
        }
        found
    }

    async fn read(
        &self,
        gaps: &[(i16, RangeInclusive<i64>)],
    ) -> Result<Vec<(PlayerId, i64)>, StoreError> {
        let lanes: Vec<i16> = gaps.iter().map(|(lane, _)| *lane).collect();
        let first: Vec<i64> = gaps.iter().map(|(_, gap)| *gap.start()).collect();
        let last: Vec<i64> = gaps.iter().map(|(_, gap)| *gap.end()).collect();
        let sql = include_str!("../queries/moved_players.sql");
        let what = "read what others committed";
        let rows = self.store.rows(what, sql, &[&lanes, &first, &last]).await?;
        rows.iter()
            .map(|row| {
                let player = id(PlayerId::new(get::<&str>(row, "player_id")?))?;
                Ok((player, get(row, "last_seq")?))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_own_is_a_neighbours() {
        let gaps = |own: &[RangeInclusive<i64>]| others(11..=20, &mut own.to_vec());
        assert_eq!(gaps(&[]), [11..=20]);
        assert_eq!(gaps(&[11..=20]), []);
        assert_eq!(gaps(&[16..=20, 11..=14]), [15..=15]);
        assert_eq!(gaps(&[13..=14, 17..=17]), [11..=12, 15..=16, 18..=20]);
        // From before, as an answer that came late.
        assert_eq!(gaps(&[1..=9, 9..=12]), [13..=20]);
    }

    #[test]
    fn own_numbers_are_kept_once_somebody_looks_and_taken_up_to_a_number() {
        let own = OwnCommits::default();
        own.note(0, 0, 5);
        own.watch();
        assert_eq!(own.take(0, 100), []);
        own.note(0, 5, 5);
        own.note(0, 10, 2);
        own.note(0, 20, 3);
        own.note(1, 0, 1);
        assert_eq!(own.take(0, 8), [6..=8]);
        assert_eq!(own.take(0, 21), [9..=12, 21..=21]);
        assert_eq!(own.take(0, 30), [22..=23]);
        assert_eq!(own.take(0, 30), []);
        assert_eq!(own.take(1, 1), [1..=1]);
    }

    #[test]
    fn what_nobody_looks_at_is_bounded() {
        let own = OwnCommits::default();
        own.watch();
        for number in 0..100_000 {
            own.note(0, 2 * number, 1);
        }
        assert!(own.take(0, i64::MAX - 1).len() <= STRETCHES_MAX);
    }
}
