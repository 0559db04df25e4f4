//! Evolution's One Wallet. `docs/providers/evolution.md` is its manual.
//!
//! `signature` compares the token of the query, `request` reads bodies, `answer` writes them, `simulator` and
//! `cases` are the provider's end.

mod answer;
mod cases;
mod request;
mod signature;
mod simulator;

use pitboss_wallet::{Policy, RefusalCode, RollbackOfWin, WinWithoutBet};

use crate::{
    Account, Allowed, Call, Context, Dialect, Known, Lookup, Outcome, ParseError, RawRequest,
    Response, Setting, SignatureError, simulate::Simulator,
};

const SETTINGS: &[Setting] = &[GAME];

/// What a game of the catalogue is.
const GAME: Setting = Setting {
    name: "game",
    meaning: "Which field is the game of the catalogue: table (game.details.table.id), or type (game.type, such as blackjack: all its tables are one game).",
    default: "table",
    allowed: Allowed::OneOf(&["table", "type"]),
};

/// Digits behind the point that the wire has at most.
const DIGITS: u32 = 6;

/// What a path asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    /// `check`, and `sid`, which asks the same.
    Check,
    Balance,
    Debit,
    Credit,
    Cancel,
    Promo,
    Close,
}

impl Verb {
    fn of(action: &str) -> Option<Self> {
        Some(match action {
            "check" | "sid" => Self::Check,
            "balance" => Self::Balance,
            "debit" => Self::Debit,
            "credit" => Self::Credit,
            "cancel" => Self::Cancel,
            "promo_payout" => Self::Promo,
            "close" => Self::Close,
            _ => return None,
        })
    }
}

/// The dialect.
pub struct Evolution;

impl Dialect for Evolution {
    fn name(&self) -> &'static str {
        "evolution"
    }

    fn default_policy(&self) -> Policy {
        Policy {
            // A cancel is always of a debit.
            rollback_of_win: RollbackOfWin::Refuse,
            win_without_bet: WinWithoutBet::Refuse,
            // A game at a table is over in minutes, and need not be closed by anybody.
            auto_close_after_s: Some(24 * 3600),
            ..Policy::default()
        }
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn wants_balance(&self, refusal: RefusalCode) -> bool {
        answer::wants_balance(refusal)
    }

    fn verify(&self, account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
        signature::verify(account, request)
    }

    fn lookup(
        &self,
        _account: &Account,
        request: &RawRequest<'_>,
    ) -> Result<Option<Lookup>, ParseError> {
        request::lookup(request)
    }

    fn parse(
        &self,
        account: &Account,
        request: &RawRequest<'_>,
        known: &Known<'_>,
    ) -> Result<Call, ParseError> {
        request::parse(account, request, known)
    }

    fn simulator(&self) -> &'static dyn Simulator {
        &simulator::Evolution
    }

    fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response {
        answer::render(context, outcome)
    }
}
