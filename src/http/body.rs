//! The body of a REST request, whose failures are problem documents like all others.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, error::PayloadError, web::Bytes};
use pitboss_providers::{CallError, Code, Problem};

use super::ApiError;
use crate::app::App;

/// As much as `server.body_max_bytes`.
pub struct Body(pub Bytes);

impl FromRequest for Body {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = Bytes::from_request(request, payload);
        let app = request.app_data::<actix_web::web::Data<App>>();
        let limit_bytes = app.map_or(0, |app| app.config.server.body_max_bytes);
        Box::pin(async move {
            reading.await.map(Self).map_err(|error| {
                if let Some(PayloadError::Overflow) = error.as_error() {
                    return Problem::from(&CallError::BodyTooLarge { limit_bytes }).into();
                }
                ApiError::new(Code::Malformed, "the body broke off")
            })
        })
    }
}
