//! What an endpoint did not take, and what it is to get once more.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::{DeadLetter, WebhookMessage};
use pitboss_wallet::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Answer, ApiError, Body, Operator, Page, answer, find, idempotency, malformed, rows_of,
};
use crate::{http::moment::moment, world::World};

/// A replay from a time begins so much earlier: events carry the clocks of several servers.
const REPLAY_MARGIN_S: i64 = 60;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeadLetter")]
pub struct Dead {
    event: Uuid,
    r#type: String,
    player: String,
    attempts: u32,
    last_error: String,
    failed_at: Timestamp,
    body: serde_json::Value,
}

impl From<DeadLetter> for Dead {
    fn from(letter: DeadLetter) -> Self {
        let WebhookMessage {
            event,
            kind,
            player,
            body,
            attempts,
        } = letter.message;
        Self {
            event,
            r#type: kind,
            player,
            attempts,
            last_error: letter.last_error,
            failed_at: letter.failed_at,
            body: serde_json::from_str(&body).unwrap_or_default(),
        }
    }
}

/// `GET /v1/webhooks/{id}/dead`: what was given up, newest first.
pub async fn dead(
    operator: Operator,
    id: Path<String>,
    page: Query<Page>,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = page.limit(world)?;
    let after = page.after(|text| Uuid::try_parse(text).ok())?;
    let row = find(world, &id).await?;
    let letters = world
        .store
        .dead_letters(row.id, after, rows_of(limit)?)
        .await;
    let letters = letters.map_err(ApiError::unavailable)?;
    let views: Vec<Dead> = letters.into_iter().map(Dead::from).collect();
    Ok(answer(&views, limit, |view| view.event.to_string()))
}

/// Exactly one of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookReplay")]
pub struct Replay {
    /// Everything since this moment, RFC 3339.
    from: Option<String>,
    /// All dead letters.
    dead: Option<bool>,
    /// One event, by its id.
    event: Option<Uuid>,
}

#[derive(Serialize, JsonSchema)]
pub struct Replayed {
    /// Events that were put in the list, to be sent now; `null` when the position was moved.
    queued: Option<u64>,
}

/// `POST /v1/webhooks/{id}/replay`
pub async fn replay(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    idempotency::run(&request, &operator, &body, async |replay: Replay| {
        let webhook = find(world, &id).await?.id;
        let queued = match replay {
            Replay {
                from: Some(from),
                dead: None,
                event: None,
            } => {
                rewind(world, webhook, &from).await?;
                None
            }
            Replay {
                from: None,
                dead: Some(true),
                event: None,
            } => {
                let (now, most) = (world.clock.now(), world.config.webhooks.waiting_max);
                let revived = world.store.revive_dead_letters(webhook, now, most).await;
                Some(revived.map_err(ApiError::unavailable)?)
            }
            Replay {
                from: None,
                dead: None,
                event: Some(event),
            } => {
                send_again(world, webhook, event).await?;
                Some(1)
            }
            _ => {
                let detail = "send one of: from (a time), dead (true), event (an id)";
                return Err(malformed(detail));
            }
        };
        world.webhooks.look();
        Ok(Answer::new(StatusCode::ACCEPTED, Replayed { queued }))
    })
    .await
}

async fn rewind(world: &World, webhook: Uuid, from: &str) -> Result<(), ApiError> {
    let at = moment("from", from)?;
    let store = &world.store;
    let position = store.feed_position_at(at, REPLAY_MARGIN_S).await;
    let position = position.map_err(ApiError::unavailable)?;
    let rewound = store.rewind_webhook(webhook, &position).await;
    rewound.map_err(ApiError::unavailable)
}

async fn send_again(world: &World, webhook: Uuid, event: Uuid) -> Result<(), ApiError> {
    let store = &world.store;
    let kept = store.webhook_message(webhook, event).await;
    let message = match kept.map_err(ApiError::unavailable)? {
        Some(message) => message,
        None => {
            let found = store.event_by_id(event).await;
            let found = found.map_err(ApiError::unavailable)?.ok_or_else(|| {
                ApiError::new(
                    Code::NotFound,
                    "there is no such event, or it is no longer kept",
                )
            })?;
            WebhookMessage {
                event: found.id,
                kind: found.kind,
                player: found.player,
                body: found.body,
                attempts: 0,
            }
        }
    };
    let replayed = store
        .replay_message(webhook, world.clock.now(), &message)
        .await;
    replayed.map_err(ApiError::unavailable)
}
