//! Postgres as a child process: it answers, keeps its data, and survives being killed.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use pitboss_services::{Postgres, PostgresOptions, ScratchDir, ServiceError, remove_data};
use tokio_postgres::{Client, NoTls};

async fn connect(postgres: &Postgres, database: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(&postgres.url(database), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

async fn count(client: &Client) -> i64 {
    let row = client.query_one("select count(*) from bets", &[]).await;
    row.unwrap().get(0)
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn data_and_port_survive_a_stop_a_crash_and_a_new_start() {
    let scratch = ScratchDir::new("pg").unwrap();
    let dir = scratch.join("postgres");
    let mut postgres = Postgres::start(PostgresOptions::for_tests(&dir))
        .await
        .unwrap();
    postgres.create_database("casino").await.unwrap();
    postgres.create_database("casino").await.unwrap();

    let client = connect(&postgres, "casino").await;
    for (setting, wanted) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("TimeZone", "UTC"),
        ("jit", "off"),
        ("shared_buffers", "32MB"),
    ] {
        let row = client
            .query_one("select current_setting($1)", &[&setting])
            .await
            .unwrap();
        assert_eq!(row.get::<_, String>(0), wanted, "{setting}");
    }
    let sql = "create table bets (id int); insert into bets values (1)";
    client.batch_execute(sql).await.unwrap();
    let (first_pid, port) = (postgres.pid(), postgres.port());

    postgres.kill_immediate().await;
    assert!(!postgres.is_running());
    assert!(client.query_one("select 1", &[]).await.is_err());
    postgres.restart().await.unwrap();
    assert_ne!(postgres.pid(), first_pid);
    assert_eq!(postgres.port(), port);
    let client = connect(&postgres, "casino").await;
    assert_eq!(count(&client).await, 1, "recovered from the log");

    postgres.stop().await;
    drop(postgres);
    let postgres = Postgres::start(PostgresOptions::for_tests(&dir))
        .await
        .unwrap();
    assert_eq!(postgres.port(), port, "kept over a new start");
    let client = connect(&postgres, "casino").await;
    assert_eq!(count(&client).await, 1);
    assert_eq!(mode(&dir.join("password")), 0o600);
    assert_eq!(mode(&dir.join("postgres.log")), 0o600);

    let second = Postgres::start(PostgresOptions::for_tests(&dir)).await;
    assert!(
        matches!(second, Err(ServiceError::InUse(_))),
        "not ended as a leftover"
    );
    assert!(matches!(
        remove_data(scratch.path()),
        Err(ServiceError::InUse(_))
    ));
    let wrong = postgres.url("casino").replace("pitboss:", "pitboss:x");
    let refused = tokio_postgres::connect(&wrong, NoTls).await.err().unwrap();
    assert_eq!(refused.code().unwrap().code(), "28P01");
    assert_eq!(count(&client).await, 1);

    let pid = postgres.pid();
    drop(postgres);
    assert!(
        !Path::new(&format!("/proc/{pid}")).exists(),
        "ended by drop"
    );
}

#[tokio::test]
async fn a_leftover_and_a_misleading_pid_file_do_not_block_the_start() {
    let scratch = ScratchDir::new("pg-left").unwrap();
    let dir = scratch.join("postgres");
    let mut postgres = Postgres::start(PostgresOptions::for_tests(&dir))
        .await
        .unwrap();
    postgres.stop().await;
    let port = postgres.port();
    drop(postgres);

    // A postmaster whose parent knows nothing of this library, as after a kill -9.
    let pgdata = dir.join("cluster/data").canonicalize().unwrap();
    let owner = pgdata.metadata().unwrap();
    let mut command = Command::new(postgres_binary());
    command
        .arg("-D")
        .arg(&pgdata)
        .args(["-p", &port.to_string()]);
    command.args(["-c", "unix_socket_directories="]);
    command
        .current_dir(&pgdata)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if nix::unistd::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut leftover = command.spawn().unwrap();
    while !pgdata.join("postmaster.pid").exists() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Reaps it, as init would; a zombie counts as ended either way.
    let reaper = std::thread::spawn(move || leftover.wait().unwrap());

    let mut postgres = Postgres::start(PostgresOptions::for_tests(&dir))
        .await
        .unwrap();
    assert!(
        reaper.join().unwrap().code().is_some(),
        "it was asked, not killed"
    );
    connect(&postgres, "postgres").await;
    postgres.kill_immediate().await;
    drop(postgres);

    // The pid of a live process of the same user that has nothing to do with Postgres.
    let mut command = Command::new("sleep");
    command.arg("60");
    if nix::unistd::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = command.spawn().unwrap();
    let pid_file = pgdata.join("postmaster.pid");
    let rest = std::fs::read_to_string(&pid_file).unwrap_or_default();
    let rest: Vec<&str> = rest.lines().skip(1).collect();
    std::fs::write(
        &pid_file,
        format!("{}\n{}\n", stranger.id(), rest.join("\n")),
    )
    .unwrap();
    let postgres = Postgres::start(PostgresOptions::for_tests(&dir))
        .await
        .unwrap();
    connect(&postgres, "postgres").await;
    assert!(
        stranger.try_wait().unwrap().is_none(),
        "the stranger was left alone"
    );
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_failed_start_shows_the_log_and_what_was_tried() {
    let scratch = ScratchDir::new("pg-fail").unwrap();
    let options = PostgresOptions::for_tests(scratch.join("postgres"));
    let failed = Postgres::start(options.clone().setting("wal_level", "nonsense")).await;
    let text = failed.err().unwrap().to_string();
    for part in [
        "wal_level=nonsense",
        "postgres.log",
        "invalid value for parameter \"wal_level\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = Postgres::start(options.port(Some(port)))
        .await
        .err()
        .unwrap();
    assert!(matches!(refused, ServiceError::PortTaken { port: p, .. } if p == port));
}

/// Only root has a data folder that the cluster's own account cannot reach.
#[tokio::test]
async fn as_root_a_private_data_folder_gets_its_cluster_elsewhere() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let scratch = ScratchDir::new("pg-root").unwrap();
    let private = scratch.join("private");
    std::fs::create_dir(&private).unwrap();
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o700)).unwrap();
    let dir = private.join("postgres");

    let mut postgres = Postgres::start(PostgresOptions::for_tests(&dir))
        .await
        .unwrap();
    let placed = dir.join("cluster").canonicalize().unwrap();
    assert!(!placed.starts_with(scratch.path()), "{}", placed.display());
    assert_ne!(placed.metadata().unwrap().uid(), 0);
    let status = std::fs::read_to_string(format!("/proc/{}/status", postgres.pid())).unwrap();
    let line = |name| status.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(!line("Uid:").split_whitespace().any(|id| id == "0"));
    assert_eq!(
        line("Groups:").split_whitespace().nth(1),
        None,
        "no group of root's"
    );

    postgres.stop().await;
    drop(postgres);
    let postgres = Postgres::start(PostgresOptions::for_tests(&dir))
        .await
        .unwrap();
    assert_eq!(dir.join("cluster").canonicalize().unwrap(), placed);
    drop(postgres);
    remove_data(&private).unwrap();
    assert!(!placed.exists() && !private.exists());
}

fn postgres_binary() -> std::path::PathBuf {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path().join("bin/postgres"))
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| "postgres".into())
}
