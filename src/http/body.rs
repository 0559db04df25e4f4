//! Bodies: no more than the limit is ever held, and none is waited for without an end.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::header::CONTENT_TYPE,
    web::{Bytes, BytesMut, Data},
};
use futures_util::{Stream, StreamExt};
use pitboss_providers::{CallError, Code, ParseError, Problem};
use schemars::JsonSchema;
use serde::Deserialize;

use super::ApiError;
use crate::{
    app::App,
    config::{Server, ms},
};

/// How much of a body is held, and how long it is waited for.
#[derive(Clone, Copy)]
pub struct Limits {
    bytes: usize,
    time: Duration,
}

impl Limits {
    pub const fn new(bytes: usize, time: Duration) -> Self {
        Self { bytes, time }
    }
}

impl From<&Server> for Limits {
    fn from(settings: &Server) -> Self {
        Self {
            bytes: settings.body_max_bytes,
            time: ms(settings.body_timeout_ms),
        }
    }
}

/// The body of a REST request, whose failures are problem documents like all others.
pub struct Body(pub Bytes);

impl FromRequest for Body {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limits = request
            .app_data::<Data<App>>()
            .map(|app| Limits::from(&app.config.server));
        let payload = payload.take();
        let is_json = is_json(request);
        Box::pin(async move {
            let limits = limits.ok_or_else(|| ApiError::internal("no application state"))?;
            let bytes = read(payload, limits).await;
            let bytes = bytes.map_err(|error| ApiError::from(Problem::from(&error)))?;
            if !is_json && !bytes.is_empty() {
                let detail = "send Content-Type: application/json";
                return Err(ApiError::new(Code::UnsupportedMediaType, detail));
            }
            Ok(Self(bytes))
        })
    }
}

/// Whether a body is JSON by its header. One that says nothing is taken for it: keys are in a header that no web page
/// can send by itself, so a form of another site can do nothing here.
fn is_json(request: &HttpRequest) -> bool {
    let mut types = request.headers().get_all(CONTENT_TYPE);
    match (types.next(), types.next()) {
        (None, _) => true,
        (Some(sent), None) => sent.to_str().is_ok_and(|sent| {
            let sent = sent.split(';').next().unwrap_or_default().trim();
            sent.eq_ignore_ascii_case("application/json")
        }),
        _ => false,
    }
}

/// A body that may be left out.
pub fn or_empty(body: Bytes) -> Bytes {
    if body.is_empty() {
        Bytes::from_static(b"{}")
    } else {
        body
    }
}

/// A body that says nothing: an object without a field.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// The whole body, or why it is not here. The library times a request's head only: a client that sent its
/// body a byte a second would keep the connection for hours.
pub async fn read(
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    limits: Limits,
) -> Result<Bytes, CallError> {
    let reading = tokio::time::timeout(limits.time, collect(payload, limits.bytes));
    reading.await.unwrap_or_else(|_| {
        metrics::counter!("pitboss_http_too_slow_total", "part" => "body").increment(1);
        let limit_ms = u64::try_from(limits.time.as_millis()).unwrap_or(u64::MAX);
        Err(CallError::BodyTooSlow { limit_ms })
    })
}

async fn collect(
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    limit_bytes: usize,
) -> Result<Bytes, CallError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ParseError::Malformed("the body broke off".to_owned()))?;
        if body.len() + chunk.len() > limit_bytes {
            return Err(CallError::BodyTooLarge { limit_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits {
        bytes: 100,
        time: Duration::from_secs(600),
    };

    type Chunk = Result<Bytes, PayloadError>;

    fn chunks(lengths: &[usize]) -> impl Iterator<Item = Chunk> {
        lengths.iter().map(|length| Ok(vec![b'x'; *length].into()))
    }

    proptest! {
        #[test]
        fn a_body_in_any_pieces_is_read_up_to_the_limit(lengths in prop::collection::vec(0usize..60, 0..8)) {
            let total: usize = lengths.iter().sum();
            let read = collect(stream::iter(chunks(&lengths)), LIMITS.bytes).now_or_never();
            match read {
                Some(Ok(body)) => prop_assert!(body.len() == total && total <= 100),
                Some(Err(error)) => {
                    prop_assert_eq!(error, CallError::BodyTooLarge { limit_bytes: 100 });
                    prop_assert!(total > 100);
                }
                None => prop_assert!(false, "nothing is waited for"),
            }
        }
    }

    #[actix_web::test]
    async fn a_body_without_an_end_is_given_up() {
        let begun = stream::iter(chunks(&[10])).chain(stream::pending());
        let limits = Limits {
            time: Duration::from_millis(1),
            ..LIMITS
        };
        let read = read(begun, limits).await;
        assert_eq!(read, Err(CallError::BodyTooSlow { limit_ms: 1 }));
    }

    #[actix_web::test]
    async fn a_body_that_breaks_off_is_no_body() {
        let broken = chunks(&[10]).chain([Err(PayloadError::Incomplete(None))]);
        let read = read(stream::iter(broken), LIMITS).await;
        assert!(matches!(
            read,
            Err(CallError::Parse(ParseError::Malformed(_)))
        ));
    }
}
