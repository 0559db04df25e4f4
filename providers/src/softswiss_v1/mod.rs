//! SoftSwiss' wallet protocol of the game content platform (GCP), version 1, as BGaming and Belatra speak it.
//! `docs/providers/softswiss_v1.md` is its manual.
//!
//! `signature` checks the header, `request` reads bodies, `answer` writes them, `session` finds the session of a bet,
//! `subunits` says what an integer is worth; `simulator` is the provider's end, with the `cases` that only he has. Version 2
//! shares the signature and the sessions.

pub(crate) mod answer;
mod cases;
pub(crate) mod request;
pub(crate) mod session;
pub(crate) mod signature;
mod simulator;
mod subunits;

use pitboss_wallet::{LateBet, Policy, RefusalCode, RollbackAfterWin};

use crate::{
    Account, Allowed, Call, Context, Dialect, Known, Lookup, Outcome, ParseError, RawRequest,
    Response, Setting, SignatureError, simulate::Simulator,
};

const SETTINGS: &[Setting] = &[session::SESSION, subunits::SUBUNITS, JACKPOT_WIN, FORBIDDEN];

/// Whether a jackpot is paid on top.
const JACKPOT_WIN: Setting = Setting {
    name: "jackpot_win",
    meaning: "included: jackpot_win is a part of the amount of its action. separate: it is paid on top.",
    default: "included",
    allowed: Allowed::OneOf(&["included", SEPARATE]),
};

const SEPARATE: &str = "separate";

/// The HTTP status of the code 403.
const FORBIDDEN: Setting = Setting {
    name: "forbidden",
    meaning: "The HTTP status of the code 403, such as a wrong signature: 403 or 412.",
    default: "403",
    allowed: Allowed::OneOf(&["403", "412"]),
};

/// The dialect.
pub struct SoftswissV1;

impl Dialect for SoftswissV1 {
    fn name(&self) -> &'static str {
        "softswiss_v1"
    }

    fn default_policy(&self) -> Policy {
        Policy {
            // A bet or win whose rollback came first is a success without effect.
            late_bet: LateBet::Accept,
            // A rollback names each action that goes back.
            rollback_after_win: RollbackAfterWin::Reverse,
            // Wins name no bet and need none in their round: that is the default.
            ..Policy::default()
        }
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn wants_balance(&self, refusal: RefusalCode) -> bool {
        // All others have a wallet whose balance can be told.
        !matches!(
            refusal,
            RefusalCode::UnknownPlayer | RefusalCode::CurrencyMismatch
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
        &simulator::SoftswissV1
    }

    fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response {
        answer::render(context, outcome)
    }
}
