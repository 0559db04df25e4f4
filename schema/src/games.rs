//! The catalogue of games, and the switch that stops all gaming.
//!
//! Every change takes the row lock of `catalogue_head` first: what a change is planned on is what it is written on, and
//! its number is in the order of the commits. Which changes make sense is the caller's to say.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use pitboss_wallet::{Countries, Currency, GameId, ProviderId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use crate::{
    AuditNote, Store, StoreError,
    audit_log::append,
    document::{id, parse},
    moment::Moment,
    store::get,
};

/// What kind of game it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Slot,
    Table,
    Live,
    Crash,
    Dice,
    Bingo,
    Lottery,
    Virtual,
    Instant,
    Other,
}

impl Category {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::Table => "table",
            Self::Live => "live",
            Self::Crash => "crash",
            Self::Dice => "dice",
            Self::Bingo => "bingo",
            Self::Lottery => "lottery",
            Self::Virtual => "virtual",
            Self::Instant => "instant",
            Self::Other => "other",
        }
    }
}

/// How much the results of a game vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    Low,
    Medium,
    High,
}

/// What a game is played on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    Desktop,
    Mobile,
}

impl Device {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Mobile => "mobile",
        }
    }
}

/// What one bet may be, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GameLimits {
    pub currency: Currency,
    /// The least that one bet may be, as decimal text; `null`: no minimum. A bet of 0 is always allowed.
    #[serde(default)]
    pub min: Option<String>,
    /// The most that one bet may be, as decimal text; `null`: no maximum.
    #[serde(default)]
    pub max: Option<String>,
}

const fn yes() -> bool {
    true
}

/// A game of the catalogue, as it is kept and as the API takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Game {
    /// The id that its provider uses in callbacks. Fixed.
    pub id: GameId,
    /// The provider account whose callbacks may name it. Fixed.
    pub provider: ProviderId,
    /// What players call it: 1 to 128 characters.
    pub name: String,
    pub category: Category,
    /// Words to find it by: at most 32, of small letters, digits, `-` and `_`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Return to player in percent, exact decimal text from `0` to `100`.
    #[serde(default)]
    pub rtp: Option<String>,
    #[serde(default)]
    pub volatility: Option<Volatility>,
    /// What it is played in; empty: every currency.
    #[serde(default)]
    pub currencies: Vec<Currency>,
    /// What one bet may be, for each currency that has a limit.
    #[serde(default)]
    pub limits: Vec<GameLimits>,
    /// Empty: every device.
    #[serde(default)]
    pub devices: Vec<Device>,
    /// Tags of BCP 47, such as `en` or `pt-BR`; empty: every language.
    #[serde(default)]
    pub languages: Vec<String>,
    #[serde(default)]
    pub countries: Countries,
    /// Whether it may be played without money.
    #[serde(default)]
    pub demo: bool,
    /// The names of the jackpots that it plays for.
    #[serde(default)]
    pub jackpots: Vec<String>,
    /// Of the certified package. Another version is another game to a regulator: each change is a significant event.
    #[serde(default)]
    pub version: Option<String>,
    /// SHA-256 of the certified package, 64 hexadecimal digits.
    #[serde(default)]
    pub checksum: Option<String>,
    /// Where a launch sends the player, with placeholders such as `{token}`; `null`: the server's own page of it.
    #[serde(default)]
    pub launch_url: Option<String>,
    /// An https URL, or a path that begins with `/`.
    #[serde(default)]
    pub image: Option<String>,
    /// Games with a greater weight are shown first.
    #[serde(default)]
    pub sort_weight: i32,
    /// Whether it takes launches and bets.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// While it is disabled, bets in rounds that are open already are still taken.
    #[serde(default = "yes")]
    pub finish_open_round: bool,
    /// How many seconds one game session lasts at most.
    #[serde(default)]
    pub session_limit_s: Option<i32>,
    /// How many game sessions of it one player may have at once.
    #[serde(default)]
    pub max_sessions: Option<i32>,
}

/// A game, and when it was put there and changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameRow {
    pub game: Game,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whether there is any gaming at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GamingRow {
    pub enabled: bool,
    /// While it is stopped, bets in rounds that are open already are still taken.
    pub finish_open_round: bool,
    pub reason: String,
    pub changed_at: Timestamp,
}

/// What a change of games is planned on.
pub struct GamesNow {
    /// Those of the asked ids that are there.
    pub games: Vec<GameRow>,
    /// How many there are in all.
    pub count: usize,
    /// All provider accounts.
    pub providers: HashSet<ProviderId>,
}

/// What is to be written.
#[derive(Default)]
pub struct GamesChange {
    pub put: Vec<Game>,
    pub notes: Vec<AuditNote>,
}

impl Store {
    /// The number of the newest change to the catalogue.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn catalogue_version(&self) -> Result<i64, StoreError> {
        let sql = include_str!("../queries/catalogue_version.sql");
        let row = self.row("look at the catalogue", sql, &[]).await?;
        let row = row.ok_or_else(|| StoreError::corrupt("the catalogue has no head"))?;
        get(&row, "version")
    }

    /// The games that were changed since a version of the catalogue; since -1: all.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn games_changed(&self, since: i64) -> Result<Vec<GameRow>, StoreError> {
        let sql = include_str!("../queries/games_changed.sql");
        let rows = self.rows("read games", sql, &[&since]).await?;
        rows.iter().map(game).collect()
    }

    /// The game of this id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn game(&self, id: &GameId) -> Result<Option<GameRow>, StoreError> {
        let sql = include_str!("../queries/games_by_id.sql");
        let ids = [id.as_str()];
        let row = self.row("read a game", sql, &[&ids.as_slice()]).await?;
        row.as_ref().map(game).transpose()
    }

    /// Puts games as `plan` says, on what they are at this very moment, with their entries in the audit log: all or
    /// nothing. An error of the plan writes nothing.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn change_games<T, E>(
        &self,
        ids: &[&str],
        now: Timestamp,
        plan: impl FnOnce(GamesNow) -> Result<(GamesChange, T), E>,
    ) -> Result<Result<T, E>, StoreError> {
        self.in_transaction("change games", async move |transaction| {
            lock(transaction).await?;
            let current = match games_now(transaction, ids).await? {
                Ok(current) => current,
                Err(error) => return Ok(Err(error)),
            };
            let (change, told) = match plan(current) {
                Ok(planned) => planned,
                Err(error) => return Ok(Ok(Err(error))),
            };
            if !change.put.is_empty() {
                let games = match serde_json::to_string(&change.put) {
                    Ok(games) => games,
                    Err(error) => return Ok(Err(StoreError::corrupt(error))),
                };
                let sql = include_str!("../queries/put_games.sql");
                let statement = transaction.prepare_cached(sql).await?;
                transaction
                    .execute(&statement, &[&games, &Moment(now)])
                    .await?;
            }
            for note in &change.notes {
                append(transaction, note).await?;
            }
            Ok(Ok(Ok(told)))
        })
        .await?
    }

    /// Whether there is any gaming at all.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn gaming(&self) -> Result<GamingRow, StoreError> {
        let sql = include_str!("../queries/gaming.sql");
        let row = self.row("read the gaming switch", sql, &[]).await?;
        gaming(&row.ok_or_else(|| StoreError::corrupt("there is no gaming switch"))?)
    }

    /// Stops all gaming, or lets it go on.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn put_gaming(
        &self,
        switch: &GamingRow,
        note: &AuditNote,
    ) -> Result<GamingRow, StoreError> {
        let sql = include_str!("../queries/put_gaming.sql");
        let GamingRow {
            enabled,
            finish_open_round,
            reason,
            changed_at,
        } = switch;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [enabled, finish_open_round, reason, &Moment(*changed_at)];
        let row = self
            .change("turn the gaming switch", sql, &params, note)
            .await?;
        gaming(&row.ok_or_else(|| StoreError::corrupt("there is no gaming switch"))?)
    }
}

/// Takes the catalogue for this transaction's own.
pub(crate) async fn lock(transaction: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
    let sql = include_str!("../queries/lock_catalogue.sql");
    let statement = transaction.prepare_cached(sql).await?;
    transaction.query_one(&statement, &[]).await.map(drop)
}

async fn games_now(
    transaction: &Transaction<'_>,
    ids: &[&str],
) -> Result<Result<GamesNow, StoreError>, tokio_postgres::Error> {
    let sql = include_str!("../queries/games_by_id.sql");
    let statement = transaction.prepare_cached(sql).await?;
    let games = transaction.query(&statement, &[&ids]).await?;
    let sql = include_str!("../queries/games_count.sql");
    let statement = transaction.prepare_cached(sql).await?;
    let count: i64 = transaction.query_one(&statement, &[]).await?.try_get(0)?;
    let sql = include_str!("../queries/provider_ids.sql");
    let statement = transaction.prepare_cached(sql).await?;
    let providers = transaction.query(&statement, &[]).await?;
    let now = || {
        Ok(GamesNow {
            games: games.iter().map(game).collect::<Result<_, _>>()?,
            count: usize::try_from(count).map_err(StoreError::corrupt)?,
            providers: providers
                .iter()
                .map(|row| id(ProviderId::new(get::<&str>(row, "id")?)))
                .collect::<Result<_, _>>()?,
        })
    };
    Ok(now())
}

fn game(row: &Row) -> Result<GameRow, StoreError> {
    Ok(GameRow {
        game: parse(get(row, "document")?)?,
        created_at: get::<Moment>(row, "created_at")?.0,
        updated_at: get::<Moment>(row, "updated_at")?.0,
    })
}

fn gaming(row: &Row) -> Result<GamingRow, StoreError> {
    Ok(GamingRow {
        enabled: get(row, "enabled")?,
        finish_open_round: get(row, "finish_open_round")?,
        reason: get(row, "reason")?,
        changed_at: get::<Moment>(row, "changed_at")?.0,
    })
}
