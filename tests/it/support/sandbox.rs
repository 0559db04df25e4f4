//! `pitboss sandbox`: one that all tests share, and others for tests that stop things.

use std::path::{Path, PathBuf};

use pitboss_services::ScratchDir;
use tokio::sync::OnceCell;

use super::{
    client::{Client, Connection},
    eventually,
    ledger::Ledger,
    program::{Program, pitboss},
};

pub struct Sandbox {
    pub program: Program,
    pub data: PathBuf,
    pub at: Connection,
}

struct Shared {
    sandbox: Sandbox,
    // A static is never dropped: the next run's `ScratchDir::new` removes the folder.
    _scratch: ScratchDir,
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();

/// A client of the sandbox that all tests share. Nothing may stop it or change it for others.
pub async fn shared() -> Client {
    let start = async || {
        let scratch = ScratchDir::new("shared").unwrap();
        let sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
        Shared {
            sandbox,
            _scratch: scratch,
        }
    };
    SHARED.get_or_init(start).await.sandbox.client()
}

/// The data folder of the shared sandbox.
pub async fn shared_data() -> PathBuf {
    shared().await;
    SHARED.get().unwrap().sandbox.data.clone()
}

impl Sandbox {
    /// Starts one in `data`, and returns when it is ready.
    pub async fn start(data: &Path, options: &[&str]) -> Self {
        let mut args = vec!["sandbox", "--data", data.to_str().unwrap()];
        args.extend(options);
        let log = data.with_extension("log");
        let mut program = Program::start(pitboss(&args), &log);
        let file = data.join("connection.json");
        let at = eventually("the sandbox starts", async || {
            assert!(program.exited().is_none(), "it ended:\n{}", program.log());
            let text = std::fs::read(&file).ok()?;
            // A run that was killed leaves its file behind.
            let at: Connection = serde_json::from_slice(&text).ok()?;
            (at.pids.server == program.pid()).then_some(at)
        })
        .await;
        Self {
            program,
            data: data.to_owned(),
            at,
        }
    }

    /// A client, to be used in one test's own runtime.
    pub fn client(&self) -> Client {
        Client::new(self.at.clone(), "sandbox")
    }

    pub async fn ledger(&self) -> Ledger {
        Ledger::open(&self.at.postgres).await
    }

    /// What the sandbox keeps to itself.
    pub fn secret(&self, name: &str) -> String {
        secret(&self.data, name)
    }
}

pub fn secret(data: &Path, name: &str) -> String {
    let text = std::fs::read(data.join("secrets.json")).unwrap();
    let secrets: serde_json::Value = serde_json::from_slice(&text).unwrap();
    secrets[name].as_str().unwrap().to_owned()
}
