//! The one table of error codes, and the RFC 9457 documents made from it.
//!
//! Every HTTP edge that speaks JSON answers with these: the native callbacks, the operator's REST API, the
//! player's stream. `docs/errors.md` has one heading per code; a test holds the two together.

use std::borrow::Cow;

use pitboss_wallet::{BalanceView, Currency, Money, Receipt, Refusal, RefusalCode, TransactionId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::{CallError, ParseError, Response};

/// The media type of a [`Problem`].
pub const CONTENT_TYPE: &str = "application/problem+json";

/// The greatest number of characters of a detail: some libraries repeat the whole of what they do not accept.
const DETAIL_CHARS: usize = 300;

/// Seconds after which a caller is asked to come back when nobody knows better.
const RETRY_AFTER_S: u32 = 1;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident => $code:literal, $status:literal, $retryable:literal, $title:literal;)+) => {
        /// A stable error code with everything that is fixed about it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant),+ }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// Whether the same request, unchanged, may be sent again and is expected to succeed.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$variant => $retryable),+ }
            }

            /// A short text for a person, the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// Where the code is explained.
            #[must_use]
            pub const fn documentation(self) -> &'static str {
                match self { $(Self::$variant => concat!("/docs/errors#", $code)),+ }
            }
        }
    };
}

codes! {
    // Who is there at all.
    BadSignature => "bad_signature", 401, false, "The signature is not valid";
    Unauthorized => "unauthorized", 401, false, "A valid key or token is needed";
    Forbidden => "forbidden", 403, false, "The key may not do this";
    AddressRefused => "address_refused", 403, false, "Requests from this address are not taken";
    OriginRefused => "origin_refused", 403, false, "The web page may not open a stream";

    // What is there at all.
    NotFound => "not_found", 404, false, "There is no such thing";
    UnknownProvider => "unknown_provider", 404, false, "There is no such provider";
    UnknownAction => "unknown_action", 404, false, "There is no such action";
    UnknownPlayer => "unknown_player", 404, false, "There is no such player";
    UnknownGame => "unknown_game", 404, false, "There is no such game";
    UnknownBet => "unknown_bet", 404, false, "There is no such bet or round";
    MethodNotAllowed => "method_not_allowed", 405, false, "The method is not allowed here";

    // Refused by the wallet's rules.
    InsufficientFunds => "insufficient_funds", 402, false, "The balance does not cover the amount";
    SessionExpired => "session_expired", 403, false, "The session is over";
    SessionInvalid => "session_invalid", 403, false, "The session is not valid";
    PlayerLocked => "player_locked", 403, false, "The player's logins are locked for a while";
    PlayerBlocked => "player_blocked", 403, false, "The player may not bet";
    SamePerson => "same_person", 403, false, "Another person has to decide it";
    GameDisabled => "game_disabled", 403, false, "The game takes no bets";
    CountryRefused => "country_refused", 403, false, "The game is not offered in the player's country";
    TransactionMismatch => "transaction_mismatch", 409, false, "The id was used with other data";
    RolledBack => "rolled_back", 409, false, "It was rolled back";
    AlreadySettled => "already_settled", 409, false, "The bet has a win";
    RoundClosed => "round_closed", 409, false, "The round is closed";
    BetLimit => "bet_limit", 409, false, "The bet is outside a limit";
    LossLimit => "loss_limit", 409, false, "The bet would exceed a loss limit";
    PlayerExists => "player_exists", 409, false, "The player exists already";
    ApprovalDecided => "approval_decided", 409, false, "The approval is decided already";
    UnknownPayment => "unknown_payment", 404, false, "There is no such deposit or withdrawal";
    PaymentState => "payment_state", 409, false, "The state of the payment does not lead there";
    CancelRefused => "cancel_refused", 403, false, "The player may not cancel the withdrawal";
    SessionLimit => "session_limit", 409, false, "The player has as many sessions as he may have";

    KeyLimit => "key_limit", 409, false, "There are as many live keys as allowed";
    ProviderClosed => "provider_closed", 403, false, "The provider account is closed";
    ProviderExists => "provider_exists", 409, false, "The provider account exists already";
    ProviderLimit => "provider_limit", 409, false, "There are as many provider accounts as allowed";
    ProviderInUse => "provider_in_use", 409, false, "The provider account is in use";
    PolicyLocked => "policy_locked", 409, false, "Stored transactions depend on this choice";

    CatalogueLimit => "catalogue_limit", 409, false, "There are as many as allowed";
    WebhookLimit => "webhook_limit", 409, false, "There are as many webhooks as allowed";
    EventsGone => "events_gone", 410, false, "The events after this position are no longer kept";

    PreconditionFailed => "precondition_failed", 412, false, "It is not what it was";

    // Not understood.
    BodyTooLarge => "body_too_large", 413, false, "The body is too large";
    UnsupportedMediaType => "unsupported_media_type", 415, false, "The body must be JSON";
    Malformed => "malformed", 422, false, "The request is malformed";
    UnknownField => "unknown_field", 422, false, "The request has a field that is not known";
    CurrencyMismatch => "currency_mismatch", 422, false, "The currency does not fit";
    SearchTooWide => "search_too_wide", 422, false, "The search would look at too much";
    IdempotencyMismatch => "idempotency_mismatch", 422, false, "The idempotency key was used with another body";

    // Not now.
    BodyTooSlow => "body_too_slow", 408, true, "The body took too long to arrive";
    RateLimited => "rate_limited", 429, true, "The key makes too many requests";
    Busy => "busy", 429, true, "Too much is waiting already";
    Retry => "retry", 503, true, "The outcome is not known: send the same again";
    Internal => "internal", 500, true, "Something went wrong here";
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "ErrorCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<&str> = Self::ALL.iter().map(|code| code.as_str()).collect();
        json_schema!({ "type": "string", "enum": codes })
    }
}

impl From<RefusalCode> for Code {
    fn from(code: RefusalCode) -> Self {
        match code {
            RefusalCode::UnknownPlayer => Self::UnknownPlayer,
            RefusalCode::UnknownGame => Self::UnknownGame,
            RefusalCode::UnknownBet => Self::UnknownBet,
            RefusalCode::InsufficientFunds => Self::InsufficientFunds,
            RefusalCode::SessionExpired => Self::SessionExpired,
            RefusalCode::SessionInvalid => Self::SessionInvalid,
            RefusalCode::SessionLimit => Self::SessionLimit,
            RefusalCode::PlayerBlocked => Self::PlayerBlocked,
            RefusalCode::GameDisabled => Self::GameDisabled,
            RefusalCode::CountryRefused => Self::CountryRefused,
            RefusalCode::TransactionMismatch => Self::TransactionMismatch,
            RefusalCode::RolledBack => Self::RolledBack,
            RefusalCode::AlreadySettled => Self::AlreadySettled,
            RefusalCode::RoundClosed => Self::RoundClosed,
            RefusalCode::BetLimit => Self::BetLimit,
            RefusalCode::LossLimit => Self::LossLimit,
            RefusalCode::UnknownPayment => Self::UnknownPayment,
            RefusalCode::PaymentState => Self::PaymentState,
            RefusalCode::SamePerson => Self::SamePerson,
            RefusalCode::CancelRefused => Self::CancelRefused,
            RefusalCode::CurrencyMismatch => Self::CurrencyMismatch,
            RefusalCode::Malformed => Self::Malformed,
        }
    }
}

impl From<&CallError> for Code {
    fn from(error: &CallError) -> Self {
        match error {
            CallError::BadSignature(_) => Self::BadSignature,
            CallError::Parse(ParseError::UnknownAction) => Self::UnknownAction,
            CallError::Parse(ParseError::Method { .. }) => Self::MethodNotAllowed,
            CallError::Parse(ParseError::Malformed(_)) => Self::Malformed,
            CallError::Parse(ParseError::UnknownCurrency(_)) => Self::CurrencyMismatch,
            CallError::Refused(refusal) => refusal.code.into(),
            CallError::UnknownProvider => Self::UnknownProvider,
            CallError::AddressRefused { .. } => Self::AddressRefused,
            CallError::ProviderClosed => Self::ProviderClosed,
            CallError::BodyTooLarge { .. } => Self::BodyTooLarge,
            CallError::BodyTooSlow { .. } => Self::BodyTooSlow,
            CallError::Busy { .. } => Self::Busy,
            CallError::Retry { .. } => Self::Retry,
            CallError::Internal => Self::Internal,
        }
    }
}

/// The transaction that an id was used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Original {
    pub transaction_id: TransactionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

impl From<&Receipt> for Original {
    fn from(receipt: &Receipt) -> Self {
        Self {
            transaction_id: receipt.transaction,
            amount: receipt
                .currency
                .map(|currency| Money::new(receipt.units, currency)),
            currency: receipt.currency,
        }
    }
}

/// One of the things that are wrong with a request that has many parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wrong {
    /// Which part, counted from 0.
    pub index: usize,
    /// The field of it; empty: the whole part.
    pub field: String,
    pub detail: String,
}

impl Wrong {
    #[must_use]
    pub fn new(index: usize, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            index,
            field: shortened(field.into()),
            detail: shortened(detail.into()),
        }
    }
}

/// An RFC 9457 problem document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    /// For a person: what went wrong this time. Never holds secrets or internal texts.
    pub detail: String,
    pub balance: Option<BalanceView>,
    pub original: Option<Original>,
    /// Each part that is wrong, where a request has many.
    pub errors: Vec<Wrong>,
    /// For the header `Retry-After`; every retryable code has one.
    pub retry_after_s: Option<u32>,
}

impl Problem {
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: shortened(detail.into()),
            balance: None,
            original: None,
            errors: Vec::new(),
            retry_after_s: code.is_retryable().then_some(RETRY_AFTER_S),
        }
    }

    #[must_use]
    pub const fn status(&self) -> u16 {
        self.code.status()
    }

    /// What stands in for an answer that cannot be printed: nothing may look like a failure of what may be
    /// done by now.
    pub(crate) fn unprintable() -> Response {
        let code = Code::Retry;
        let body = format!(
            r#"{{"type":"{}","title":"{}","status":{},"code":"{}","retryable":true}}"#,
            code.documentation(),
            code.title(),
            code.status(),
            code.as_str(),
        );
        Response {
            status: code.status(),
            content_type: CONTENT_TYPE,
            headers: vec![("Retry-After", RETRY_AFTER_S.to_string())],
            body: body.into_bytes(),
        }
    }
}

fn shortened(mut detail: String) -> String {
    if let Some((end, _)) = detail.char_indices().nth(DETAIL_CHARS) {
        detail.truncate(end);
        detail.push_str("...");
    }
    detail
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        Self {
            balance: refusal.balance.map(BalanceView::from),
            original: refusal.original.as_deref().map(Original::from),
            ..Self::new(refusal.code.into(), refusal.detail.as_str())
        }
    }
}

impl From<&CallError> for Problem {
    fn from(error: &CallError) -> Self {
        match error {
            CallError::Refused(refusal) => refusal.into(),
            CallError::Busy { retry_after_s } | CallError::Retry { retry_after_s } => Self {
                retry_after_s: Some(*retry_after_s),
                ..Self::new(error.into(), error.to_string())
            },
            _ => Self::new(error.into(), error.to_string()),
        }
    }
}

/// A problem as it is sent.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
struct Document<'a> {
    /// Where the code is explained, from the server's root.
    r#type: &'static str,
    /// The same for each occurrence of the code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What went wrong this time, for a person. Never match on it.
    detail: &'a str,
    /// Stable: match on this.
    #[schemars(with = "Code")]
    code: &'static str,
    /// Whether the same request, unchanged, may be sent again and is expected to succeed.
    retryable: bool,
    /// The player's balance, where the code is about money.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<&'a BalanceView>,
    /// What the id was used for, with `transaction_mismatch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<&'a Original>,
    /// Everything that is wrong with a body of many entries.
    #[serde(skip_serializing_if = "<[Wrong]>::is_empty")]
    errors: &'a [Wrong],
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Document {
            r#type: self.code.documentation(),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            code: self.code.as_str(),
            retryable: self.code.is_retryable(),
            balance: self.balance.as_ref(),
            original: self.original.as_ref(),
            errors: &self.errors,
        }
        .serialize(serializer)
    }
}

impl JsonSchema for Problem {
    fn schema_name() -> Cow<'static, str> {
        Document::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Document::json_schema(generator)
    }
}

impl From<&Problem> for Response {
    fn from(problem: &Problem) -> Self {
        let mut response = Self::json(problem.status(), problem);
        response.content_type = CONTENT_TYPE;
        if let Some(seconds) = problem.retry_after_s {
            response.headers.push(("Retry-After", seconds.to_string()));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_the_wallet_keeps_its_code() {
        for code in RefusalCode::ALL {
            assert_eq!(Code::from(*code).as_str(), code.as_str());
        }
    }

    #[test]
    fn codes_are_unique_and_retryable_ones_are_those_that_say_when() {
        let names: std::collections::HashSet<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            let problem = Problem::new(*code, "");
            assert_eq!(problem.retry_after_s.is_some(), code.is_retryable());
            let expected = matches!(code.status(), 408 | 429 | 500 | 503);
            assert_eq!(code.is_retryable(), expected, "{code:?}");
        }
    }

    #[test]
    fn a_detail_never_repeats_a_long_text_in_full() {
        assert_eq!(Problem::new(Code::Malformed, "why").detail, "why");
        let detail = Problem::new(Code::Malformed, "é".repeat(16_000)).detail;
        assert_eq!(detail.chars().count(), 303);
    }

    #[test]
    fn the_stand_in_for_what_cannot_be_printed_is_json_that_asks_for_a_retry() {
        let response = Problem::unprintable();
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["code"], "retry");
        assert_eq!(response.status, 503);
    }
}
