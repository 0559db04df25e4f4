//! What is counted while a scenario runs.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use crate::{
    error::Result,
    stats::{Latency, Recorder},
};

/// Examples kept of what is wrong.
const EXAMPLES: usize = 10;

pub struct Tally {
    /// Requests, each try counted.
    pub tries: Cell<u64>,
    /// Requests that ended with their one answer.
    pub answered: Cell<u64>,
    /// Of them, told as a repeat.
    pub replayed: Cell<u64>,
    /// Why a request was sent again.
    pub again: RefCell<BTreeMap<String, u64>>,
    latency: RefCell<Recorder>,
    /// What must not be, with how often.
    pub breaches: RefCell<Breaches>,
}

/// What must not be, counted, with examples.
#[derive(Debug, Default)]
pub struct Breaches(BTreeMap<&'static str, (u64, Vec<String>)>);

impl Breaches {
    pub fn add(&mut self, kind: &'static str, example: impl FnOnce() -> String) {
        let (count, examples) = self.0.entry(kind).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(example());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn count(&self, kind: &str) -> u64 {
        self.0.get(kind).map_or(0, |(count, _)| *count)
    }

    pub fn into_list(self) -> Vec<(&'static str, u64, Vec<String>)> {
        let list = self.0.into_iter();
        list.map(|(kind, (count, examples))| (kind, count, examples))
            .collect()
    }
}

impl Tally {
    pub fn new() -> Result<Self> {
        Ok(Self {
            tries: Cell::new(0),
            answered: Cell::new(0),
            replayed: Cell::new(0),
            again: RefCell::default(),
            latency: RefCell::new(Recorder::new()?),
            breaches: RefCell::default(),
        })
    }

    pub fn sent(&self) {
        self.tries.set(self.tries.get() + 1);
    }

    pub fn answered(&self, latency: Duration, replayed: bool) {
        self.answered.set(self.answered.get() + 1);
        self.replayed.set(self.replayed.get() + u64::from(replayed));
        self.latency.borrow_mut().record(latency);
    }

    pub fn again(&self, reason: String) {
        *self.again.borrow_mut().entry(reason).or_default() += 1;
    }

    pub fn breach(&self, kind: &'static str, example: impl FnOnce() -> String) {
        self.breaches.borrow_mut().add(kind, example);
    }

    pub fn latency(&self) -> Latency {
        self.latency.borrow().summary()
    }
}
