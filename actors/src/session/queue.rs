//! The events that wait for one client, and what is known of those that do not.
//!
//! Pure: no lock, no waker, no clock. What the client did not ask for costs nothing while it waits: any number
//! of such events in a row is one entry, with the newest balances that they told of.

use std::{collections::VecDeque, sync::Arc};

use pitboss_wallet::Event;

use super::{balances::Balances, topics::Topics};

/// Beyond this, an empty queue gives its memory back: most sessions are idle most of the time.
const SPARE_ENTRIES: usize = 16;

#[derive(Debug)]
enum Entry {
    Event(Arc<Event>),
    Passed(Box<Passed>),
}

/// Events in a row that the client does not want.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passed {
    from: i64,
    pub to: i64,
    pub balances: Balances,
}

/// The next thing to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Event(Arc<Event>),
    Passed(Box<Passed>),
    /// Events up to this one are missing before the next in the queue.
    Hole {
        up_to: i64,
    },
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The newest event that is known to exist, pushed or not.
    known: i64,
}

/// What an event costs while it waits, so that many small events are bounded too.
pub(super) fn cost_bytes(event: &Event) -> usize {
    size_of::<Event>() + event.body.len()
}

impl Entry {
    fn cost_bytes(&self) -> usize {
        match self {
            Self::Event(event) => cost_bytes(event),
            Self::Passed(passed) => {
                // Four short texts each.
                let wallet_bytes = size_of::<super::balances::Balance>() + 64;
                size_of::<Passed>() + passed.balances.wallets.len() * wallet_bytes
            }
        }
    }

    fn first(&self) -> i64 {
        match self {
            Self::Event(event) => event.seq,
            Self::Passed(passed) => passed.from,
        }
    }

    fn last(&self) -> i64 {
        match self {
            Self::Event(event) => event.seq,
            Self::Passed(passed) => passed.to,
        }
    }
}

impl Queue {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is anything after `last`, here or in the ledger.
    pub(super) fn has_more_than(&self, last: i64) -> bool {
        !self.entries.is_empty() || self.known > last
    }

    pub(super) fn push(&mut self, event: &Arc<Event>, topics: Topics) {
        self.known = self.known.max(event.seq);
        if topics.has(event.kind) {
            return self.append(Entry::Event(event.clone()));
        }
        let mut balances = Balances::default();
        if topics.has_balance() {
            balances.note(&event.body);
        }
        match self.entries.back_mut() {
            Some(back @ Entry::Passed(_)) if back.last() + 1 == event.seq => {
                let before = back.cost_bytes();
                if let Entry::Passed(passed) = back {
                    passed.to = event.seq;
                    passed.balances.merge(balances);
                }
                self.bytes += back.cost_bytes() - before;
            }
            _ => self.append(Entry::Passed(Box::new(Passed {
                from: event.seq,
                to: event.seq,
                balances,
            }))),
        }
    }

    fn append(&mut self, entry: Entry) {
        self.bytes += entry.cost_bytes();
        self.entries.push_back(entry);
    }

    /// There are events up to this one: another server committed them.
    pub(super) fn note(&mut self, known: i64) {
        self.known = self.known.max(known);
    }

    /// Takes what comes after `last`, dropping what was sent before.
    pub(super) fn take(&mut self, last: i64) -> Next {
        while let Some(front) = self.entries.front() {
            if front.first() > last.saturating_add(1) {
                return Next::Hole {
                    up_to: front.first() - 1,
                };
            }
            let Some(entry) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= entry.cost_bytes();
            if self.entries.is_empty() && self.entries.capacity() > SPARE_ENTRIES {
                self.entries = VecDeque::new();
            }
            match entry {
                Entry::Event(event) if event.seq > last => return Next::Event(event),
                Entry::Passed(passed) if passed.to > last => return Next::Passed(passed),
                Entry::Event(_) | Entry::Passed(_) => {}
            }
        }
        if self.known > last {
            return Next::Hole { up_to: self.known };
        }
        Next::Nothing
    }

    /// Gives the memory back. What was waiting is still known to exist, and comes from the ledger.
    pub(super) fn forget(&mut self) {
        self.entries = VecDeque::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::{EventType, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn event(seq: i64, kind: EventType) -> Arc<Event> {
        let body = format!(
            r#"{{"seq":{seq},"data":{{"balance":{{"currency":"EUR","cash":"{seq}.00","bonus":"0.00","total":"{seq}.00"}}}}}}"#
        );
        Arc::new(Event {
            id: Uuid::nil(),
            kind,
            seq,
            at: Timestamp::from_micros(0),
            body,
        })
    }

    fn bet(seq: i64) -> Arc<Event> {
        event(seq, EventType::BetDebited)
    }

    fn topics(names: &[&str]) -> Topics {
        Topics::NONE.with(names.iter().copied()).unwrap()
    }

    #[test]
    fn events_come_out_in_order_and_once_and_a_hole_is_told() {
        let mut queue = Queue::default();
        for seq in [3, 4, 7] {
            queue.push(&bet(seq), Topics::default());
        }
        assert_eq!(queue.take(1), Next::Hole { up_to: 2 });
        // The hole was filled from the ledger, and a little more with it.
        assert_eq!(queue.take(3), Next::Event(bet(4)));
        assert_eq!(queue.take(4), Next::Hole { up_to: 6 });
        assert_eq!(queue.take(6), Next::Event(bet(7)));
        assert_eq!(queue.take(7), Next::Nothing);
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn what_is_not_wanted_is_one_entry_with_the_newest_balance() {
        let mut queue = Queue::default();
        for seq in 1..=1000 {
            queue.push(&bet(seq), topics(&["game.*", "balance"]));
        }
        assert!(queue.bytes() < 400, "{}", queue.bytes());
        let opened = event(1001, EventType::RoundOpened);
        queue.push(&opened, topics(&["game.*", "balance"]));
        let Next::Passed(passed) = queue.take(0) else {
            panic!("nothing passed");
        };
        assert_eq!((passed.to, passed.balances.seq), (1000, 1000));
        assert_eq!(passed.balances.wallets[0].cash, "1000.00");
        assert_eq!(queue.take(1000), Next::Event(opened));
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn what_waited_when_it_was_forgotten_is_a_hole() {
        let mut queue = Queue::default();
        for seq in 1..=3 {
            queue.push(&bet(seq), topics(&["game.*"]));
        }
        queue.forget();
        assert!(queue.has_more_than(0) && !queue.has_more_than(3));
        assert_eq!(queue.take(0), Next::Hole { up_to: 3 });
    }

    #[test]
    fn what_another_server_committed_is_a_hole_unless_it_was_pushed_meanwhile() {
        let mut queue = Queue::default();
        queue.note(2);
        assert!(queue.has_more_than(1));
        assert_eq!(queue.take(1), Next::Hole { up_to: 2 });
        queue.push(&bet(2), Topics::default());
        assert_eq!(queue.take(1), Next::Event(bet(2)));
        assert_eq!(queue.take(2), Next::Nothing);
        queue.note(1);
        assert_eq!(queue.take(2), Next::Nothing);
    }
}
