//! Bodies: no more than the limit is ever held, and none is waited for without an end.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    web::{Bytes, BytesMut, Data},
};
use futures_util::{Stream, StreamExt};
use pitboss_providers::{CallError, ParseError, Problem};

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
        Box::pin(async move {
            let limits = limits.ok_or_else(|| ApiError::internal("no application state"))?;
            let bytes = read(payload, limits).await;
            bytes
                .map(Self)
                .map_err(|error| Problem::from(&error).into())
        })
    }
}

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
