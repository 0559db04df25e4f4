//! The guides, and the page on which the API can be tried: all from this program, so they work without the internet.
//!
//! A browser gets HTML, everybody else the Markdown as it is written. `page` makes the HTML; `assets` are the parts of
//! pages, Swagger UI's among them.

mod assets;
mod page;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
        VARY,
    },
    web::Path,
};
use pitboss_providers::{Code, Problem};

use super::{
    problem::response,
    published,
    route::{Access, Route, get},
};

const MARKDOWN: &str = "text/markdown; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Nothing from elsewhere, and nothing that a page says of itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Swagger UI sets styles on its elements.
const POLICY_OF_API: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                             img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                             frame-ancestors 'none'";

macro_rules! guides {
    ($($name:literal),+ $(,)?) => {
        /// The guides, in the order in which they are listed.
        const GUIDES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../docs/", $name, ".md")))),+
        ];
    };
}

guides!(
    "quick-start",
    "callbacks",
    "providers",
    "games",
    "keys",
    "audit",
    "players",
    "approvals",
    "payments",
    "history",
    "reports",
    "errors",
    "stream",
    "events",
    "webhooks",
    "nats",
    "going-live",
    "operating",
    "rules",
    "sessions",
    "reliability",
    "performance",
    "compliance",
);

/// The names of the guides.
pub fn names() -> Vec<&'static str> {
    GUIDES.iter().map(|(name, _)| *name).collect()
}

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/", Access::Anybody, index)
            .summary("Names the guides, or shows the API to a browser")
            .answers_as(200, MARKDOWN)
            .answers_as(200, HTML),
        get("/docs", Access::Anybody, index)
            .summary("Names the guides, or shows the API to a browser")
            .answers_as(200, MARKDOWN)
            .answers_as(200, HTML),
        get("/docs/{page}", Access::Anybody, guide)
            .summary("Reads a guide")
            .answers_as(200, MARKDOWN)
            .answers_as(200, HTML)
            .refuses(&[Code::NotFound]),
        get("/docs/assets/{file}", Access::Anybody, asset)
            .summary("Reads a part of the pages")
            .unpublished(),
        get("/asyncapi.json", Access::Anybody, published::asyncapi)
            .summary("Describes the events")
            .answers::<serde_json::Value>(200),
        get("/openapi.json", Access::Anybody, published::openapi)
            .summary("Describes this API")
            .answers::<serde_json::Value>(200),
    ]
}

/// `GET /docs`
async fn index(request: HttpRequest) -> HttpResponse {
    if wants_html(&request) {
        return document(HTML, page::api(), Some(POLICY_OF_API));
    }
    let list: String = GUIDES
        .iter()
        .map(|(name, text)| format!("- /docs/{name}: {}\n", title(text)))
        .collect();
    let text = format!(
        "# Pitboss\n\nAn open casino platform server.\n\n{list}- /openapi.json: this API\n- /asyncapi.json: the events\n"
    );
    document(MARKDOWN, text, None)
}

/// `GET /docs/{page}`
async fn guide(request: HttpRequest, name: Path<String>) -> HttpResponse {
    let Some((_, text)) = GUIDES.iter().find(|(guide, _)| *guide == name.as_str()) else {
        return nothing("there is no such page; /docs lists them");
    };
    if wants_html(&request) {
        document(HTML, page::guide(text), Some(POLICY))
    } else {
        document(MARKDOWN, (*text).to_owned(), None)
    }
}

/// `GET /docs/assets/{file}`
async fn asset(name: Path<String>) -> HttpResponse {
    let Some((content_type, bytes)) = assets::find(&name) else {
        return nothing("there is no such part of a page");
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .body(bytes)
}

fn nothing(detail: &str) -> HttpResponse {
    response(&Problem::new(Code::NotFound, detail))
}

/// The first heading of a guide.
fn title(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches('#').trim()
}

/// Programs ask for anything, or for Markdown; browsers name HTML.
fn wants_html(request: &HttpRequest) -> bool {
    let mut accepted = request.headers().get_all(ACCEPT);
    accepted.any(|accepted| {
        accepted
            .to_str()
            .is_ok_and(|text| text.contains("text/html"))
    })
}

fn document(
    content_type: &'static str,
    text: String,
    policy: Option<&'static str>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .insert_header((VARY, "accept"));
    if let Some(policy) = policy {
        response
            .insert_header((CONTENT_SECURITY_POLICY, policy))
            .insert_header((REFERRER_POLICY, HeaderValue::from_static("no-referrer")));
    }
    response.body(text)
}
