//! Black-box tests: the started program, with a real Postgres and a real nats-server.
//!
//! One crate, so that it links once. Most tests share one sandbox, each with players of its own; those that
//! stop or kill something start what they need. `support` is the common equipment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

mod architecture;
mod callbacks;
mod cli;
mod commands;
mod contract;
mod crash;
mod environments;
mod events;
mod fuzz;
mod hostile;
mod idempotency;
mod lists;
mod logs;
mod monitoring;
mod nats;
mod nats_lost;
mod nats_outage;
mod nats_users;
mod nodes;
mod overload;
mod postgres_outage;
mod protocol;
mod refusals;
mod rejects;
mod repeats;
mod rest;
mod sandbox;
mod sessions;
mod signature;
mod slow_clients;
mod stream;
mod stream_commands;
mod stream_input;
mod stream_nodes;
mod tidy;
mod webhooks;
