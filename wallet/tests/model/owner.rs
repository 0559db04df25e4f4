//! A player's actor without the actor, step by step as `actors/src/player/core.rs` takes them.

use pitboss_wallet::{
    CacheLimits, Command, Decision, Environment, Facts, Outcome, PlayerId, PlayerState, Seam,
    Timestamp, Verdict, apply, decide,
};
use uuid::Uuid;

use crate::harness::{Ledger, NOON, RULES, Stale};

/// How often the ledger is asked, or a commit repeated, before the test gives up.
const ROUNDS_MAX: usize = 8;

/// The first id of the decision on this version.
pub fn first_id(player: &PlayerId, version: u64) -> Uuid {
    let name = player.as_str().bytes();
    let salt = name.fold(0_u128, |salt, byte| salt * 31 + u128::from(byte));
    Uuid::from_u128((salt << 64 | u128::from(version) << 16) + 1)
}

/// One decision. New ids follow from the version and whose state it is, so that equal histories have equal ids.
pub fn decide_once(
    state: &PlayerState,
    facts: &Facts,
    command: &Command,
    now: Timestamp,
) -> Verdict {
    let mut next = first_id(&state.id, state.version.unsigned_abs()).as_u128();
    let mut new_id = || {
        next += 1;
        Uuid::from_u128(next - 1)
    };
    let mut seam = Seam {
        now,
        environment: Environment::Sandbox,
        sessions: RULES,
        new_id: &mut new_id,
    };
    decide(state, facts, command, &mut seam)
}

pub struct Owner {
    pub state: PlayerState,
    pub limits: CacheLimits,
}

impl Owner {
    /// Asks the ledger for what is needed and all else that the command may turn on; reloads when it has moved on.
    fn ask(
        &mut self,
        ledger: &Ledger,
        facts: &mut Facts,
        mut asked: Vec<pitboss_wallet::Fact>,
        command: &Command,
    ) {
        for fact in command.facts() {
            if !asked.contains(&fact) {
                asked.push(fact);
            }
        }
        let mut found = ledger.answer(&self.state.id, &asked);
        found.version = Some(ledger.load(&self.state.id).version);
        facts.extend(found);
        if facts
            .version
            .is_some_and(|version| version != self.state.version)
        {
            self.state = ledger.load(&self.state.id);
        }
    }

    /// Carries a command out.
    pub fn execute(&mut self, ledger: &mut Ledger, command: &Command) -> Outcome {
        let mut facts = Facts::default();
        for _ in 0..ROUNDS_MAX {
            match decide_once(&self.state, &facts, command, NOON) {
                Verdict::Answer(reply) => return Ok(reply),
                Verdict::Refuse(refusal) => return Err(refusal),
                Verdict::Need(asked) => self.ask(ledger, &mut facts, asked, command),
                Verdict::Commit(decision) => match self.commit(ledger, &decision) {
                    Ok(outcome) => return outcome,
                    Err(Stale) => {
                        facts = Facts::default();
                        self.state = ledger.load(&self.state.id);
                        self.ask(ledger, &mut facts, Vec::new(), command);
                    }
                },
            }
        }
        panic!("no end: {command:?}");
    }

    fn commit(&mut self, ledger: &mut Ledger, decision: &Decision) -> Result<Outcome, Stale> {
        ledger.commit(decision)?;
        apply(&mut self.state, decision, self.limits);
        Ok(decision.outcome.clone())
    }
}
