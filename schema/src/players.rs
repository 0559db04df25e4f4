//! Players, as the HTTP edges ask for them.

use std::collections::BTreeMap;

use pitboss_wallet::{PlayerId, PlayerStatus, Timestamp};
use tokio_postgres::{Row, types::ToSql};

use crate::{
    AuditNote, Store, StoreError,
    document::{id, named, parse},
    lane_of,
    moment::Moment,
    store::get,
};

/// Before and after everything: the years 1 and 9999, which every calendar can write.
const FIRST_MOMENT: Timestamp = Timestamp::from_micros(-62_135_596_800_000_000);
pub(crate) const LAST_MOMENT: Timestamp = Timestamp::from_micros(253_402_300_799_000_000);

/// A player without his money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerRow {
    pub id: PlayerId,
    pub lane: u16,
    pub status: PlayerStatus,
    pub country: Option<String>,
    /// A language tag.
    pub language: Option<String>,
    pub labels: Labels,
    /// A test account: no report counts it.
    pub test: bool,
    pub created_at: Timestamp,
}

/// Short texts by names, as the operator likes.
pub type Labels = BTreeMap<String, String>;

/// What the operator tells of a new player.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    pub country: Option<String>,
    pub language: Option<String>,
    pub labels: Labels,
    pub test: bool,
}

/// What is to be changed of a player; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    pub country: Option<Option<String>>,
    pub language: Option<Option<String>>,
    /// All of them.
    pub labels: Option<Labels>,
}

/// Which players a list has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlayerFilter {
    pub status: Option<PlayerStatus>,
    pub country: Option<String>,
    pub test: Option<bool>,
    pub created_from: Option<Timestamp>,
    /// This moment is not among them.
    pub created_before: Option<Timestamp>,
    /// The list is in the order of the ids then; newest first otherwise.
    pub id_prefix: Option<String>,
}

/// The last player of the page before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerCursor {
    pub created_at: Timestamp,
    pub id: String,
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
        profile: &Profile,
    ) -> Result<Created, StoreError> {
        let lanes = self.check_installed().await?.lanes;
        let lane = i16::try_from(lane_of(player, lanes)).map_err(StoreError::corrupt)?;
        let sql = include_str!("../queries/create_player.sql");
        let labels = serde_json::to_string(&profile.labels).map_err(StoreError::corrupt)?;
        let params: [&(dyn ToSql + Sync); 6] = [
            &player.as_str(),
            &lane,
            &profile.country,
            &profile.test,
            &profile.language,
            &labels,
        ];
        let made = self.row("create a player", sql, &params).await?;
        Ok(match made {
            Some(_) => Created::Created,
            None => Created::Exists,
        })
    }

    /// Changes what the operator tells of a player. `false`: there is none.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn change_player(
        &self,
        player: &PlayerId,
        change: &ProfileChange,
        note: &AuditNote,
    ) -> Result<bool, StoreError> {
        let labels = change
            .labels
            .as_ref()
            .map(serde_json::to_string)
            .transpose();
        let labels = labels.map_err(StoreError::corrupt)?;
        let sql = include_str!("../queries/player_change.sql");
        let params: [&(dyn ToSql + Sync); 6] = [
            &player.as_str(),
            &change.country.is_some(),
            &change.country.clone().flatten(),
            &change.language.is_some(),
            &change.language.clone().flatten(),
            &labels,
        ];
        let changed = self.change("change a player", sql, &params, note).await?;
        Ok(changed.is_some())
    }

    /// A page of players, at most `limit`.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn players(
        &self,
        filter: &PlayerFilter,
        after: Option<&PlayerCursor>,
        limit: u32,
    ) -> Result<Vec<PlayerRow>, StoreError> {
        // What leads has an index; most players are active, and not of a test.
        let sql = match filter {
            PlayerFilter {
                id_prefix: Some(_), ..
            } => include_str!("../queries/players_by_id.sql"),
            PlayerFilter {
                test: Some(true), ..
            } => include_str!("../queries/players_of_test.sql"),
            PlayerFilter {
                status: Some(status),
                ..
            } if *status != PlayerStatus::Active => {
                include_str!("../queries/players_by_status.sql")
            }
            PlayerFilter {
                country: Some(_), ..
            } => include_str!("../queries/players_by_country.sql"),
            _ => include_str!("../queries/players_by_creation.sql"),
        };
        let (first, last) = (Moment(FIRST_MOMENT), Moment(LAST_MOMENT));
        let by_id = filter.id_prefix.is_some();
        // Ids are of letters, digits and marks, all of them below this one.
        let prefix = filter.id_prefix.as_deref().unwrap_or_default();
        let past_prefix = format!("{prefix}~");
        let (at, id) = match after {
            Some(cursor) => (Moment(cursor.created_at), cursor.id.as_str()),
            None if by_id => (last, ""),
            None => (last, "~"),
        };
        let params: [&(dyn ToSql + Sync); 10] = [
            &at,
            &id,
            &filter.status.map(PlayerStatus::as_str),
            &filter.country,
            &filter.test,
            &filter.created_from.map_or(first, Moment),
            &filter.created_before.map_or(last, Moment),
            &prefix,
            &past_prefix,
            &i64::from(limit),
        ];
        let rows = self.rows("list players", sql, &params).await?;
        rows.iter().map(player_row).collect()
    }

    /// The player of this id.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn player(&self, player: &PlayerId) -> Result<Option<PlayerRow>, StoreError> {
        let sql = include_str!("../queries/player.sql");
        let row = self.row("read a player", sql, &[&player.as_str()]).await?;
        row.as_ref().map(player_row).transpose()
    }
}

fn player_row(row: &Row) -> Result<PlayerRow, StoreError> {
    Ok(PlayerRow {
        id: id(PlayerId::new(get::<&str>(row, "id")?))?,
        lane: u16::try_from(get::<i16>(row, "lane")?).map_err(StoreError::corrupt)?,
        status: named("status", get(row, "status")?, PlayerStatus::from_name)?,
        country: get(row, "country")?,
        language: get(row, "language")?,
        labels: parse(get(row, "labels")?)?,
        test: get(row, "test")?,
        created_at: get::<Moment>(row, "created_at")?.0,
    })
}
