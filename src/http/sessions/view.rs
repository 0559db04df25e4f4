//! A session as operators see it.

use pitboss_schema::SessionRow;
use pitboss_wallet::{Currency, GameId, PlayerId, ProviderId, SessionEnd, SessionId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// A login or a game session.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub struct SessionView {
    pub id: SessionId,
    /// `player` for a login, `game` for a launched game.
    pub kind: &'static str,
    pub player: PlayerId,
    pub currency: Currency,
    /// Of a game session.
    pub provider: Option<ProviderId>,
    /// Of a game session.
    pub game: Option<GameId>,
    /// The login that a game was launched from, when the launch named one.
    pub login: Option<SessionId>,
    pub live: bool,
    pub created_at: Timestamp,
    /// The newest activity that was noted; bets that follow closely are not noted each.
    pub last_active_at: Timestamp,
    /// When it ends if the player does nothing more, or ended for that reason.
    pub expires_at: Timestamp,
    /// When it ends at the latest.
    pub ends_at: Timestamp,
    /// `null` while it is live.
    pub ended_at: Option<Timestamp>,
    /// Why it is over; `null` while it is live. Reasons may be added.
    pub end_reason: Option<SessionEnd>,
    /// The IP address that the player logged in from, as the operator told.
    pub address: Option<String>,
    /// The program that the player logged in with, as the operator told.
    pub user_agent: Option<String>,
}

impl SessionView {
    /// As it is now: an end that was not noted yet is shown all the same.
    pub fn of(row: SessionRow, now: Timestamp) -> Self {
        let SessionRow {
            player,
            session,
            created_at,
            address,
            user_agent,
        } = row;
        let live = session.is_live(now);
        let expired = (!live).then_some((session.expires_at, session.expiry()));
        let (expired_at, expiry) = expired.unzip();
        Self {
            id: session.id,
            kind: session.kind.as_str(),
            player,
            currency: session.currency,
            live,
            created_at,
            last_active_at: session.last_active_at,
            expires_at: session.expires_at,
            ends_at: session.absolute_until,
            ended_at: session.ended_at.or(expired_at),
            end_reason: session.end.or(expiry),
            provider: session.provider,
            game: session.game,
            login: session.login,
            address,
            user_agent,
        }
    }
}
