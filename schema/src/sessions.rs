//! Sessions, as the HTTP edges ask for them: by token and by id, a player's history, and the lock of his logins.
//!
//! What opens, moves and ends a session is a decision of the player's actor, and is written by the commit.

use pitboss_wallet::{Currency, PlayerId, ProviderId, Session, SessionId, Timestamp};
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use crate::{
    AuditNote, Store, StoreError,
    document::{SessionDocument, id, parse},
    moment::Moment,
    store::{Params, get},
};

/// A session with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub player: PlayerId,
    pub session: Session,
    pub created_at: Timestamp,
    /// From where the player logged in, as the operator told.
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// What failed logins lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginLock {
    /// How long a failure counts.
    pub window_s: i64,
    /// So many failures lock the player's logins.
    pub failures_max: i64,
    pub lock_s: i64,
}

impl Store {
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

    /// The session of this id with its history, over or not.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn session_row(&self, session: SessionId) -> Result<Option<SessionRow>, StoreError> {
        let sql = include_str!("../queries/session_history.sql");
        let row = self.row("read a session", sql, &[&session.0]).await?;
        row.as_ref().map(session_row).transpose()
    }

    /// A player's sessions, newest first, from below one of them.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn sessions(
        &self,
        player: &PlayerId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let sql = include_str!("../queries/sessions_before.sql");
        let before = before.map(|id| id.0);
        let limit = i64::from(limit);
        let params: [&(dyn ToSql + Sync); 3] = [&player.as_str(), &before, &limit];
        let rows = self.rows("list sessions", sql, &params).await?;
        rows.iter().map(session_row).collect()
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

    /// Counts a failed login, and answers until when the player's logins are locked. While they are, nothing is
    /// counted and nothing is noted.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn report_login_failure(
        &self,
        player: &PlayerId,
        lock: LoginLock,
        note: &AuditNote,
    ) -> Result<Option<Timestamp>, StoreError> {
        let sql = include_str!("../queries/report_login_failure.sql");
        let now = Moment(note.at);
        let params: [&(dyn ToSql + Sync); 5] = [
            &player.as_str(),
            &now,
            &lock.window_s,
            &lock.failures_max,
            &lock.lock_s,
        ];
        match self
            .change("count a failed login", sql, &params, note)
            .await?
        {
            Some(row) => locked_until(&row),
            None => Ok(self.login_failures(player).await?.flatten()),
        }
    }

    /// Whether failed logins of a player are counted, and until when his logins are or were locked.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn login_failures(
        &self,
        player: &PlayerId,
    ) -> Result<Option<Option<Timestamp>>, StoreError> {
        let sql = include_str!("../queries/login_lock.sql");
        let row = self
            .row("look for a lock", sql, &[&player.as_str()])
            .await?;
        row.as_ref().map(locked_until).transpose()
    }

    /// Forgets the failed logins of a player who has logged in.
    ///
    /// # Errors
    /// What a query may meet.
    pub async fn forget_login_failures(&self, player: &PlayerId) -> Result<(), StoreError> {
        let sql = include_str!("../queries/forget_login_failures.sql");
        let forgotten = self
            .execute("forget failed logins", sql, &[&player.as_str()])
            .await?;
        debug_assert!(forgotten <= 1);
        Ok(())
    }

    async fn find_session(
        &self,
        sql: &str,
        by: Params<'_>,
    ) -> Result<Option<(PlayerId, Session)>, StoreError> {
        let row = self.row("find a session", sql, by).await?;
        row.as_ref().map(whose).transpose()
    }
}

fn whose(row: &Row) -> Result<(PlayerId, Session), StoreError> {
    let player = id(PlayerId::new(get::<&str>(row, "player_id")?))?;
    let session = parse::<SessionDocument>(get(row, "document")?)?.into_session()?;
    Ok((player, session))
}

fn session_row(row: &Row) -> Result<SessionRow, StoreError> {
    let (player, session) = whose(row)?;
    Ok(SessionRow {
        player,
        session,
        created_at: get::<Moment>(row, "created_at")?.0,
        address: get(row, "address")?,
        user_agent: get(row, "user_agent")?,
    })
}

fn locked_until(row: &Row) -> Result<Option<Timestamp>, StoreError> {
    let until: Option<Moment> = get(row, "locked_until")?;
    Ok(until.map(|until| until.0))
}
