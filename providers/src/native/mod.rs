//! Pitboss' own callback protocol, for games that are written for it. `docs/callbacks.md` is its manual.
//!
//! `signature` is the header, `request` reads bodies, `answer` writes them; `contract` describes both for `/openapi.json`.

mod answer;
mod contract;
mod request;
mod signature;
mod simulator;

use pitboss_wallet::{Environment, Policy, ProviderId};

use crate::{
    Account, Call, CallError, Context, Dialect, Known, Outcome, ParseError, Problem, RawRequest,
    Response, SignatureError, simulate::Simulator,
};

pub use contract::{ACTIONS, Action};
pub use request::MAX_ACTIONS;
pub use signature::{HEADER, TOLERANCE_S, sign};

/// The path of a callback, as a client must call and sign it.
#[must_use]
pub fn path(environment: Environment, provider: &ProviderId, action: &str) -> String {
    format!("/callbacks/{environment}/{provider}/{action}")
}

/// The native dialect.
pub struct Native;

impl Dialect for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn default_policy(&self) -> Policy {
        Policy::default()
    }

    fn verify(&self, account: &Account, request: &RawRequest<'_>) -> Result<usize, SignatureError> {
        signature::verify(account, request)
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
        &simulator::Native
    }

    fn render(&self, context: &Context<'_>, outcome: &Outcome) -> Response {
        match outcome {
            Ok(answer) => answer::render(context.call, answer),
            Err(error) => {
                let mut response = Response::from(&Problem::from(error));
                if let CallError::Parse(ParseError::Method { allowed }) = error {
                    response.headers.push(("Allow", (*allowed).to_owned()));
                }
                response
            }
        }
    }
}
