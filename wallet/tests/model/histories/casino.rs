//! The system under test: the real wallet behind a ledger in memory, with two owners for each player.

use std::{collections::HashMap, sync::Arc};

use pitboss_wallet::{
    Bet, CacheLimits, Command, Currency, Deposit, GameId, Kind, Launch, Money, Outcome, Payment,
    PaymentId, PaymentReply, PlayCommand, PlayerId, PlayerState, Policy, Refusal, RefusalCode,
    Reply, RoundEntry, SessionId, TransactionId,
};

use super::{
    Course,
    steps::{Memory, Step},
};
use crate::{
    harness::{self, Ledger, Request, currency, ext, player, round_id, session},
    invariants::{Evidence, Follower},
    owner::Owner,
    reference::{Books, LineNumber, Model, Receipt, Who, Yes},
};

pub const PLAYERS: [&str; 2] = ["alice", "bob"];
pub const CURRENCIES: [&str; 2] = ["EUR", "USD"];

/// The sessions that each player begins with, one in each currency.
pub fn sessions(who: Who) -> Vec<(SessionId, Currency)> {
    let number = |place: usize| u128::try_from(10 * (who + 1) + place).unwrap();
    CURRENCIES
        .iter()
        .enumerate()
        .map(|(place, code)| (session(number(place)), currency(code)))
        .collect()
}

/// What each player brings, in each currency.
pub fn deposits(who: Who) -> Vec<Command> {
    let deposit = |code: &&str| {
        Command::Deposit(Deposit {
            reference: ext(&format!("{} {code}", PLAYERS[who])),
            amount: Money::new(100, currency(code)),
        })
    };
    CURRENCIES.iter().map(deposit).collect()
}

pub fn launch(id: u128, currency: Currency) -> Launch {
    Launch {
        currency,
        ..harness::launch(id)
    }
}

/// Changes one field of a request: its amount (1), its id (2), what it names (3), its round or target (4), its game (5)
/// or its currency (6).
pub fn change(command: &mut Command, what: u8, units: i64, id: &str, round: &str) {
    let play = match command {
        Command::Deposit(deposit) => {
            match what {
                6 => deposit.amount.currency = currency("USD"),
                _ => deposit.amount.units = units,
            }
            return;
        }
        Command::Adjust(adjust) => {
            match what {
                6 => adjust.amount.currency = currency("USD"),
                5 => adjust.allow_debt = false,
                _ => adjust.amount.units = units,
            }
            return;
        }
        Command::Play(play) => &mut play.command,
        _ => return,
    };
    let other_game = |game: &mut GameId| *game = harness::game("slots");
    let other_currency =
        |of: &mut Currency| *of = currency(if of.code() == "EUR" { "USD" } else { "EUR" });
    match play {
        PlayCommand::Bet(bet) => match what {
            1 => bet.amount.units = units,
            2 => bet.transaction = ext(id),
            3 => bet.closes_round = !bet.closes_round,
            5 => other_game(&mut bet.game),
            6 => other_currency(&mut bet.amount.currency),
            _ => bet.round = round_id(round),
        },
        PlayCommand::Win(win) => match what {
            1 => win.amount.units = units,
            2 => win.transaction = ext(id),
            3 => win.bet = Some(ext(id)),
            5 => other_game(&mut win.game),
            6 => other_currency(&mut win.amount.currency),
            _ => win.round = round_id(round),
        },
        PlayCommand::BetWin(batch) => match what {
            1 => batch.actions.truncate(1),
            2 => batch.actions.reverse(),
            3 => batch.actions.push(harness::a_win(id, units)),
            5 => other_game(&mut batch.game),
            6 => other_currency(&mut batch.currency),
            _ => batch.round = round_id(round),
        },
        PlayCommand::Rollback(rollback) => match what {
            1 => rollback.units = Some(units),
            2 => rollback.transaction = ext(id),
            3 => rollback.units = None,
            _ => rollback.target = ext(id),
        },
        PlayCommand::Rollbacks(list) => match what {
            1 => list.truncate(1),
            2 => list.reverse(),
            3 => list.push(harness::rollback(id, "1")),
            _ => list.iter_mut().for_each(|one| one.units = Some(units)),
        },
        PlayCommand::CloseRound(close) => match what {
            5 => other_game(&mut close.game),
            _ => close.round = round_id(round),
        },
        PlayCommand::VoidRound(void) => match what {
            2 => void.transaction = ext(id),
            5 => other_game(&mut void.game),
            _ => void.round = round_id(round),
        },
    }
}

pub struct Casino {
    ledger: Ledger,
    players: Vec<PlayerId>,
    /// Two owners for each player.
    owners: Vec<[Owner; 2]>,
    /// Who only reads the events of each player.
    followers: Vec<Follower>,
    /// Which transaction each line of the reference is.
    ids: HashMap<LineNumber, TransactionId>,
    /// The burned refusals, as they were first given.
    burned: HashMap<LineNumber, Refusal>,
    /// Which payment each of the reference is, by its place.
    payments: Vec<PaymentId>,
    /// Whether the owner of the newest step had missed something when it came.
    was_behind: bool,
}

impl Casino {
    pub fn new(limits: CacheLimits) -> Self {
        let mut ledger = Ledger::default();
        let mut owners = Vec::new();
        for (who, name) in PLAYERS.iter().enumerate() {
            let mut owner = Owner {
                state: ledger.create(name),
                limits,
            };
            for (id, currency) in sessions(who) {
                let launch = launch(id.0.as_u128(), currency);
                for command in [Command::OpenAccount(currency), Command::Launch(launch)] {
                    owner.execute(&mut ledger, &command).unwrap();
                }
            }
            for deposit in deposits(who) {
                owner.execute(&mut ledger, &deposit).unwrap();
            }
            let state = ledger.load(&owner.state.id);
            owners.push([owner, Owner { state, limits }]);
        }
        let mut casino = Self {
            ledger,
            players: PLAYERS.iter().map(|name| player(name)).collect(),
            owners,
            followers: PLAYERS.iter().map(|_| Follower::default()).collect(),
            ids: HashMap::new(),
            burned: HashMap::new(),
            payments: Vec::new(),
            was_behind: false,
        };
        casino.tell_followers();
        casino.note_payments();
        casino
    }

    fn tell_followers(&mut self) {
        for (follower, player) in self.followers.iter_mut().zip(&self.players) {
            follower.read(self.ledger.events(player));
        }
    }

    fn durable(&self, who: Who) -> PlayerState {
        self.ledger.load(&player(PLAYERS[who]))
    }

    pub fn play(&mut self, step: &Step, policy: &Policy) -> Outcome {
        let mut command = step.command.clone();
        if let Command::Play(play) = &mut command {
            play.origin.policy = Arc::new(policy.clone());
        }
        self.name_payment(&mut command);
        let durable = self.durable(step.who);
        let owner = match step.memory {
            Memory::Kept => &mut self.owners[step.who][0],
            Memory::Lost => {
                let owner = &mut self.owners[step.who][0];
                owner.state = durable.clone();
                owner
            }
            Memory::Elsewhere => &mut self.owners[step.who][1],
        };
        self.was_behind = owner.state.version < durable.version;
        let outcome = owner.execute(&mut self.ledger, &command);
        if self.durable(step.who).version == durable.version {
            assert_eq!(
                self.ledger.events(&durable.id).len(),
                usize::try_from(durable.last_event).unwrap(),
                "nothing was written, and something was told"
            );
        }
        self.tell_followers();
        self.note_payments();
        outcome
    }

    /// The real id of the payment that a step of the reference names by its place.
    fn name_payment(&self, command: &mut Command) {
        let (Command::MoveDeposit(id, _) | Command::MoveWithdrawal(id, _)) = command else {
            return;
        };
        let place = usize::try_from(id.0.as_u128()).unwrap();
        if let Some(real) = self.payments.get(place) {
            *id = *real;
        }
    }

    fn note_payments(&mut self) {
        let known = self.payments.len();
        let ids = self.ledger.payments().map(|(_, payment)| payment.id());
        self.payments.extend(ids.skip(known));
    }

    pub fn evidence(&self) -> Evidence<'_> {
        Evidence::of(&self.ledger, &self.players, &self.followers)
    }

    /// Outcome, code, receipts, and the balance of now.
    pub fn compare_answer(&mut self, course: &Course, step: &Step, outcome: &Outcome) {
        let told = || {
            format!(
                "{step:?}\n  wallet {outcome:?}\n  rules  {:?}",
                course.answer
            )
        };
        match (&course.answer, outcome) {
            (Ok(Yes::Done), Ok(Reply::Done | Reply::Balance(_) | Reply::Session(_))) => {}
            (Ok(Yes::New(expected) | Yes::Repeat(expected)), Ok(Reply::Settled(settled))) => {
                let is_repeat = matches!(course.answer, Ok(Yes::Repeat(_)));
                assert_eq!(settled.replayed, is_repeat, "{}", told());
                assert_eq!(settled.receipts.len(), expected.len(), "{}", told());
                for (receipt, expected) in settled.receipts.iter().zip(expected) {
                    self.compare_receipt(expected, receipt, &told());
                }
                if let Some(now) = settled.current.filter(|_| !self.was_behind) {
                    let cash = course.model.books().cash(step.who, now.currency);
                    assert_eq!(i128::from(now.cash), cash, "{}", told());
                }
            }
            (
                Ok(Yes::Payment {
                    number,
                    is_repeat,
                    brought,
                }),
                Ok(Reply::Payment(reply)),
            ) => {
                let PaymentReply { payment, replayed } = &**reply;
                assert_eq!(replayed, is_repeat, "{}", told());
                assert_eq!(self.payments[*number], payment.id(), "{}", told());
                let book = &course.model.payments[*number];
                assert_eq!(payment.state(), book.state, "{}", told());
                if let Some(line) = book.line {
                    let id = TransactionId(payment.id().0);
                    assert_eq!(*self.ids.entry(line).or_insert(id), id, "{}", told());
                }
                if let (Some(line), Payment::Deposit(order)) = (brought, payment) {
                    self.ids.insert(*line, order.completed_by.unwrap());
                }
            }
            (Err(no), Err(refusal)) => {
                assert_eq!(refusal.code, no.code, "{}", told());
                let original = refusal.original.as_ref().map(|of| of.transaction);
                let expected = no.original.map(|line| self.ids[&line]);
                if refusal.code == RefusalCode::TransactionMismatch {
                    assert_eq!(original, expected, "T11: {}", told());
                }
                self.compare_burned(course, step, refusal, &told());
            }
            _ => panic!("{}", told()),
        }
    }

    /// T4: a refusal that used its id up is the same for ever.
    fn compare_burned(&mut self, course: &Course, step: &Step, refusal: &Refusal, told: &str) {
        let (kind, id, is_malformed) = match &step.command {
            Command::Adjust(adjust) => {
                let is_malformed = adjust.amount.units <= 0;
                (Kind::Adjustment, &adjust.reference, is_malformed)
            }
            Command::Play(play) => match &play.command {
                PlayCommand::Bet(bet) => (Kind::Bet, &bet.transaction, bet.amount.units < 0),
                _ => return,
            },
            _ => return,
        };
        // Another request with this id, or none at all.
        let is_other = refusal.code == RefusalCode::TransactionMismatch || is_malformed;
        let line = course.model.burned(step.who, kind, id);
        let Some(line) = line.filter(|_| !is_other) else {
            return;
        };
        let of = player(PLAYERS[step.who]);
        let mut rows = self.ledger.rows();
        let row =
            rows.find(|(by, row)| **by == of && row.key.kind == kind && row.key.external_id == *id);
        self.ids.insert(line, row.unwrap().1.id);
        let first = self.burned.entry(line).or_insert_with(|| refusal.clone());
        assert_eq!(first, refusal, "{told}");
    }

    fn compare_receipt(
        &mut self,
        expected: &Receipt,
        receipt: &pitboss_wallet::Receipt,
        told: &str,
    ) {
        let known = self.ids.get(&expected.line).copied();
        if known.is_none() {
            let is_taken = self.ids.values().any(|id| *id == receipt.transaction);
            assert!(!is_taken, "{told}");
        }
        let id = self.ids.entry(expected.line).or_insert(receipt.transaction);
        assert_eq!(*id, receipt.transaction, "another transaction: {told}");
        let balance = receipt.balance.map(|balance| i128::from(balance.cash));
        // The answer to a late bet has no balance of its own but that of now, as far as this owner knows.
        let is_now = receipt.tombstone && receipt.kind == Kind::Bet;
        if !(is_now && self.was_behind) {
            assert_eq!(balance, expected.cash, "{told}");
        }
        assert_eq!(
            (
                receipt.kind,
                receipt.currency,
                i128::from(receipt.units),
                receipt.tombstone,
            ),
            (
                expected.kind,
                expected.currency,
                expected.units,
                expected.tombstone,
            ),
            "{told}"
        );
        if receipt.kind != Kind::CloseRound {
            // A close has no id: the round names it.
            assert_eq!(receipt.external_id, expected.id, "{told}");
        }
        // Where a bet's money came from, and where a rollback brings it back to: there is only cash so far.
        assert_eq!(i128::from(receipt.funding.cash), expected.units, "{told}");
        assert_eq!(receipt.funding.bonus, 0, "{told}");
    }

    /// INV-5: from here, a bet and its rollback leave everything as it was, wherever the bet goes and whatever it costs.
    pub fn inv_5_a_bet_and_its_rollback_change_nothing(&self, course: &Course) {
        let policy = Arc::new(course.model.policy().clone());
        let command = |request: PlayCommand| request.command(&policy);
        let books = course.model.books();
        for (who, currency) in course.model.people() {
            let of = &self.players[who];
            let cash = i64::try_from(books.cash(who, currency)).unwrap();
            for (round, units) in [("r", cash), ("s", 1), ("u", 0), ("fresh", cash)] {
                let mut ledger = self.ledger.clone();
                let before = ledger.whole_state(of, |_| false);
                let mut owner = Owner {
                    state: ledger.load(of),
                    limits: course.limits,
                };
                let bet = Bet {
                    session: course.model.session(who, currency),
                    amount: Money::new(units, currency),
                    ..harness::bet("probe", round, 0)
                };
                if owner
                    .execute(&mut ledger, &command(PlayCommand::Bet(bet)))
                    .is_err()
                {
                    continue;
                }
                let back = PlayCommand::Rollback(harness::rollback("probe", "probe"));
                match owner.execute(&mut ledger, &command(back)) {
                    Ok(_) => {
                        let is_probe = |entry: &RoundEntry| entry.external_id == ext("probe");
                        assert_eq!(ledger.whole_state(of, is_probe), before, "INV-5");
                    }
                    // A win overtook it.
                    Err(refusal) => assert_eq!(refusal.code, RefusalCode::AlreadySettled),
                }
            }
        }
    }

    /// Balances, debts, held stakes and withdrawals, every payment, and every round with all that stands in it.
    pub fn compare_books(&self, model: &Model) {
        let books = model.books();
        self.compare_payments(model);
        for (who, currency) in model.people() {
            let state = self.durable(who);
            let wallet = state.wallet(currency).unwrap();
            let of_wallet = (
                i128::from(wallet.cash),
                -i128::from(wallet.receivable),
                i128::from(wallet.held),
            );
            let expected = (
                books.cash(who, currency),
                books.owed(who, currency),
                books.held(who, currency),
            );
            assert_eq!(
                of_wallet, expected,
                "cash, owed, held of {who} in {currency}"
            );
            let holds = (
                i128::from(wallet.withdrawal_hold),
                i128::from(wallet.fee_hold),
                i128::from(wallet.in_transit),
            );
            assert_eq!(holds, books.holds(who, currency), "{who} in {currency}");
        }
        self.compare_rounds(&books);
    }

    fn compare_payments(&self, model: &Model) {
        let told = |payment: &Payment| (payment.state(), payment.units(), payment.fee_units());
        let payments: Vec<_> = self.ledger.payments().map(|(_, one)| told(one)).collect();
        let books = model.payments.iter();
        let expected: Vec<_> = books
            .map(|book| (book.state, book.amount.units, book.fee))
            .collect();
        assert_eq!(payments, expected);
    }

    fn compare_rounds(&self, books: &Books) {
        for (who, name) in PLAYERS.iter().enumerate() {
            let mut rounds: Vec<_> = self
                .ledger
                .rounds_of(&player(name))
                .map(|round| {
                    let entries: Vec<_> = round
                        .entries
                        .iter()
                        .map(|entry| (entry.kind, i128::from(entry.standing_units())))
                        .collect();
                    let game = round.key.game.as_ref().map(ToString::to_string);
                    (round.key.round.to_string(), game, round.state, entries)
                })
                .collect();
            let mut expected: Vec<_> = books
                .rounds
                .iter()
                .filter(|round| round.name.who == who)
                .map(|round| {
                    let entries: Vec<_> = round
                        .entries
                        .iter()
                        .map(|entry| (entry.kind, entry.standing()))
                        .collect();
                    let game = round.name.game.as_ref().map(ToString::to_string);
                    (round.name.round.to_string(), game, round.state, entries)
                })
                .collect();
            rounds.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
            expected.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
            assert_eq!(rounds, expected, "the rounds of {name}");
        }
    }
}
