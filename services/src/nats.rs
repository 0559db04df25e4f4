//! A private nats-server with JetStream and one account per environment.
//!
//! Works with nats-server 2.9 (Debian 12) and later. JetStream flushes its files to disk every
//! two minutes, not per message: it may lose what it acknowledged when the *machine* loses power.
//! A kill of the process loses nothing. It is a copy of the outbox, never the record of money.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;

use crate::binaries;
use crate::data_dir::{DataDir, Log, random_hex, write_private};
use crate::error::ServiceError;
use crate::leftovers;
use crate::nats_accounts::{NatsAccount, nats_accounts};
use crate::process::{Spec, Steps};
use crate::server::{Program, Server, blocking};

const CONFIG: &str = "nats.conf";
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
const ON_DROP: Steps = &[
    (Signal::SIGTERM, Duration::from_secs(3)),
    (Signal::SIGKILL, Duration::from_secs(2)),
];

#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// The folder of this service alone; created when it is not there.
    pub data_dir: PathBuf,
    /// `None`: the port of the last time if it is free, otherwise any free one.
    pub port: Option<u16>,
    /// One user each, with a JetStream of its own, and its guests. Whoever presents none of them is refused.
    pub accounts: Vec<NatsAccount>,
}

impl NatsOptions {
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        NatsOptions {
            data_dir: data_dir.into(),
            port: None,
            accounts: Vec::new(),
        }
    }

    #[must_use]
    pub fn port(mut self, port: Option<u16>) -> Self {
        self.port = port;
        self
    }

    #[must_use]
    pub fn account(mut self, account: NatsAccount) -> Self {
        self.accounts.push(account);
        self
    }
}

/// A running nats-server; ended when dropped. See the crate's documentation.
pub struct Nats {
    server: Server<NatsProgram>,
}

impl Nats {
    /// Starts nats-server and returns when it accepts clients and JetStream is on.
    pub async fn start(options: NatsOptions) -> Result<Nats, ServiceError> {
        let NatsOptions {
            data_dir,
            port,
            accounts,
        } = options;
        let (dir, program) = blocking(move || {
            let binary = binaries::nats_server()?;
            let dir = DataDir::open(&data_dir)?;
            leftovers::end_in(&[dir.path().to_path_buf()])?;
            write_private(&dir.join(CONFIG), &config(&dir, &accounts)?)?;
            let program = NatsProgram {
                binary,
                cwd: dir.path().to_path_buf(),
                name: format!("pitboss-{}", random_hex(6)?),
            };
            Ok((dir, program))
        })
        .await?;
        let server = Server::start(program, dir, port).await?;
        Ok(Nats { server })
    }

    /// The address, without user and password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port())
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The server's process id; the last one after a stop.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    pub fn is_running(&mut self) -> bool {
        self.server.is_running()
    }

    pub async fn stop(&mut self) {
        self.server.end(NatsProgram::STOP).await;
    }

    /// SIGKILL, for fault tests. Returns when the process is gone.
    pub async fn kill_immediate(&mut self) {
        self.server.end(NatsProgram::CRASH).await;
    }

    /// Starts again on the same port and data, after a stop if it was running.
    pub async fn restart(&mut self) -> Result<(), ServiceError> {
        self.server.restart().await
    }
}

/// The configuration, written as JSON: nats-server reads it, and the quoting is not ours to do.
fn config(dir: &DataDir, accounts: &[NatsAccount]) -> Result<Vec<u8>, ServiceError> {
    let mut config = json!({ "jetstream": {"store_dir": dir.path()} });
    if !accounts.is_empty() {
        config["accounts"] = nats_accounts(accounts)?;
    }
    serde_json::to_vec_pretty(&config).map_err(|error| ServiceError::Io {
        what: "cannot write the configuration of nats-server".into(),
        source: error.into(),
    })
}

struct NatsProgram {
    binary: PathBuf,
    cwd: PathBuf,
    /// Drawn anew for every start; the server tells it to whoever connects.
    name: String,
}

impl Program for NatsProgram {
    const NAME: &'static str = "nats-server";
    const LOG: &'static str = "nats.log";
    const STOP: Steps = &[
        (Signal::SIGTERM, Duration::from_secs(10)),
        (Signal::SIGKILL, Duration::from_secs(5)),
    ];
    const CRASH: Steps = &[(Signal::SIGKILL, Duration::from_secs(5))];

    fn spec(&self, port: u16, log: &Log) -> Result<Spec, ServiceError> {
        let config = self.cwd.join(CONFIG).display().to_string();
        let port = port.to_string();
        Ok(Spec {
            program: self.binary.clone(),
            args: [
                "--config",
                &config,
                "--addr",
                "127.0.0.1",
                "--port",
                &port,
                "--name",
                &self.name,
            ]
            .map(str::to_owned)
            .to_vec(),
            cwd: self.cwd.clone(),
            account: None,
            log: log.try_clone()?,
            on_parent_death: Signal::SIGTERM,
            on_drop: ON_DROP,
        })
    }

    /// The first line a nats-server sends is `INFO {json}`. It listens only after JetStream has
    /// recovered, and its name tells it from a server that got the port before us.
    async fn ready(&self, port: u16) -> Result<(), String> {
        let ask = async {
            let stream = TcpStream::connect(("127.0.0.1", port)).await?;
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).await?;
            Ok::<_, std::io::Error>(line)
        };
        let line = tokio::time::timeout(ANSWER_LIMIT, ask)
            .await
            .map_err(|_| "no answer".to_owned())?
            .map_err(|error| error.to_string())?;
        let info: Value = line
            .strip_prefix("INFO ")
            .and_then(|json| serde_json::from_str(json).ok())
            .ok_or_else(|| format!("not a nats-server: {line:?}"))?;
        if info["server_name"] != self.name.as_str() {
            return Err("another nats-server has the port".into());
        }
        if info["jetstream"] != true {
            return Err("JetStream is off".into());
        }
        Ok(())
    }
}
