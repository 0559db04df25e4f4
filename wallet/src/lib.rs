//! The pure rules of a player's wallet.
//!
//! What lives here: typed ids, [`Money`], commands, [`decide()`], [`apply()`], rounds, refusal codes and
//! the events that a decision gives rise to. What must not: async, clocks, randomness, I/O, SQL, HTTP,
//! knowledge of any provider's wire format. Time and new ids are handed in by the caller ([`Seam`]), so
//! that the same state, command and seam always give the same [`Verdict`].
//!
//! ```text
//! decide(state, facts, command, seam) -> Commit(decision)   to be made durable, then apply()ed
//!                                      | Answer(reply)       nothing to write (a repeat, a read)
//!                                      | Refuse(refusal)     nothing to write, the caller is told why
//!                                      | Need(facts)         ask the ledger for these, then decide again
//! ```
//!
//! Rule numbers (T1.., INV-1..) in comments and test names are those of `docs/rules.md`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod account;
mod apply;
mod catalogue;
mod command;
mod country;
mod decide;
mod decision;
mod event;
mod event_data;
mod fingerprint;
mod ids;
pub mod invariants;
mod money;
mod payment;
mod policy;
mod refusal;
mod round;
mod session;
mod state;
mod time;
mod view;

pub use account::{Account, Balance, Funding, Posting};
pub use apply::{CacheLimits, apply};
pub use catalogue::{GameStanding, GameSwitch, GameTerms, StakeLimits};
pub use command::{
    Action, Adjust, AdjustmentCategory, Authenticate, Bet, BetWin, By, Client, CloseRound, Command,
    Deposit, Direction, Launch, MakerChecker, OpenSession, Origin, Play, PlayCommand, Registration,
    Rollback, SetStatus, VoidRound, Win, WinKind,
};
pub use country::{Countries, Country};
pub use decide::{Seam, Verdict, decide};
pub use decision::{
    BalanceChange, Decision, Outcome, PaymentChange, PaymentReply, Receipt, Reply, RoundChange,
    SessionChange, SessionReply, Settled, Transaction, TransactionState,
};
pub use event::{EVENT_VERSION, Environment, Event, EventType};
pub use fingerprint::Fingerprint;
pub use ids::{
    ExternalId, GameId, IdError, PaymentId, PlayerId, ProviderId, RoundId, SessionId, TransactionId,
};
pub use money::{Currency, Money, MoneyError};
pub use payment::{
    DepositOrder, DepositState, DepositStep, InitiateDeposit, Payment, PaymentKind, Person,
    RequestWithdrawal, ReviewReason, Withdrawal, WithdrawalState, WithdrawalStep, WithdrawalTerms,
};
pub use policy::{
    LateBet, LateWin, Policy, PolicyChange, RollbackAfterWin, RollbackAmount, RollbackOfWin,
    RoundScope, TransactionScope, WinWithoutBet,
};
pub use refusal::{Refusal, RefusalCode};
pub use round::{Round, RoundEntry, RoundKey, RoundState};
pub use session::{Session, SessionEnd, SessionKind, SessionRules, WhenFull};
pub use state::{
    Fact, Facts, Kind, PlayerState, PlayerStatus, StoredTransaction, TransactionKey, Wallet,
};
pub use time::Timestamp;
pub use view::{BalanceView, RoundView, WalletView};
