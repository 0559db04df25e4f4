//! `pitboss sandbox`: starts everything, keeps the data, leaves no process behind.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use nix::sys::signal::Signal;
use pitboss_services::ScratchDir;

use crate::support::{
    eventually,
    player::Player,
    program::{is_alive, pitboss, run, stderr},
    sandbox::Sandbox,
};

/// The processes that work in a folder or below it, by name.
fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(place) = std::fs::read_link(entry.path().join("cwd")) else {
            continue;
        };
        if place.starts_with(&folder) {
            found.push(std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default());
        }
    }
    found
}

async fn nothing_runs_in(folder: &Path) {
    eventually("the children are gone", async || {
        processes_in(folder).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_keeps_data_keys_and_service_ports_over_a_restart_and_fresh_empties_it() {
    let scratch = ScratchDir::new("restart").unwrap();
    let data = scratch.join("data");
    let mut sandbox = Sandbox::start(&data, &[]).await;
    let before = sandbox.at.clone();
    let player = Player::with(&sandbox.client(), "100.00").await;
    let bet = player.bet("b", "1.00");
    let first = sandbox.client().callback("bet", &bet).await.ok();
    assert_eq!(
        sandbox.program.terminate().await.code(),
        Some(0),
        "{}",
        sandbox.program.log()
    );

    let mut sandbox = Sandbox::start(&data, &[]).await;
    let now = sandbox.at.clone();
    assert_eq!(
        (now.postgres, now.nats.url, now.nats.password),
        (before.postgres, before.nats.url, before.nats.password)
    );
    assert_eq!(now.operator_key, before.operator_key);
    assert_eq!(now.providers[0].secret, before.providers[0].secret);
    let client = sandbox.client();
    // The ledger answers the repeat, and the seeded players were not given their money twice.
    let again = client.callback("bet", &bet).await.ok();
    assert_eq!(
        again.text,
        first
            .text
            .replace(r#""replayed":false"#, r#""replayed":true"#)
    );
    for name in &now.players {
        let seeded = client.get(&format!("/v1/players/{name}")).await.ok();
        assert_eq!(seeded.json["wallets"][0]["total"], "1000.00");
    }
    sandbox.program.terminate().await;

    let sandbox = Sandbox::start(&data, &["--fresh"]).await;
    assert_ne!(sandbox.at.operator_key, before.operator_key);
    sandbox
        .client()
        .get(&format!("/v1/players/{}", player.id))
        .await
        .refused(404, "unknown_player");
}

#[tokio::test]
async fn connection_json_is_for_its_owner_alone_and_gone_after_a_stop() {
    let scratch = ScratchDir::new("connection").unwrap();
    let mut sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
    let file = sandbox.data.join("connection.json");
    for name in ["connection.json", "secrets.json"] {
        let mode = std::fs::metadata(sandbox.data.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for pointer in [
        "/api",
        "/admin",
        "/stream",
        "/postgres",
        "/nats/url",
        "/nats/user",
        "/nats/password",
        "/operator_key",
        "/providers/0/id",
        "/providers/0/dialect",
        "/providers/0/secret",
        "/players/1",
        "/pids/server",
        "/pids/postgres",
        "/pids/nats",
    ] {
        assert!(json.pointer(pointer).is_some(), "{pointer}");
    }
    let printed = sandbox.program.log();
    for text in [
        "Pitboss sandbox is ready.",
        json["api"].as_str().unwrap(),
        json["operator_key"].as_str().unwrap(),
    ] {
        assert!(printed.contains(text), "{text} is not in {printed}");
    }
    sandbox.program.terminate().await;
    assert!(!file.exists());
}

#[tokio::test]
async fn sigterm_and_ctrl_c_leave_no_process_behind() {
    let scratch = ScratchDir::new("signals").unwrap();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
        let pids = sandbox.at.pids.clone();
        assert!(is_alive(pids.postgres) && is_alive(pids.nats));
        sandbox.program.signal(signal);
        assert_eq!(
            sandbox.program.wait().await.code(),
            Some(0),
            "{signal}\n{}",
            sandbox.program.log()
        );
        assert!(!is_alive(pids.postgres) && !is_alive(pids.nats), "{signal}");
        assert_eq!(
            processes_in(&sandbox.data),
            Vec::<String>::new(),
            "{signal}"
        );
    }
}

#[tokio::test]
async fn a_signal_while_it_starts_leaves_no_process_behind_either() {
    let scratch = ScratchDir::new("early").unwrap();
    let data: PathBuf = scratch.join("data");
    for wait_ms in [50, 400, 1200] {
        let command = pitboss(&["sandbox", "--data", data.to_str().unwrap()]);
        let mut program =
            crate::support::program::Program::start(command, &scratch.join("early.log"));
        tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
        // Before it listens for signals, the signal itself ends it.
        program.terminate().await;
        if data.exists() {
            nothing_runs_in(&data).await;
        }
    }
    // What was left half made is no obstacle.
    Sandbox::start(&data, &[]).await;
}

#[tokio::test]
async fn after_a_kill_9_the_next_start_works_and_nothing_old_is_left() {
    let scratch = ScratchDir::new("killed").unwrap();
    let data = scratch.join("data");
    let mut sandbox = Sandbox::start(&data, &[]).await;
    let old = sandbox.at.pids.clone();
    let player = Player::with(&sandbox.client(), "100.00").await;
    sandbox
        .client()
        .callback("bet", &player.bet("b", "1.00"))
        .await
        .ok();
    sandbox.program.kill().await;
    let sandbox = Sandbox::start(&data, &[]).await;
    assert!(!is_alive(old.postgres) && !is_alive(old.nats));
    assert_eq!(player.cash(&sandbox.client()).await, "99.00");
}

#[tokio::test]
async fn two_run_side_by_side_and_two_in_one_folder_do_not() {
    let scratch = ScratchDir::new("siblings").unwrap();
    let (one, two) = (scratch.join("one"), scratch.join("two"));
    let (one, two) = tokio::join!(Sandbox::start(&one, &[]), Sandbox::start(&two, &[]));
    assert_ne!(one.at.api, two.at.api);
    assert_ne!(one.at.nats.url, two.at.nats.url);
    let player = Player::with(&one.client(), "1.00").await;
    let mut crossed = two.client();
    crossed.at.operator_key.clone_from(&one.at.operator_key);
    crossed
        .get(&format!("/v1/players/{}", player.id))
        .await
        .refused(401, "unauthorized");

    for option in [&[][..], &["--fresh"]] {
        let args = [&["sandbox", "--data", one.data.to_str().unwrap()], option].concat();
        let output = run(pitboss(&args)).await;
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(
            stderr(&output).contains(one.data.to_str().unwrap()),
            "{}",
            stderr(&output)
        );
    }
    assert_eq!(player.cash(&one.client()).await, "1.00");
}

#[tokio::test]
async fn ports_that_are_asked_for_are_used_or_the_start_says_why_not() {
    let scratch = ScratchDir::new("ports").unwrap();
    let ports: Vec<String> = (0..4)
        .map(|_| pitboss_services::free_port().unwrap().to_string())
        .collect();
    let options = [
        "--port",
        &ports[0],
        "--admin-port",
        &ports[1],
        "--postgres-port",
        &ports[2],
        "--nats-port",
        &ports[3],
    ];
    let sandbox = Sandbox::start(&scratch.join("data"), &options).await;
    assert!(sandbox.at.api.ends_with(&ports[0]) && sandbox.at.admin.ends_with(&ports[1]));
    assert!(
        sandbox.at.postgres.contains(&format!(":{}/", ports[2]))
            && sandbox.at.nats.url.ends_with(&ports[3])
    );
    let other = scratch.join("other");
    for (option, port) in [("--port", &ports[0]), ("--nats-port", &ports[3])] {
        let args = ["sandbox", "--data", other.to_str().unwrap(), option, port];
        let output = run(pitboss(&args)).await;
        assert_eq!(
            output.status.code(),
            Some(1),
            "{option}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(port.as_str()),
            "{option}: {}",
            stderr(&output)
        );
        nothing_runs_in(&scratch.join("other")).await;
    }
    assert_eq!(sandbox.secret("operator_key"), sandbox.at.operator_key);
}
