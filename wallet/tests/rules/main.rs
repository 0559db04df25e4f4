//! One test per rule: the number and the words of `docs/rules.md` are in the test's name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../harness/mod.rs"]
mod harness;

mod adjustments;
mod amounts;
mod batches;
mod deposits;
mod events;
mod games;
mod golden;
mod idempotency;
mod lifetimes;
mod payments;
mod policies;
mod races;
mod refusals;
mod rollbacks;
mod rounds;
mod sessions;
mod tombstones;
mod wins;
mod withdrawal_terms;
mod withdrawals;
