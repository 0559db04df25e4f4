//! gzip, for large answers to GET alone: lists, reports, documents.
//!
//! Not for what a POST answers: some of that is a secret that is shown once, and the size of a compressed answer tells of
//! what is in it (BREACH). Not for the event feed, whose blanks must arrive while somebody waits, and never for callbacks.

use actix_http::encoding::Encoder;
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{
            ACCEPT_ENCODING, AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, ContentEncoding, ETAG,
            Encoding, Header, Preference,
        },
    },
};

use super::EntityTag;

/// Smaller ones fit into one packet anyway.
const BYTES_MIN: u64 = 1024;

/// Whether the caller takes gzip.
pub fn is_wanted(request: &ServiceRequest) -> bool {
    if !request.headers().contains_key(ACCEPT_ENCODING) {
        return false;
    }
    let Ok(accepted) = AcceptEncoding::parse(request) else {
        return false;
    };
    accepted.iter().any(|quality| {
        let is_gzip = matches!(&quality.item, Preference::Specific(encoding) if *encoding == Encoding::gzip());
        is_gzip && quality.quality > actix_web::http::header::Quality::ZERO
    })
}

/// Whether an answer is text that is long, or a table of unknown length.
pub fn is_worth_it(answer: &ServiceResponse) -> bool {
    let headers = answer.headers();
    if answer.status() != StatusCode::OK || headers.contains_key(CONTENT_ENCODING) {
        return false;
    }
    let content = headers.get(CONTENT_TYPE);
    let content = content.and_then(|content| content.to_str().ok());
    let content = content.unwrap_or_default();
    let is_text = content.starts_with("text/")
        || content.starts_with("application/json")
        || content.starts_with("application/javascript")
        || content.starts_with("image/svg");
    match answer.response().body().size() {
        BodySize::Sized(bytes) => is_text && bytes >= BYTES_MIN,
        BodySize::Stream => content.starts_with("text/csv"),
        BodySize::None => false,
    }
}

/// Compresses an answer; its tag then names the compressed bytes.
pub fn compress(mut answer: ServiceResponse) -> ServiceResponse {
    let tag = answer.headers().get(ETAG).and_then(EntityTag::compressed);
    if let Some(tag) = tag {
        answer.headers_mut().insert(ETAG, tag);
    }
    answer.map_body(|head, body| BoxBody::new(Encoder::response(ContentEncoding::Gzip, head, body)))
}
