//! The documents that error codes point to, served as they are written.

use actix_web::{HttpResponse, http::header::CONTENT_TYPE, web::Path};
use pitboss_providers::{Code, Problem};

use super::{
    asyncapi,
    problem::response,
    route::{Access, Route, get},
};

const MARKDOWN: &str = "text/markdown; charset=utf-8";

const PAGES: &[(&str, &str)] = &[
    ("errors", include_str!("../../docs/errors.md")),
    ("callbacks", include_str!("../../docs/callbacks.md")),
    ("stream", include_str!("../../docs/stream.md")),
    ("events", include_str!("../../docs/events.md")),
    ("webhooks", include_str!("../../docs/webhooks.md")),
    ("rules", include_str!("../../docs/rules.md")),
    ("sessions", include_str!("../../docs/sessions.md")),
];

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/", Access::Anybody, index)
            .summary("Names the guides")
            .answers_as(200, MARKDOWN),
        get("/docs", Access::Anybody, index)
            .summary("Names the guides")
            .answers_as(200, MARKDOWN),
        get("/docs/{page}", Access::Anybody, page)
            .summary("Reads a guide")
            .answers_as(200, MARKDOWN)
            .refuses(&[Code::NotFound]),
        get("/asyncapi.json", Access::Anybody, asyncapi::get)
            .summary("Describes the events")
            .answers::<serde_json::Value>(200),
    ]
}

/// `GET /docs`
async fn index() -> HttpResponse {
    let list: String = PAGES
        .iter()
        .map(|(name, _)| format!("- /docs/{name}\n"))
        .collect();
    markdown(format!(
        "# Pitboss\n\nAn open casino platform server.\n\n{list}"
    ))
}

/// `GET /docs/{page}`
async fn page(name: Path<String>) -> HttpResponse {
    match PAGES.iter().find(|(page, _)| *page == name.as_str()) {
        Some((_, text)) => markdown((*text).to_owned()),
        None => response(&Problem::new(
            Code::NotFound,
            "there is no such page; /docs lists them",
        )),
    }
}

fn markdown(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, MARKDOWN))
        .body(text)
}
