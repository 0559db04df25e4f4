//! Lists: a player's transactions and rounds, newest first, page by page.

use actix_web::{HttpResponse, web::Query};
use pitboss_providers::Code;
use pitboss_schema::{Cursor, RoundFilter, RoundRow, TransactionRow};
use pitboss_wallet::{
    BalanceView, Currency, ExternalId, GameId, Kind, Money, PlayerId, ProviderId, RoundId,
    RoundState, Timestamp, TransactionId, TransactionState,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiError, List, Route,
    auth::Operator,
    page::{answer, limit_of, wrong_cursor},
    players::player_id,
    route::get,
};
use crate::access::Resource;

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/transactions", Resource::Transactions, transactions)
            .summary("Lists a player's transactions, newest first")
            .query::<Page>()
            .example_with("player", "alice")
            .answers::<List<'_, TransactionView>>(200)
            .refuses(&[Code::UnknownPlayer]),
        get("/v1/rounds", Resource::Rounds, rounds)
            .summary("Lists a player's rounds, newest first")
            .query::<Page>()
            .example_with("player", "alice")
            .answers::<List<'_, RoundListView>>(200)
            .refuses(&[Code::UnknownPlayer]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Page {
    player: String,
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

impl Page {
    fn after(&self) -> Result<Option<i64>, ApiError> {
        let Some(after) = &self.after else {
            return Ok(None);
        };
        after.parse().map(Some).map_err(|_| wrong_cursor())
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Transaction")]
struct TransactionView {
    transaction_id: TransactionId,
    number: i64,
    kind: Kind,
    state: TransactionState,
    provider: ProviderId,
    provider_transaction_id: ExternalId,
    amount: Option<Money>,
    currency: Option<Currency>,
    game: Option<GameId>,
    round: Option<RoundId>,
    bet_transaction_id: Option<ExternalId>,
    reverses: Option<TransactionId>,
    reversed_by: Option<TransactionId>,
    balance: Option<BalanceView>,
    created_at: Timestamp,
}

impl From<TransactionRow> for TransactionView {
    fn from(row: TransactionRow) -> Self {
        Self {
            transaction_id: row.id,
            number: row.number,
            kind: row.kind,
            state: row.state,
            provider: row.provider,
            provider_transaction_id: row.external_id,
            amount: row.amount,
            currency: row.amount.map(|amount| amount.currency),
            game: row.game,
            round: row.round,
            bet_transaction_id: row.names_bet,
            reverses: row.reverses,
            reversed_by: row.reversed_by,
            balance: row.receipt.balance.map(BalanceView::from),
            created_at: row.created_at,
        }
    }
}

/// `GET /v1/transactions?player=`
async fn transactions(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (player, limit) = (
        player_id(&page.player)?,
        limit_of(page.limit, world.config.rest.page_max)?,
    );
    known(&operator, &player).await?;
    let cursor = page.after()?.map_or(Cursor::Newest, Cursor::Before);
    let rows = world
        .store
        .transactions(&player, cursor, rows_of(limit)?)
        .await
        .map_err(ApiError::unavailable)?;
    let views: Vec<_> = rows.into_iter().map(TransactionView::from).collect();
    Ok(answer(&views, limit, |view| view.number.to_string()))
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RoundInList")]
struct RoundListView {
    #[serde(skip)]
    number: i64,
    provider: ProviderId,
    game: GameId,
    round: RoundId,
    state: RoundState,
    currency: Currency,
    bets: i32,
    wins: i32,
    stake: Money,
    won: Money,
    held: Money,
    opened_at: Timestamp,
    closed_at: Option<Timestamp>,
}

impl From<RoundRow> for RoundListView {
    fn from(row: RoundRow) -> Self {
        let money = |units| Money::new(units, row.currency);
        Self {
            number: row.number,
            state: row.state,
            currency: row.currency,
            bets: row.bets,
            wins: row.wins,
            stake: money(row.stake),
            won: money(row.won),
            held: money(if row.state.is_open() { row.stake } else { 0 }),
            opened_at: row.opened_at,
            closed_at: row.closed_at,
            provider: row.provider,
            game: row.game,
            round: row.round,
        }
    }
}

/// `GET /v1/rounds?player=`
async fn rounds(operator: Operator, page: Query<Page>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (player, limit) = (
        player_id(&page.player)?,
        limit_of(page.limit, world.config.rest.page_max)?,
    );
    known(&operator, &player).await?;
    let rows = world
        .store
        .rounds(&player, RoundFilter::All, page.after()?, rows_of(limit)?)
        .await
        .map_err(ApiError::unavailable)?;
    let views: Vec<_> = rows.into_iter().map(RoundListView::from).collect();
    Ok(answer(&views, limit, |view| view.number.to_string()))
}

fn rows_of(limit: usize) -> Result<u32, ApiError> {
    u32::try_from(limit).map_err(ApiError::internal)
}

async fn known(operator: &Operator, player: &PlayerId) -> Result<(), ApiError> {
    match operator
        .world
        .store
        .player(player)
        .await
        .map_err(ApiError::unavailable)?
    {
        Some(_) => Ok(()),
        None => Err(ApiError::new(
            Code::UnknownPlayer,
            "there is no such player",
        )),
    }
}
