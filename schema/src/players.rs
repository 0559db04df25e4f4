//! Players and their sessions, as the HTTP edges ask for them.

use pitboss_wallet::{Currency, PlayerId, PlayerStatus, ProviderId, Session, SessionId, Timestamp};

use uuid::Uuid;

use crate::{
    Store, StoreError,
    document::{SessionDocument, id, named, parse},
    lane_of,
    moment::Moment,
    store::{Params, get},
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

    /// The session whose token has this SHA-256, over or not, and whose it is.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn session_by_token(
        &self,
        token_hash: &[u8; 32],
    ) -> Result<Option<(PlayerId, Session)>, StoreError> {
        let sql = include_str!("../queries/session_by_token.sql");
        self.find_session(sql, &[&token_hash.as_slice()]).await
    }

    /// The session of this id, over or not, and whose it is.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn session(
        &self,
        session: SessionId,
    ) -> Result<Option<(PlayerId, Session)>, StoreError> {
        let sql = include_str!("../queries/session_by_id.sql");
        self.find_session(sql, &[&session.0]).await
    }

    /// The player's newest game session with a provider account in a currency that is live at this time.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn live_session(
        &self,
        player: &PlayerId,
        provider: &ProviderId,
        currency: Currency,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let sql = include_str!("../queries/live_session.sql");
        let (player, provider) = (player.as_str(), provider.as_str());
        let params: Params<'_> = &[&player, &provider, &currency.code(), &Moment(now)];
        let found = self.find_session(sql, params).await?;
        Ok(found.map(|(_, session)| session))
    }

    /// Which of these sessions, each with its player, are over at this time.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn ended_sessions(
        &self,
        sessions: &[(PlayerId, SessionId)],
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let players: Vec<&str> = sessions.iter().map(|(player, _)| player.as_str()).collect();
        let ids: Vec<Uuid> = sessions.iter().map(|(_, session)| session.0).collect();
        let sql = include_str!("../queries/ended_sessions.sql");
        let what = "look for sessions that are over";
        let rows = self
            .rows(what, sql, &[&players, &ids, &Moment(now)])
            .await?;
        rows.iter()
            .map(|row| Ok(SessionId(get(row, "id")?)))
            .collect()
    }

    async fn find_session(
        &self,
        sql: &str,
        by: Params<'_>,
    ) -> Result<Option<(PlayerId, Session)>, StoreError> {
        let row = self.row("find a session", sql, by).await?;
        row.map(|row| {
            let player = id(PlayerId::new(get::<&str>(&row, "player_id")?))?;
            let session = parse::<SessionDocument>(get(&row, "document")?)?.into_session()?;
            Ok((player, session))
        })
        .transpose()
    }
}
