//! `ETag` and the headers that name one: a strong hash of the very bytes of an answer.

use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
    dev::ServiceResponse,
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
            STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    web::Bytes,
};
use sha2::{Digest, Sha256};

use crate::http::rate;

/// Stands at the end of the tag of a compressed answer, which is other bytes.
const GZIP: &str = "-gzip";

/// The name of the bytes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(String);

impl EntityTag {
    /// Of the bytes before they are compressed.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let hash = Sha256::digest(body);
        Self(format!("\"{}\"", hex::encode(&hash[..16])))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for the compressed answer.
    pub(super) fn compressed(tag: &HeaderValue) -> Option<HeaderValue> {
        let text = tag.to_str().ok()?.strip_suffix('"')?;
        HeaderValue::try_from(format!("{text}{GZIP}\"")).ok()
    }

    /// Whether a list of tags, or `*`, names this one. The same state compressed is the same state.
    #[must_use]
    pub fn is_in(&self, list: &HeaderValue) -> bool {
        names(list, &self.0)
    }
}

/// Whether `If-Match` or `If-None-Match` names a tag.
fn names(list: &HeaderValue, tag: &str) -> bool {
    let Ok(list) = list.to_str() else {
        return false;
    };
    list.trim() == "*" || list.split(',').any(|named| plain(named) == plain(tag))
}

/// A tag without its quotes and what was put to it on the way.
fn plain(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    tag.strip_suffix(GZIP).unwrap_or(tag)
}

/// What the caller has already.
pub fn known(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(IF_NONE_MATCH).cloned()
}

/// Puts the tag on an answer that is here in full, unless its handler has; whoever has the same already gets 304.
pub fn put_on(mut answer: ServiceResponse, known: Option<&HeaderValue>) -> ServiceResponse {
    if answer.status() != StatusCode::OK {
        return answer;
    }
    if !answer.headers().contains_key(ETAG) {
        let mut made = None;
        answer = answer.map_body(|_, body| match whole(body) {
            Ok(bytes) => {
                made = Some(EntityTag::of(&bytes));
                BoxBody::new(bytes)
            }
            Err(stream) => stream,
        });
        let made = made.and_then(|tag| HeaderValue::try_from(tag.0).ok());
        if let Some(tag) = made {
            answer.headers_mut().insert(ETAG, tag);
        }
    }
    let tag = answer.headers().get(ETAG);
    let tag = tag.and_then(|tag| tag.to_str().ok());
    match (tag, known) {
        (Some(tag), Some(known)) if names(known, tag) => not_modified(answer),
        _ => answer,
    }
}

/// A body that is not a stream.
fn whole(body: BoxBody) -> Result<Bytes, BoxBody> {
    body.try_into_bytes()
}

/// The bytes of an answer that is not a stream, and the answer without them.
pub fn take(answer: ServiceResponse) -> (ServiceResponse, Option<Bytes>) {
    let mut taken = None;
    let answer = answer.map_body(|_, body| match whole(body) {
        Ok(bytes) => {
            taken = Some(bytes.clone());
            BoxBody::new(bytes)
        }
        Err(stream) => stream,
    });
    (answer, taken)
}

/// The headers that a 304 repeats.
const REPEATED: [HeaderName; 6] = [
    ETAG,
    rate::POLICY,
    rate::LIMIT,
    CACHE_CONTROL,
    X_CONTENT_TYPE_OPTIONS,
    STRICT_TRANSPORT_SECURITY,
];

fn not_modified(answer: ServiceResponse) -> ServiceResponse {
    let mut response = HttpResponse::NotModified().finish();
    for name in REPEATED {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response.headers_mut().remove(CONTENT_TYPE);
    answer.into_response(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_any_list_that_names_it() {
        let tag = EntityTag::of(b"{}");
        let named = |list: String| tag.is_in(&HeaderValue::try_from(list).unwrap());
        let text = tag.as_str();
        assert!(named(text.to_owned()) && named("*".to_owned()));
        assert!(named(format!("\"other\", W/{text}")));
        let compressed = EntityTag::compressed(&HeaderValue::try_from(text).unwrap());
        assert!(tag.is_in(&compressed.unwrap()));
        for other in ["", "\"\"", "\"other\"", &text[..20]] {
            assert!(!named(other.to_owned()), "{other}");
        }
        assert_ne!(tag, EntityTag::of(b"{} "));
    }
}
