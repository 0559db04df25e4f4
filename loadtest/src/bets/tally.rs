//! What is counted while bets run, and the window in which it counts.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{error::Result, stats::Recorder};

/// The measured part of a run: after the warm-up, until the last bet is due.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub start: Instant,
    pub end: Instant,
}

impl Window {
    fn has(&self, time: Instant) -> bool {
        self.start <= time && time < self.end
    }

    pub fn length(&self) -> Duration {
        self.end - self.start
    }
}

/// When things happened to one bet.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// When it should have been sent: its schedule's time, or in a closed loop when it was.
    pub due: Instant,
    /// When its first byte was sent.
    pub sent: Instant,
    pub answered: Instant,
}

pub struct Tally {
    window: Window,
    /// Acknowledgements that arrived within the window.
    pub acknowledged: u64,
    /// From due to acknowledged, retries included, of bets due within the window.
    pub latency: Recorder,
    /// The part of it before the first byte was sent: the driver's own delay, or waiting for a free connection.
    pub send_delay: Recorder,
    /// Requests, each try counted.
    pub requests: u64,
    /// Why a request was sent again.
    pub retries: BTreeMap<String, u64>,
    /// Final refusals, by code.
    pub refusals: BTreeMap<String, u64>,
    /// Bets that were tried as often as allowed.
    pub given_up: u64,
    /// Answers to a retry that say that the bet was done before: as they should be.
    pub replays: u64,
    /// Answers that cannot be right, by kind. Any of them fails the run.
    pub wrong: BTreeMap<&'static str, u64>,
    /// Scheduled bets that the driver never sent, because all its connections waited until long after the end.
    pub not_sent: u64,
}

impl Tally {
    pub fn new(window: Window) -> Result<Self> {
        Ok(Self {
            window,
            acknowledged: 0,
            latency: Recorder::new()?,
            send_delay: Recorder::new()?,
            requests: 0,
            retries: BTreeMap::new(),
            refusals: BTreeMap::new(),
            given_up: 0,
            replays: 0,
            wrong: BTreeMap::new(),
            not_sent: 0,
        })
    }

    pub fn acknowledged(&mut self, times: Times) {
        if self.window.has(times.answered) {
            self.acknowledged += 1;
        }
        if self.window.has(times.due) {
            self.latency.record(times.answered - times.due);
            self.send_delay.record(times.sent - times.due);
        }
    }

    pub fn retried(&mut self, reason: String) {
        *self.retries.entry(reason).or_default() += 1;
    }

    pub fn refused(&mut self, code: String) {
        *self.refusals.entry(code).or_default() += 1;
    }

    pub fn wrong(&mut self, kind: &'static str) {
        *self.wrong.entry(kind).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warm_up_and_the_tail_are_not_measured() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let window = Window {
            start: at(1_000),
            end: at(2_000),
        };
        let mut tally = Tally::new(window).unwrap();
        for (due, answered) in [(0, 10), (990, 1_010), (1_500, 1_600), (1_990, 2_500)] {
            tally.acknowledged(Times {
                due: at(due),
                sent: at(due),
                answered: at(answered),
            });
        }
        assert_eq!(tally.acknowledged, 2, "answered within the window");
        let latency = tally.latency.summary();
        assert_eq!(latency.count, 2, "due within the window");
        assert!(
            latency.max_ms > 500.0,
            "a late answer counts although the window is over"
        );
    }

    #[test]
    fn latency_counts_from_when_a_bet_was_due_and_not_from_when_it_was_sent() {
        let zero = Instant::now();
        let window = Window {
            start: zero,
            end: zero + Duration::from_secs(9),
        };
        let mut tally = Tally::new(window).unwrap();
        tally.acknowledged(Times {
            due: zero,
            sent: zero + Duration::from_secs(2),
            answered: zero + Duration::from_millis(2_001),
        });
        assert!(tally.latency.summary().p50_ms > 1_999.0);
        assert!(tally.send_delay.summary().p50_ms > 1_999.0);
    }
}
