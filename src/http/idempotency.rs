//! `Idempotency-Key` on every POST: the same key with the same body gets the stored answer.
//!
//! The work itself is idempotent where it moves money (a deposit by its reference, a player by his id), so
//! an answer that was not stored because of a crash is made again without a second movement. Stored answers
//! are sealed, because some of them carry a token.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::CONTENT_TYPE},
    web::Bytes,
};
use pitboss_providers::{Code, json};
use pitboss_schema::{Idempotent, StoredAnswer};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::{ApiError, auth::Operator};
use crate::strict;

const HEADER: &str = "Idempotency-Key";
const KEY_CHARS_MAX: usize = 255;

/// An answer to be sent, and to be kept under the key.
pub struct Answer<T> {
    pub status: StatusCode,
    pub body: T,
}

impl<T> Answer<T> {
    pub fn new(status: StatusCode, body: T) -> Self {
        Self { status, body }
    }
}

/// Reads the body, and answers from the store or by `work`. Only successes are kept: what was refused may
/// succeed later under the same key.
pub async fn run<B, T, F>(
    request: &HttpRequest,
    operator: &Operator,
    bytes: &Bytes,
    work: impl FnOnce(B) -> F,
) -> Result<HttpResponse, ApiError>
where
    B: DeserializeOwned,
    T: Serialize,
    F: Future<Output = Result<Answer<T>, ApiError>>,
{
    let body: B = parse(bytes)?;
    let Some(key) = key(request)? else {
        let answer = work(body).await?;
        return Ok(send(answer.status, &encode(&answer.body)?, false));
    };
    let world = &operator.world;
    let place = format!("idempotency/{}/{key}", operator.key_id);
    let hash: [u8; 32] = {
        let mut hash = Sha256::new();
        hash.update(request.method().as_str());
        hash.update([0]);
        hash.update(request.uri().path());
        hash.update([0]);
        hash.update(bytes);
        hash.finalize().into()
    };
    let replay = |stored: StoredAnswer| {
        if stored.request_hash.as_slice() != hash.as_slice() {
            let detail = "the Idempotency-Key was used for another request";
            return Err(ApiError::new(Code::IdempotencyMismatch, detail));
        }
        let body = world
            .vault
            .open(&place, &stored.body)
            .map_err(ApiError::internal)?;
        let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
        Ok(send(status, &body, true))
    };
    let store = &world.store;
    if let Some(stored) = store
        .idempotent_answer(operator.key_id, &key)
        .await
        .map_err(ApiError::unavailable)?
    {
        return replay(stored);
    }
    let answer = work(body).await?;
    let body = encode(&answer.body)?;
    let sealed = world
        .vault
        .seal(&place, &body)
        .map_err(ApiError::internal)?;
    let kept = store
        .keep_idempotent_answer(
            operator.key_id,
            &key,
            &hash,
            answer.status.as_u16(),
            &sealed,
        )
        .await
        .map_err(ApiError::unavailable)?;
    match kept {
        Idempotent::Kept => Ok(send(answer.status, &body, false)),
        // A twin was faster: both callers get its answer.
        Idempotent::Before(earlier) => replay(earlier),
    }
}

/// The header of this request, if it has one.
pub fn key(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let mut values = request.headers().get_all(HEADER);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        let detail = format!("{HEADER} must be there once");
        return Err(ApiError::new(Code::Malformed, detail));
    }
    let wrong = || {
        let detail = format!("{HEADER} must be 1 to {KEY_CHARS_MAX} visible ASCII characters");
        ApiError::new(Code::Malformed, detail)
    };
    let key = value.to_str().map_err(|_| wrong())?;
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > KEY_CHARS_MAX || !is_visible {
        return Err(wrong());
    }
    Ok(Some(key.to_owned()))
}

/// A strict body: one object, nothing in it twice, objects wherever a type has fields, every complaint with its field.
pub fn parse<B: DeserializeOwned>(bytes: &Bytes) -> Result<B, ApiError> {
    json::check(bytes).map_err(|error| ApiError::new(Code::Malformed, error.to_string()))?;
    let value = serde_json::from_slice(bytes);
    let value = value.map_err(|error| ApiError::new(Code::Malformed, error.to_string()))?;
    strict::from_value(value).map_err(|error| {
        let field = error.path().to_string();
        let text = error.into_inner().to_string();
        let code = if text.starts_with("unknown field") {
            Code::UnknownField
        } else if text.starts_with("unknown currency") {
            Code::CurrencyMismatch
        } else {
            Code::Malformed
        };
        if field == "." {
            ApiError::new(code, text)
        } else {
            ApiError::new(code, format!("{field}: {text}"))
        }
    })
}

fn encode(body: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(body).map_err(ApiError::internal)
}

fn send(status: StatusCode, body: &[u8], replayed: bool) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, "application/json"));
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    response.body(body.to_vec())
}
