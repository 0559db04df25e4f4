//! An owner of the player: what he remembers, and what he is about to do. As `actors/src/player/core.rs` does it, in
//! steps between which the other one may do anything.

use std::{
    fmt::{self, Debug, Write},
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use pitboss_wallet::{
    CacheLimits, Command, Decision, Fact, Facts, Outcome, PlayerState, Verdict, apply,
};

use super::durable::{Commit, Durable, Stale};
use crate::{harness::NOON, owner::decide_once};

const LIMITS: CacheLimits = CacheLimits {
    rounds: 8,
    transactions: 8,
    sessions: 8,
};

/// A value that worlds share, compared by the hash of all that it shows. So a world is cheap to keep and to compare.
#[derive(Clone)]
pub struct Shared<T> {
    value: Arc<T>,
    digest: u64,
}

struct IntoHasher(DefaultHasher);

impl Write for IntoHasher {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

impl<T: Debug> Shared<T> {
    pub fn new(value: T) -> Self {
        let mut hasher = IntoHasher(DefaultHasher::new());
        write!(hasher, "{value:?}").unwrap();
        Self {
            value: Arc::new(value),
            digest: hasher.0.finish(),
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl<T> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.digest.hash(hasher);
    }
}

impl<T: Debug> Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// What an owner needs next, and cannot do alone.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Next {
    Load,
    Ask(Shared<Vec<Fact>>),
    Commit(Shared<Decision>),
    Reply(Shared<Outcome>),
}

#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Task {
    /// Which request of the scenario.
    pub request: usize,
    /// It was carried out, and durable, before this owner received it.
    pub is_late: bool,
    facts: Shared<Facts>,
    pub next: Next,
}

/// One at a time: the rest waits in the mailbox.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct Owner {
    pub memory: Option<Shared<PlayerState>>,
    pub task: Option<Task>,
}

impl Owner {
    pub const fn new() -> Self {
        Self {
            memory: None,
            task: None,
        }
    }

    pub fn receive(&mut self, request: usize, is_late: bool, command: &Command) {
        let facts = Shared::new(Facts::default());
        self.think(request, is_late, facts, command);
    }

    /// Decides, on what is remembered and on what was asked for, what is needed next.
    fn think(&mut self, request: usize, is_late: bool, facts: Shared<Facts>, command: &Command) {
        let next = match &self.memory {
            None => Next::Load,
            Some(state) => match decide_once(state, &facts, command, NOON) {
                Verdict::Answer(reply) => Next::Reply(Shared::new(Ok(reply))),
                Verdict::Refuse(refusal) => Next::Reply(Shared::new(Err(refusal))),
                Verdict::Commit(decision) => Next::Commit(Shared::new(*decision)),
                Verdict::Need(need) => Next::Ask(Shared::new(question(need, command, &facts))),
            },
        };
        self.task = Some(Task {
            request,
            is_late,
            facts,
            next,
        });
    }

    /// Does what is next, all but the reply. Says whether a commit was stale.
    pub fn step(&mut self, durable: &mut Durable, how: Commit, command: &Command) -> bool {
        let Task {
            request,
            is_late,
            facts,
            next,
        } = self.task.take().unwrap();
        match next {
            Next::Load => {
                self.memory = Some(Shared::new(durable.load()));
                self.think(request, is_late, facts, command);
            }
            Next::Ask(asked) => {
                let mut known = (*facts).clone();
                let found = durable.answer(&asked);
                if how == Commit::OldFacts {
                    known.version = found.version;
                }
                known.extend(found);
                let held = self.memory.as_ref().map(|state| state.version);
                if known.version.is_some() && held != known.version {
                    // Another owner has moved on.
                    self.memory = None;
                }
                self.think(request, is_late, Shared::new(known), command);
            }
            Next::Commit(decision) => match durable.commit(&decision, how) {
                Ok(()) => {
                    let mut state = (**self.memory.as_ref().unwrap()).clone();
                    apply(&mut state, &decision, LIMITS);
                    self.memory = Some(Shared::new(state));
                    self.task = Some(Task {
                        request,
                        is_late,
                        facts,
                        next: Next::Reply(Shared::new(decision.outcome.clone())),
                    });
                }
                Err(Stale) => {
                    self.memory = None;
                    self.task = Some(Task {
                        request,
                        is_late,
                        facts: Shared::new(Facts::default()),
                        next: Next::Ask(Shared::new(command.facts())),
                    });
                    return true;
                }
            },
            Next::Reply(_) => unreachable!("the world takes the reply"),
        }
        false
    }
}

/// What is needed, and all else that the command may turn on.
fn question(mut need: Vec<Fact>, command: &Command, known: &Facts) -> Vec<Fact> {
    let is_known = |fact: &Fact| match fact {
        Fact::Transaction(key) => known.transactions.iter().any(|(of, _)| of == key),
        Fact::Round(key) => known.rounds.iter().any(|(of, _)| of == key),
        Fact::Session(id) => known.sessions.iter().any(|(of, _)| of == id),
        Fact::Sessions => known.unended.is_some(),
        Fact::Payment(id) => known.payments.iter().any(|(of, _)| of == id),
    };
    for fact in command.facts() {
        if !need.contains(&fact) && !is_known(&fact) {
            need.push(fact);
        }
    }
    assert!(!need.is_empty(), "asks for nothing: {command:?}");
    need
}
