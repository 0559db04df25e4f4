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

mod access;
mod approvals;
mod architecture;
mod audit_log;
mod callback_log;
mod callbacks;
mod catalogue;
mod cli;
mod commands;
mod contract;
mod conventions;
mod crash;
mod environments;
mod events;
mod fuzz;
mod game_launch;
mod game_rules;
mod games_import;
mod guides;
mod hostile;
mod idempotency;
mod keys;
mod keys_elsewhere;
mod lists;
mod lobby;
mod logs;
mod monitoring;
mod nats;
mod nats_lost;
mod nats_outage;
mod nats_users;
mod nodes;
mod openapi;
mod overload;
mod payments;
mod players;
mod postgres_outage;
mod protocol;
mod providers;
mod refusals;
mod rejects;
mod repeats;
mod reports;
mod rest;
mod sandbox;
mod search;
mod sessions;
mod signature;
mod slow_clients;
mod statements;
mod stream;
mod stream_commands;
mod stream_input;
mod stream_nodes;
mod tidy;
mod tls;
mod webhooks;
