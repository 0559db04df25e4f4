//! One switch that stops all gaming.

use actix_web::HttpResponse;
use pitboss_schema::{AuditAction, GamingRow};
use pitboss_wallet::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{complaint, refreshed};
use crate::{
    access::Resource,
    games::text,
    http::{
        ApiError,
        auth::Operator,
        body::Body,
        idempotency,
        route::{Route, get, put},
    },
};

const REASON_CHARS_MAX: usize = 255;

pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/gaming", Resource::Games, get_one)
            .summary("Tells whether gaming is on")
            .answers::<View>(200),
        put("/v1/gaming", Resource::Games, put_one)
            .summary("Stops all gaming on all nodes, or lets it go on")
            .body::<Switch>()
            .example(json!({ "enabled": true, "reason": "the maintenance is over" }))
            .answers::<View>(200),
    ]
}

/// Whether there is any gaming at all.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Gaming")]
struct View {
    enabled: bool,
    /// While it is stopped, bets in rounds that are open already are still taken.
    finish_open_round: bool,
    reason: String,
    changed_at: Timestamp,
}

impl From<GamingRow> for View {
    fn from(row: GamingRow) -> Self {
        Self {
            enabled: row.enabled,
            finish_open_round: row.finish_open_round,
            reason: row.reason,
            changed_at: row.changed_at,
        }
    }
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Switch {
    enabled: bool,
    /// While it is stopped, bets in rounds that are open already are still taken.
    #[serde(default = "yes")]
    finish_open_round: bool,
    /// Why, for the audit log: 1 to 255 characters.
    reason: String,
}

/// `GET /v1/gaming`
async fn get_one(operator: Operator) -> Result<HttpResponse, ApiError> {
    let row = operator.world.store.gaming().await;
    Ok(HttpResponse::Ok().json(View::from(row.map_err(ApiError::unavailable)?)))
}

/// `PUT /v1/gaming`
async fn put_one(operator: Operator, Body(body): Body) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let switch: Switch = idempotency::parse(&body)?;
    text("reason", &switch.reason, REASON_CHARS_MAX).map_err(|error| complaint(&error))?;
    let action = if switch.enabled {
        AuditAction::GamingResumed
    } else {
        AuditAction::GamingStopped
    };
    let detail = json!({ "finish_open_round": switch.finish_open_round, "reason": switch.reason });
    let note = operator.note(action, "gaming".to_owned(), detail);
    let row = GamingRow {
        enabled: switch.enabled,
        finish_open_round: switch.finish_open_round,
        reason: switch.reason,
        changed_at: world.clock.now(),
    };
    let row = world.store.put_gaming(&row, &note).await;
    let row = row.map_err(ApiError::unavailable)?;
    refreshed(world).await?;
    Ok(HttpResponse::Ok().json(View::from(row)))
}
