//! `loadtest faults` in short: every scenario on real parts, with the built server. Long runs: docs/reliability.md.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
};

/// One casino at a time: each has a Postgres, a nats-server and up to two servers, and all of them would wait for
/// the same two cores.
static TURN: Mutex<()> = Mutex::new(());

/// Runs one scenario; a seed that failed can be had again by PITBOSS_SEED.
fn nothing_is_lost_or_doubled(scenario: &str) {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let loadtest = Path::new(env!("CARGO_BIN_EXE_loadtest"));
    let server = loadtest.with_file_name("pitboss");
    assert!(
        server.is_file(),
        "{} is not built: run the tests of the whole workspace, or cargo build -p pitboss",
        server.display()
    );
    let mut command = Command::new(loadtest);
    command.args(["faults", "--scenario", scenario, "--seconds", "6"]);
    command.args([
        "--players",
        "40",
        "--workers",
        "12",
        "--rate",
        "300",
        "--streams",
        "6",
    ]);
    if let Ok(seed) = std::env::var("PITBOSS_SEED") {
        command.args(["--seed", &seed]);
    }
    let output = command.output().unwrap();
    drop(turn);
    let told = String::from_utf8_lossy(&output.stderr);
    println!("{told}{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{scenario}: {}", output.status);
}

#[test]
fn a_server_killed_at_random_moments() {
    nothing_is_lost_or_doubled("server-killed");
}

#[test]
fn postgres_crashed_and_restarted() {
    nothing_is_lost_or_doubled("postgres-crashed");
}

#[test]
fn connections_cut_between_commit_and_reply() {
    nothing_is_lost_or_doubled("replies-cut");
}

#[test]
fn everything_delayed() {
    nothing_is_lost_or_doubled("delayed");
}

#[test]
fn nats_killed_and_restarted() {
    nothing_is_lost_or_doubled("bus-killed");
}

#[test]
fn nats_killed_with_its_store_lost() {
    nothing_is_lost_or_doubled("bus-store-lost");
}

#[test]
fn two_servers_on_one_database() {
    nothing_is_lost_or_doubled("two-nodes");
}

#[test]
fn a_full_disk() {
    nothing_is_lost_or_doubled("disk-full");
}

#[test]
fn clocks_that_jump() {
    nothing_is_lost_or_doubled("clock-jumps");
}

#[test]
fn all_of_it_at_once() {
    nothing_is_lost_or_doubled("everything");
}
