//! What every test needs: the program under test, and the three kinds of people who use it.
//!
//! `program` runs the binary and ends it, `sandbox` and `casino` start a whole casino of it, `client` is
//! the operator and the provider over HTTP, `account` another provider, `simulated` one of any dialect, `player` one player and his requests, `stream` his WebSocket,
//! `bus` a subscriber on NATS, `receiver` one of webhooks, `owner` another owner of a player, `ledger` the look
//! into Postgres that tells whether it is true. What must not live here: rules of the casino. They are in the
//! tests, one each.

pub mod account;
pub mod bus;
pub mod casino;
pub mod client;
pub mod ledger;
pub mod owner;
pub mod player;
pub mod program;
pub mod random;
pub mod receiver;
pub mod sandbox;
pub mod simulated;
pub mod stream;

use std::time::Duration;

/// How long anything may take before a test gives up on it. Never part of what is proved.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A name that no other test has, nor any earlier run.
pub fn unique(label: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{label}-{}-{count}", std::process::id())
}
