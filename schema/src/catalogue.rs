//! Games.

use pitboss_wallet::{GameId, ProviderId, Timestamp};
use tokio_postgres::Row;

use crate::{Store, StoreError, document::id, moment::Moment, store::get};

/// A game of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameRow {
    pub id: GameId,
    pub provider: ProviderId,
    pub name: String,
    pub category: String,
    /// Decimal text, in percent.
    pub rtp: Option<String>,
    pub enabled: bool,
    /// Set by the database; ignored when put.
    pub created_at: Timestamp,
}

impl Store {
    /// Puts a game in, or in the place of the one of its id. Its provider must be there.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn put_game(&self, game: &GameRow) -> Result<(), StoreError> {
        let sql = include_str!("../queries/put_game.sql");
        self.execute(
            "store a game",
            sql,
            &[
                &game.id.as_str(),
                &game.provider.as_str(),
                &game.name,
                &game.category,
                &game.rtp,
                &game.enabled,
            ],
        )
        .await?;
        Ok(())
    }

    /// The game of this id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn game(&self, id: &GameId) -> Result<Option<GameRow>, StoreError> {
        let sql = include_str!("../queries/game.sql");
        let row = self.row("read a game", sql, &[&id.as_str()]).await?;
        row.as_ref().map(game).transpose()
    }

    /// The whole catalogue, by id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn games(&self) -> Result<Vec<GameRow>, StoreError> {
        let sql = include_str!("../queries/games.sql");
        let rows = self.rows("list games", sql, &[]).await?;
        rows.iter().map(game).collect()
    }
}

fn game(row: &Row) -> Result<GameRow, StoreError> {
    Ok(GameRow {
        id: id(GameId::new(get::<&str>(row, "id")?))?,
        provider: id(ProviderId::new(get::<&str>(row, "provider_id")?))?,
        name: get(row, "name")?,
        category: get(row, "category")?,
        rtp: get(row, "rtp")?,
        enabled: get(row, "enabled")?,
        created_at: get::<Moment>(row, "created_at")?.0,
    })
}
