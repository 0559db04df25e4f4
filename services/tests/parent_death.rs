//! Children die with their parent, and not with a thread of it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pitboss_services::{Nats, NatsAccount, NatsOptions, Postgres, PostgresOptions, ScratchDir};

/// Set for the copy of this test that plays the parent.
const PARENT_OF: &str = "PITBOSS_TEST_PARENT_OF";

async fn start_both(dir: &Path) -> (Postgres, Nats) {
    let postgres = Postgres::start(PostgresOptions::for_tests(dir.join("postgres"))).await;
    let account = NatsAccount::new("SANDBOX", "sandbox", "secret");
    let nats = Nats::start(NatsOptions::new(dir.join("nats")).account(account)).await;
    (postgres.unwrap(), nats.unwrap())
}

fn runs(pid: u32) -> bool {
    // A zombie is gone for all that matters: in a container, init may not reap it.
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
fn children_end_when_their_parent_is_killed() {
    if let Some(dir) = std::env::var_os(PARENT_OF) {
        be_the_parent(Path::new(&dir));
    }
    let scratch = ScratchDir::new("parent").unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "children_end_when_their_parent_is_killed",
            "--nocapture",
        ])
        .env(PARENT_OF, scratch.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pids: Vec<u32> = BufReader::new(parent.stdout.take().unwrap())
        .lines()
        .find_map(|line| Some(line.unwrap().split_once("pids ")?.1.to_owned()))
        .unwrap()
        .split(' ')
        .map(|pid| pid.parse().unwrap())
        .collect();
    assert!(pids.iter().all(|pid| runs(*pid)));
    parent.kill().unwrap();
    parent.wait().unwrap();

    let has_setpriv = Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "true"])
        .status()
        .is_ok_and(|status| status.success());
    let deadline = Instant::now() + Duration::from_secs(10);
    while has_setpriv && pids.iter().any(|pid| runs(*pid)) {
        assert!(Instant::now() < deadline, "still running: {pids:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    // With or without setpriv: the next start works and leaves none of the old ones.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let both = runtime.block_on(start_both(scratch.path()));
    assert!(!pids.iter().any(|pid| runs(*pid)));
    drop(both);
}

fn be_the_parent(dir: &Path) -> ! {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (postgres, nats) = runtime.block_on(start_both(dir));
    println!("pids {} {}", postgres.pid(), nats.pid());
    loop {
        std::thread::park();
    }
}

#[test]
fn children_outlive_the_thread_and_the_runtime_that_started_them() {
    let scratch = ScratchDir::new("thread").unwrap();
    let dir = scratch.path().to_path_buf();
    let (mut postgres, mut nats) = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { tokio::spawn(async move { start_both(&dir).await }).await })
    })
    .join()
    .unwrap()
    .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(postgres.is_running() && nats.is_running());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime
        .block_on(postgres.create_database("still_here"))
        .unwrap();
    runtime.block_on(async {
        postgres.stop().await;
        nats.stop().await;
    });
    assert!(!postgres.is_running() && !nats.is_running());
}
