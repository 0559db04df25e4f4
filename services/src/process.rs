//! One child process: how it is spawned, waited for and ended.
//!
//! Built on `std::process` with polling instead of `tokio::process`, because a child outlives the
//! runtime that started it: a test suite shares one Postgres among tests that each have their own.

use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::oneshot;

use crate::account::Account;
use crate::binaries::on_path;

const POLL: Duration = Duration::from_millis(10);

/// Signals to send in turn, each with the time to wait for the end before the next.
pub(crate) type Steps = &'static [(Signal, Duration)];

/// What to run. The working directory doubles as the mark by which a leftover is recognised.
pub(crate) struct Spec {
    pub program: PathBuf,
    pub args: Vec<String>,
    pub cwd: PathBuf,
    pub account: Option<Account>,
    pub log: File,
    pub on_parent_death: Signal,
    pub on_drop: Steps,
}

impl Spec {
    pub(crate) fn tried(&self) -> String {
        let mut text = self.program.display().to_string();
        for arg in &self.args {
            text.push(' ');
            text.push_str(arg);
        }
        text
    }
}

/// A child that is ended when dropped.
pub(crate) struct Process {
    child: Child,
    on_drop: Steps,
}

impl Process {
    pub(crate) async fn spawn(spec: Spec) -> io::Result<Process> {
        let (answer, answered) = oneshot::channel();
        spawner()?
            .send((spec, answer))
            .map_err(|_| io::Error::other("the spawning thread has ended"))?;
        answered
            .await
            .map_err(|_| io::Error::other("the spawning thread has ended"))?
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, once there is one.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        match self.child.try_wait() {
            Ok(status) => status,
            // Somebody else reaped it (a parent that ignores SIGCHLD): it has ended all the same.
            Err(_) => Some(ExitStatus::from_raw(0)),
        }
    }

    /// Waits for the end; `None` when it did not come within `limit`.
    pub(crate) async fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.exited() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    pub(crate) async fn end(&mut self, steps: Steps) {
        for (signal, limit) in steps {
            if self.exited().is_some() {
                return;
            }
            self.signal(*signal);
            if self.wait(*limit).await.is_some() {
                return;
            }
            tracing::warn!(pid = self.pid(), %signal, ?limit, "a child did not end in time");
        }
    }

    /// The child is not reaped yet when this is called, so the pid cannot be another's.
    fn signal(&self, signal: Signal) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Process {
    /// Waits too, although that blocks: without it the child would stay a zombie and would still
    /// be writing files while a test removes the folder.
    fn drop(&mut self) {
        for (signal, limit) in self.on_drop {
            if self.exited().is_some() {
                return;
            }
            self.signal(*signal);
            let deadline = Instant::now() + *limit;
            while self.exited().is_none() && Instant::now() < deadline {
                std::thread::sleep(POLL);
            }
        }
    }
}

type Request = (Spec, oneshot::Sender<io::Result<Process>>);

/// The one thread that spawns. The kernel sends a child its parent-death signal when the *thread*
/// that made it ends, and the worker threads of a runtime come and go; this one never ends.
fn spawner() -> io::Result<mpsc::Sender<Request>> {
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Request>>> = OnceLock::new();
    if SPAWNER.get().is_none() {
        let (sender, requests) = mpsc::channel::<Request>();
        // Two callers may race to here. The thread of the loser ends at once, before it ever had
        // a child, because its sender is dropped.
        std::thread::Builder::new()
            .name("service-spawner".into())
            .spawn(move || {
                while let Ok((spec, answer)) = requests.recv() {
                    // A caller that has gone away drops the process, which ends it.
                    let _ = answer.send(spawn_here(spec));
                }
            })?;
        let _ = SPAWNER.set(Mutex::new(sender));
    }
    SPAWNER
        .get()
        .and_then(|sender| sender.lock().ok().map(|sender| sender.clone()))
        .ok_or_else(|| io::Error::other("the spawning thread is not available"))
}

fn spawn_here(spec: Spec) -> io::Result<Process> {
    let stderr = spec.log.try_clone()?;
    let child = command(&spec)
        .args(&spec.args)
        .current_dir(&spec.cwd)
        .process_group(0)
        // Messages in English, because one of them is looked for: the port that is taken.
        .env("LC_ALL", "C")
        .env_remove("PGDATA")
        .env_remove("PGPORT")
        .stdin(Stdio::null())
        .stdout(spec.log)
        .stderr(stderr)
        .spawn()?;
    Ok(Process {
        child,
        on_drop: spec.on_drop,
    })
}

fn command(spec: &Spec) -> Command {
    let Some(setpriv) = setpriv() else {
        let mut command = Command::new(&spec.program);
        if let Some(account) = spec.account {
            // As root the standard library clears the supplementary groups along with this.
            command.uid(account.uid).gid(account.gid);
        }
        return command;
    };
    let mut command = Command::new(setpriv);
    if let Some(account) = spec.account {
        command
            .arg(format!("--reuid={}", account.uid))
            .arg(format!("--regid={}", account.gid))
            .arg("--clear-groups");
    }
    // setpriv applies this last whatever the order of the arguments, after the change of user.
    let signal = spec.on_parent_death.as_str().trim_start_matches("SIG");
    command.arg("--pdeathsig").arg(signal).arg(&spec.program);
    command
}

/// `setpriv` from util-linux; the one of busybox does not know the option.
fn setpriv() -> Option<&'static PathBuf> {
    static SETPRIV: OnceLock<Option<PathBuf>> = OnceLock::new();
    SETPRIV
        .get_or_init(|| {
            let program = on_path("setpriv")?;
            let works = Command::new(&program)
                .args(["--pdeathsig", "TERM", "true"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
            if !works {
                tracing::warn!(
                    "setpriv of util-linux is missing: after a kill -9 of this process its \
                     Postgres and nats-server run on until the next start ends them"
                );
            }
            works.then_some(program)
        })
        .as_ref()
}
