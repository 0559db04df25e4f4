//! Who may not play what, and what the lobby shows.

use pitboss_wallet::{PlayerId, Timestamp};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    AuditNote, Store, StoreError,
    audit_log::append,
    document::{id, named},
    games::lock,
    moment::Moment,
    store::get,
};

/// How much a block covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockScope {
    Game,
    Category,
    Provider,
}

impl BlockScope {
    const ALL: [Self; 3] = [Self::Game, Self::Category, Self::Provider];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Game => "game",
            Self::Category => "category",
            Self::Provider => "provider",
        }
    }

    /// The scope with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// What a player may not bet on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GameBlockRow {
    pub player: PlayerId,
    pub id: Uuid,
    pub scope: BlockScope,
    /// The game, category or provider account.
    pub target: String,
    pub reason: String,
    /// Bets in rounds that are open already are still taken.
    pub finish_open_round: bool,
    /// Whom the operator key was for.
    pub person: String,
    pub created_at: Timestamp,
    pub removed_at: Option<Timestamp>,
}

/// What became of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    New(GameBlockRow),
    /// It was there: its reason was changed.
    Known(GameBlockRow),
    /// The player has as many as allowed.
    TooMany,
    UnknownPlayer,
}

/// A collection of the lobby.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionRow {
    /// JSON, as the API takes it.
    pub document: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Store {
    /// The blocks that were made, changed or lifted since a version of the catalogue; since -1: all.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn game_blocks_changed(&self, since: i64) -> Result<Vec<GameBlockRow>, StoreError> {
        let sql = include_str!("../queries/game_blocks_changed.sql");
        let rows = self.rows("read game blocks", sql, &[&since]).await?;
        rows.iter().map(block).collect()
    }

    /// A player's blocks that hold, oldest first.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn game_blocks(&self, player: &PlayerId) -> Result<Vec<GameBlockRow>, StoreError> {
        let sql = include_str!("../queries/game_blocks_of_player.sql");
        let rows = self
            .rows("list game blocks", sql, &[&player.as_str()])
            .await?;
        rows.iter().map(block).collect()
    }

    /// Blocks a player from a game, a category or a provider.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn put_game_block(
        &self,
        row: &GameBlockRow,
        most: usize,
        note: &AuditNote,
    ) -> Result<Blocked, StoreError> {
        let list = include_str!("../queries/game_blocks_of_player.sql");
        let sql = include_str!("../queries/put_game_block.sql");
        self.in_transaction("block a game", async |transaction| {
            lock(transaction).await?;
            let statement = transaction.prepare_cached(list).await?;
            let held = transaction
                .query(&statement, &[&row.player.as_str()])
                .await?;
            let is_same = |held: &Row| {
                let of = |column| held.try_get::<_, String>(column).unwrap_or_default();
                of("scope") == row.scope.as_str() && of("target") == row.target
            };
            if held.len() >= most && !held.iter().any(is_same) {
                return Ok(Ok(Blocked::TooMany));
            }
            let statement = transaction.prepare_cached(sql).await?;
            let put = transaction
                .query_opt(
                    &statement,
                    &[
                        &row.player.as_str(),
                        &row.id,
                        &row.scope.as_str(),
                        &row.target,
                        &row.reason,
                        &row.finish_open_round,
                        &row.person,
                        &Moment(row.created_at),
                    ],
                )
                .await?;
            let Some(put) = put else {
                return Ok(Ok(Blocked::UnknownPlayer));
            };
            append(transaction, note).await?;
            let is_new: bool = put.try_get("is_new")?;
            Ok(block(&put).map(if is_new { Blocked::New } else { Blocked::Known }))
        })
        .await?
    }

    /// Lifts a block. `false`: there is none that holds.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn remove_game_block(
        &self,
        player: &PlayerId,
        block: Uuid,
        now: Timestamp,
        note: &AuditNote,
    ) -> Result<bool, StoreError> {
        let sql = include_str!("../queries/remove_game_block.sql");
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&player.as_str(), &block, &Moment(now)];
        let row = self.change("lift a game block", sql, &params, note).await?;
        Ok(row.is_some())
    }

    /// All collections.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn collections(&self) -> Result<Vec<CollectionRow>, StoreError> {
        let sql = include_str!("../queries/collections.sql");
        let rows = self.rows("read the collections", sql, &[]).await?;
        rows.iter().map(collection).collect()
    }

    /// Puts a collection in, or in the place of the one of its id, and tells whether it is new. `None`: there are as
    /// many as allowed.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn put_collection(
        &self,
        id: &str,
        document: &str,
        now: Timestamp,
        most: usize,
        note: &AuditNote,
    ) -> Result<Option<(CollectionRow, bool)>, StoreError> {
        let sql = include_str!("../queries/put_collection.sql");
        let most = i64::try_from(most).map_err(StoreError::corrupt)?;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&id, &document, &Moment(now), &most];
        let row = self.change("put a collection", sql, &params, note).await?;
        row.map(|row| Ok((collection(&row)?, get(&row, "is_new")?)))
            .transpose()
    }

    /// Removes a collection. `false`: there is none.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn delete_collection(&self, id: &str, note: &AuditNote) -> Result<bool, StoreError> {
        let sql = include_str!("../queries/delete_collection.sql");
        let row = self
            .change("remove a collection", sql, &[&id], note)
            .await?;
        Ok(row.is_some())
    }
}

fn block(row: &Row) -> Result<GameBlockRow, StoreError> {
    Ok(GameBlockRow {
        player: id(PlayerId::new(get::<&str>(row, "player_id")?))?,
        id: get(row, "id")?,
        scope: named("scope", get(row, "scope")?, BlockScope::from_name)?,
        target: get(row, "target")?,
        reason: get(row, "reason")?,
        finish_open_round: get(row, "finish_open_round")?,
        person: get(row, "person")?,
        created_at: get::<Moment>(row, "created_at")?.0,
        removed_at: get::<Option<Moment>>(row, "removed_at")?.map(|moment| moment.0),
    })
}

fn collection(row: &Row) -> Result<CollectionRow, StoreError> {
    Ok(CollectionRow {
        document: get(row, "document")?,
        created_at: get::<Moment>(row, "created_at")?.0,
        updated_at: get::<Moment>(row, "updated_at")?.0,
    })
}
