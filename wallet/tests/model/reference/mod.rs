//! A naive wallet, written from `docs/rules.md` alone.
//!
//! It keeps one list: what was accepted, line by line. Balances, rounds and what is settled are worked out from the first
//! line on, each time somebody asks ([`books`]); nothing is cached, nothing is clever, and sums have no limit but the one
//! that is checked at the end. That makes it slow, and easy to hold against the text.
//!
//! What must not be here: anything of `decide`, `apply` or `Round`. Only the words that requests and answers are made of.

mod books;
mod cashier;
mod play;
mod undo;

pub use books::Books;
pub use cashier::{PaymentBook, PaymentNumber};

use pitboss_wallet::{
    Adjust, Command, Currency, Direction, ExternalId, GameId, Kind, Money, PaymentId, Play,
    PlayCommand, PlayerStatus, Policy, RefusalCode, RoundId, RoundScope, SessionId,
    TransactionScope,
};

/// Players are numbered in the order in which they came.
pub type Who = usize;
/// A line of the log, by its place.
pub type LineNumber = usize;

/// A round, by whose it is and how the account's `round_scope` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundName {
    pub who: Who,
    /// Set when round ids are unique within a game only.
    pub game: Option<GameId>,
    pub round: RoundId,
}

/// What one line did.
#[derive(Debug, Clone)]
pub enum Effect {
    Deposited(Money),
    /// Given by hand; below 0: taken.
    Adjusted(Money),
    Staked {
        round: RoundName,
        amount: Money,
        closes: bool,
    },
    Won {
        round: RoundName,
        amount: Money,
        names: Option<ExternalId>,
        closes: bool,
    },
    /// A rollback gave `units` of the target back, or took them back.
    TookBack {
        target: LineNumber,
        units: i64,
    },
    /// A rollback in a voided round.
    CameAfterVoid,
    /// A rollback that found nothing.
    FoundNothing,
    Closed(RoundName),
    Voided(RoundName),
    /// A tombstone, laid by this rollback (T5).
    Entombed {
        by: LineNumber,
    },
    /// A refusal that used the id up (T4).
    Burned(RefusalCode),
    /// A deposit that may come.
    Announced,
    /// It came, as this payment of the payment provider.
    Brought {
        by: ExternalId,
        amount: Money,
    },
    /// It was taken back.
    Reversed(Money),
    /// For a withdrawal.
    Held {
        amount: Money,
        fee: i64,
    },
    Released {
        amount: Money,
        fee: i64,
        is_sent: bool,
    },
    Confiscated {
        amount: Money,
        fee: i64,
    },
    Sent(Money),
    PaidOut {
        amount: Money,
        fee: i64,
    },
    CameBack(Money),
}

/// What a request means for money (T2): two requests with one key and one meaning are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    amount: Option<Money>,
    game: Option<GameId>,
    round: Option<RoundId>,
    /// The bet that a win names, or the target of a rollback.
    names: Option<ExternalId>,
    /// The amount in a rollback, where it has a meaning.
    part: Option<i64>,
}

impl Meaning {
    /// Whether an adjustment may leave a debt.
    pub fn owes(&self) -> bool {
        self.part == Some(1)
    }
}

/// The answer that is kept with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The line that it tells of.
    pub line: LineNumber,
    pub kind: Kind,
    pub id: ExternalId,
    pub currency: Option<Currency>,
    pub units: i128,
    /// The player's cash right after.
    pub cash: Option<i128>,
    pub tombstone: bool,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub who: Who,
    pub kind: Kind,
    /// For a close: the round's id.
    pub id: ExternalId,
    pub meaning: Meaning,
    pub effect: Effect,
    pub receipt: Receipt,
}

/// A refusal, with the line that stands under the id when that is why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct No {
    pub code: RefusalCode,
    pub original: Option<LineNumber>,
}

impl From<RefusalCode> for No {
    fn from(code: RefusalCode) -> Self {
        Self {
            code,
            original: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yes {
    New(Vec<Receipt>),
    Repeat(Vec<Receipt>),
    /// A deposit or withdrawal as it is now.
    Payment {
        number: PaymentNumber,
        is_repeat: bool,
        /// The line that brought the money of a deposit, if this did.
        brought: Option<LineNumber>,
    },
    /// Nothing about money.
    Done,
}

pub type Answer = Result<Yes, No>;

#[derive(Debug, Clone)]
struct Person {
    currencies: Vec<Currency>,
    /// May not bet.
    blocked: bool,
    /// May not even come in.
    out: bool,
    /// Game sessions: their currency, and whether they are over.
    sessions: Vec<(SessionId, Currency, bool)>,
}

#[derive(Debug, Clone)]
pub struct Model {
    policy: Policy,
    people: Vec<Person>,
    pub log: Vec<Line>,
    pub payments: Vec<PaymentBook>,
}

impl Model {
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            people: Vec::new(),
            log: Vec::new(),
            payments: Vec::new(),
        }
    }

    /// A new player, with a running game session in each currency.
    pub fn seat(&mut self, sessions: &[(SessionId, Currency)]) -> Who {
        self.people.push(Person {
            currencies: sessions.iter().map(|(_, currency)| *currency).collect(),
            blocked: false,
            out: false,
            sessions: sessions
                .iter()
                .map(|(id, currency)| (*id, *currency, false))
                .collect(),
        });
        self.people.len() - 1
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    pub fn is_blocked(&self, who: Who) -> bool {
        self.people[who].blocked
    }

    /// Whether the newest session of a player in a currency is over.
    pub fn is_logged_out(&self, who: Who, currency: Currency) -> bool {
        let id = self.session(who, currency);
        let mut sessions = self.people[who].sessions.iter();
        sessions.any(|(session, _, is_over)| *session == id && *is_over)
    }

    pub fn is_anybody_out(&self) -> bool {
        let mut people = self.people();
        people.any(|(who, currency)| self.is_blocked(who) || self.is_logged_out(who, currency))
    }

    pub fn people(&self) -> impl Iterator<Item = (Who, Currency)> {
        let wallets = |(who, person): (Who, &Person)| {
            let currencies = person.currencies.clone();
            currencies.into_iter().map(move |currency| (who, currency))
        };
        self.people.iter().enumerate().flat_map(wallets)
    }

    /// The newest session of a player in a currency.
    pub fn session(&self, who: Who, currency: Currency) -> SessionId {
        let mut sessions = self.people[who].sessions.iter().rev();
        sessions.find(|(_, of, _)| *of == currency).unwrap().0
    }

    pub fn take(&mut self, who: Who, command: &Command) -> Answer {
        match command {
            Command::Deposit(deposit) => self.deposit(who, deposit),
            Command::Adjust(adjust) => self.adjust(who, adjust),
            Command::InitiateDeposit(asked) => self.initiate(who, asked),
            Command::MoveDeposit(id, step) => self.move_deposit(who, place_of(*id), step),
            Command::RequestWithdrawal(asked) => self.request(who, asked),
            Command::MoveWithdrawal(id, step) => self.move_withdrawal(who, place_of(*id), step),
            Command::SetStatus(set) => {
                let person = &mut self.people[who];
                person.blocked = set.status != PlayerStatus::Active;
                if matches!(set.status, PlayerStatus::Blocked | PlayerStatus::Closed) {
                    person
                        .sessions
                        .iter_mut()
                        .for_each(|session| session.2 = true);
                }
                person.out = matches!(set.status, PlayerStatus::Blocked | PlayerStatus::Closed);
                Ok(Yes::Done)
            }
            Command::EndSession(id) => {
                let mut sessions = self.people[who].sessions.iter_mut();
                sessions.find(|(session, ..)| session == id).unwrap().2 = true;
                Ok(Yes::Done)
            }
            Command::Launch(launch) => {
                let session = (launch.session, launch.currency, false);
                self.people[who].sessions.push(session);
                Ok(Yes::Done)
            }
            Command::Play(Play { command, .. }) => match command {
                PlayCommand::Bet(bet) => self.bet(who, bet),
                PlayCommand::Win(win) => self.win(who, win),
                PlayCommand::BetWin(batch) => self.batch(who, batch),
                PlayCommand::Rollback(rollback) => self.rollback(who, rollback),
                PlayCommand::Rollbacks(list) => self.rollbacks(who, list),
                PlayCommand::CloseRound(close) => self.close(who, close),
                PlayCommand::VoidRound(void) => self.void(who, void),
            },
            other => unreachable!("the histories have no {other:?}"),
        }
    }

    pub fn books(&self) -> Books {
        Books::of(&self.log)
    }

    fn round_name(&self, who: Who, game: &GameId, round: &RoundId) -> RoundName {
        RoundName {
            who,
            game: (self.policy.round_scope == RoundScope::Game).then(|| game.clone()),
            round: round.clone(),
        }
    }

    /// T1: the line with this key.
    fn line_of(&self, who: Who, kind: Kind, id: &ExternalId) -> Option<LineNumber> {
        let everybodys = match kind {
            Kind::Deposit | Kind::DepositRequest | Kind::Withdrawal => true,
            Kind::Adjustment => false,
            _ => self.policy.transaction_scope == TransactionScope::Provider,
        };
        self.log.iter().position(|line| {
            line.kind == kind
                    && line.id == *id
                    && (everybodys || line.who == who)
                    // Those are filed under the payment provider's ids.
                    && !matches!(line.effect, Effect::Brought { .. })
        })
    }

    /// T2, T3: what stands under a key. `None`: the key is new.
    fn stored(
        &self,
        who: Who,
        kind: Kind,
        id: &ExternalId,
        meaning: &Meaning,
    ) -> Result<Option<LineNumber>, No> {
        let Some(number) = self.line_of(who, kind, id) else {
            return Ok(None);
        };
        let line = &self.log[number];
        if line.who != who {
            return Err(RefusalCode::TransactionMismatch.into());
        }
        match line.effect {
            Effect::Entombed { .. } => Err(RefusalCode::RolledBack.into()),
            _ if line.meaning != *meaning => Err(mismatch(number)),
            Effect::Burned(code) => Err(code.into()),
            _ => Ok(Some(number)),
        }
    }

    /// The line of a refusal that used this id up.
    pub fn burned(&self, who: Who, kind: Kind, id: &ExternalId) -> Option<LineNumber> {
        let line = self.line_of(who, kind, id)?;
        matches!(self.log[line].effect, Effect::Burned(_)).then_some(line)
    }

    fn repeat(&self, number: LineNumber) -> Answer {
        Ok(Yes::Repeat(vec![self.log[number].receipt.clone()]))
    }

    /// Adds a line, with its receipt as of right after it.
    fn write(&mut self, draft: Draft) -> Receipt {
        let Draft {
            who,
            kind,
            id,
            meaning,
            effect,
            currency,
            units,
        } = draft;
        let receipt = Receipt {
            line: self.log.len(),
            kind,
            id: id.clone(),
            currency,
            units: i128::from(units),
            cash: None,
            tombstone: matches!(effect, Effect::FoundNothing),
        };
        self.log.push(Line {
            who,
            kind,
            id,
            meaning,
            effect,
            receipt,
        });
        let cash = currency.map(|currency| self.books().cash(who, currency));
        let line = self.log.last_mut().unwrap();
        line.receipt.cash = cash;
        line.receipt.clone()
    }

    /// Writes, and takes it all back when it is refused or goes beyond what an account can hold.
    fn attempt<T>(&mut self, write: impl FnOnce(&mut Self) -> Result<T, No>) -> Result<T, No> {
        let before = self.log.len();
        let result = write(self);
        if result.is_err() {
            self.log.truncate(before);
        }
        result
    }

    /// Overflow is an error, never a wrap.
    fn write_if_it_fits(&mut self, draft: Draft) -> Result<Receipt, No> {
        self.attempt(|model| {
            let receipt = model.write(draft);
            if model.books().fit() {
                Ok(receipt)
            } else {
                Err(RefusalCode::Malformed.into())
            }
        })
    }

    /// T12: what two persons decided is decided once; also that it was refused.
    fn adjust(&mut self, who: Who, adjust: &Adjust) -> Answer {
        let amount = adjust.amount;
        let is_debit = adjust.direction == Direction::Debit;
        let owes = adjust.allow_debt;
        if amount.units <= 0 {
            return Err(RefusalCode::Malformed.into());
        }
        let signed = Money::new(
            if is_debit {
                -amount.units
            } else {
                amount.units
            },
            amount.currency,
        );
        let meaning = Meaning {
            amount: Some(signed),
            part: Some(i64::from(owes)),
            ..Meaning::default()
        };
        if let Some(number) = self.stored(who, Kind::Adjustment, &adjust.reference, &meaning)? {
            return self.repeat(number);
        }
        let cash = self.books().cash(who, amount.currency);
        let draft = |effect, meaning| Draft {
            who,
            kind: Kind::Adjustment,
            id: adjust.reference.clone(),
            meaning,
            effect,
            currency: Some(amount.currency),
            units: signed.units,
        };
        let refusal = if is_debit && !owes && cash < i128::from(amount.units) {
            RefusalCode::InsufficientFunds
        } else {
            let adjusted = draft(Effect::Adjusted(signed), meaning.clone());
            match self.write_if_it_fits(adjusted) {
                Ok(receipt) => return Ok(Yes::New(vec![receipt])),
                Err(no) => no.code,
            }
        };
        self.write(draft(Effect::Burned(refusal), meaning));
        Err(refusal.into())
    }
}

/// In a history a payment's id is its place: the real ids are not known before it is played.
fn place_of(id: PaymentId) -> PaymentNumber {
    usize::try_from(id.0.as_u128()).unwrap()
}

/// A line that is not written yet.
struct Draft {
    who: Who,
    kind: Kind,
    id: ExternalId,
    meaning: Meaning,
    effect: Effect,
    currency: Option<Currency>,
    units: i64,
}

const fn mismatch(original: LineNumber) -> No {
    No {
        code: RefusalCode::TransactionMismatch,
        original: Some(original),
    }
}
