//! One player of the load: what he does next, and a naive account of what must come of it. Pure.
//!
//! His requests go out one after the other, each until it is answered. So whatever goes wrong in between, there
//! is one right answer to each, and one right ledger in the end.

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
/// Earlier requests that he may repeat.
const PAST_MAX: usize = 24;

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

    /// What he does next: a few requests that belong together.
    pub fn play(&mut self, random: &mut Random) -> Vec<Step> {
        let mut steps = match random.below(100) {
            _ if self.cash < 10_000_000 => vec![self.deposit()],
            0..24 => self.bet_and_win(random),
            24..38 => self.bet_and_roll_back(random),
            38..46 => self.roll_back_before_the_bet(random),
            46..58 => self.batch(random),
            58..64 => self.other_data(random),
            64..68 => self.beyond_the_balance(random),
            68..74 => self.late(random),
            74..78 => self.settled(random),
            78..80 => vec![self.deposit()],
            _ => self.again(random),
        };
        for step in &mut steps {
            step.twin = random.below(6) == 0;
        }
        for step in &steps {
            if matches!(&step.expect, Expect::Done(done) if !done.known) {
                self.remember(step, random);
            }
        }
        steps
    }

    /// The text of an external id of his.
    pub fn text(&self, id: Id) -> String {
        match id {
            Id::Transaction(number) => format!("x{number}"),
            Id::Round(number) => format!("r{number}"),
            Id::Deposit(number) => format!("{}-d{number}", self.name),
        }
    }

    fn remember(&mut self, step: &Step, random: &mut Random) {
        let mut step = step.clone();
        if let Expect::Done(done) = &mut step.expect {
            done.known = true;
        }
        if self.past.len() < PAST_MAX {
            self.past.push(step);
        } else {
            let place = random.below(PAST_MAX as u32) as usize;
            self.past[place] = step;
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

    /// One or more bets in a round, perhaps a win, perhaps a close.
    fn bet_and_win(&mut self, random: &mut Random) -> Vec<Step> {
        let round = self.number();
        let mut steps = Vec::new();
        let mut staked = 0;
        let mut bet = 0;
        for _ in 0..=random.below(3) {
            let units = self.stake(random);
            staked += units;
            let placed = self.bet(round, units, false);
            bet = placed.0;
            steps.push(placed.1);
        }
        let factor = i64::from(random.below(4));
        let (named, closes) = (random.below(2) == 0, random.below(2) == 0);
        match random.below(5) {
            0 => {}
            1 => steps.push(self.close(round)),
            _ => {
                let bet = named.then_some(bet);
                steps.push(self.win(round, bet, staked / 2 * factor, closes));
            }
        }
        steps
    }

    fn bet_and_roll_back(&mut self, random: &mut Random) -> Vec<Step> {
        let round = self.number();
        let units = self.stake(random);
        let (bet, placed) = self.bet(round, units, false);
        let number = self.number();
        let row = self.row(Kind::Rollback, Id::Transaction(number), Some(units));
        self.cash += units;
        let rolled_back = self.done(Action::Rollback, &self.rollback_body(number, bet), row);
        let mut steps = vec![placed, rolled_back];
        if random.below(2) == 0 {
            // Under another id: the first one's answer.
            let mut again = steps[1].clone();
            let other = self.number();
            again.body = self.rollback_body(other, bet).to_string();
            if let Expect::Done(done) = &mut again.expect {
                done.known = true;
            }
            steps.push(again);
        }
        if random.below(2) == 0 {
            let number = self.number();
            let body = self.win_body(number, round, Some(bet), units, false);
            steps.push(refused(Action::Win, &body, 409, "rolled_back"));
        }
        steps
    }

    fn rollback_body(&self, number: u32, target: u32) -> Value {
        json!({
            "transaction_id": format!("x{number}"), "player": self.name,
            "target_transaction_id": format!("x{target}"),
        })
    }

    fn roll_back_before_the_bet(&mut self, random: &mut Random) -> Vec<Step> {
        let (round, bet, number) = (self.number(), self.number(), self.number());
        let row = self.row(Kind::Rollback, Id::Transaction(number), None);
        self.tombstone(Kind::Bet, bet);
        self.tombstone(Kind::Win, bet);
        let mut rolled_back = self.done(Action::Rollback, &self.rollback_body(number, bet), row);
        if let Expect::Done(done) = &mut rolled_back.expect {
            done.cash = None;
        }
        let body = self.bet_body(bet, round, self.stake(random));
        let late = refused(Action::Bet, &body, 409, "rolled_back");
        vec![rolled_back, late.clone(), late]
    }

    /// Bets and wins in one request.
    fn batch(&mut self, random: &mut Random) -> Vec<Step> {
        let round = self.number();
        let mut actions = Vec::new();
        let mut row = 0;
        let mut staked = 0;
        for _ in 0..=random.below(2) {
            let (number, units) = (self.number(), self.stake(random));
            self.cash -= units;
            staked += units;
            row = self.row(Kind::Bet, Id::Transaction(number), Some(units));
            actions.push(json!({
                "type": "bet", "transaction_id": format!("x{number}"), "amount": cash_text(units),
            }));
        }
        for _ in 0..random.below(3) {
            let number = self.number();
            let units = staked / 2 * i64::from(random.below(3));
            self.cash += units;
            row = self.row(Kind::Win, Id::Transaction(number), Some(units));
            actions.push(json!({
                "type": "win", "transaction_id": format!("x{number}"), "amount": cash_text(units),
            }));
        }
        let body = json!({
            "player": self.name, "session": self.session, "game": GAME, "round": format!("r{round}"),
            "currency": "EUR", "actions": actions, "round_closed": random.below(2) == 0,
        });
        vec![self.done(Action::BetWin, &body, row)]
    }

    /// The same id with another amount.
    fn other_data(&mut self, random: &mut Random) -> Vec<Step> {
        let round = self.number();
        let units = self.stake(random);
        let (bet, placed) = self.bet(round, units, false);
        let body = self.bet_body(bet, round, units + 1);
        let other = refused(Action::Bet, &body, 409, "transaction_mismatch");
        vec![placed, other]
    }

    /// More than there is: refused, and the id is not used up.
    fn beyond_the_balance(&mut self, random: &mut Random) -> Vec<Step> {
        let (round, number) = (self.number(), self.number());
        let body = self.bet_body(number, round, self.cash + 1);
        let beyond = refused(Action::Bet, &body, 402, "insufficient_funds");
        let units = self.stake(random);
        let row = self.row(Kind::Bet, Id::Transaction(number), Some(units));
        self.cash -= units;
        let body = self.bet_body(number, round, units);
        vec![beyond, self.done(Action::Bet, &body, row)]
    }

    /// Bets and wins after the close.
    fn late(&mut self, random: &mut Random) -> Vec<Step> {
        let round = self.number();
        let units = self.stake(random);
        let (_, placed) = self.bet(round, units, true);
        let number = self.number();
        let late = self.bet_body(number, round, 1);
        let late_bet = refused(Action::Bet, &late, 409, "round_closed");
        vec![
            placed,
            late_bet,
            self.win(round, None, units, false),
            self.close(round),
        ]
    }

    /// The rollback of a bet that has a win.
    fn settled(&mut self, random: &mut Random) -> Vec<Step> {
        let round = self.number();
        let units = self.stake(random);
        let (bet, placed) = self.bet(round, units, false);
        let won = self.win(round, Some(bet), 0, false);
        let number = self.number();
        let body = self.rollback_body(number, bet);
        let refused = refused(Action::Rollback, &body, 409, "already_settled");
        vec![placed, won, refused]
    }

    /// Something that was answered long ago.
    fn again(&mut self, random: &mut Random) -> Vec<Step> {
        if self.past.is_empty() {
            return self.bet_and_win(random);
        }
        let place = random.below(u32::try_from(self.past.len()).unwrap_or(1)) as usize;
        vec![self.past[place].clone()]
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

fn refused(action: Action, body: &Value, status: u16, code: &'static str) -> Step {
    step(action, body, Expect::Refused { status, code })
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
                    Kind::Deposit | Kind::Win | Kind::Rollback => row.units.unwrap_or(0),
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
