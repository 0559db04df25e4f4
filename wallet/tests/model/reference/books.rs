//! What the log comes to: accounts and rounds, worked out from its first line on.

use std::collections::HashMap;

use pitboss_wallet::{Currency, ExternalId, Kind, RoundState};

use super::{Effect, Line, LineNumber, RoundName, Who};

#[derive(Debug, Clone, Copy, Default)]
struct Accounts {
    cash: i128,
    owed: i128,
    /// For withdrawals: not sent, their fees, sent.
    hold: i128,
    fees: i128,
    sent: i128,
}

/// A bet or a win of a round.
#[derive(Debug, Clone)]
pub struct Entry {
    pub line: LineNumber,
    pub kind: Kind,
    pub id: ExternalId,
    pub units: i128,
    pub names: Option<ExternalId>,
    /// What was taken back of it, once somebody took it back.
    pub back: Option<i128>,
}

impl Entry {
    pub fn standing(&self) -> i128 {
        self.units - self.back.unwrap_or(0)
    }

    /// What was given back in part still stands for the rest (T7); what was given back wholly does not, 0 or not.
    pub fn stands(&self) -> bool {
        self.back.is_none() || self.standing() > 0
    }
}

#[derive(Debug, Clone)]
pub struct RoundBook {
    pub name: RoundName,
    pub currency: Currency,
    pub state: RoundState,
    /// In the order in which they were accepted.
    pub entries: Vec<Entry>,
}

impl RoundBook {
    pub fn standing(&self, kind: Kind) -> i128 {
        let entries = self.entries.iter().filter(|entry| entry.kind == kind);
        entries.map(Entry::standing).sum()
    }

    pub fn bets(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.kind == Kind::Bet)
    }

    pub fn bet(&self, id: &ExternalId) -> Option<&Entry> {
        self.bets().find(|entry| entry.id == *id)
    }

    fn entry_mut(&mut self, line: LineNumber) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.line == line)
    }

    /// T7: whether a win settles this bet. (A win is settled by nothing.)
    pub fn settles_bet(&self, bet: LineNumber) -> bool {
        let place = |line| self.entries.iter().position(|entry| entry.line == line);
        let bet_place = place(bet).unwrap();
        let bet_id = &self.entries[bet_place].id;
        let mut wins = self
            .entries
            .iter()
            .filter(|entry| entry.kind == Kind::Win && entry.stands());
        let settles = |win: &Entry| {
            let win_place = place(win.line).unwrap();
            let overtook = !self.entries[..win_place]
                .iter()
                .any(|entry| entry.kind == Kind::Bet);
            match &win.names {
                Some(named) => named == bet_id,
                None => bet_place < win_place || overtook,
            }
        };
        wins.any(settles)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Books {
    accounts: HashMap<(Who, Currency), Accounts>,
    pub rounds: Vec<RoundBook>,
}

impl Books {
    pub fn of(log: &[Line]) -> Self {
        let mut books = Self::default();
        for (number, line) in log.iter().enumerate() {
            books.read(number, line);
        }
        books
    }

    fn read(&mut self, number: LineNumber, line: &Line) {
        let who = line.who;
        match &line.effect {
            Effect::Deposited(amount)
            | Effect::Brought { amount, .. }
            | Effect::CameBack(amount) => {
                self.account(who, amount.currency).cash += i128::from(amount.units);
            }
            Effect::Adjusted(amount) => {
                let account = self.account(who, amount.currency);
                let units = i128::from(amount.units);
                // What the player no longer has, he owes.
                let taken = units.max(-account.cash);
                account.cash += taken;
                account.owed -= units - taken;
            }
            Effect::Reversed(amount) => {
                let account = self.account(who, amount.currency);
                let there = i128::from(amount.units).min(account.cash);
                account.cash -= there;
                account.owed += i128::from(amount.units) - there;
            }
            Effect::Held { amount, fee } => {
                let account = self.account(who, amount.currency);
                account.cash -= i128::from(amount.units) + i128::from(*fee);
                account.hold += i128::from(amount.units);
                account.fees += i128::from(*fee);
            }
            Effect::Released {
                amount,
                fee,
                is_sent,
            } => {
                let account = self.account(who, amount.currency);
                let place = if *is_sent {
                    &mut account.sent
                } else {
                    &mut account.hold
                };
                *place -= i128::from(amount.units);
                account.fees -= i128::from(*fee);
                account.cash += i128::from(amount.units) + i128::from(*fee);
            }
            Effect::Confiscated { amount, fee } => {
                let account = self.account(who, amount.currency);
                account.hold -= i128::from(amount.units);
                account.fees -= i128::from(*fee);
            }
            Effect::Sent(amount) => {
                let account = self.account(who, amount.currency);
                account.hold -= i128::from(amount.units);
                account.sent += i128::from(amount.units);
            }
            Effect::PaidOut { amount, fee } => {
                let account = self.account(who, amount.currency);
                account.sent -= i128::from(amount.units);
                account.fees -= i128::from(*fee);
            }
            Effect::Staked {
                round,
                amount,
                closes,
            } => {
                self.account(who, amount.currency).cash -= i128::from(amount.units);
                self.enter(round, amount.currency, number, line, None);
                self.close(round, *closes);
            }
            Effect::Won {
                round,
                amount,
                names,
                closes,
            } => {
                self.account(who, amount.currency).cash += i128::from(amount.units);
                self.enter(round, amount.currency, number, line, names.clone());
                self.close(round, *closes);
            }
            Effect::TookBack { target, units } => self.take_back(who, *target, i128::from(*units)),
            Effect::Closed(round) => self.close(round, true),
            Effect::Voided(round) => self.void(who, round),
            Effect::CameAfterVoid
            | Effect::FoundNothing
            | Effect::Entombed { .. }
            | Effect::Announced
            | Effect::Burned(_) => {}
        }
    }

    fn account(&mut self, who: Who, currency: Currency) -> &mut Accounts {
        self.accounts.entry((who, currency)).or_default()
    }

    fn enter(
        &mut self,
        name: &RoundName,
        currency: Currency,
        number: LineNumber,
        line: &Line,
        names: Option<ExternalId>,
    ) {
        if self.round(name).is_none() {
            self.rounds.push(RoundBook {
                name: name.clone(),
                currency,
                state: RoundState::Open,
                entries: Vec::new(),
            });
        }
        let entry = Entry {
            line: number,
            kind: line.kind,
            id: line.id.clone(),
            units: line.receipt.units,
            names,
            back: None,
        };
        self.round_mut(name).unwrap().entries.push(entry);
    }

    fn close(&mut self, name: &RoundName, closes: bool) {
        let round = self.round_mut(name).unwrap();
        if closes && round.state == RoundState::Open {
            round.state = RoundState::Closed;
        }
    }

    fn take_back(&mut self, who: Who, target: LineNumber, units: i128) {
        let mut rounds = self.rounds.iter_mut();
        let (currency, entry) = rounds
            .find_map(|round| Some((round.currency, round.entry_mut(target)?)))
            .unwrap();
        let kind = entry.kind;
        if entry.back.is_none() {
            entry.back = Some(units);
        }
        let account = self.account(who, currency);
        if kind == Kind::Bet {
            account.cash += units;
        } else {
            // T7: if the player has less left, he owes the rest.
            let there = units.min(account.cash);
            account.cash -= there;
            account.owed += units - there;
        }
    }

    /// First its wins, then its bets, the newest first; only what still stands.
    fn void(&mut self, who: Who, name: &RoundName) {
        let round = self.round_mut(name).unwrap();
        round.state = RoundState::Voided;
        let entries = round.entries.clone();
        for kind in [Kind::Win, Kind::Bet] {
            let of_kind = entries.iter().rev().filter(|entry| entry.kind == kind);
            for entry in of_kind {
                let standing = entry.standing();
                self.take_back(who, entry.line, standing);
            }
        }
        for entry in &mut self.round_mut(name).unwrap().entries {
            entry.back = Some(entry.units);
        }
    }

    fn round_mut(&mut self, name: &RoundName) -> Option<&mut RoundBook> {
        self.rounds.iter_mut().find(|round| round.name == *name)
    }

    pub fn round(&self, name: &RoundName) -> Option<&RoundBook> {
        self.rounds.iter().find(|round| round.name == *name)
    }

    fn accounts(&self, who: Who, currency: Currency) -> Accounts {
        let accounts = self.accounts.get(&(who, currency));
        accounts.copied().unwrap_or_default()
    }

    pub fn cash(&self, who: Who, currency: Currency) -> i128 {
        self.accounts(who, currency).cash
    }

    pub fn owed(&self, who: Who, currency: Currency) -> i128 {
        self.accounts(who, currency).owed
    }

    /// What withdrawals hold, their fees, and what was sent.
    pub fn holds(&self, who: Who, currency: Currency) -> (i128, i128, i128) {
        let Accounts {
            hold, fees, sent, ..
        } = self.accounts(who, currency);
        (hold, fees, sent)
    }

    /// The stakes in open rounds.
    pub fn held(&self, who: Who, currency: Currency) -> i128 {
        let open = self.rounds.iter().filter(|round| {
            round.name.who == who && round.currency == currency && round.state == RoundState::Open
        });
        open.map(|round| round.standing(Kind::Bet)).sum()
    }

    /// Whether all that a player has in open rounds can be kept in ledger units.
    pub fn held_fits(&self) -> bool {
        let limit = i128::from(i64::MAX);
        let mut rounds = self.rounds.iter();
        rounds.all(|round| self.held(round.name.who, round.currency) <= limit)
    }

    /// Whether every account can be kept in ledger units.
    pub fn fit(&self) -> bool {
        let limit = i128::from(i64::MAX);
        let mut accounts = self.accounts.values();
        accounts.all(|account| {
            let Accounts {
                cash,
                owed,
                hold,
                fees,
                sent,
            } = account;
            [cash, owed, hold, fees, sent]
                .iter()
                .all(|units| **units <= limit)
        })
    }
}
