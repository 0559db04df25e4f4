//! Sessions: how long they live, and what ends them.
//!
//! A session ends after its idle time without activity, and at its absolute end whatever happens. Activity moves
//! `expires_at`, but only once in `touch_s`: a bet then commits no more than it would anyway. So a session that
//! is idle ends after its idle time, or up to `touch_s` sooner, and never later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Currency, GameId, ProviderId, SessionId, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// A login: opens the stream.
    Player,
    /// A launched game: bets need one.
    Game,
}

impl SessionKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Player => "player",
            Self::Game => "game",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Player, Self::Game]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// Somebody ended it.
    Ended,
    /// The login that the game was launched from is over.
    LoggedOut,
    /// A newer session took its place.
    Replaced,
    /// The player was blocked.
    Blocked,
    /// The player did nothing for its idle time.
    ExpiredIdle,
    /// It reached its absolute end.
    Expired,
}

impl SessionEnd {
    pub const ALL: [Self; 6] = [
        Self::Ended,
        Self::LoggedOut,
        Self::Replaced,
        Self::Blocked,
        Self::ExpiredIdle,
        Self::Expired,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::LoggedOut => "logged_out",
            Self::Replaced => "replaced",
            Self::Blocked => "blocked",
            Self::ExpiredIdle => "expired_idle",
            Self::Expired => "expired",
        }
    }

    /// The reason with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == name)
    }

    /// Whether nobody ended it: its time was over.
    #[must_use]
    pub const fn is_expiry(self) -> bool {
        matches!(self, Self::ExpiredIdle | Self::Expired)
    }
}

/// What is done about one session too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// The oldest ends.
    Replace,
    /// The new one is refused.
    Refuse,
}

/// How long sessions live, and how many a player may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRules {
    pub player_idle_s: i64,
    pub game_idle_s: i64,
    /// Activity is noted at most once in so many seconds; less than the idle times.
    pub touch_s: i64,
    /// Live logins of a player.
    pub player_max: usize,
    /// Live game sessions of a player, over all games.
    pub game_max: usize,
    /// Live sessions of a player in one game, where the launch does not say.
    pub per_game_max: usize,
    pub when_full: WhenFull,
}

/// As `config.toml` has them.
impl Default for SessionRules {
    fn default() -> Self {
        Self {
            player_idle_s: 1800,
            game_idle_s: 1800,
            touch_s: 60,
            player_max: 4,
            game_max: 4,
            per_game_max: 1,
            when_full: WhenFull::Replace,
        }
    }
}

/// A session. The hash of its token is kept by whoever stores it, not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub kind: SessionKind,
    pub currency: Currency,
    pub provider: Option<ProviderId>,
    pub game: Option<GameId>,
    /// The login that a game was launched from.
    pub login: Option<SessionId>,
    pub idle_s: i64,
    /// When it ends at the latest.
    pub absolute_until: Timestamp,
    /// The newest activity that was noted.
    pub last_active_at: Timestamp,
    /// When it ends if nothing happens: the idle time after the noted activity, and not after its absolute end.
    pub expires_at: Timestamp,
    /// With `end`: somebody ended it, or its end was noted.
    pub ended_at: Option<Timestamp>,
    pub end: Option<SessionEnd>,
    /// Until when the launch token may be exchanged; `None` once it was, or for a player session.
    pub token_expires_at: Option<Timestamp>,
}

impl Session {
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.expires_at > now
    }

    /// Whether activity now is worth a note.
    #[must_use]
    pub fn is_to_be_touched(&self, now: Timestamp, touch_s: i64) -> bool {
        self.last_active_at.plus_seconds(touch_s) <= now
    }

    /// Notes activity. Nothing is moved back: another node's clock may be ahead.
    pub fn touch(&mut self, now: Timestamp) {
        self.last_active_at = self.last_active_at.max(now);
        let idle = now.plus_seconds(self.idle_s).min(self.absolute_until);
        self.expires_at = self.expires_at.max(idle);
    }

    /// Why its time is over, once it is.
    #[must_use]
    pub fn expiry(&self) -> SessionEnd {
        if self.expires_at >= self.absolute_until {
            SessionEnd::Expired
        } else {
            SessionEnd::ExpiredIdle
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        for end in SessionEnd::ALL {
            assert_eq!(SessionEnd::from_name(end.as_str()), Some(end));
        }
        assert_eq!(SessionEnd::from_name("tired"), None);
    }
}
