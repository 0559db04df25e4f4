//! A ledger in memory and a player's actor in miniature: what the tests decide against.
//!
//! [`Ledger`] answers facts from everything committed so far, and refuses a commit exactly as Postgres would: by the
//! version, by a transaction key that exists, by a new round that exists. Each commit is checked against the invariants.
//! [`Table`] is one player at a table: it decides, asks, commits, applies, and decides again when it was stale.

#![allow(dead_code)]

mod ledger;
mod requests;

pub use ledger::{Ledger, Stale};
pub use requests::*;

use pitboss_wallet::{
    CacheLimits, Command, Decision, Environment, Facts, Outcome, Payment, PaymentReply,
    PlayerState, Policy, Receipt, Refusal, RefusalCode, Reply, Seam, SessionRules, Settled,
    Timestamp, Verdict, WhenFull, apply, decide,
};
use uuid::Uuid;

/// 2023-11-14T22:13:20Z
pub const NOON: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

pub const ROOMY: CacheLimits = CacheLimits {
    rounds: 100,
    transactions: 100,
    sessions: 100,
};

/// Sessions as long as a day, and as many as anybody wants: for all tests that are not about them.
pub const RULES: SessionRules = SessionRules {
    player_idle_s: 86_400,
    game_idle_s: 86_400,
    touch_s: 60,
    player_max: 100,
    game_max: 100,
    per_game_max: 100,
    when_full: WhenFull::Replace,
};

/// A player's actor, without the actor: his state, and how much of it is kept.
pub struct Node {
    pub state: PlayerState,
    pub limits: CacheLimits,
    pub rules: SessionRules,
    /// Forgets rounds, transactions and sessions before each command, so that every fact must be asked.
    pub forgetful: bool,
    /// How often the ledger was asked, and how often a commit was stale.
    pub questions: usize,
    pub reloads: usize,
}

impl Node {
    pub fn new(state: PlayerState) -> Self {
        Self {
            state,
            limits: ROOMY,
            rules: RULES,
            forgetful: false,
            questions: 0,
            reloads: 0,
        }
    }

    /// Decides without a commit. Panics when the ledger would have to be asked again for what it said.
    pub fn decide(&mut self, ledger: &Ledger, now: Timestamp, command: &Command) -> Verdict {
        self.decide_knowing(ledger, now, command, Facts::default())
    }

    fn decide_knowing(
        &mut self,
        ledger: &Ledger,
        now: Timestamp,
        command: &Command,
        mut facts: Facts,
    ) -> Verdict {
        for _ in 0..8 {
            // Ids follow from the version, so that two histories with the same outcomes have the same ids.
            let mut next = u128::from(self.state.version.unsigned_abs()) << 16;
            let mut new_id = || {
                next += 1;
                Uuid::from_u128(next)
            };
            let mut seam = Seam {
                now,
                environment: Environment::Sandbox,
                sessions: self.rules,
                new_id: &mut new_id,
            };
            match decide(&self.state, &facts, command, &mut seam) {
                Verdict::Need(asked) => {
                    assert!(!asked.is_empty(), "asked for nothing: {command:?}");
                    self.questions += 1;
                    facts.extend(ledger.answer(&self.state.id, &asked));
                }
                verdict => return verdict,
            }
        }
        panic!("the ledger was asked again and again: {command:?}");
    }

    /// Carries a command out: what an actor does with it.
    pub fn send(&mut self, ledger: &mut Ledger, now: Timestamp, command: &Command) -> Outcome {
        if self.forgetful {
            self.state = ledger.load(&self.state.id);
        }
        let mut facts = Facts::default();
        for _ in 0..4 {
            match self.decide_knowing(ledger, now, command, facts) {
                Verdict::Answer(reply) => return Ok(reply),
                Verdict::Refuse(refusal) => return Err(refusal),
                Verdict::Commit(decision) => match self.commit(ledger, &decision) {
                    Ok(outcome) => return outcome,
                    Err(Stale) => facts = ledger.answer(&self.state.id, &command.facts()),
                },
                Verdict::Need(_) => unreachable!("`decide_knowing` asks"),
            }
        }
        panic!("stale again and again: {command:?}");
    }

    /// Carries out what was decided before something else came in between.
    pub fn send_late(
        &mut self,
        ledger: &mut Ledger,
        now: Timestamp,
        command: &Command,
        decided: Verdict,
    ) -> Outcome {
        match decided {
            Verdict::Commit(decision) => match self.commit(ledger, &decision) {
                Ok(outcome) => outcome,
                Err(Stale) => self.send(ledger, now, command),
            },
            Verdict::Answer(_) | Verdict::Refuse(_) | Verdict::Need(_) => {
                self.state = ledger.load(&self.state.id);
                self.send(ledger, now, command)
            }
        }
    }

    /// Commits and applies a decision; a stale one reloads the player.
    pub fn commit(&mut self, ledger: &mut Ledger, decision: &Decision) -> Result<Outcome, Stale> {
        match ledger.commit(decision) {
            Ok(()) => {
                apply(&mut self.state, decision, self.limits);
                Ok(decision.outcome.clone())
            }
            Err(Stale) => {
                self.reloads += 1;
                self.state = ledger.load(&self.state.id);
                Err(Stale)
            }
        }
    }
}

/// One player, with an open EUR wallet and a running game session, at the tables of one provider.
pub struct Table {
    pub ledger: Ledger,
    pub node: Node,
    pub policy: Policy,
    pub now: Timestamp,
}

impl Table {
    pub fn new() -> Self {
        Self::with_policy(Policy::default())
    }

    pub fn with_policy(policy: Policy) -> Self {
        let mut ledger = Ledger::default();
        let state = ledger.create("alice");
        let mut table = Self {
            ledger,
            node: Node::new(state),
            policy,
            now: NOON,
        };
        table.done(&Command::OpenAccount(eur()));
        table.done(&Command::Launch(launch(SESSION)));
        table.done(&authenticate(SESSION));
        table
    }

    /// A table at which the player has this much cash.
    pub fn with_cash(units: i64) -> Self {
        Self::new().holding(units)
    }

    pub fn holding(mut self, units: i64) -> Self {
        self.done(&deposit("initial", units));
        self
    }

    /// Seats another player of the same ledger.
    pub fn seat(&mut self, player: &str) -> Node {
        let mut node = Node::new(self.ledger.create(player));
        for command in [
            Command::OpenAccount(eur()),
            Command::Launch(launch(OTHERS_SESSION)),
        ] {
            node.send(&mut self.ledger, self.now, &command).unwrap();
        }
        node
    }

    pub fn send(&mut self, command: &Command) -> Outcome {
        self.node.send(&mut self.ledger, self.now, command)
    }

    pub fn done(&mut self, command: &Command) -> Reply {
        self.send(command).unwrap()
    }

    pub fn play(&mut self, request: impl Request) -> Outcome {
        self.send(&request.command(&self.policy))
    }

    /// Sends what must be accepted.
    #[track_caller]
    pub fn accepted(&mut self, request: impl Request) -> Settled {
        match self.play(request) {
            Ok(Reply::Settled(settled)) => settled,
            other => panic!("not settled: {other:?}"),
        }
    }

    /// Sends what must be new and accepted, as one transaction.
    #[track_caller]
    pub fn applied(&mut self, request: impl Request) -> Receipt {
        let settled = self.accepted(request);
        assert!(!settled.replayed, "replayed: {settled:?}");
        let [receipt] = &settled.receipts[..] else {
            panic!("several receipts: {settled:?}");
        };
        receipt.clone()
    }

    /// Sends what must be answered from the ledger, and must write nothing.
    #[track_caller]
    pub fn replayed(&mut self, request: impl Request) -> Settled {
        let version = self.version();
        let settled = self.accepted(request);
        assert!(settled.replayed, "not replayed: {settled:?}");
        assert_eq!(self.version(), version, "a replay wrote something");
        settled
    }

    /// Sends what must be refused with this code, and must write nothing.
    #[track_caller]
    pub fn refused(&mut self, code: RefusalCode, request: impl Request) -> Refusal {
        let command = request.command(&self.policy);
        self.refused_command(code, &command)
    }

    #[track_caller]
    pub fn refused_command(&mut self, code: RefusalCode, command: &Command) -> Refusal {
        let version = self.version();
        let refusal = self.send(command).expect_err("accepted");
        assert_eq!(refusal.code, code, "{refusal:?}");
        assert_eq!(self.version(), version, "a refusal wrote something");
        refusal
    }

    /// Sends a command about a payment, which must be accepted.
    #[track_caller]
    pub fn paid(&mut self, command: &Command) -> PaymentReply {
        match self.send(command) {
            Ok(Reply::Payment(reply)) => *reply,
            other => panic!("no payment: {other:?}"),
        }
    }

    /// Sends what was done before: nothing is written.
    #[track_caller]
    pub fn paid_before(&mut self, command: &Command) -> Payment {
        let version = self.version();
        let reply = self.paid(command);
        assert!(reply.replayed, "{reply:?}");
        assert_eq!(self.version(), version, "a repeat wrote something");
        reply.payment
    }

    pub fn version(&self) -> i64 {
        self.ledger.load(&self.node.state.id).version
    }

    pub fn cash(&self) -> i64 {
        self.node.state.wallet(eur()).unwrap().cash
    }

    /// What the player owes, as a positive number.
    pub fn owed(&self) -> i64 {
        -self.node.state.wallet(eur()).unwrap().receivable
    }

    pub fn held(&self) -> i64 {
        self.node.state.wallet(eur()).unwrap().held
    }

    /// The subjects of the events since `seq`.
    pub fn subjects_after(&self, seq: i64) -> Vec<&'static str> {
        let events = self.ledger.events(&self.node.state.id);
        let later = events.iter().filter(|event| event.seq > seq);
        later.map(|event| event.kind.as_str()).collect()
    }

    pub fn last_seq(&self) -> i64 {
        self.node.state.last_event
    }

    /// The newest event of this type, as JSON.
    pub fn newest(&self, subject: &str) -> serde_json::Value {
        let events = self.ledger.events(&self.node.state.id);
        let event = events
            .iter()
            .rev()
            .find(|event| event.kind.as_str() == subject);
        serde_json::from_str(&event.unwrap_or_else(|| panic!("no {subject}")).body).unwrap()
    }

    /// Forgets all caches: what a restart of the actor does.
    pub fn restart(&mut self) {
        self.node.state = self.ledger.load(&self.node.state.id);
    }
}
