//! Hub88's operator wallet API, and its relatives Caleta, OneTouch and Niropa, which differ in a header and in paths.
//! `docs/providers/hub88.md` is its manual.
//!
//! `signature` verifies with the provider's public key, `request` reads bodies, `answer` writes them, `simulator` is the
//! provider's end.

mod answer;
mod request;
mod signature;
mod simulator;

use pitboss_wallet::{Policy, RefusalCode, RollbackAfterWin, WinWithoutBet};

use crate::{
    Account, Allowed, Call, Context, Dialect, Known, Lookup, Outcome, ParseError, RawRequest,
    Response, Secret, Setting, SignatureError, header_name, simulate::Simulator,
};

const SETTINGS: &[Setting] = &[HEADER, PATHS];

/// Where the signature is.
const HEADER: Setting = Setting {
    name: "header",
    meaning: "The header with the signature: X-Hub88-Signature, X-Auth-Signature (Caleta), X-Signature (OneTouch), X-Niropa-Signature.",
    default: "X-Hub88-Signature",
    allowed: Allowed::Text(header_name),
};

/// Which paths the provider calls.
const PATHS: Setting = Setting {
    name: "paths",
    meaning: "hub88: /user/info, /user/balance, /transaction/bet, /transaction/win, /transaction/rollback. wallet (Caleta): /wallet/check, /wallet/balance, /wallet/bet, /wallet/win, /wallet/rollback.",
    default: "hub88",
    allowed: Allowed::OneOf(&["hub88", "wallet"]),
};

/// Decimal digits of the integers on the wire: 3.56 is 356000.
const DIGITS: u32 = 5;

/// The dialect.
pub struct Hub88;

impl Dialect for Hub88 {
    fn name(&self) -> &'static str {
        "hub88"
    }

    fn default_policy(&self) -> Policy {
        Policy {
            // A rollback may name a bet or a win, settled or not: the named transaction goes back.
            rollback_after_win: RollbackAfterWin::Reverse,
            win_without_bet: WinWithoutBet::Refuse,
            // Rounds whose end is not told are finished by the provider after 48 hours.
            auto_close_after_s: Some(48 * 3600),
            ..Policy::default()
        }
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn key_is_given(&self) -> bool {
        true
    }

    fn secret(&self, bytes: Vec<u8>) -> Result<Secret, String> {
        signature::read(bytes)
    }

    fn wants_balance(&self, refusal: RefusalCode) -> bool {
        refusal == RefusalCode::InsufficientFunds
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
        &simulator::Hub88
    }

    fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response {
        answer::render(context, outcome)
    }
}
