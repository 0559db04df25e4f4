//! Players, as the HTTP edges ask for them.

use pitboss_wallet::{PlayerId, PlayerStatus, Timestamp};

use crate::{
    Store, StoreError,
    document::{id, named},
    lane_of,
    moment::Moment,
    store::get,
};

/// A player without his money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerRow {
    pub id: PlayerId,
    pub lane: u16,
    pub status: PlayerStatus,
    pub country: Option<String>,
    pub created_at: Timestamp,
}

/// What became of a new player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    Created,
    /// There is a player of this id; nothing was changed.
    Exists,
}

impl Store {
    /// Creates a player without a wallet: his actor opens one.
    ///
    /// # Errors
    /// [`StoreError::NotInstalled`] and what a query may meet.
    pub async fn create_player(
        &self,
        player: &PlayerId,
        country: Option<&str>,
    ) -> Result<Created, StoreError> {
        let lanes = self.check_installed().await?.lanes;
        let lane = i16::try_from(lane_of(player, lanes)).map_err(StoreError::corrupt)?;
        let sql = include_str!("../queries/create_player.sql");
        let made = self
            .execute("create a player", sql, &[&player.as_str(), &lane, &country])
            .await?;
        Ok(if made == 1 {
            Created::Created
        } else {
            Created::Exists
        })
    }

    /// The player of this id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn player(&self, player: &PlayerId) -> Result<Option<PlayerRow>, StoreError> {
        let sql = include_str!("../queries/player.sql");
        let row = self.row("read a player", sql, &[&player.as_str()]).await?;
        row.map(|row| {
            Ok(PlayerRow {
                id: id(PlayerId::new(get::<&str>(&row, "id")?))?,
                lane: u16::try_from(get::<i16>(&row, "lane")?).map_err(StoreError::corrupt)?,
                status: named("status", get(&row, "status")?, PlayerStatus::from_name)?,
                country: get(&row, "country")?,
                created_at: get::<Moment>(&row, "created_at")?.0,
            })
        })
        .transpose()
    }
}
