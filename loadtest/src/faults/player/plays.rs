//! What a player does: a few requests that belong together.

use pitboss_wallet::Kind;
use serde_json::{Value, json};

use super::{Id, Player, step};
use crate::{
    faults::{
        casino::GAME,
        step::{Action, Expect, Step, cash_text},
    },
    random::Random,
};

/// Earlier requests that he may repeat.
const PAST_MAX: usize = 24;

impl Player {
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
}

fn refused(action: Action, body: &Value, status: u16, code: &'static str) -> Step {
    step(action, body, Expect::Refused { status, code })
}
