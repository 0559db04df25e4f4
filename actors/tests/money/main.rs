//! Players, registry, journal, bridge and sweeper on a ledger in memory: the rules of the actors, one test each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod bridge;
mod journal;
mod registry;
mod world;
