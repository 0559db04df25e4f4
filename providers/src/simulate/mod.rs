//! The other end of a dialect: what a provider sends, and what he makes of the answer.
//!
//! What lives here: moves and answers without a wire format, the script of cases that every dialect has to pass
//! ([`cases`]). A dialect's own end, its [`Simulator`], is in the dialect's folder, and knows the provider's documents
//! only: nothing of how the dialect itself is written. What must not: I/O; whoever drives it sends and receives
//! (`pitboss simulate`, and the tests).

mod cases;
mod script;

use pitboss_wallet::{Currency, Kind, Money, WinKind};

use crate::Settings;

pub use cases::{cases, left_out};
pub use script::{Case, Place, Script, Step};

/// Where a simulated provider plays.
#[derive(Debug, Clone)]
pub struct Table {
    /// The path of the account: `/callbacks/sandbox/acme`.
    pub path: String,
    /// What the provider signs with: the secret, or his private key.
    pub key: Vec<u8>,
    pub settings: Settings,
    /// Now, in Unix seconds.
    pub now_s: i64,
    /// Makes a nonce or a request's own id different from all before.
    pub serial: u64,
}

/// A player in a game.
#[derive(Debug, Clone)]
pub struct Seat {
    pub player: String,
    /// Our id of his game session.
    pub session: String,
    /// The launch token of that session; exchanged already, where the dialect exchanges it.
    pub token: String,
    pub game: String,
    /// His balance when he sat down, in the currency that he plays in.
    pub balance: Money,
}

impl Seat {
    /// The same, but for one thing.
    #[must_use]
    pub fn elsewhere(&self, place: Place) -> Self {
        let mut seat = self.clone();
        match place {
            Place::Player => seat.player = format!("{}-nobody", seat.player),
            Place::Game => seat.game = "no-such-game".to_owned(),
            Place::Session => {
                seat.session = "ses_00000000000000000000000000000000".to_owned();
                seat.token = format!("{}0", seat.token);
            }
            Place::Currency => {
                let other = ["GBP", "EUR"].into_iter().filter_map(Currency::from_code);
                let mut other = other.filter(|other| *other != seat.balance.currency);
                if let Some(other) = other.next() {
                    seat.balance.currency = other;
                }
            }
        }
        seat
    }
}

/// What a provider does.
#[derive(Debug, Clone)]
pub enum Move {
    /// Takes the launched session over, or asks who the player is.
    Enter,
    Balance,
    Bet {
        id: String,
        round: String,
        amount: Money,
        closes: bool,
        /// The free round that it belongs to; then it costs nothing.
        free_round: Option<String>,
    },
    Win {
        id: String,
        /// The bet that it settles, where the dialect names it.
        bet: Option<String>,
        round: String,
        amount: Money,
        kind: WinKind,
        closes: bool,
    },
    /// Both in one call.
    BetWin {
        bet: String,
        win: String,
        round: String,
        stake: Money,
        won: Money,
    },
    Rollback {
        id: String,
        /// The bet or win that goes back, which of them it is, and its amount.
        target: String,
        kind: Kind,
        amount: Money,
        round: String,
    },
    Close {
        round: String,
    },
    /// What only this dialect has: its name, and what it needs.
    Own {
        name: &'static str,
        id: String,
        round: String,
        amount: Money,
    },
}

/// A request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub method: &'static str,
    /// What follows [`Table::path`], with its slash: `/transaction/bet`.
    pub path: String,
    /// Without the `?`; empty: none.
    pub query: String,
    pub content_type: &'static str,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Sent {
    /// With the last digit or letter of whatever proves it changed.
    #[must_use]
    pub fn forged(mut self) -> Self {
        let flip = |text: &mut String| {
            if let Some(at) = text.rfind(|c: char| c.is_ascii_alphanumeric()) {
                let other = if text.as_bytes()[at] == b'0' {
                    "1"
                } else {
                    "0"
                };
                text.replace_range(at..=at, other);
            }
        };
        match self.headers.last_mut() {
            Some((_, value)) => flip(value),
            None if !self.query.is_empty() => flip(&mut self.query),
            None => self.body.push(b'0'),
        }
        self
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub status: u16,
    pub body: Vec<u8>,
}

/// How a provider understands an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    /// Refused, with the dialect's own code.
    Code(&'static str),
}

/// What a provider reads in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `ok`, or the dialect's own code.
    pub code: String,
    /// The balance in ledger units, as far as the dialect's digits show it.
    pub balance: Option<i64>,
    /// Our ids of the transactions.
    pub transactions: Vec<String>,
}

impl Told {
    /// The code of an answer that is no refusal.
    pub const OK: &'static str = "ok";

    #[must_use]
    pub fn fits(&self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Ok => self.code == Self::OK,
            Verdict::Code(code) => self.code == code,
        }
    }
}

/// What a provider is told in cases where dialects differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    /// The very same request again.
    RepeatedBet,
    RepeatedWin,
    RepeatedRollback,
    /// A known id with another amount.
    OtherBet,
    OtherWin,
    /// A bet that the balance does not cover.
    Poor,
    RollbackOfUnknown,
    /// A bet whose rollback came first.
    LateBet,
    /// A rollback of a bet that has a win.
    RollbackOfSettled,
    WinAfterRollback,
    /// A win that names a bet that nobody knows, or in a round without one.
    WinWithoutBet,
    /// A bet in a round that is closed.
    BetAfterClose,
    /// A bet in a session that is over, and in one that never was.
    BetInEndedSession,
    BetInNoSession,
    BetOfBlocked,
    BetInUnknownGame,
    BetOfUnknownPlayer,
    BetInOtherCurrency,
    BadSignature,
    /// A body that is no body of the dialect.
    Malformed,
    UnknownAction,
}

/// What to expect of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    Told(Verdict),
    /// The dialect has no such thing: the case is left out, for this reason.
    Not(&'static str),
}

impl Expect {
    pub const OK: Self = Self::Told(Verdict::Ok);

    #[must_use]
    pub const fn code(code: &'static str) -> Self {
        Self::Told(Verdict::Code(code))
    }
}

/// A provider of one dialect.
pub trait Simulator: Send + Sync {
    /// Digits behind the point of the smallest amount that the dialect can tell; the ledger's when it has more.
    fn digits(&self) -> u32;

    /// The move as a signed request; `None`: the dialect has no such move.
    fn request(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent>;

    /// A signed request like that of the move, but with this body. For dialects that sign what is in the body, the
    /// signature need not be good.
    fn garbled(&self, table: &Table, seat: &Seat, made: &Move, body: &[u8]) -> Option<Sent>;

    /// The move, to an action that the dialect does not have.
    fn astray(&self, table: &Table, seat: &Seat, made: &Move) -> Option<Sent>;

    /// The answer to a move.
    ///
    /// # Errors
    /// It is none of this dialect; for a person.
    fn read(&self, seat: &Seat, made: &Move, received: &Received) -> Result<Told, String>;

    /// What the provider's documents say of a turn.
    fn expect(&self, turn: Turn) -> Expect;

    /// A key that a test account may have: the operator's side of it, and the provider's. Random, unless the dialect
    /// needs a pair.
    fn keys(&self, random: [u8; 32]) -> (Vec<u8>, Vec<u8>) {
        let key = hex::encode(random).into_bytes();
        (key.clone(), key)
    }

    /// Cases that only this dialect has.
    fn cases(&self, _script: &Script) -> Vec<Case> {
        Vec::new()
    }
}
