//! The HTTP edges. They translate between HTTP and the wallet's commands, and decide nothing about money.
//!
//! `callbacks` for providers, `players`, `games`, `lists`, `events` and `webhooks` for operators, `stream` for
//! players' clients, `asyncapi` the contract of the events,
//! `admin` for monitoring. Every error is a problem document of `pitboss_providers::problem`.

mod admin;
mod asyncapi;
mod auth;
mod body;
mod callbacks;
mod docs;
mod events;
mod games;
mod idempotency;
mod lists;
mod players;
mod problem;
mod stream;
mod webhooks;

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data, PathConfig, QueryConfig, ServiceConfig},
};
use pitboss_providers::{Code, Problem};
use serde::Serialize;

pub use admin::AdminState;
pub use asyncapi::Published;
pub use problem::ApiError;

use crate::app::App;

/// The routes of the API listener.
pub fn api(app: Arc<App>) -> impl FnOnce(&mut ServiceConfig) {
    move |service| {
        service
            .app_data(Data::from(app))
            .app_data(PathConfig::default().error_handler(|error, _| {
                ApiError::from(Problem::new(Code::Malformed, error.to_string())).into()
            }))
            .app_data(QueryConfig::default().error_handler(|error, _| {
                ApiError::from(Problem::new(Code::Malformed, error.to_string())).into()
            }))
            .route(
                "/callbacks/{environment}/{provider}/{action:.*}",
                web::route().to(callbacks::handle),
            )
            .service(
                web::scope("/v1")
                    .service(resource("/players", "POST").route(web::post().to(players::create)))
                    .service(resource("/players/{id}", "GET").route(web::get().to(players::get)))
                    .service(
                        resource("/players/{id}/wallets", "GET")
                            .route(web::get().to(players::wallets)),
                    )
                    .service(
                        resource("/players/{id}/deposits", "POST")
                            .route(web::post().to(players::deposit)),
                    )
                    .service(
                        resource("/sessions", "POST").route(web::post().to(players::open_session)),
                    )
                    .service(resource("/games", "GET").route(web::get().to(games::list)))
                    .service(
                        resource("/games/{id}/launch", "POST").route(web::post().to(games::launch)),
                    )
                    .service(
                        resource("/transactions", "GET").route(web::get().to(lists::transactions)),
                    )
                    .service(resource("/rounds", "GET").route(web::get().to(lists::rounds)))
                    .service(resource("/stream", "GET").route(web::get().to(stream::open)))
                    .service(resource("/events", "GET").route(web::get().to(events::list)))
                    .configure(webhook_routes),
            )
            .service(resource("/", "GET").route(web::get().to(docs::index)))
            .service(resource("/docs", "GET").route(web::get().to(docs::index)))
            .service(resource("/docs/{page}", "GET").route(web::get().to(docs::page)))
            .service(resource("/asyncapi.json", "GET").route(web::get().to(asyncapi::get)))
            .service(resource("/healthz", "GET").route(web::get().to(admin::healthz)))
            .default_service(web::route().to(not_found));
    }
}

fn webhook_routes(service: &mut ServiceConfig) {
    service
        .service(
            resource("/webhooks", "GET, POST")
                .route(web::get().to(webhooks::list))
                .route(web::post().to(webhooks::create)),
        )
        .service(
            resource("/webhooks/{id}", "GET, PATCH, DELETE")
                .route(web::get().to(webhooks::get))
                .route(web::patch().to(webhooks::change))
                .route(web::delete().to(webhooks::delete)),
        )
        .service(resource("/webhooks/{id}/rotate", "POST").route(web::post().to(webhooks::rotate)))
        .service(resource("/webhooks/{id}/dead", "GET").route(web::get().to(webhooks::dead)))
        .service(resource("/webhooks/{id}/replay", "POST").route(web::post().to(webhooks::replay)))
        .service(resource("/webhooks/{id}/test", "POST").route(web::post().to(webhooks::test)));
}

/// The routes of the admin listener.
pub fn admin(state: AdminState) -> impl FnOnce(&mut ServiceConfig) {
    move |service| {
        service
            .app_data(Data::new(state))
            .service(resource("/metrics", "GET").route(web::get().to(admin::metrics)))
            .service(resource("/healthz", "GET").route(web::get().to(admin::healthz)))
            .service(resource("/readyz", "GET").route(web::get().to(admin::readyz)))
            .default_service(web::route().to(not_found));
    }
}

/// A page of a list. `next` goes into `after` of the next request; `null` at the end.
#[derive(Serialize)]
struct List<'a, T> {
    data: &'a [T],
    next: Option<String>,
}

/// A resource with one method, that answers others with a problem document and names it.
fn resource(path: &str, allowed: &'static str) -> actix_web::Resource {
    let refused = web::route().to(move || method_not_allowed(allowed));
    web::resource(path).default_service(refused)
}

async fn method_not_allowed(allowed: &'static str) -> HttpResponse {
    let mut response = problem::response(&Problem::new(
        Code::MethodNotAllowed,
        "the method is not allowed here",
    ));
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}

async fn not_found() -> HttpResponse {
    problem::response(&Problem::new(
        Code::NotFound,
        "there is nothing at this path",
    ))
}
