//! `Request-Id`: one name for a request, in its answer, its problem document and every line that is logged for it.
//!
//! The id travels with the task that carries the request out, not in a span: a span would be paid for by every bet,
//! while a log line is rare and can ask for the id when it is written.

use std::{fmt, future::Future};

use actix_web::{
    Error,
    dev::{Service, ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
};
use pitboss_actors::ports::Ids;

use crate::seams::SystemIds;

/// The header, in requests and in answers.
pub const NAME: HeaderName = HeaderName::from_static("request-id");
const CHARS_MAX: usize = 128;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The name of a request: the caller's own, or one that was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id of the request that the running task carries out.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// The caller's, when there is one and it is 1 to 128 visible ASCII characters: others are not worth a refusal, for
    /// a provider's dialect may have no word for it.
    fn of(request: &ServiceRequest) -> Self {
        let mut sent = request.headers().get_all(&NAME);
        match (sent.next(), sent.next()) {
            (Some(id), None) if is_valid(id.as_bytes()) => Self(id.clone()),
            _ => Self::make(),
        }
    }

    fn make() -> Self {
        let mut buffer = [0; 32];
        let digits = SystemIds.uuid().simple();
        let text = ["req_", digits.encode_lower(&mut buffer)].concat();
        Self(HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("req_")))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

fn is_valid(id: &[u8]) -> bool {
    (1..=CHARS_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Carries a request out under its id, and says the id in the answer, whatever the answer is.
pub fn carry<S, B>(
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let id = RequestId::of(&request);
    let carrying_out = CURRENT.sync_scope(id.clone(), || service.call(request));
    let carrying_out = CURRENT.scope(id.clone(), carrying_out);
    // In a box: an idle connection keeps the room for it.
    Box::pin(async move {
        let mut response = carrying_out.await?;
        response.headers_mut().insert(NAME, id.0);
        Ok(response)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_visible() {
        for id in ["x", "req_1", "a/b?c=\"d\"", &"x".repeat(128)] {
            assert!(is_valid(id.as_bytes()), "{id}");
        }
        for id in ["", " ", "a b", "a\tb", "é", &"x".repeat(129)] {
            assert!(!is_valid(id.as_bytes()), "{id}");
        }
        let made = RequestId::make();
        assert!(is_valid(made.as_str().as_bytes()) && made.as_str().len() == 36);
        assert_ne!(made, RequestId::make());
        assert_eq!(RequestId::current(), None);
    }
}
