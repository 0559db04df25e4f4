//! Swipe Games' integration adapter. `docs/providers/swipe.md` is its manual.
//!
//! `signature` is the HMAC over the body or the query, `request` reads them, `answer` writes bodies, `simulator` is the
//! provider's end.

mod answer;
mod request;
mod signature;
mod simulator;

use pitboss_wallet::{Policy, RollbackAfterWin, RollbackOfWin, RoundScope, WinWithoutBet};

use crate::{
    Account, Call, Context, Dialect, Known, Lookup, Outcome, ParseError, RawRequest, Response,
    SignatureError, simulate::Simulator,
};

/// The dialect.
pub struct Swipe;

impl Dialect for Swipe {
    fn name(&self) -> &'static str {
        "swipe"
    }

    fn default_policy(&self) -> Policy {
        Policy {
            // Two games may have a round with one id.
            round_scope: RoundScope::Game,
            // A refund is of a bet that did not count, and is sent until it is accepted. A win names no bet, so one of the
            // round's other bets must not stand in its way.
            rollback_after_win: RollbackAfterWin::Reverse,
            rollback_of_win: RollbackOfWin::Refuse,
            win_without_bet: WinWithoutBet::Refuse,
            // No request tells the end of a round.
            auto_close_after_s: Some(24 * 3600),
            ..Policy::default()
        }
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
        &simulator::Swipe
    }

    fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response {
        answer::render(context, outcome)
    }
}
