//! Everything that can go wrong with a call, free of any transport: each dialect maps it to its own answers.

use pitboss_wallet::{Refusal, RefusalCode};

/// Why a signature is not accepted. Nothing of a request without a good one is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the header {header} is missing, or is there more than once")]
    Missing { header: &'static str },
    #[error("the header {header} does not have the form {form}")]
    Form {
        header: &'static str,
        form: &'static str,
    },
    /// Signed at another time than now: a replay, or a clock that is wrong.
    #[error("t is {skew_s} s away from this server's clock; at most {limit_s} s are allowed")]
    Stale { skew_s: u64, limit_s: u64 },
    #[error("the signature is not that of this path and body under any secret of this provider")]
    Mismatch,
}

/// Why a well-signed request is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("the protocol has no such action")]
    UnknownAction,
    #[error("only {allowed} is allowed here")]
    Method { allowed: &'static str },
    /// Names the field.
    #[error("{0}")]
    Malformed(String),
    /// Names the field and the code.
    #[error("{0}")]
    UnknownCurrency(String),
}

/// Why a call is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Signature, age or form of the signature.
    #[error("{0}")]
    BadSignature(#[from] SignatureError),
    #[error("{0}")]
    Parse(#[from] ParseError),
    /// The wallet's own refusals, and the server's that have the same codes (an unknown player, a launch
    /// token that is not known).
    #[error("{}", .0.detail)]
    Refused(Refusal),
    #[error("there is no such provider in this environment")]
    UnknownProvider,
    #[error("this provider account does not take requests from {address}")]
    AddressRefused { address: String },
    #[error("this provider account is closed")]
    ProviderClosed,
    #[error("the body is larger than {limit_bytes} bytes")]
    BodyTooLarge { limit_bytes: usize },
    /// Nothing of it was looked at: what is not here in full is not signed.
    #[error("the body took longer than {limit_ms} ms to arrive")]
    BodyTooSlow { limit_ms: u64 },
    /// Turned away before any work: nothing was done.
    #[error("too much is waiting already; nothing was done, send the same request again later")]
    Busy { retry_after_s: u32 },
    /// The outcome is unknown (T10): never to be told as a failure.
    #[error("the outcome is not known; send the same request, with the same ids, again")]
    Retry { retry_after_s: u32 },
    /// A bug: a panic, an answer that does not belong to the question.
    #[error("something went wrong here; send the same request, with the same ids, again")]
    Internal,
}

impl CallError {
    #[must_use]
    pub fn unknown_player() -> Self {
        let detail = "there is no such player in this environment";
        Self::Refused(Refusal::new(RefusalCode::UnknownPlayer, detail))
    }

    #[must_use]
    pub fn unknown_token() -> Self {
        let detail = "the launch token is not known to this provider";
        Self::Refused(Refusal::new(RefusalCode::SessionInvalid, detail))
    }
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
