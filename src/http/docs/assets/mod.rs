//! The parts of pages: our own beside this file, Swagger UI's from the library that carries them.

use std::sync::Arc;

use actix_web::web::Bytes;
use utoipa_swagger_ui::Config;

/// Ours.
const OWN: &[(&str, &str, &str)] = &[
    (
        "docs.css",
        "text/css; charset=utf-8",
        include_str!("docs.css"),
    ),
    (
        "api.js",
        "application/javascript; charset=utf-8",
        include_str!("api.js"),
    ),
];

/// Those of the library's that our page needs.
const OF_SWAGGER_UI: &[(&str, &str)] = &[
    ("swagger-ui.css", "text/css; charset=utf-8"),
    (
        "swagger-ui-bundle.js",
        "application/javascript; charset=utf-8",
    ),
    ("favicon-32x32.png", "image/png"),
];

/// A part by its name, with its content type.
pub fn find(name: &str) -> Option<(&'static str, Bytes)> {
    if let Some((_, content_type, text)) = OWN.iter().find(|(own, ..)| *own == name) {
        return Some((content_type, Bytes::from_static(text.as_bytes())));
    }
    let (name, content_type) = OF_SWAGGER_UI.iter().find(|(known, _)| *known == name)?;
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::from("/openapi.json")));
    let file = file.ok()??;
    Some((content_type, Bytes::from(file.bytes.into_owned())))
}
