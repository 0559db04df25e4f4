//! Why the server closes a socket: the one place with the codes.

use std::time::Duration;

use actix_web_actors::ws::CloseReason;

/// The close codes that the server sends, in two ranges.
///
/// - 4000 to 4099: **reconnect**, after the pause that the reason names, with `after=` the newest `seq` seen.
/// - 4100 to 4199: **do not reconnect** in the same way: the same would happen again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// This server is going away, or restarts.
    GoingAway = 4000,
    /// The client read more slowly than its events happened, and too many bytes were waiting for it.
    SlowConsumer = 4001,
    /// Nothing came from the client, not even a pong, for longer than the idle time-out.
    Idle = 4002,
    /// The server could not reach the player or the ledger.
    Internal = 4003,
    /// The client broke the WebSocket protocol, or sent far too much.
    Protocol = 4100,
    /// A frame, or a fragmented message, is longer than the server takes.
    FrameTooLarge = 4101,
    /// The player's session has expired: a new token is needed.
    SessionExpired = 4102,
    /// A newer session of the same player took this one's place.
    Replaced = 4103,
    /// The client presented too many tokens that are not this player's.
    Unauthorized = 4104,
}

impl CloseCode {
    pub const ALL: [Self; 9] = [
        Self::GoingAway,
        Self::SlowConsumer,
        Self::Idle,
        Self::Internal,
        Self::Protocol,
        Self::FrameTooLarge,
        Self::SessionExpired,
        Self::Replaced,
        Self::Unauthorized,
    ];

    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Whether a client should come back by itself.
    #[must_use]
    pub const fn may_reconnect(self) -> bool {
        self.code() < 4100
    }

    /// How long a client should wait before it comes back; `None`: it should not by itself. A jitter comes on
    /// top of it, because many clients are often closed for one reason.
    const fn pause(self) -> Option<Duration> {
        match self {
            Self::GoingAway => Some(Duration::from_millis(250)),
            Self::SlowConsumer | Self::Idle => Some(Duration::from_secs(1)),
            Self::Internal => Some(Duration::from_secs(2)),
            Self::Protocol
            | Self::FrameTooLarge
            | Self::SessionExpired
            | Self::Replaced
            | Self::Unauthorized => None,
        }
    }

    /// The close frame: `going_away;retry_ms=1500`, or the reason alone.
    pub(super) fn frame(self, jitter: Duration) -> CloseReason {
        let reason = self.reason();
        let description = match self.pause() {
            Some(pause) => format!("{reason};retry_ms={}", (pause + jitter).as_millis()),
            None => reason.to_owned(),
        };
        CloseReason {
            code: self.code().into(),
            description: Some(description),
        }
    }

    /// The reason: begins the text of the close frame, and labels the metric.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "going_away",
            Self::SlowConsumer => "slow_consumer",
            Self::Idle => "idle",
            Self::Internal => "internal",
            Self::Protocol => "protocol",
            Self::FrameTooLarge => "frame_too_large",
            Self::SessionExpired => "session_expired",
            Self::Replaced => "replaced",
            Self::Unauthorized => "unauthorized",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_in_one_of_the_two_documented_ranges() {
        for close in CloseCode::ALL {
            let range = if close.may_reconnect() {
                4000..4100
            } else {
                4100..4200
            };
            assert!(range.contains(&close.code()), "{close:?}");
        }
        let codes: BTreeSet<_> = CloseCode::ALL.map(CloseCode::code).into();
        let reasons: BTreeSet<_> = CloseCode::ALL.map(CloseCode::reason).into();
        assert_eq!((codes.len(), reasons.len()), (9, 9));
    }

    #[test]
    fn a_hint_is_given_to_those_who_may_come_back_and_fits_a_close_frame() {
        let jitter = Duration::from_millis(1250);
        for close in CloseCode::ALL {
            let text = close.frame(jitter).description.unwrap();
            assert_eq!(text.contains(";retry_ms="), close.may_reconnect(), "{text}");
            // RFC 6455, 5.5: a control frame has 125 bytes, two of them for the code.
            assert!(text.len() <= 123);
        }
        let text = CloseCode::GoingAway.frame(jitter).description.unwrap();
        assert_eq!(text, "going_away;retry_ms=1500");
    }
}
