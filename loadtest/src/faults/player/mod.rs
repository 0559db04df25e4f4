//! One player of the load: what he does next, and a naive account of what must come of it. Pure.
//!
//! His requests go out one after the other, each until it is answered. So whatever goes wrong in between, there
//! is one right answer to each, and one right ledger in the end.
//!
//! Here is what he has and what a single request does to it; `plays` puts them together.

mod plays;

use pitboss_wallet::Kind;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    casino::GAME,
    step::{Action, Done, Expect, Step, cash_text},
};
use crate::random::Random;

/// What a player starts with, and gets again when he is broke: 1,000.00.
const DEPOSIT_UNITS: i64 = 1_000_000_000;

/// A ledger row that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub kind: Kind,
    pub id: Id,
    pub is_tombstone: bool,
    pub units: Option<i64>,
    /// Our id, as the answer told it; `None` for rows that no answer names.
    pub transaction: Option<Uuid>,
}

/// An external id, small: a long run has millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    /// `x<n>`
    Transaction(u32),
    /// `r<n>`: a close has no id but its round.
    Round(u32),
    /// `<player>-d<n>`: references of deposits are unique over all players.
    Deposit(u32),
}

#[derive(Debug)]
pub struct Player {
    pub name: String,
    pub session: String,
    /// In ledger units.
    pub cash: i64,
    pub rows: Vec<Row>,
    next: u32,
    past: Vec<Step>,
    retired: bool,
}

impl Player {
    /// One who has just made his first deposit ([`Player::first_deposit`]) and launched the game.
    pub fn new(number: usize) -> Self {
        Self {
            name: format!("player-{number:05}"),
            session: String::new(),
            cash: 0,
            rows: Vec::new(),
            next: 0,
            past: Vec::new(),
            retired: false,
        }
    }

    /// Notes our id of a row. `false`: another one was told before.
    pub fn acknowledge(&mut self, row: usize, id: Uuid) -> bool {
        match self.rows.get_mut(row) {
            Some(row) => *row.transaction.get_or_insert(id) == id,
            None => false,
        }
    }

    /// Plays no more: an answer was wrong or missing, and what comes next would be judged by a guess.
    pub fn retire(&mut self) {
        self.retired = true;
    }

    pub fn is_retired(&self) -> bool {
        self.retired
    }

    /// The text of an external id of his.
    pub fn text(&self, id: Id) -> String {
        match id {
            Id::Transaction(number) => format!("x{number}"),
            Id::Round(number) => format!("r{number}"),
            Id::Deposit(number) => format!("{}-d{number}", self.name),
        }
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// Adds a ledger row, and returns its place.
    fn row(&mut self, kind: Kind, id: Id, units: Option<i64>) -> usize {
        self.rows.push(Row {
            kind,
            id,
            is_tombstone: false,
            units,
            transaction: None,
        });
        self.rows.len() - 1
    }

    fn tombstone(&mut self, kind: Kind, target: u32) {
        let at = self.row(kind, Id::Transaction(target), None);
        self.rows[at].is_tombstone = true;
    }

    fn done(&self, action: Action, body: &Value, row: usize) -> Step {
        let done = Done {
            row,
            id: self.text(self.rows[row].id),
            cash: Some(self.cash),
            known: false,
        };
        step(action, body, Expect::Done(done))
    }

    /// A stake: mostly up to 1.00 with all decimals, at times a single unit, or all there is.
    fn stake(&self, random: &mut Random) -> i64 {
        let units = match random.below(20) {
            0 => 1,
            1 if self.cash < 50_000_000 => self.cash,
            _ => i64::from(10_000 + random.below(990_001)),
        };
        units.min(self.cash)
    }

    fn deposit(&mut self) -> Step {
        let id = Id::Deposit(self.number());
        let row = self.row(Kind::Deposit, id, Some(DEPOSIT_UNITS));
        self.cash += DEPOSIT_UNITS;
        let body = json!({
            "amount": cash_text(DEPOSIT_UNITS), "currency": "EUR", "reference": self.text(id),
        });
        self.done(Action::Deposit, &body, row)
    }

    fn bet(&mut self, round: u32, units: i64, closes: bool) -> (u32, Step) {
        let number = self.number();
        let row = self.row(Kind::Bet, Id::Transaction(number), Some(units));
        self.cash -= units;
        let mut body = self.bet_body(number, round, units);
        if closes {
            body["round_closed"] = true.into();
        }
        (number, self.done(Action::Bet, &body, row))
    }

    fn bet_body(&self, number: u32, round: u32, units: i64) -> Value {
        json!({
            "transaction_id": format!("x{number}"), "player": self.name, "session": self.session, "game": GAME,
            "round": format!("r{round}"), "amount": cash_text(units), "currency": "EUR",
        })
    }

    fn win(&mut self, round: u32, bet: Option<u32>, units: i64, closes: bool) -> Step {
        let number = self.number();
        let row = self.row(Kind::Win, Id::Transaction(number), Some(units));
        self.cash += units;
        let body = self.win_body(number, round, bet, units, closes);
        self.done(Action::Win, &body, row)
    }

    fn win_body(
        &self,
        number: u32,
        round: u32,
        bet: Option<u32>,
        units: i64,
        closes: bool,
    ) -> Value {
        let mut body = json!({
            "transaction_id": format!("x{number}"), "player": self.name, "game": GAME,
            "round": format!("r{round}"), "amount": cash_text(units), "currency": "EUR", "round_closed": closes,
        });
        if let Some(bet) = bet {
            body["bet_transaction_id"] = format!("x{bet}").into();
        }
        body
    }

    fn close(&mut self, round: u32) -> Step {
        let row = self.row(Kind::CloseRound, Id::Round(round), Some(0));
        let body = json!({ "player": self.name, "game": GAME, "round": format!("r{round}") });
        self.done(Action::CloseRound, &body, row)
    }

    /// The deposit that every player begins with.
    pub fn first_deposit(&mut self) -> Step {
        self.deposit()
    }
}

fn step(action: Action, body: &Value, expect: Expect) -> Step {
    Step {
        action,
        body: body.to_string(),
        expect,
        twin: false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn played(seed: u64, plays: usize) -> (Player, Vec<Step>) {
        let mut player = Player::new(1);
        let mut random = Random::new(seed);
        let mut steps = vec![player.first_deposit()];
        for _ in 0..plays {
            steps.extend(player.play(&mut random));
        }
        (player, steps)
    }

    #[test]
    fn the_same_seed_gives_the_same_history() {
        let bodies = |seed| {
            let steps = played(seed, 200).1;
            steps.into_iter().map(|step| step.body).collect::<Vec<_>>()
        };
        assert_eq!(bodies(1), bodies(1));
        assert_ne!(bodies(1), bodies(2));
    }

    #[test]
    fn cash_is_what_the_rows_moved_and_never_below_zero() {
        for seed in 0..20 {
            let (player, steps) = played(seed, 500);
            let moved: i64 = player
                .rows
                .iter()
                .map(|row| match row.kind {
                    Kind::Bet => -row.units.unwrap_or(0),
                    Kind::CloseRound | Kind::VoidRound => 0,
                    _ => row.units.unwrap_or(0),
                })
                .sum();
            assert_eq!(player.cash, moved);
            let told = steps.iter().filter_map(|step| match &step.expect {
                Expect::Done(done) => done.cash,
                Expect::Refused { .. } => None,
            });
            assert!(told.min() >= Some(0));
        }
    }

    #[test]
    fn no_key_is_there_twice_and_every_row_is_named_once() {
        let (player, steps) = played(3, 2_000);
        let keys: HashSet<_> = player
            .rows
            .iter()
            .map(|row| (row.kind, player.text(row.id)))
            .collect();
        assert_eq!(keys.len(), player.rows.len());
        let mut named = HashSet::new();
        for step in &steps {
            if let Expect::Done(done) = &step.expect
                && !done.known
            {
                assert!(named.insert(done.row), "row {} twice", done.row);
            }
        }
    }

    #[test]
    fn a_long_history_has_every_kind_of_request_and_refusal() {
        let steps = played(5, 2_000).1;
        let actions: HashSet<_> = steps.iter().map(|step| step.action).collect();
        assert_eq!(actions.len(), 6);
        let codes: HashSet<_> = steps
            .iter()
            .filter_map(|step| match step.expect {
                Expect::Refused { code, .. } => Some(code),
                Expect::Done(_) => None,
            })
            .collect();
        assert_eq!(codes.len(), 5, "{codes:?}");
        assert!(steps.iter().any(|step| step.twin));
    }
}
