//! SoftSwiss' wallet protocol of the game aggregator, version 2, as Beexar publishes it.
//! `docs/providers/softswiss_v2.md` is its manual.
//!
//! `request` reads bodies, `answer` writes them, `simulator` is the provider's end, with the `cases` that only he has. The
//! signature, the session of a bet, the codes, and what is told of each transaction are those of version 1.

mod answer;
mod cases;
mod request;
mod simulator;

use pitboss_wallet::{Policy, RefusalCode, RollbackAfterWin};

use crate::{
    Account, Call, Context, Dialect, Known, Lookup, Outcome, ParseError, RawRequest, Response,
    Setting, SignatureError,
    simulate::Simulator,
    softswiss_v1::{session, signature},
};

const SETTINGS: &[Setting] = &[session::SESSION];

/// The dialect.
pub struct SoftswissV2;

impl Dialect for SoftswissV2 {
    fn name(&self) -> &'static str {
        "softswiss_v2"
    }

    fn default_policy(&self) -> Policy {
        Policy {
            // A rollback names each transaction that goes back.
            rollback_after_win: RollbackAfterWin::Reverse,
            // A late bet is refused, and wins name no bet and need none in their round: those are the defaults.
            ..Policy::default()
        }
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn wants_balance(&self, refusal: RefusalCode) -> bool {
        matches!(
            refusal,
            RefusalCode::InsufficientFunds
                | RefusalCode::BetLimit
                | RefusalCode::LossLimit
                // Of a round to be finished.
                | RefusalCode::UnknownBet
        )
    }

    fn verify(&self, account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
        signature::verify(account, request)
    }

    fn lookup(
        &self,
        account: &Account,
        request: &RawRequest<'_>,
    ) -> Result<Option<Lookup>, ParseError> {
        request::lookup(account, request)
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
        &simulator::SoftswissV2
    }

    fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response {
        answer::render(context, outcome)
    }
}
