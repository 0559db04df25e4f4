//! What this server just committed: its bridge has it from memory instead of reading it back.
//!
//! Nothing turns on it. What is not here, or not whole, is read from the outbox.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pitboss_wallet::Decision;

/// What a decision takes besides its events, about.
const DECISION_BYTES: usize = 2048;

/// The newest decisions of each lane that this server publishes.
pub(crate) struct Fresh {
    lanes: Mutex<HashMap<i16, Lane>>,
    lane_max_bytes: usize,
}

/// Decisions with contiguous lane numbers.
#[derive(Default)]
struct Lane {
    /// The number of the oldest.
    first: i64,
    decisions: VecDeque<Arc<Decision>>,
    bytes: usize,
}

impl Fresh {
    pub fn new(lane_max_bytes: usize) -> Self {
        Self {
            lanes: Mutex::default(),
            lane_max_bytes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i16, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on decisions of these lanes are kept, and no others: nobody here asks for those.
    pub fn keep_only(&self, lanes: impl IntoIterator<Item = i16>) {
        let mut kept = self.lock();
        let mut before = std::mem::take(&mut *kept);
        for lane in lanes {
            kept.insert(lane, before.remove(&lane).unwrap_or_default());
        }
    }

    /// These were committed, and have the numbers after `base` in their lane. Lanes may interleave with other
    /// servers' commits, and the oldest may never be asked for (the bus is away): then what was kept goes.
    pub fn add(&self, lane: i16, base: i64, decisions: impl Iterator<Item = Arc<Decision>>) {
        let mut lanes = self.lock();
        let Some(lane) = lanes.get_mut(&lane) else {
            return;
        };
        let newest = lane.first + count(lane.decisions.len()) - 1;
        if newest != base || lane.bytes > self.lane_max_bytes {
            *lane = Lane {
                first: base + 1,
                ..Lane::default()
            };
        }
        for decision in decisions {
            lane.bytes += size(&decision);
            lane.decisions.push_back(decision);
        }
    }

    /// The decisions of a lane with numbers after `after`, at most `limit`, and the number of the first; lets go of
    /// those up to it. `None`: they are not here.
    pub fn after(&self, lane: i16, after: i64, limit: usize) -> Option<(i64, Vec<Arc<Decision>>)> {
        let mut lanes = self.lock();
        let lane = lanes.get_mut(&lane)?;
        while lane.first <= after {
            lane.bytes -= size(&*lane.decisions.pop_front()?);
            lane.first += 1;
        }
        let is_here = lane.first == after + 1 && !lane.decisions.is_empty();
        is_here.then(|| {
            let wanted = lane.decisions.iter().take(limit).cloned();
            (lane.first, wanted.collect())
        })
    }

    /// About how much memory all of it takes.
    pub fn bytes(&self) -> usize {
        self.lock().values().map(|lane| lane.bytes).sum()
    }
}

fn size(decision: &Decision) -> usize {
    let events = decision.events.iter().map(|event| event.body.len());
    DECISION_BYTES + events.sum::<usize>()
}

fn count(decisions: usize) -> i64 {
    i64::try_from(decisions).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::{PlayerId, PlayerStatus, Reply, Timestamp};

    use super::*;

    /// Told apart by its moment.
    fn decision(number: i64) -> Arc<Decision> {
        Arc::new(Decision {
            player: PlayerId::new("alice").unwrap(),
            lane: 0,
            at: Timestamp::from_micros(number),
            expected_version: 0,
            last_transaction: 0,
            last_event: 0,
            status: PlayerStatus::Active,
            transactions: Vec::new(),
            wallets: Vec::new(),
            balances: Vec::new(),
            rounds: Vec::new(),
            sessions: Vec::new(),
            payments: Vec::new(),
            events: Vec::new(),
            outcome: Ok(Reply::Done),
        })
    }

    fn fresh(room_for: usize) -> Fresh {
        let fresh = Fresh::new(room_for * DECISION_BYTES);
        fresh.keep_only([0]);
        fresh
    }

    fn add(fresh: &Fresh, numbers: std::ops::RangeInclusive<i64>) {
        fresh.add(0, numbers.start() - 1, numbers.map(decision));
    }

    /// The numbers of what is after a number; each decision has its own.
    fn after(fresh: &Fresh, after: i64, limit: usize) -> Option<Vec<i64>> {
        let (first, decisions) = fresh.after(0, after, limit)?;
        let numbers: Vec<i64> = decisions.iter().map(|it| it.at.as_micros()).collect();
        let expected: Vec<i64> = (first..).take(numbers.len()).collect();
        assert_eq!(numbers, expected);
        Some(numbers)
    }

    #[test]
    fn what_was_added_is_there_until_something_after_it_is_asked_for() {
        let fresh = fresh(100);
        add(&fresh, 5..=7);
        add(&fresh, 8..=9);
        assert_eq!(after(&fresh, 4, 3), Some(vec![5, 6, 7]));
        assert_eq!(after(&fresh, 4, 9), Some(vec![5, 6, 7, 8, 9]), "again");
        assert_eq!(after(&fresh, 7, 9), Some(vec![8, 9]));
        assert_eq!(after(&fresh, 4, 9), None, "it was published");
        assert_eq!(after(&fresh, 9, 9), None);
        assert_eq!(fresh.bytes(), 0);
        add(&fresh, 10..=10);
        assert_eq!(after(&fresh, 9, 9), Some(vec![10]));
    }

    #[test]
    fn a_hole_is_never_passed_over() {
        let fresh = fresh(100);
        add(&fresh, 1..=2);
        add(&fresh, 4..=5);
        assert_eq!(after(&fresh, 0, 9), None, "3 is another server's");
        assert_eq!(after(&fresh, 2, 9), None);
        assert_eq!(after(&fresh, 3, 9), Some(vec![4, 5]));
        // A database that was set back numbers anew.
        add(&fresh, 4..=4);
        assert_eq!(after(&fresh, 3, 9), Some(vec![4]));
    }

    #[test]
    fn a_lane_is_bounded_and_one_that_is_not_held_is_not_kept() {
        let fresh = fresh(3);
        for number in 1..=100 {
            add(&fresh, number..=number);
            assert!(fresh.bytes() <= 4 * DECISION_BYTES);
        }
        assert_eq!(after(&fresh, 0, 9), None);
        assert!(after(&fresh, 99, 9).is_some());
        fresh.keep_only([1]);
        assert_eq!(fresh.bytes(), 0);
        add(&fresh, 101..=101);
        assert_eq!(after(&fresh, 100, 9), None);
    }
}
