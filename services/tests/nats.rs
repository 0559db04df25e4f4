//! nats-server as a child process: its accounts, its port, and what happens after a kill.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use pitboss_services::{Nats, NatsAccount, NatsOptions, ScratchDir, ServiceError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const ODD_PASSWORD: &str = "s p\"a\\c{e}#$HOME";

fn options(scratch: &ScratchDir) -> NatsOptions {
    NatsOptions::new(scratch.join("nats"))
        .account(NatsAccount::new("SANDBOX", "sandbox", "sandbox-secret"))
        .account(NatsAccount::new("LIVE", "live", ODD_PASSWORD))
}

struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    /// Logs in by hand; the server's answer is `PONG` or an error.
    async fn open(nats: &Nats, user: &str, password: &str) -> (Session, String) {
        let stream = TcpStream::connect(("127.0.0.1", nats.port()))
            .await
            .unwrap();
        let mut session = Session {
            stream: BufReader::new(stream),
        };
        let info = session.line().await;
        assert!(info.starts_with("INFO "), "{info}");
        let login = serde_json::json!({"verbose": false, "user": user, "pass": password});
        session.send(&format!("CONNECT {login}\r\nPING\r\n")).await;
        let answer = session.line().await;
        (session, answer)
    }

    async fn send(&mut self, text: &str) {
        self.stream
            .get_mut()
            .write_all(text.as_bytes())
            .await
            .unwrap();
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await {
            Ok(_) => line.trim_end().to_owned(),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => "reset".into(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a request and returns the body of the answer.
    async fn request(&mut self, subject: &str, body: &str) -> String {
        let len = body.len();
        self.send(&format!(
            "SUB _INBOX.1 1\r\nUNSUB 1 1\r\nPUB {subject} _INBOX.1 {len}\r\n{body}\r\n"
        ))
        .await;
        let head = self.line().await;
        assert!(head.starts_with("MSG "), "{head}");
        self.line().await
    }
}

#[tokio::test]
async fn each_account_has_its_own_jetstream_and_strangers_are_refused() {
    let scratch = ScratchDir::new("nats").unwrap();
    let mut nats = Nats::start(options(&scratch)).await.unwrap();

    let (mut sandbox, answer) = Session::open(&nats, "sandbox", "sandbox-secret").await;
    assert_eq!(answer, "PONG");
    let (mut live, answer) = Session::open(&nats, "live", ODD_PASSWORD).await;
    assert_eq!(answer, "PONG");
    for (user, password) in [("sandbox", "wrong"), ("live", "sandbox-secret"), ("", "")] {
        let (_, answer) = Session::open(&nats, user, password).await;
        assert!(
            answer.starts_with("-ERR 'Authorization Violation'"),
            "{user}: {answer}"
        );
    }

    let stream = r#"{"name":"WALLET","subjects":["wallet.*"],"storage":"file"}"#;
    let made = sandbox
        .request("$JS.API.STREAM.CREATE.WALLET", stream)
        .await;
    assert!(made.contains("\"created\""), "{made}");
    let stored = sandbox.request("wallet.bet_debited", "{}").await;
    assert!(stored.contains("\"seq\":1"), "{stored}");
    let unseen = live.request("$JS.API.STREAM.INFO.WALLET", "").await;
    assert!(unseen.contains("stream not found"), "{unseen}");

    let (port, pid) = (nats.port(), nats.pid());
    nats.kill_immediate().await;
    nats.restart().await.unwrap();
    assert_eq!(nats.port(), port);
    assert_ne!(nats.pid(), pid);
    let (mut sandbox, _) = Session::open(&nats, "sandbox", "sandbox-secret").await;
    let kept = sandbox.request("$JS.API.STREAM.INFO.WALLET", "").await;
    assert!(kept.contains("\"messages\":1"), "{kept}");

    let config = scratch.join("nats/nats.conf").metadata().unwrap();
    assert_eq!(config.permissions().mode() & 0o777, 0o600);
    let second = Nats::start(options(&scratch)).await;
    assert!(matches!(second, Err(ServiceError::InUse(_))));
    nats.stop().await;
    assert!(!nats.is_running());
}

#[tokio::test]
async fn a_leftover_is_ended_by_the_next_start() {
    let scratch = ScratchDir::new("nats-left").unwrap();
    let mut nats = Nats::start(options(&scratch)).await.unwrap();
    nats.stop().await;
    let port = nats.port();
    drop(nats);

    let dir = scratch.join("nats");
    let program = ["/usr/sbin/nats-server", "/usr/bin/nats-server"];
    let program = program
        .into_iter()
        .find(|path| std::path::Path::new(path).exists());
    let mut leftover = Command::new(program.unwrap_or("nats-server"))
        .args([
            "-c",
            "nats.conf",
            "-a",
            "127.0.0.1",
            "-p",
            &port.to_string(),
        ])
        .current_dir(&dir)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A program that only happens to run in the folder.
    let mut stranger = Command::new("sleep")
        .arg("60")
        .current_dir(&dir)
        .spawn()
        .unwrap();
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    let nats = Nats::start(options(&scratch)).await.unwrap();
    assert!(leftover.try_wait().unwrap().is_some());
    assert_eq!(nats.port(), port, "the leftover had it");
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_bad_account_is_named_and_its_password_is_not() {
    let scratch = ScratchDir::new("nats-bad").unwrap();
    let account = NatsAccount::new("LIVE", "live", "line\nbreak");
    assert!(!format!("{account:?}").contains("break"));
    let refused = Nats::start(NatsOptions::new(scratch.join("nats")).account(account)).await;
    let text = refused.err().unwrap().to_string();
    assert!(
        text.contains("NATS password") && !text.contains("break"),
        "{text}"
    );

    let twice = options(&scratch).account(NatsAccount::new("THIRD", "live", "other"));
    let text = Nats::start(twice).await.err().unwrap().to_string();
    assert!(text.contains("nats.log") && text.contains("live"), "{text}");
}
