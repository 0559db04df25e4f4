//! What a case is made of: steps, and moves with ids that nobody had before.

use pitboss_wallet::{Kind, Money, WinKind};

use super::{Move, Verdict};

/// One case: a player, fresh in a game with [`Script::START`] major units, and what happens to him.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: &'static str,
    pub steps: Vec<Step>,
}

/// One step of a case.
#[derive(Debug, Clone)]
pub enum Step {
    /// The provider moves; the answer must fit, and so must the player's cash after it, as the operator sees it.
    Play {
        made: Move,
        expect: Verdict,
        cash: Money,
    },
    /// The same move so often at once: one moves money, all are answered as it was, or as its repeat.
    AtOnce {
        made: Move,
        times: usize,
        cash: Money,
    },
    /// Proven wrongly, in each way that there is: with a signature (or the token in its place) that is changed, made
    /// with another key, or not there.
    Forged {
        made: Move,
        expect: Verdict,
    },
    /// A signed request whose body is these bytes instead.
    Garbled {
        made: Move,
        body: Vec<u8>,
        expect: Verdict,
    },
    /// To an action that nobody knows.
    Astray {
        made: Move,
        expect: Verdict,
    },
    /// For another player, game, session or currency than the seat's.
    Elsewhere {
        made: Move,
        place: Place,
        expect: Verdict,
    },
    /// The operator ends the player's game session.
    EndSession,
    /// The operator blocks the player, and lets him play again.
    Block,
    Unblock,
}

/// What is not as the seat says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Player,
    Game,
    Session,
    Currency,
}

/// Makes moves with ids that nobody had before.
#[derive(Debug, Clone)]
pub struct Script {
    prefix: String,
    start: Money,
}

impl Script {
    /// What a player of a case begins with, in major units.
    pub const START: &'static str = "100";

    /// `prefix` begins every id; `start` is [`Self::START`] in the currency that is played in.
    #[must_use]
    pub fn new(prefix: &str, start: Money) -> Self {
        Self {
            prefix: prefix.to_owned(),
            start,
        }
    }

    /// So many hundredths of a major unit.
    #[must_use]
    pub fn cents(&self, cents: i64) -> Money {
        Money::new(self.start.units / 10_000 * cents, self.start.currency)
    }

    /// An id that only this script has.
    #[must_use]
    pub fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    #[must_use]
    pub fn bet(&self, name: &str, cents: i64) -> Move {
        Move::Bet {
            id: self.id(name),
            round: self.id("round"),
            amount: self.cents(cents),
            closes: false,
            free_round: None,
        }
    }

    /// A win of the bet with this name.
    #[must_use]
    pub fn win(&self, name: &str, bet: &str, cents: i64) -> Move {
        Move::Win {
            id: self.id(name),
            bet: Some(self.id(bet)),
            round: self.id("round"),
            amount: self.cents(cents),
            kind: WinKind::Ordinary,
            closes: false,
        }
    }

    #[must_use]
    pub fn rollback(&self, name: &str, target: &str, kind: Kind, cents: i64) -> Move {
        Move::Rollback {
            id: self.id(name),
            target: self.id(target),
            kind,
            amount: self.cents(cents),
            round: self.id("round"),
        }
    }

    /// A move that only the dialect has.
    #[must_use]
    pub fn own(&self, what: &'static str, name: &str, cents: i64) -> Move {
        Move::Own {
            name: what,
            id: self.id(name),
            round: self.id("round"),
            amount: self.cents(cents),
        }
    }

    /// A step that ends well, with so many hundredths in the player's cash.
    #[must_use]
    pub fn well(&self, made: Move, cents: i64) -> Step {
        self.told(made, Verdict::Ok, cents)
    }

    #[must_use]
    pub fn told(&self, made: Move, expect: Verdict, cents: i64) -> Step {
        Step::Play {
            made,
            expect,
            cash: self.cents(cents),
        }
    }
}
