//! `GET /asyncapi.json` and `GET /openapi.json`: the contracts of the events and of this API, for everybody.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, ETAG},
    web::{Bytes, Data},
};

use super::conventions::EntityTag;
use crate::app::App;

/// A document as it is sent, and its name for caches.
pub struct Published {
    body: Bytes,
    tag: EntityTag,
}

impl Published {
    #[must_use]
    pub fn new(document: &serde_json::Value) -> Self {
        let body = Bytes::from(document.to_string());
        let tag = EntityTag::of(&body);
        Self { body, tag }
    }

    fn answer(&self) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((ETAG, self.tag.as_str()))
            .insert_header((CACHE_CONTROL, "public, max-age=300"))
            .content_type("application/json")
            .body(self.body.clone())
    }
}

/// `GET /asyncapi.json`
pub async fn asyncapi(app: Data<App>) -> HttpResponse {
    app.event_contract().answer()
}

/// `GET /openapi.json`
pub async fn openapi(app: Data<App>) -> HttpResponse {
    app.api_contract().answer()
}
