//! `GET /asyncapi.json`: the contract of the events, for everybody.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
    web::Data,
};
use sha2::{Digest, Sha256};

use crate::app::App;

/// The document as it is sent, and its name for caches.
pub struct Published {
    body: String,
    tag: String,
}

impl Published {
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        let body = crate::contract::document(public_url).to_string();
        let hash = Sha256::digest(body.as_bytes());
        let tag = format!("\"{}\"", hex::encode(&hash[..16]));
        Self { body, tag }
    }
}

pub async fn get(request: HttpRequest, app: Data<App>) -> HttpResponse {
    let published = app.contract();
    let known = request.headers().get(IF_NONE_MATCH);
    let is_known = known.is_some_and(|known| known.as_bytes() == published.tag.as_bytes());
    let mut response = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, published.tag.as_str()))
        .insert_header((CACHE_CONTROL, "public, max-age=300"));
    if is_known {
        return response.finish();
    }
    response
        .content_type("application/json")
        .body(published.body.clone())
}
