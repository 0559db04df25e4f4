//! Rounds: searched, newest first; shown with all that happened in them; those that are not finished; the last play
//! once more.

mod detail;
mod replay;
mod unfinished;

use actix_web::{HttpResponse, web::Query};
use pitboss_providers::Code;
use pitboss_schema::{Found, RoundKeyRow, RoundRow, RoundSearch};
use pitboss_wallet::{
    Currency, GameId, Money, PlayerId, ProviderId, RoundId, RoundState, Timestamp, TransactionId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApiError, List, Route,
    auth::Operator,
    moment::period,
    page::{cursor, limit_of, parse_cursor, wrong_cursor},
    players::player_id,
    route::get,
};
use crate::access::Resource;

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/rounds", Resource::Rounds, list)
            .summary("Searches rounds, newest first")
            .query::<Search>()
            .answers::<List<'_, RoundListView>>(200)
            .refuses(&[Code::UnknownPlayer, Code::SearchTooWide]),
        // Before the next, which would take it for an id.
        get("/v1/rounds/unfinished", Resource::Rounds, unfinished::list)
            .summary("Lists open rounds, oldest first, with what they hold")
            .query::<unfinished::Question>()
            .answers::<unfinished::Unfinished>(200),
        get("/v1/rounds/{id}", Resource::Rounds, detail::get_one)
            .summary("Reads a round with all that happened in it")
            .answers::<detail::RoundDetail>(200)
            .refuses(&[Code::NotFound]),
        get("/v1/rounds/{id}/replay", Resource::Rounds, replay::get_one)
            .summary("Reads what is needed to show a play again")
            .answers::<replay::Replay>(200)
            .refuses(&[Code::NotFound]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// Of this player.
    player: Option<String>,
    provider: Option<ProviderId>,
    game: Option<GameId>,
    state: Option<RoundState>,
    currency: Option<Currency>,
    /// Opened from this time on: RFC 3339.
    from: Option<String>,
    /// Opened before this time: RFC 3339.
    to: Option<String>,
    /// Rows at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A round, as lists have it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ListedRound")]
pub struct RoundListView {
    /// Names the round in this API: `GET /v1/rounds/{id}`.
    id: String,
    player: PlayerId,
    provider: ProviderId,
    game: GameId,
    /// The provider's own id of it.
    round: RoundId,
    state: RoundState,
    currency: Currency,
    /// Bets that stand.
    bets: i32,
    /// Wins that stand.
    wins: i32,
    /// Sum of the bets that stand.
    stake: Money,
    /// Sum of the wins that stand.
    won: Money,
    /// The stake while the round is open, then 0.
    held: Money,
    opened_at: Timestamp,
    /// Since when it takes no more bets.
    closed_at: Option<Timestamp>,
    /// When money last moved in it.
    touched_at: Timestamp,
}

impl From<RoundRow> for RoundListView {
    fn from(row: RoundRow) -> Self {
        let money = |units| Money::new(units, row.currency);
        Self {
            id: round_id(&row.player, &row.provider, row.scope.as_ref(), &row.round),
            state: row.state,
            currency: row.currency,
            bets: row.bets,
            wins: row.wins,
            stake: money(row.stake),
            won: money(row.won),
            held: money(if row.state.is_open() { row.stake } else { 0 }),
            opened_at: row.opened_at,
            closed_at: row.closed_at,
            touched_at: row.touched_at,
            player: row.player,
            provider: row.provider,
            game: row.game,
            round: row.round,
        }
    }
}

const PREFIX: &str = "rnd_";

/// A round's id in this API: opaque, for a provider's own may have any characters, and is only one of the things that
/// name a round.
pub fn round_id(
    player: &PlayerId,
    provider: &ProviderId,
    scope: Option<&GameId>,
    round: &RoundId,
) -> String {
    format!("{PREFIX}{}", cursor(&(player, provider, scope, round)))
}

/// Reads what [`round_id`] wrote.
fn parse_round_id(text: &str) -> Option<RoundKeyRow> {
    let (player, provider, scope, round) = parse_cursor(Some(text.strip_prefix(PREFIX)?))
        .ok()
        .flatten()?;
    Some(RoundKeyRow {
        player,
        provider,
        scope,
        round,
    })
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such round in this environment")
}

/// The round that a path names.
async fn of_path(operator: &Operator, id: &str) -> Result<(RoundKeyRow, RoundRow), ApiError> {
    let key = parse_round_id(id).ok_or_else(not_found)?;
    let row = operator.world.store.round(&key).await;
    let row = row.map_err(ApiError::unavailable)?.ok_or_else(not_found)?;
    Ok((key, row))
}

/// `GET /v1/rounds`
async fn list(operator: Operator, search: Query<Search>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let limit = limit_of(search.limit, world.config.rest.page_max)?;
    let scan = world.config.rest.scan_max;
    let (from, to) = period(search.from.as_deref(), search.to.as_deref())?;
    let wanted = RoundSearch {
        provider: search.provider.clone(),
        game: search.game.clone(),
        currency: search.currency,
        state: search.state,
        from,
        to,
    };
    let after = search.after.as_deref();
    let (rows, next) = if let Some(player) = &search.player {
        let player = player_id(player)?;
        let after = after.map(str::parse).transpose();
        let after = after.map_err(|_| wrong_cursor())?;
        let found = world
            .store
            .search_player_rounds(&player, &wanted, after, limit, scan)
            .await
            .map_err(ApiError::unavailable)?
            .ok_or_else(|| ApiError::new(Code::UnknownPlayer, "there is no such player"))?;
        (found.rows, found.next.map(|number| number.to_string()))
    } else {
        let narrows = search.provider.is_some()
            || search.game.is_some()
            || search.currency.is_some()
            || search.state.is_some();
        if narrows && from.is_none() {
            let detail = "add player, or from: without them every round that ever was would be looked at; \
                          open rounds are at /v1/rounds/unfinished";
            return Err(ApiError::new(Code::SearchTooWide, detail));
        }
        let after = after.map(TransactionId::parse).transpose();
        let after = after.map_err(|_| wrong_cursor())?.map(|id| id.0);
        let found = world.store.search_rounds(&wanted, after, limit, scan).await;
        let Found { rows, next } = found.map_err(ApiError::unavailable)?;
        (rows, next.map(|id| TransactionId(id).to_string()))
    };
    let views: Vec<RoundListView> = rows.into_iter().map(RoundListView::from).collect();
    Ok(HttpResponse::Ok().json(List { data: &views, next }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounds_id_is_one_segment_of_a_path_and_reads_back_whatever_is_in_it() {
        let key = RoundKeyRow {
            player: PlayerId::new("alice@example:1").unwrap(),
            provider: ProviderId::new("acme").unwrap(),
            scope: Some(GameId::new("a/b ü").unwrap()),
            round: RoundId::new("🎲/?#\"\n%2F".repeat(20)).unwrap(),
        };
        let of = |key: &RoundKeyRow| {
            round_id(&key.player, &key.provider, key.scope.as_ref(), &key.round)
        };
        let id = of(&key);
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        );
        assert_eq!(parse_round_id(&id), Some(key.clone()));
        let plain = RoundKeyRow { scope: None, ..key };
        assert_eq!(parse_round_id(&of(&plain)), Some(plain));
        for wrong in ["", "rnd_", "rnd_x", "x", &cursor(&("a", "b", "", "d"))] {
            assert_eq!(parse_round_id(wrong), None, "{wrong}");
        }
    }
}
