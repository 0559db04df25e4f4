//! The rules of money through every dialect's front door.
//!
//! Random histories of a provider's moves are sent as each dialect's signed requests, understood by the dialect, decided by
//! the real wallet behind a ledger in memory, rendered, and read back by the provider. Two keep books beside it: the naive
//! wallet of `wallet/tests/model` says what the rules answer to what was understood, and the provider's own [`Books`], which
//! know nothing of the platform, say what must have become of the player's money by what he was told. A dialect that
//! understands another amount, loses a repeat, or tells a success as a failure disagrees with one of them.
//!
//! `PROPTEST_CASES` sets how many histories are played.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

#[path = "money/books.rs"]
mod books;
mod door;
#[path = "../../wallet/tests/harness/mod.rs"]
mod harness;
#[path = "money/histories.rs"]
mod histories;
#[allow(dead_code, reason = "the wallet's own tests use the rest")]
#[path = "../../wallet/tests/model/reference/mod.rs"]
mod reference;

use std::collections::{BTreeMap, BTreeSet};

use books::Books;
use door::{Door, with_raw};
use harness::{Ledger, NOON, Node, SESSION, eur, session};
use histories::{Act, Player, histories};
use pitboss_providers::{
    Allowed, Answer, Ask, Beside, Call, CallError, Context, DIALECTS, Dialect, Outcome, Settings,
    simulate::{Expect, Move, Sent, Told, Turn},
};
use pitboss_wallet::{Balance, Command, Currency, Money, PlayerId, Refusal, Reply};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, TestRunner},
};
use reference::{Model, Yes};

/// 100.00 EUR.
const START: i64 = 100_000_000;

/// A casino with one player, and a provider of one dialect.
struct Casino {
    door: Door,
    ledger: Ledger,
    node: Node,
    model: Model,
    books: Books,
    /// The moves that there were.
    made: Vec<Move>,
    /// What a test of the histories wants to have met.
    met: BTreeSet<&'static str>,
}

impl Casino {
    fn new(dialect: &'static dyn Dialect, settings: Settings, is_forgetful: bool) -> Self {
        let start = Money::new(START, eur());
        let door = Door::new(dialect, settings, session(SESSION), start);
        let mut ledger = Ledger::default();
        let mut node = Node::new(ledger.create(door::PLAYER));
        node.forgetful = is_forgetful;
        let mut model = Model::new((*door.account.policy).clone());
        let who = model.seat(&[(session(SESSION), eur())]);
        assert_eq!(who, 0);
        let deposit = harness::deposit("start", START);
        for command in [
            Command::OpenAccount(eur()),
            Command::Launch(harness::launch(SESSION)),
            deposit.clone(),
        ] {
            node.send(&mut ledger, NOON, &command).unwrap();
        }
        model.take(who, &deposit).unwrap();
        Self {
            door,
            ledger,
            node,
            model,
            books: Books::default(),
            made: Vec::new(),
            met: BTreeSet::new(),
        }
    }

    fn act(&mut self, act: &Act) -> Result<(), String> {
        let made = match act {
            Act::New(made) => made.clone(),
            Act::Again(place) => match self.made.len() {
                0 => return Ok(()),
                count => self.made[place % count].clone(),
            },
            Act::Player(player) => {
                let command = match player {
                    Player::Leaves => Command::EndSession(session(SESSION)),
                    Player::IsBlocked => harness::status(pitboss_wallet::PlayerStatus::BetsBlocked),
                    Player::IsLetIn => harness::status(pitboss_wallet::PlayerStatus::Active),
                };
                return self.send(&command).map(drop);
            }
        };
        self.play(&made)
            .map_err(|error| format!("{made:?}\n  {error}"))?;
        self.made.push(made);
        Ok(())
    }

    /// Sends a move, and holds what the provider is told against what has happened.
    fn play(&mut self, made: &Move) -> Result<(), String> {
        let Some(sent) = self.door.sent(made) else {
            return Ok(());
        };
        let before = self.net();
        let (told, is_understood) = self.sends(&sent, made)?;
        let after = self.net();
        let is_ok = told.code == Told::OK;
        let is_new = self.books.is_new(made);
        let change = self.books.tell(made, is_ok);
        if after - before != i128::from(change) {
            return Err(format!(
                "told {told:?}, and {before} became {after}: a change of {change} is what he was told"
            ));
        }
        let poor = self.door.simulator().expect(Turn::Poor);
        let is_poor = matches!(poor, Expect::Told(verdict) if told.fits(verdict));
        // A close has no id of its own: it may be a repeat, with the balance of then.
        let is_fresh = is_ok && is_new && !matches!(made, Move::Close { .. });
        let must_show = is_fresh || is_poor;
        if let (true, Some(shown)) = (must_show, told.balance)
            && shown != self.shown()
        {
            return Err(format!("shows {shown}, and it is {}", self.shown()));
        }
        self.note(made, is_ok, is_new, is_understood);
        Ok(())
    }

    fn note(&mut self, made: &Move, is_ok: bool, is_new: bool, is_understood: bool) {
        let what = match (made, is_ok, is_new) {
            _ if !is_understood => "not understood",
            (_, _, false) => "a repeat",
            (_, false, _) => "a refusal",
            (Move::Bet { .. }, ..) => "a bet",
            (Move::Win { .. }, ..) => "a win",
            (Move::Rollback { .. }, ..) => "a rollback",
            _ => "another success",
        };
        self.met.insert(what);
    }

    /// What the player has, less what he owes.
    fn net(&self) -> i128 {
        let state = self.ledger.load(&self.node.state.id);
        let wallet = state.wallet(eur()).unwrap();
        i128::from(wallet.cash) + i128::from(wallet.receivable)
    }

    /// His balance as far as the dialect's digits show it.
    fn shown(&self) -> i64 {
        let cash = self.balance(eur()).map_or(0, |balance| balance.cash);
        let hidden = eur().ledger_digits();
        let hidden = hidden.saturating_sub(self.door.simulator().digits());
        let step = 10_i64.pow(hidden);
        cash.div_euclid(step) * step
    }

    fn balance(&self, currency: Currency) -> Option<Balance> {
        let state = self.ledger.load(&self.node.state.id);
        state.wallet(currency).map(|wallet| wallet.balance())
    }

    /// The wallet's answer, which is that of the rules.
    fn send(&mut self, command: &Command) -> Result<Result<Reply, Refusal>, String> {
        let outcome = self.node.send(&mut self.ledger, NOON, command);
        let is_asked = matches!(
            command,
            Command::Play(_) | Command::EndSession(_) | Command::SetStatus(_)
        );
        if !is_asked {
            return Ok(outcome);
        }
        let rules = self.model.take(0, command);
        let agrees = match (&rules, &outcome) {
            (Ok(Yes::New(expected)), Ok(Reply::Settled(settled))) => {
                !settled.replayed && settled.receipts.len() == expected.len()
            }
            (Ok(Yes::Repeat(expected)), Ok(Reply::Settled(settled))) => {
                settled.replayed && settled.receipts.len() == expected.len()
            }
            (Ok(Yes::Done), Ok(_)) => true,
            (Err(no), Err(refusal)) => no.code == refusal.code,
            _ => false,
        };
        let cash = self.model.books().cash(0, eur());
        let is_cash = self.balance(eur()).map(|balance| i128::from(balance.cash)) == Some(cash);
        if agrees && is_cash {
            Ok(outcome)
        } else {
            Err(format!(
                "{command:?}\n  wallet {outcome:?}\n  rules {rules:?}, cash {cash}"
            ))
        }
    }

    /// What the server does with a call.
    fn carry_out(&mut self, call: &Call) -> Result<Outcome, String> {
        let (player, command) = match &call.ask {
            Ask::Balance { player, currency } | Ask::Profile { player, currency } => {
                (player, Command::Balance(*currency))
            }
            Ask::KeepAlive { player, session } => (player, Command::KeepAlive(*session)),
            Ask::Play { player, play } => (player, Command::Play(play.clone())),
            Ask::Authenticate { .. } => {
                let player = self.node.state.id.clone();
                let outcome = self.send(&Command::KeepAlive(session(SESSION)))?;
                return Ok(answered(&player, outcome));
            }
        };
        if *player != self.node.state.id {
            return Ok(Err(CallError::unknown_player()));
        }
        let outcome = self.send(&command)?;
        Ok(answered(player, outcome))
    }

    /// What the provider is told of a request, and whether it was understood.
    fn sends(&mut self, sent: &Sent, made: &Move) -> Result<(Told, bool), String> {
        let call = with_raw(&self.door.table.path, sent, |raw| self.door.call(raw));
        let (call, outcome) = match call {
            Ok(call) => {
                let outcome = self.carry_out(&call)?;
                (Some(call), outcome)
            }
            Err(error) => (None, Err(CallError::Parse(error))),
        };
        let balance = self.balance_beside(call.as_ref(), &outcome);
        let response = with_raw(&self.door.table.path, sent, |raw| {
            let context = Context {
                request: raw,
                account: Some(&self.door.account),
                call: call.as_ref(),
                balance,
            };
            self.door.render(&context, &outcome)
        });
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let told = self.door.told(made, response);
        let told = told.map_err(|error| format!("no answer of the dialect ({error}): {text}"))?;
        Ok((told, call.is_some()))
    }

    /// As the server finds it.
    fn balance_beside(&self, call: Option<&Call>, outcome: &Outcome) -> Option<Balance> {
        match Beside::of(self.door.dialect, outcome) {
            Beside::Nothing => None,
            Beside::This(balance) => Some(balance),
            Beside::Now => {
                let (_, currency) = call?.wallet()?;
                self.balance(currency)
            }
        }
    }
}

fn answered(player: &PlayerId, outcome: Result<Reply, Refusal>) -> Outcome {
    match outcome {
        Ok(reply) => Ok(Answer::from((player.clone(), reply))),
        Err(refusal) => Err(refusal.into()),
    }
}

/// The settings that a dialect is tried with: its defaults, and each other value of each choice.
fn variants(dialect: &dyn Dialect) -> Vec<BTreeMap<String, String>> {
    let mut all = vec![BTreeMap::new()];
    for setting in dialect.settings() {
        if let Allowed::OneOf(values) = setting.allowed {
            let others = values.iter().filter(|value| **value != setting.default);
            all.extend(
                others
                    .map(|value| BTreeMap::from([(setting.name.to_owned(), (*value).to_owned())])),
            );
        }
    }
    all
}

fn casino(dialect: &'static dyn Dialect, choices: &BTreeMap<String, String>) -> Casino {
    let settings = Settings::new(dialect.settings(), choices.clone()).unwrap();
    Casino::new(dialect, settings, choices.len() % 2 == 1)
}

fn play(mut casino: Casino, acts: &[Act]) -> Result<Casino, String> {
    for (place, act) in acts.iter().enumerate() {
        casino
            .act(act)
            .map_err(|error| format!("step {place}: {error}"))?;
    }
    Ok(casino)
}

#[test]
fn no_dialect_breaks_the_rules_of_money() {
    let mut failed = Vec::new();
    for dialect in DIALECTS {
        for choices in variants(*dialect) {
            let mut runner = TestRunner::new(Config {
                failure_persistence: None,
                ..Config::default()
            });
            let ran = runner.run(&histories(), |acts| {
                let played = play(casino(*dialect, &choices), &acts);
                played
                    .map(drop)
                    .map_err(proptest::test_runner::TestCaseError::fail)
            });
            if let Err(error) = ran {
                failed.push(format!("{} {choices:?}: {error}", dialect.name()));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Histories in which nothing is understood, or nothing happens, would agree with everything.
#[test]
fn the_histories_of_every_dialect_come_by_what_there_is() {
    for dialect in DIALECTS {
        let mut runner = TestRunner::deterministic();
        let mut met = BTreeSet::new();
        for _ in 0..100 {
            let acts = histories().new_tree(&mut runner).unwrap().current();
            let casino = play(casino(*dialect, &BTreeMap::new()), &acts).unwrap();
            met.extend(casino.met);
        }
        for wanted in ["a bet", "a win", "a rollback", "a repeat", "a refusal"] {
            assert!(
                met.contains(wanted),
                "{}: never met: {wanted}",
                dialect.name()
            );
        }
    }
}
