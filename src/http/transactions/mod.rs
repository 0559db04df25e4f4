//! Transactions of the ledger: searched, newest first, and shown one by one.

mod search;
mod view;

use actix_web::{
    HttpResponse,
    web::{Path, Query},
};
use pitboss_providers::Code;
use pitboss_schema::TransactionRow;
use pitboss_wallet::{ExternalId, Kind, ProviderId, TransactionId};
use schemars::JsonSchema;
use serde::Deserialize;

pub use search::units;
pub use view::{TransactionView, moved};

use super::{ApiError, List, Route, auth::Operator, players::player_id, route::get};
use crate::{access::Resource, world::World};
use search::Search;
use view::TransactionDetail;

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/transactions", Resource::Transactions, search::list)
            .summary("Searches transactions, newest first")
            .query::<Search>()
            .answers::<List<'_, TransactionView>>(200)
            .refuses(&[Code::UnknownPlayer, Code::SearchTooWide]),
        // Before the next, which would take it for an id.
        get("/v1/transactions/lookup", Resource::Transactions, lookup)
            .summary("Finds the transaction that an external id was used for")
            .query::<Lookup>()
            .example_with("provider", "demo")
            .example_with("external_id", "b-1001")
            .example_with("kind", "bet")
            .example_with("player", "alice")
            .answers::<TransactionDetail>(200)
            .refuses(&[Code::NotFound, Code::UnknownPlayer, Code::SearchTooWide]),
        get("/v1/transactions/{id}", Resource::Transactions, get_one)
            .summary("Reads a transaction with its postings, its stored reply and its events")
            .answers::<TransactionDetail>(200)
            .refuses(&[Code::NotFound]),
    ]
}

async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let Ok(id) = TransactionId::parse(&id) else {
        return Err(not_found());
    };
    let found = world.store.transaction(id).await;
    let row = found
        .map_err(ApiError::unavailable)?
        .ok_or_else(not_found)?;
    answer(world, row).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Lookup {
    /// The provider account; `cashier` for deposits.
    provider: ProviderId,
    /// The id that the other side gave.
    external_id: ExternalId,
    /// What it was the id of.
    kind: Kind,
    /// The player; may be left out where the account's ids are unique over all players.
    player: Option<String>,
}

async fn lookup(operator: Operator, query: Query<Lookup>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let Lookup {
        provider,
        external_id,
        kind,
        player,
    } = query.into_inner();
    let player = player.as_deref().map(player_id).transpose()?;
    if player.is_none() {
        search::check_id_names_a_player(world, &provider)?;
    }
    let found = world
        .store
        .transactions_by_key(&provider, &external_id, player.as_ref(), Some(kind))
        .await
        .map_err(ApiError::unavailable)?;
    let row = found.into_iter().next().ok_or_else(not_found)?;
    answer(world, row).await
}

async fn answer(world: &World, row: TransactionRow) -> Result<HttpResponse, ApiError> {
    let events = world
        .store
        .transaction_events(&row.player, row.id, row.created_at)
        .await
        .map_err(ApiError::unavailable)?;
    let detail = TransactionDetail::new(row, events).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().json(detail))
}

fn not_found() -> ApiError {
    ApiError::new(
        Code::NotFound,
        "there is no such transaction in this environment",
    )
}
