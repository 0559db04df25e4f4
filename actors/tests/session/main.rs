//! The WebSocket session, over real connections to a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "shared with the memory tests")]
mod client;
mod commands;
mod inbound;
mod lifetime;
mod order;
mod topics;
#[allow(dead_code, reason = "shared with the memory tests")]
mod world;
mod writes;
