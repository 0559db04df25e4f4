//! What is durable: a ledger as one value, with a commit that can be broken on purpose.

use std::sync::Arc;

use pitboss_wallet::{
    Command, Decision, Event, Fact, Facts, Payment, PlayerId, PlayerState, Round, Session,
    StoredTransaction, Transaction, TransactionKey,
};

use crate::{
    harness::{NOON, player},
    invariants::{self, Evidence, Follower},
    owner::decide_once,
};

/// How a decision is made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// As it must be: the version, every key and every new round guard the whole.
    Fenced,
    WithoutFence,
    WithoutKeys,
    GuardBeside,
    LedgerFirst,
    /// Fenced; but an owner takes what he asked for in two moments for one.
    OldFacts,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Stale;

#[derive(Debug, Clone)]
pub struct Durable {
    /// The player without any cache.
    player: PlayerState,
    rows: Vec<Transaction>,
    rounds: Vec<Round>,
    sessions: Vec<Session>,
    payments: Vec<Payment>,
    events: Vec<Arc<Event>>,
    follower: Follower,
    /// The invariants that are broken.
    pub breaches: Vec<&'static str>,
}

pub fn the_player() -> PlayerId {
    player("alice")
}

impl Durable {
    /// A player to whom this was done before.
    pub fn after(commands: &[Command]) -> Self {
        let mut durable = Self {
            player: PlayerState::new(the_player(), 0),
            rows: Vec::new(),
            rounds: Vec::new(),
            sessions: Vec::new(),
            payments: Vec::new(),
            events: Vec::new(),
            follower: Follower::default(),
            breaches: Vec::new(),
        };
        for command in commands {
            let facts = durable.answer(&command.facts());
            let verdict = decide_once(&durable.load(), &facts, command, NOON);
            let pitboss_wallet::Verdict::Commit(decision) = verdict else {
                panic!("{command:?}: {verdict:?}");
            };
            durable.commit(&decision, Commit::Fenced).unwrap();
        }
        durable
    }

    /// The player as a fresh owner finds him: with his open rounds, and without his transactions.
    pub fn load(&self) -> PlayerState {
        let mut state = self.player.clone();
        let open = self.rounds.iter().filter(|round| round.state.is_open());
        state.rounds = open.cloned().collect();
        state.sessions = self.sessions.iter().cloned().collect();
        state
    }

    pub fn row(&self, key: &TransactionKey) -> Option<&Transaction> {
        self.rows.iter().find(|row| row.key == *key)
    }

    pub fn rows(&self) -> &[Transaction] {
        &self.rows
    }

    pub fn answer(&self, asked: &[Fact]) -> Facts {
        let mut facts = Facts {
            version: Some(self.player.version),
            ..Facts::default()
        };
        for fact in asked {
            match fact {
                Fact::Transaction(key) => {
                    let stored = self.row(key).map(|row| self.stored(row));
                    facts.transactions.push((key.clone(), stored));
                }
                Fact::Round(key) => {
                    let round = self.rounds.iter().find(|round| round.key == *key);
                    facts.rounds.push((key.clone(), round.cloned()));
                }
                Fact::Session(id) => {
                    let session = self.sessions.iter().find(|session| session.id == *id);
                    facts.sessions.push((*id, session.cloned()));
                }
                Fact::Sessions => {
                    let sessions = self.sessions.iter();
                    let unended = sessions.filter(|session| session.ended_at.is_none());
                    facts.unended = Some(unended.cloned().collect());
                }
                Fact::Payment(id) => {
                    let payment = self.payments.iter().find(|payment| payment.id() == *id);
                    facts.payments.push((*id, payment.cloned()));
                }
            }
        }
        facts
    }

    fn stored(&self, row: &Transaction) -> StoredTransaction {
        let mut rows = self.rows.iter();
        let reversal = rows.find(|other| other.reverses == Some(row.id));
        StoredTransaction {
            key: row.key.clone(),
            player: the_player(),
            state: row.state,
            fingerprint: row.fingerprint,
            round: row.round.clone(),
            receipt: row.receipt.clone(),
            refusal: row.refusal.clone(),
            reversal: reversal.map(|reversal| reversal.receipt.clone()),
        }
    }

    /// # Errors
    /// [`Stale`]: somebody else was faster, and nothing was written (unless the commit is broken).
    pub fn commit(&mut self, decision: &Decision, how: Commit) -> Result<(), Stale> {
        let is_behind = decision.expected_version != self.player.version;
        let is_new = |row: &&Transaction| self.row(&row.key).is_none();
        let all_new = decision.transactions.iter().all(|row| is_new(&row));
        let round_exists = decision.rounds.iter().any(|change| {
            change.is_new
                && self
                    .rounds
                    .iter()
                    .any(|round| round.key == change.round.key)
        });
        let is_stale = match how {
            Commit::Fenced | Commit::OldFacts => is_behind || !all_new || round_exists,
            Commit::WithoutFence => !all_new || round_exists,
            Commit::WithoutKeys | Commit::GuardBeside => is_behind || round_exists,
            Commit::LedgerFirst => is_behind || !all_new,
        };
        let rows: Vec<_> = match how {
            Commit::GuardBeside | Commit::LedgerFirst => {
                let new = decision.transactions.iter().filter(is_new);
                new.cloned().collect()
            }
            _ => decision.transactions.clone(),
        };
        if !is_stale || how == Commit::LedgerFirst {
            self.rows.extend(rows);
        }
        if is_stale {
            self.look_for_breaches();
            return Err(Stale);
        }
        self.write(decision);
        self.look_for_breaches();
        Ok(())
    }

    fn write(&mut self, decision: &Decision) {
        let player = &mut self.player;
        player.version += 1;
        player.last_transaction = decision.last_transaction;
        player.last_event = decision.last_event;
        player.status = decision.status;
        for wallet in &decision.wallets {
            player.wallets.retain(|old| old.currency != wallet.currency);
            player.wallets.push(*wallet);
        }
        for change in &decision.rounds {
            self.rounds.retain(|old| old.key != change.round.key);
            self.rounds.push(change.round.clone());
        }
        for change in &decision.sessions {
            self.sessions.retain(|old| old.id != change.session.id);
            self.sessions.push(change.session.clone());
        }
        for change in &decision.payments {
            self.payments.retain(|old| old.id() != change.payment.id());
            self.payments.push(change.payment.clone());
        }
        self.events.extend(decision.events.iter().cloned());
        self.follower.read(&self.events);
    }

    fn look_for_breaches(&mut self) {
        let of = the_player();
        let evidence = Evidence {
            rows: self.rows.iter().map(|row| (&of, row)).collect(),
            rounds: self.rounds.iter().map(|round| (&of, round)).collect(),
            payments: self.payments.iter().map(|payment| (&of, payment)).collect(),
            players: vec![self.player.clone()],
            followers: std::slice::from_ref(&self.follower),
        };
        let breaches = invariants::ALL
            .into_iter()
            .filter(|(_, check)| check(&evidence).is_err());
        self.breaches = breaches.map(|(name, _)| name).collect();
    }
}
