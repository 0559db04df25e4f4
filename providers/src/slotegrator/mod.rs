//! Slotegrator's GIS API, also sold as TwoWinPower. `docs/providers/slotegrator.md` is its manual.
//!
//! One address for everything: `action` in the form tells what is asked. `signature` checks the headers and the form,
//! `request` reads forms, `answer` writes bodies, `simulator` (with its `cases`) is the provider's end.

mod answer;
mod cases;
mod request;
mod signature;
mod simulator;

use pitboss_wallet::{Policy, RoundScope, TransactionScope};

use crate::{
    Account, Allowed, Call, Context, Dialect, Known, Lookup, Outcome, ParseError, RawRequest,
    Response, Setting, SignatureError, simulate::Simulator,
};

const SETTINGS: &[Setting] = &[CLOCK];

/// How old a request may be.
const CLOCK: Setting = Setting {
    name: "clock",
    meaning: "any: X-Timestamp may be any time, as with repeats that are not signed anew. five_minutes: at most so far from the server's.",
    default: "any",
    allowed: Allowed::OneOf(&["any", "five_minutes"]),
};

/// Decimal digits of balances on the wire.
const DIGITS: u32 = 4;

/// The dialect.
pub struct Slotegrator;

impl Dialect for Slotegrator {
    fn name(&self) -> &'static str {
        "slotegrator"
    }

    fn default_policy(&self) -> Policy {
        Policy {
            // A transaction belongs to one player, whoever is named with its id the next time.
            transaction_scope: TransactionScope::Provider,
            // Behind the account are many providers, each with rounds of his own.
            round_scope: RoundScope::Game,
            ..Policy::default()
        }
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn verify(&self, account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
        signature::verify(account, request)
    }

    fn lookup(&self, _: &Account, request: &RawRequest<'_>) -> Result<Option<Lookup>, ParseError> {
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
        &simulator::Slotegrator
    }

    fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response {
        answer::render(context, outcome)
    }
}
