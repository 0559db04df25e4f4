//! The HTTP edges. They translate between HTTP and the wallet's commands, and decide nothing about money.
//!
//! `callbacks` for providers; `players`, `adjustments`, `approvals`, `payments`, `sessions`, `games`, `lobby`, `providers`,
//! `transactions`, `rounds`, `reports`, `events`, `webhooks`, `keys` and `audit` for operators; `stream` for players'
//! clients; `published` the contracts of the events and of this API, `docs` the guides; `admin` for monitoring. Each
//! module tells its `routes()`; what a route is says `route`. Every error is a problem document of
//! `pitboss_providers::problem`.

mod adjustments;
mod admin;
mod amount;
mod approvals;
mod audit;
mod auth;
mod body;
mod callbacks;
mod conventions;
mod csv;
pub mod docs;
mod events;
mod fields;
mod games;
mod idempotency;
mod keys;
mod lobby;
mod moment;
mod page;
mod payments;
mod players;
mod problem;
mod providers;
mod published;
mod reports;
pub mod request_id;
mod rounds;
pub mod route;
mod sessions;
mod stream;
mod transactions;
mod values;
mod webhooks;

use std::sync::Arc;

use actix_cors::Cors;
use actix_web::{
    HttpResponse,
    error::QueryPayloadError,
    http::header::{self, HeaderName},
    web::{self, Data, PathConfig, QueryConfig, ServiceConfig},
};
use pitboss_providers::{Code, Problem};

pub use admin::AdminState;
pub use auth::Operator;
pub use page::List;
pub use problem::{ApiError, RefusalDocument};
pub use published::Published;
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
        payments::routes(),
        sessions::routes(),
        games::routes(),
        providers::routes(),
        lobby::routes(),
        transactions::routes(),
        rounds::routes(),
        reports::routes(),
        events::routes(),
        webhooks::routes(),
        keys::routes(),
        audit::routes(),
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

/// What scripts of these web pages may do: what any other client may, with keys that they hold themselves. The browser
/// is asked for no credentials of its own.
pub fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            request_id::NAME,
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            HeaderName::from_static("idempotency-replayed"),
            request_id::NAME,
        ])
        .block_on_origin_mismatch(false)
        .max_age(600);
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Puts the routes of the API listener into the router.
pub fn api(app: Arc<App>) -> impl FnOnce(&mut ServiceConfig) {
    move |service| {
        service
            .app_data(Data::from(app))
            .app_data(PathConfig::default().error_handler(|error, _| {
                ApiError::from(Problem::new(Code::Malformed, error.to_string())).into()
            }))
            .app_data(QueryConfig::default().error_handler(|error, _| refused_query(&error).into()))
            .route(CALLBACKS, web::route().to(callbacks::handle));
        route::register(routes(), service);
        service.default_service(web::route().to(not_found));
    }
}

/// The library's text, which names the field.
fn refused_query(error: &QueryPayloadError) -> ApiError {
    let text = error.to_string();
    let code = if text.contains("unknown field") {
        Code::UnknownField
    } else {
        Code::Malformed
    };
    ApiError::new(code, text)
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
