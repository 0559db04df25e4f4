//! A sandbox of our own: `pitboss sandbox` as a child process, ended by SIGTERM.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    cli::SandboxOptions,
    error::{Error, Result},
    http::Http,
    target::Target,
};

/// A first start creates a database cluster.
const START_LIMIT: Duration = Duration::from_secs(120);
/// A drain, a checkpoint, and the services' own time limits.
const STOP_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);
const FOLDER: &str = "loadtest-sandbox";

/// Where a sandbox of ours is and what runs it.
#[derive(Debug, Clone)]
pub struct Place {
    program: PathBuf,
    data: PathBuf,
}

impl Place {
    pub fn new(options: &SandboxOptions) -> Result<Self> {
        let data = match &options.data {
            Some(data) => data.clone(),
            None => own_folder()?.join(FOLDER),
        };
        Ok(Self {
            program: program(options.pitboss.as_deref())?,
            data,
        })
    }

    fn connection_file(&self) -> PathBuf {
        self.data.join("connection.json")
    }

    fn log_file(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// Starts it and waits until it is ready. Blocks; call it outside of a runtime.
    pub fn start(&self, fresh: bool) -> Result<Sandbox> {
        // One of an earlier start would name a server that is gone.
        match fs::remove_file(self.connection_file()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::Io {
                    what: format!("cannot remove {}", self.connection_file().display()),
                    source: error,
                });
            }
            _ => {}
        }
        let log = self.log_file();
        let stdout = create(&log)?;
        let stderr = stdout
            .try_clone()
            .map_err(Error::io("cannot share the sandbox's log"))?;
        let mut command = ends_with_us(&self.program);
        command.arg("sandbox").arg("--data").arg(&self.data);
        // As a live environment has it: a sandbox logs every callback, which people look at and nobody measures.
        command.env("PITBOSS__CALLBACK_LOG__SANDBOX", "failures");
        if fresh {
            command.arg("--fresh");
        }
        let child = command
            // Of its own group: Ctrl-C is for us, and we then stop it in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .map_err(Error::io(format!(
                "cannot start {}",
                self.program.display()
            )))?;
        let mut sandbox = Sandbox { child, log };
        sandbox.wait_until_ready(&self.connection_file())?;
        Ok(sandbox)
    }

    pub fn target(&self) -> Result<Target> {
        Target::read(&self.connection_file())
    }

    /// Removes the data of a stopped sandbox.
    pub fn remove(&self) -> Result<()> {
        pitboss_services::remove_data(&self.data)?;
        Ok(())
    }
}

fn own_folder() -> Result<PathBuf> {
    let own = std::env::current_exe().map_err(Error::io("cannot find this program's folder"))?;
    own.parent()
        .map(Path::to_owned)
        .ok_or_else(|| Error::given("this program is in no folder"))
}

/// The server's program: the one named, or `pitboss` in this program's folder.
pub fn program(named: Option<&Path>) -> Result<PathBuf> {
    let program = match named {
        Some(named) => named.to_owned(),
        None => own_folder()?.join("pitboss"),
    };
    if program.is_file() {
        return Ok(program);
    }
    Err(Error::given(format!(
        "{} is not there: build it (cargo build --release -p pitboss), or name it with --pitboss",
        program.display()
    )))
}

/// Starts a program under `setpriv`, where there is one, so that it also ends when this program is killed.
pub fn ends_with_us(program: &Path) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.is_file() {
        return Command::new(program);
    }
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}

fn create(path: &Path) -> Result<File> {
    File::create(path).map_err(Error::io(format!("cannot write {}", path.display())))
}

/// A running sandbox, stopped when dropped.
#[derive(Debug)]
pub struct Sandbox {
    child: Child,
    log: PathBuf,
}

impl Sandbox {
    fn wait_until_ready(&mut self, connection_file: &Path) -> Result<()> {
        let started = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Error::given(format!(
                    "the sandbox ended while it started ({status}); its last words:\n{}",
                    self.last_words()
                )));
            }
            if Target::read(connection_file).is_ok_and(|target| is_ready(&target)) {
                return Ok(());
            }
            if started.elapsed() > START_LIMIT {
                return Err(Error::given(format!(
                    "the sandbox was not ready after {} s; its last words:\n{}",
                    START_LIMIT.as_secs(),
                    self.last_words()
                )));
            }
            thread::sleep(POLL);
        }
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// It had to be killed.
    pub fn stop(mut self) -> Result<()> {
        if self.end() {
            return Ok(());
        }
        Err(Error::given(format!(
            "the sandbox did not stop within {} s and was killed",
            STOP_LIMIT.as_secs()
        )))
    }

    /// `false`: it had to be killed. A zombie keeps its number, so the signal cannot hit a stranger.
    fn end(&mut self) -> bool {
        if let Ok(pid) = i32::try_from(self.child.id())
            && matches!(self.child.try_wait(), Ok(None))
        {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let started = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if started.elapsed() > STOP_LIMIT {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.end();
    }
}

fn is_ready(target: &Target) -> bool {
    crate::runtime::run_local(async {
        let authority = target.admin_authority()?;
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {authority}\r\n\r\n");
        let mut http = Http::new(authority);
        let answer = http
            .send(request.as_bytes())
            .await
            .map_err(Error::io("asking whether the sandbox is ready"))?;
        Ok(answer.status == 200)
    })
    .unwrap_or(false)
}
