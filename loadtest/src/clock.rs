//! The wall clock, as a provider sees it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub fn unix_s() -> u64 {
    since_epoch().as_secs()
}

pub fn unix_us() -> u64 {
    u64::try_from(since_epoch().as_micros()).unwrap_or(u64::MAX)
}

pub fn unix_ms() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}

/// Zero before 1970.
fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
