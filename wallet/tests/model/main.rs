//! The wallet against models: random histories against a naive reference, and every interleaving of two nodes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]
