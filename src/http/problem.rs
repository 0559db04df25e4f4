//! Problem documents as HTTP answers.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use pitboss_actors::{player::Failure, stream::Refused};
use pitboss_providers::{CallError, Code, Problem, Response};
use pitboss_wallet::Refusal;
use schemars::JsonSchema;
use serde::Serialize;

use super::request_id::RequestId;

/// An error of a REST handler.
#[derive(Debug)]
pub struct ApiError(Box<Problem>);

impl ApiError {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// Not now, but after so many seconds.
    pub fn retry_after(code: Code, detail: impl Into<String>, seconds: u32) -> Self {
        Problem {
            retry_after_s: Some(seconds),
            ..Problem::new(code, detail)
        }
        .into()
    }

    /// Something of ours failed. The cause goes to the log, never to the caller.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            Code::Internal,
            "something went wrong here; nothing is known of the cause outside",
        )
    }

    /// The database did not answer in time, or not usefully.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "the database did not answer");
        Self::new(
            Code::Retry,
            "the database is out of reach; send the same request again",
        )
    }
}

/// The same, told over a socket.
impl From<ApiError> for Refused {
    fn from(ApiError(problem): ApiError) -> Self {
        Self {
            code: problem.code.as_str(),
            detail: problem.detail,
            retryable: problem.code.is_retryable(),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.detail)
    }
}

/// For a body that breaks off.
impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        response(&self.0)
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Problem::from(&refusal).into()
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Problem::from(&call_error(&failure)).into()
    }
}

/// What a provider is told when his command has no outcome.
pub fn call_error(failure: &Failure) -> CallError {
    match failure {
        Failure::UnknownPlayer => CallError::unknown_player(),
        Failure::Busy(_) => CallError::Busy { retry_after_s: 1 },
        Failure::Retry => CallError::Retry { retry_after_s: 1 },
    }
}

/// A problem of the REST API.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct RefusalDocument<'a> {
    #[serde(flatten)]
    problem: &'a Problem,
    /// The request's id, as in the header `Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

/// A problem as an HTTP response, with the request's id in it: who asks for help sends this document.
pub fn response(problem: &Problem) -> HttpResponse {
    let id = RequestId::current();
    let document = RefusalDocument {
        problem,
        request_id: id.as_ref().map(RequestId::as_str),
    };
    let mut response = Response::from(problem);
    if let Ok(body) = serde_json::to_vec(&document) {
        response.body = body;
    }
    let mut response = http_response(response);
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// A dialect's response as an HTTP response.
pub fn http_response(response: Response) -> HttpResponse {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = HttpResponse::build(status);
    builder.insert_header((header::CONTENT_TYPE, response.content_type));
    builder.insert_header((header::CACHE_CONTROL, "no-store"));
    for (name, value) in response.headers {
        builder.insert_header((name, value));
    }
    builder.body(response.body)
}
