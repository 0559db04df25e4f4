//! The outbox of the ledger in memory.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use uuid::Uuid;

use super::{MemoryLedger, count};
use crate::ports::{
    Backlog, Families, FoundStream, LaneLease, Outbox, OutboxEvent, PortError, Retention, Settled,
    Trimmed,
};

#[derive(Default)]
pub(super) struct Lane {
    pub events: Vec<OutboxEvent>,
    published: i64,
    epoch: i64,
    owner: Option<(Uuid, Instant)>,
    acknowledged: Families,
    held: Families,
}

impl Lane {
    /// Sets it back to where the stream of each family still holds all: with no savepoints that is all or nothing.
    fn set_back(&mut self, whole: &[(&str, Option<i64>)]) -> i64 {
        let before = self.published;
        let mut back_to = before;
        for (family, whole) in whole {
            let acknowledged = self.acknowledged.entry((*family).to_owned()).or_default();
            let held = self.held.entry((*family).to_owned()).or_default();
            match whole {
                Some(whole) if *acknowledged > *whole => {
                    *acknowledged = *whole;
                    *held = 0;
                }
                _ => *held = before.max(*held),
            }
            back_to = back_to.min(*held);
        }
        self.published = back_to;
        self.epoch += 1;
        before - back_to
    }
}

#[async_trait]
impl Outbox for MemoryLedger {
    async fn claim(&self, owner: Uuid, lease: Duration) -> Result<Vec<LaneLease>, PortError> {
        let now = Instant::now();
        let mut held = Vec::new();
        for (lane, row) in (0_u16..).zip(&mut self.lock().lanes) {
            match row.owner {
                Some((holder, _)) if holder == owner => {}
                Some((_, until)) if until > now => continue,
                _ => row.epoch += 1,
            }
            row.owner = Some((owner, now + lease));
            held.push(LaneLease {
                lane,
                epoch: row.epoch,
                published: row.published,
                newest: count(row.events.len()),
                acknowledged: row.acknowledged.clone(),
                held: row.held.clone(),
            });
        }
        Ok(held)
    }

    async fn release(&self, owner: Uuid) -> Result<(), PortError> {
        for row in &mut self.lock().lanes {
            if row.owner.is_some_and(|(holder, _)| holder == owner) {
                row.owner = None;
            }
        }
        Ok(())
    }

    async fn read(
        &self,
        lane: u16,
        after: i64,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, PortError> {
        let inner = self.lock();
        let events = inner.lanes.get(usize::from(lane)).map(|row| &row.events);
        let wanted = events
            .into_iter()
            .flatten()
            .filter(|event| event.lane_seq > after);
        Ok(wanted.take(limit).cloned().collect())
    }

    async fn checkpoint(
        &self,
        lane: u16,
        epoch: i64,
        published: i64,
        acknowledged: &Families,
    ) -> Result<bool, PortError> {
        let mut inner = self.lock();
        let row = inner.lanes.get_mut(usize::from(lane));
        let Some(row) = row.filter(|row| row.epoch == epoch) else {
            return Ok(false);
        };
        row.published = row.published.max(published);
        row.acknowledged = acknowledged.clone();
        Ok(true)
    }

    async fn settle(&self, found: &[FoundStream]) -> Result<Settled, PortError> {
        let mut inner = self.lock();
        let mut whole = Vec::new();
        let mut is_news = false;
        for stream in found {
            let made_at = stream.made_at.clone().unwrap_or_default();
            let known = inner.streams.insert(stream.family.clone(), made_at.clone());
            is_news |= known.is_none();
            let acknowledged = inner
                .lanes
                .iter()
                .filter_map(|lane| lane.acknowledged.get(&stream.family))
                .max();
            let lost = match known {
                Some(known) if known != made_at => Some(0),
                Some(_) if acknowledged.is_some_and(|newest| *newest > stream.newest) => {
                    Some(stream.newest)
                }
                _ => None,
            };
            whole.push((stream.family.as_str(), lost));
        }
        let lost: Vec<String> = whole
            .iter()
            .filter(|(_, whole)| whole.is_some())
            .map(|(family, _)| (*family).to_owned())
            .collect();
        if lost.is_empty() && !is_news {
            return Ok(Settled::default());
        }
        let lanes = inner.lanes.iter_mut();
        let set_back = lanes.map(|lane| lane.set_back(&whole)).sum();
        Ok(Settled {
            lost: if set_back > 0 { lost } else { Vec::new() },
            set_back,
        })
    }

    /// Nothing here knows the time of the events' clock: all stays.
    async fn trim(&self, _: Uuid, _: Retention, _: usize) -> Result<Trimmed, PortError> {
        Ok(Trimmed::default())
    }

    /// The ages are always zero, for the same reason.
    async fn backlog(&self) -> Result<Backlog, PortError> {
        let inner = self.lock();
        let waiting = |row: &Lane| count(row.events.len()) - row.published;
        Ok(Backlog {
            events: inner.lanes.iter().map(waiting).sum(),
            kept: inner.lanes.iter().map(|row| count(row.events.len())).sum(),
            ..Backlog::default()
        })
    }
}
