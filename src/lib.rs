//! The Pitboss server: configuration, HTTP edges, the NATS adapter, the command line, and the wiring.
//!
//! What lives here: everything that knows of more than one of the crates beside it. What must not: rules of
//! money (`wallet`), wire formats of providers (`providers`), actors (`actors`), SQL (`schema`).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod access;
pub mod accounts;
pub mod app;
mod approvals;
pub mod audit;
pub mod bus;
pub mod callback_log;
pub mod catalogue;
pub mod cli;
mod cli_keys;
pub mod config;
mod connection;
pub mod contract;
pub mod demo;
pub mod feed;
pub mod games;
pub mod http;
pub mod keys;
mod logbook;
pub mod nats;
pub mod openapi;
mod payments;
pub mod sandbox;
pub mod seams;
pub mod server;
pub mod simulate;
pub mod telemetry;
pub mod tls;
pub mod tokens;
pub mod vault;
pub mod watch;
pub mod webhooks;
pub mod world;
