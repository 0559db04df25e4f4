//! The wallet against models: what it decides is what the rules say, and two owners decide as one.
//!
//! - [`reference`]: a naive wallet, written from `docs/rules.md` alone;
//! - [`histories`]: random histories, played to the real `decide` and `apply` and to that reference;
//! - [`invariants`]: INV-1 to INV-9 on what is durable; [`breaches`]: each of these checks finds what it is there for;
//! - [`nodes`]: every interleaving of a few requests over two owners of one player, with crashes and lost replies.
//!
//! `PROPTEST_CASES` sets how many histories are played.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod breaches;
#[path = "../harness/mod.rs"]
mod harness;
mod histories;
mod invariants;
mod nodes;
mod owner;
mod reference;
