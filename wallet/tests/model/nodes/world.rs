//! A world: what is durable, the owners, and what the client has heard.

use pitboss_wallet::{Outcome, Receipt, Reply, Settled};

use super::{
    durable::{Commit, Durable},
    owners::{Next, Owner, Shared, Task},
    scenarios::Scenario,
};

/// A step between which something else may happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A request reaches an owner: for the first time, as a retry, or once more.
    Receive { owner: usize, request: usize },
    /// The owner does what he needs next.
    Step { owner: usize },
    /// The owner forgets everything, whatever he was about to do.
    Crash { owner: usize },
    /// The answer does not arrive.
    LoseReply { owner: usize },
    /// The owner does not learn whether his commit happened, which it did or not; he says "retry" (T10).
    LoseOutcome { owner: usize, happened: bool },
}

/// What became of a request, and what the client knows of it.
#[derive(Debug, Clone, Default, PartialEq, Hash)]
pub struct Heard {
    is_answered: bool,
    /// The receipts of its acceptance: since it is durable, or since it was answered.
    accepted: Option<Shared<Vec<Receipt>>>,
    /// Whether the client has them.
    is_acknowledged: bool,
    /// There was another answer although it was accepted before.
    is_unequal: bool,
}

impl Heard {
    fn accept(&mut self, receipts: &[Receipt]) {
        let receipts = Shared::new(receipts.to_vec());
        match &self.accepted {
            Some(first) => self.is_unequal |= *first != receipts,
            None => self.accepted = Some(receipts),
        }
    }
}

/// What a walk came by, so that a scenario in which nothing happens is noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Seen {
    pub stale: bool,
    pub repeat: bool,
}

#[derive(Debug, Clone, PartialEq, Hash)]
pub struct World {
    durable: Shared<Durable>,
    owners: [Owner; 2],
    heard: Vec<Heard>,
    /// What may still go wrong.
    faults: u8,
    /// How many requests may still be sent without need.
    repeats: u8,
    pub seen: Seen,
}

impl World {
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            durable: Shared::new(Durable::after(&scenario.before)),
            owners: [Owner::new(), Owner::new()],
            heard: vec![Heard::default(); scenario.requests.len()],
            faults: scenario.faults,
            repeats: scenario.repeats,
            seen: Seen::default(),
        }
    }

    fn is_in_flight(&self, request: usize) -> bool {
        let mut tasks = self.owners.iter().filter_map(|owner| owner.task.as_ref());
        tasks.any(|task| task.request == request)
    }

    pub fn possible(&self, scenario: &Scenario, actions: &mut Vec<Action>) {
        for (owner, Owner { memory, task }) in self.owners.iter().enumerate() {
            let may_fail = self.faults > 0;
            if may_fail && (memory.is_some() || task.is_some()) {
                actions.push(Action::Crash { owner });
            }
            let Some(task) = task else {
                for request in 0..scenario.requests.len() {
                    if !self.is_needless(request) || self.repeats > 0 {
                        actions.push(Action::Receive { owner, request });
                    }
                }
                continue;
            };
            actions.push(Action::Step { owner });
            match task.next {
                Next::Reply(_) if may_fail => actions.push(Action::LoseReply { owner }),
                Next::Commit(_) if may_fail => {
                    for happened in [true, false] {
                        actions.push(Action::LoseOutcome { owner, happened });
                    }
                }
                _ => {}
            }
        }
    }

    /// It has its answer, or somebody is at it.
    fn is_needless(&self, request: usize) -> bool {
        self.heard[request].is_answered || self.is_in_flight(request)
    }

    pub fn after(&self, scenario: &Scenario, how: Commit, action: Action) -> Self {
        let mut world = self.clone();
        match action {
            Action::Receive { owner, request } => {
                if self.is_needless(request) {
                    world.repeats -= 1;
                }
                let command = &scenario.requests[request];
                let is_late = world.heard[request].accepted.is_some();
                world.owners[owner].receive(request, is_late, command);
            }
            Action::Step { owner } => world.step(scenario, how, owner),
            Action::Crash { owner } => {
                world.faults -= 1;
                world.owners[owner] = Owner::new();
            }
            Action::LoseReply { owner } => {
                world.faults -= 1;
                world.owners[owner].task = None;
            }
            Action::LoseOutcome { owner, happened } => {
                world.faults -= 1;
                if happened {
                    world.step(scenario, how, owner);
                }
                world.owners[owner] = Owner::new();
            }
        }
        world.put_in_order();
        world
    }

    /// The owners are alike: which of them is the first makes no other world.
    fn put_in_order(&mut self) {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let digest = |owner: &Owner| {
            let mut hasher = DefaultHasher::new();
            owner.hash(&mut hasher);
            hasher.finish()
        };
        if digest(&self.owners[0]) > digest(&self.owners[1]) {
            self.owners.swap(0, 1);
        }
    }

    fn step(&mut self, scenario: &Scenario, how: Commit, owner: usize) {
        let task = self.owners[owner].task.clone().unwrap();
        if let Next::Reply(outcome) = &task.next {
            self.hear(&task, outcome);
            self.owners[owner].task = None;
            return;
        }
        let mut durable = (*self.durable).clone();
        let command = &scenario.requests[task.request];
        let was_stale = self.owners[owner].step(&mut durable, how, command);
        self.seen.stale |= was_stale;
        let Next::Commit(decision) = &task.next else {
            return;
        };
        self.durable = Shared::new(durable);
        if let (false, Ok(Reply::Settled(settled))) = (was_stale, &decision.outcome) {
            self.heard[task.request].accept(&settled.receipts);
        }
    }

    fn hear(&mut self, task: &Task, outcome: &Outcome) {
        let heard = &mut self.heard[task.request];
        heard.is_answered = true;
        match outcome {
            Ok(Reply::Settled(Settled {
                receipts, replayed, ..
            })) => {
                self.seen.repeat |= replayed;
                heard.is_acknowledged = true;
                heard.accept(receipts);
            }
            Ok(Reply::Payment(reply)) => self.seen.repeat |= reply.replayed,
            // It should have been a repeat.
            _ => heard.is_unequal |= task.is_late,
        }
    }

    pub fn is_answered(&self) -> bool {
        self.heard.iter().all(|heard| heard.is_answered)
    }

    pub fn has_unequal_answers(&self) -> bool {
        self.heard.iter().any(|heard| heard.is_unequal)
    }

    pub fn has_breach(&self, invariant: &str) -> bool {
        self.durable.breaches.contains(&invariant)
    }

    /// INV-11: each receipt that was given out is that of one row.
    pub fn has_all_acknowledged(&self) -> bool {
        let accepted = self
            .heard
            .iter()
            .filter_map(|heard| heard.accepted.as_ref());
        let mut receipts = accepted.flat_map(|receipts| receipts.iter());
        receipts.all(|receipt| {
            let rows = self.durable.rows().iter();
            rows.filter(|row| row.id == receipt.transaction && row.receipt == *receipt)
                .count()
                == 1
        })
    }
}
