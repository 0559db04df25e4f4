//! `GET /v1/transactions`: what may be asked together, and what is asked of the store for it.

use actix_web::{HttpResponse, web::Query};
use pitboss_providers::Code;
use pitboss_schema::{Found, RoundKeyRow, TransactionRow, TransactionSearch};
use pitboss_wallet::{
    Currency, ExternalId, GameId, Kind, Money, PlayerId, ProviderId, RoundId, RoundScope,
    TransactionId, TransactionScope, TransactionState,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::TransactionView;
use crate::{
    http::{
        ApiError, List,
        auth::Operator,
        moment::period,
        page::{limit_of, wrong_cursor},
        players::player_id,
    },
    world::World,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Of this player.
    player: Option<String>,
    /// Of this provider account; `cashier` for deposits.
    provider: Option<ProviderId>,
    game: Option<GameId>,
    kind: Option<Kind>,
    state: Option<TransactionState>,
    currency: Option<Currency>,
    /// With this id of the other side. Needs `provider`, and `player` where ids are unique for each player only.
    provider_transaction_id: Option<ExternalId>,
    /// Of this round. Needs `player` and `provider`, and `game` where round ids are unique within a game only.
    round: Option<RoundId>,
    /// From this time on: RFC 3339.
    from: Option<String>,
    /// Up to before this time: RFC 3339.
    to: Option<String>,
    /// Of at least this amount, in major units. Needs `currency`.
    min_amount: Option<String>,
    /// Of at most this amount, in major units. Needs `currency`.
    max_amount: Option<String>,
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// By which index the transactions are read; the rest is looked at row by row.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// By their ids, which are in the order of time.
    All,
    /// By a player's numbers.
    Player(PlayerId),
    /// By the other side's id.
    Key {
        provider: ProviderId,
        external_id: ExternalId,
        player: Option<PlayerId>,
    },
    /// By what is in a round.
    Round(RoundKeyRow),
}

fn too_wide(detail: &str) -> ApiError {
    ApiError::new(Code::SearchTooWide, detail)
}

/// An id of a provider names one transaction without its player only where the account's ids are unique over all.
pub fn check_id_names_a_player(world: &World, provider: &ProviderId) -> Result<(), ApiError> {
    let account = world.catalogue.provider(provider.as_str());
    let is_of_a_player = account
        .is_some_and(|provider| provider.policy().transaction_scope == TransactionScope::Player);
    if is_of_a_player {
        return Err(too_wide(
            "add player: ids of this provider account are unique for each player only",
        ));
    }
    Ok(())
}

impl Search {
    fn way(&self, world: &World) -> Result<Way, ApiError> {
        let player = self.player.as_deref().map(player_id).transpose()?;
        if let Some(external_id) = self.provider_transaction_id.clone() {
            let Some(provider) = self.provider.clone() else {
                return Err(too_wide(
                    "add provider: a provider_transaction_id is its own",
                ));
            };
            if player.is_none() {
                check_id_names_a_player(world, &provider)?;
            }
            return Ok(Way::Key {
                provider,
                external_id,
                player,
            });
        }
        if let Some(round) = self.round.clone() {
            let (Some(player), Some(provider)) = (player, self.provider.clone()) else {
                return Err(too_wide(
                    "add player and provider: a round id is the provider's own, for each player",
                ));
            };
            let scope = self.round_scope(world, &provider)?;
            return Ok(Way::Round(RoundKeyRow {
                player,
                provider,
                scope,
                round,
            }));
        }
        match player {
            Some(player) => Ok(Way::Player(player)),
            None if self.narrows() && self.from.is_none() => Err(too_wide(
                "add player, or from: without them every transaction that ever was would be looked at",
            )),
            None => Ok(Way::All),
        }
    }

    fn round_scope(
        &self,
        world: &World,
        provider: &ProviderId,
    ) -> Result<Option<GameId>, ApiError> {
        let account = world.catalogue.provider(provider.as_str());
        let is_of_a_game =
            account.is_some_and(|provider| provider.policy().round_scope == RoundScope::Game);
        match (is_of_a_game, &self.game) {
            (false, _) => Ok(None),
            (true, Some(game)) => Ok(Some(game.clone())),
            (true, None) => Err(too_wide(
                "add game: round ids of this provider account are unique within a game only",
            )),
        }
    }

    /// Whether something is asked that no index leads to.
    fn narrows(&self) -> bool {
        self.provider.is_some()
            || self.game.is_some()
            || self.kind.is_some()
            || self.state.is_some()
            || self.currency.is_some()
    }

    fn wanted(&self) -> Result<TransactionSearch, ApiError> {
        let (from, to) = period(self.from.as_deref(), self.to.as_deref())?;
        Ok(TransactionSearch {
            provider: self.provider.clone(),
            game: self.game.clone(),
            kind: self.kind,
            state: self.state,
            currency: self.currency,
            least: units("min_amount", self.min_amount.as_deref(), self.currency)?,
            most: units("max_amount", self.max_amount.as_deref(), self.currency)?,
            from,
            to,
        })
    }

    fn after_id(&self) -> Result<Option<TransactionId>, ApiError> {
        let after = self.after.as_deref().map(TransactionId::parse).transpose();
        after.map_err(|_| wrong_cursor())
    }

    fn after_number(&self) -> Result<Option<i64>, ApiError> {
        let after = self.after.as_deref().map(str::parse).transpose();
        after.map_err(|_| wrong_cursor())
    }
}

/// An amount of a query, in ledger units.
pub fn units(
    name: &str,
    amount: Option<&str>,
    currency: Option<Currency>,
) -> Result<Option<i64>, ApiError> {
    let Some(amount) = amount else {
        return Ok(None);
    };
    let Some(currency) = currency else {
        let detail = format!("{name}: needs currency beside it");
        return Err(ApiError::new(Code::Malformed, detail));
    };
    let money = Money::parse(amount, currency)
        .map_err(|error| ApiError::new(Code::Malformed, format!("{name}: {error}")))?;
    Ok(Some(money.units))
}

/// `GET /v1/transactions`
pub async fn list(operator: Operator, search: Query<Search>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = limit_of(search.limit, world.config.rest.page_max)?;
    let scan = world.config.rest.scan_max;
    let wanted = search.wanted()?;
    let store = &world.store;
    let unavailable = ApiError::unavailable;
    let (rows, next) = match search.way(world)? {
        Way::All => {
            let after = search.after_id()?.map(|id| id.0);
            let found = store.search_transactions(&wanted, after, limit, scan).await;
            let Found { rows, next } = found.map_err(unavailable)?;
            (rows, next.map(|id| TransactionId(id).to_string()))
        }
        Way::Player(player) => {
            let after = search.after_number()?;
            let found = store.search_player(&player, &wanted, after, limit, scan);
            let found = found.await.map_err(unavailable)?.ok_or_else(unknown)?;
            (found.rows, found.next.map(|number| number.to_string()))
        }
        Way::Key {
            provider,
            external_id,
            player,
        } => {
            let after = search.after_id()?;
            let found = store.transactions_by_key(&provider, &external_id, player.as_ref(), None);
            let rows = found.await.map_err(unavailable)?.into_iter();
            let rows = rows.filter(|row| wanted.has(row) && after.is_none_or(|id| row.id < id));
            let rows: Vec<_> = rows.take(limit).collect();
            let next = rows.last().filter(|_| rows.len() == limit);
            let next = next.map(|row| row.id.to_string());
            (rows, next)
        }
        Way::Round(key) => {
            let after = search.after_number()?.unwrap_or(i64::MAX);
            let found = store.round_transactions(&key, after, limit).await;
            let mut rows = found.map_err(unavailable)?;
            let next = rows.last().filter(|_| rows.len() == limit);
            let next = next.map(|row| row.number.to_string());
            rows.retain(|row| wanted.has(row));
            (rows, next)
        }
    };
    Ok(answer(rows, next))
}

fn answer(rows: Vec<TransactionRow>, next: Option<String>) -> HttpResponse {
    let views: Vec<TransactionView> = rows.into_iter().map(TransactionView::from).collect();
    HttpResponse::Ok().json(List { data: &views, next })
}

pub fn unknown() -> ApiError {
    ApiError::new(Code::UnknownPlayer, "there is no such player")
}
