//! The only place that asks the clock and makes random things up.

use pitboss_actors::ports::{Clock, Ids};
use pitboss_wallet::Timestamp;
use uuid::Uuid;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the seam that the ban points to")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// UUIDs v7 of the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[allow(clippy::disallowed_methods, reason = "the seam that the ban points to")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Random bytes of the operating system, for keys and tokens.
///
/// # Errors
/// The operating system has none to give.
pub fn random_bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// A random number from 0 to 1, to spread what would else happen at one moment. Not for secrets.
#[must_use]
pub fn random_fraction() -> f64 {
    let bytes: [u8; 4] = random_bytes().unwrap_or([0x80, 0, 0, 0]);
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}
