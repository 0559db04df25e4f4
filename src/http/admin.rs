//! Health and metrics.

use std::sync::Arc;

use actix_web::{HttpResponse, http::header::CONTENT_TYPE, web::Data};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

use super::route::{Access, Route, get};
use crate::app::App;

/// The routes of this module that are on the API listener.
pub fn routes() -> Vec<Route> {
    vec![
        get("/healthz", Access::Anybody, healthz)
            .summary("Tells that the process runs")
            .answers::<serde_json::Value>(200),
    ]
}

/// What the admin listener shows.
#[derive(Clone)]
pub struct AdminState {
    pub app: Arc<App>,
    pub metrics: PrometheusHandle,
}

/// `GET /healthz`: the process runs.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// `GET /readyz`: every environment's database answers, and the server is not stopping. A bus that is away
/// does not matter here: it stops nothing.
pub async fn readyz(state: Data<AdminState>) -> HttpResponse {
    let mut ready = state.app.accepts_work();
    let mut checks = serde_json::Map::new();
    checks.insert("accepting".into(), json!(ready));
    for world in state.app.worlds() {
        let postgres = world.store.ping().await.is_ok();
        ready &= postgres;
        checks.insert(format!("postgres_{}", world.environment), json!(postgres));
    }
    let body = json!({ "status": if ready { "ready" } else { "not ready" }, "checks": checks });
    if ready {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

/// `GET /metrics`, in Prometheus' text format.
pub async fn metrics(state: Data<AdminState>) -> HttpResponse {
    state.app.refresh_gauges();
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body(state.metrics.render())
}
