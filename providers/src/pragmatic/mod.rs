//! Pragmatic Play's seamless wallet. `docs/providers/pragmatic.md` is its manual.
//!
//! `signature` checks the hash in the form, `request` reads forms, `answer` writes bodies, `simulator` (with its
//! `cases`) is the provider's end. Its requests name no currency: the `userId` that we answer to `authenticate` carries it ([`user_id`]).

mod answer;
mod cases;
mod request;
mod signature;
mod simulator;

use pitboss_wallet::{
    Currency, PlayerId, Policy, RefusalCode, RollbackOfWin, RoundScope, TransactionScope,
    WinWithoutBet,
};

use crate::{
    Account, Allowed, Call, Context, Dialect, Known, Lookup, Outcome, ParseError, RawRequest,
    Response, Setting, SignatureError, simulate::Simulator,
};

const SETTINGS: &[Setting] = &[BONUS_WIN, ROUND_END];

/// Which of two reports of the wins of free rounds pays them. Both would pay twice.
const BONUS_WIN: Setting = Setting {
    name: "bonus_win",
    meaning: "summary: the results of free rounds are paid, and bonusWin only sums them up. credit: bonusWin is paid, and results with a bonusCode are not.",
    default: "summary",
    allowed: Allowed::OneOf(&["summary", "credit"]),
};

/// What ends a round.
const ROUND_END: Setting = Setting {
    name: "round_end",
    meaning: "end_round: a call of endRound, or the time of auto_close_after_s. result: the first result of the round; it takes no more bets then.",
    default: "end_round",
    allowed: Allowed::OneOf(&["end_round", "result"]),
};

/// Decimal digits of amounts on the wire.
const DIGITS: u32 = 2;

/// The player and the currency that he plays in, as the provider knows him: `alice-EUR`. The separator is one that is
/// written alike in every way of encoding a form.
fn user_id(player: &PlayerId, currency: Currency) -> String {
    format!("{player}-{currency}")
}

/// The dialect.
pub struct Pragmatic;

impl Dialect for Pragmatic {
    fn name(&self) -> &'static str {
        "pragmatic"
    }

    fn default_policy(&self) -> Policy {
        Policy {
            // A reference belongs to one player, whoever is named with it the next time.
            transaction_scope: TransactionScope::Provider,
            round_scope: RoundScope::Game,
            rollback_of_win: RollbackOfWin::Refuse,
            // The bet may still arrive: the win is sent again.
            win_without_bet: WinWithoutBet::Refuse,
            // Rounds that nobody ends are ended by the provider some days later.
            auto_close_after_s: Some(7 * 24 * 3600),
            ..Policy::default()
        }
    }

    fn settings(&self) -> &'static [Setting] {
        SETTINGS
    }

    fn wants_balance(&self, refusal: RefusalCode) -> bool {
        matches!(
            refusal,
            RefusalCode::InsufficientFunds | RefusalCode::BetLimit | RefusalCode::LossLimit
        )
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
        &simulator::Pragmatic
    }

    fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response {
        answer::render(context, outcome)
    }
}
