//! The HTTP edges. They translate between HTTP and the wallet's commands, and decide nothing about money.
//!
//! `callbacks` for providers; `players`, `adjustments`, `approvals`, `sessions`, `games`, `lists`, `events` and `webhooks` for operators; `stream` for
//! players' clients; `asyncapi` the contract of the events; `admin` for monitoring. Each module tells its `routes()`;
//! what a route is says `route`. Every error is a problem document of `pitboss_providers::problem`.

mod adjustments;
mod admin;
mod approvals;
mod asyncapi;
mod auth;
mod body;
mod callbacks;
mod csv;
mod docs;
mod events;
mod fields;
mod games;
mod idempotency;
mod lists;
mod page;
mod players;
mod problem;
pub mod route;
mod sessions;
mod stream;
mod webhooks;

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Data, PathConfig, QueryConfig, ServiceConfig},
};
use pitboss_providers::{Code, Problem};

pub use admin::AdminState;
pub use asyncapi::Published;
pub use auth::Operator;
pub use page::List;
pub use problem::ApiError;
pub use route::Route;

use crate::app::App;

/// Every route of the API listener but the providers' callbacks, whose paths are the dialects' own.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        players::routes(),
        // Before the routes of single rounds: `void` is no round's id.
        adjustments::routes(),
        approvals::routes(),
        sessions::routes(),
        games::routes(),
        lists::routes(),
        events::routes(),
        webhooks::routes(),
        stream::routes(),
        docs::routes(),
        admin::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The path of the providers' callbacks; whatever follows the provider is his dialect's.
pub const CALLBACKS: &str = "/callbacks/{environment}/{provider}/{action:.*}";

/// Puts the routes of the API listener into the router.
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
            .route(CALLBACKS, web::route().to(callbacks::handle));
        route::register(routes(), service);
        service.default_service(web::route().to(not_found));
    }
}

/// The routes of the admin listener.
pub fn admin(state: AdminState) -> impl FnOnce(&mut ServiceConfig) {
    move |service| {
        service
            .app_data(Data::new(state))
            .service(resource("/metrics", "GET".into()).route(web::get().to(admin::metrics)))
            .service(resource("/healthz", "GET".into()).route(web::get().to(admin::healthz)))
            .service(resource("/readyz", "GET".into()).route(web::get().to(admin::readyz)))
            .default_service(web::route().to(not_found));
    }
}

/// A resource with some methods, that answers others with a problem document and names them.
fn resource(path: &str, allowed: String) -> actix_web::Resource {
    let refused = web::route().to(move || method_not_allowed(allowed.clone()));
    web::resource(path).default_service(refused)
}

async fn method_not_allowed(allowed: String) -> HttpResponse {
    let mut response = problem::response(&Problem::new(
        Code::MethodNotAllowed,
        "the method is not allowed here",
    ));
    if let Ok(allowed) = header::HeaderValue::try_from(allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

async fn not_found() -> HttpResponse {
    problem::response(&Problem::new(
        Code::NotFound,
        "there is nothing at this path",
    ))
}
