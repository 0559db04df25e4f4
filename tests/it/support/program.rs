//! The binary as a child process that never outlives the test process.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Mutex, OnceLock, mpsc},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::PATIENCE;

const BINARY: &str = env!("CARGO_BIN_EXE_pitboss");

/// `pitboss` with these arguments, and no setting of whoever runs the tests.
pub fn pitboss(args: &[&str]) -> Command {
    // The kernel ends the server when the tests end in any way; the server then ends its own children.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "TERM", BINARY])
        .args(args)
        .stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PITBOSS") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command that ends by itself.
pub async fn run(command: Command) -> Output {
    let mut command = command;
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = spawn(command);
    tokio::task::spawn_blocking(move || child.wait_with_output())
        .await
        .unwrap()
        .unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Spawns from the one thread that never ends: the kernel's signal comes when the *thread* that made the
/// child ends, and a test's thread does so long before the last test.
fn spawn(command: Command) -> Child {
    type Request = (Command, mpsc::Sender<std::io::Result<Child>>);
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Request>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests) = mpsc::channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, answer) in requests {
                answer.send(command.spawn()).unwrap();
            }
        });
        Mutex::new(sender)
    });
    let (answer, answered) = mpsc::channel();
    spawner.lock().unwrap().send((command, answer)).unwrap();
    answered
        .recv()
        .unwrap()
        .expect("setpriv (util-linux) starts the program")
}

/// A running server.
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts it with both outputs appended to `log`, in a process group of its own as in a terminal.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let out = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let err = out.try_clone().unwrap();
        command.stdout(out).stderr(err).process_group(0);
        Self {
            child: spawn(command),
            log: log.to_owned(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn signal(&self, signal: Signal) {
        signal_to(self.pid(), signal);
    }

    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub async fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.exited() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end; its log:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait().await
    }

    pub async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.wait().await;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        for (signal, patience) in [(Signal::SIGTERM, 30), (Signal::SIGKILL, 5)] {
            let deadline = Instant::now() + Duration::from_secs(patience);
            while Instant::now() < deadline {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                self.signal(signal);
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn pid(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap())
}

pub fn signal_to(process: u32, signal: Signal) {
    kill(pid(process), signal).unwrap();
}

/// Whether there is such a process, not counting one that has ended and waits for its parent to notice.
pub fn is_alive(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}
