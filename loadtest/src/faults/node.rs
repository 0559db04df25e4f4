//! One server process of the casino: started, killed without a word, and started again.

use std::{
    fs::{self, OpenOptions},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, UNIX_EPOCH},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{
    clock::unix_s,
    error::{Error, Result},
    http::Http,
    sandbox::ends_with_us,
};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(20);
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// The library looks once a second, and the server makes its `Date` twice a second.
const CLOCK_LIMIT: Duration = Duration::from_secs(20);
/// Debian and Ubuntu, and where other builds put it.
const FAKETIME: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
];

/// `libfaketime`, which makes a process see another time: the server itself has no switch for that.
pub fn faketime() -> Result<PathBuf> {
    let found = FAKETIME.iter().map(Path::new).find(|path| path.is_file());
    found.map(Path::to_owned).ok_or_else(|| {
        Error::given(
            "clocks cannot be moved without libfaketime: install it (Debian/Ubuntu: libfaketime), or leave \
             the scenarios clock-jumps and everything out",
        )
    })
}

/// How one server is started.
pub struct Launch {
    pub program: PathBuf,
    pub config: PathBuf,
    pub api: u16,
    pub admin: u16,
    pub log: PathBuf,
    /// Moves its clock, when the scenario does: the library, and the file that says by how much.
    pub clock: Option<(PathBuf, PathBuf)>,
}

pub struct Node {
    pub launch: Launch,
    child: Option<Child>,
}

impl Node {
    pub fn new(launch: Launch) -> Self {
        Self {
            launch,
            child: None,
        }
    }

    /// Starts the process.
    pub fn start(&mut self) -> Result<()> {
        let launch = &self.launch;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&launch.log)
            .map_err(Error::io("cannot write the server's log"))?;
        let error_log = log
            .try_clone()
            .map_err(Error::io("cannot share the server's log"))?;
        let mut command: Command = ends_with_us(&launch.program);
        command.arg("serve").arg("--config").arg(&launch.config);
        if let Some((library, file)) = &launch.clock {
            command
                .env("LD_PRELOAD", library)
                .env("FAKETIME_TIMESTAMP_FILE", file)
                .env("FAKETIME_CACHE_DURATION", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(error_log)
            .spawn()
            .map_err(Error::io(format!(
                "cannot start {}",
                launch.program.display()
            )))?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until the server is ready. One that has ended, because Postgres was away when it looked, is started
    /// again, as an operator's supervisor does.
    pub async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if !self.is_running() {
                self.start()?;
            }
            if is_ready(self.launch.admin).await {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::given(format!(
                    "a server is not ready after {} s; its last words:\n{}",
                    START_LIMIT.as_secs(),
                    self.last_words()
                )));
            }
            sleep(POLL).await;
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// kill -9, and the process is gone when this returns.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM. `false`: it did not end gracefully.
    pub async fn stop(&mut self) -> bool {
        let Some(mut child) = self.child.take() else {
            return false;
        };
        if let Ok(pid) = i32::try_from(child.id())
            && matches!(child.try_wait(), Ok(None))
        {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let deadline = Instant::now() + STOP_LIMIT;
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) if Instant::now() < deadline => sleep(POLL).await,
                _ => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return false;
                }
            }
        }
    }

    /// Sets the clock off by so many seconds, now and for later starts, and returns when the server shows that
    /// time in its answers.
    pub async fn set_clock(&mut self, offset_s: i32) -> Result<()> {
        let Some((_, file)) = &self.launch.clock else {
            return Ok(());
        };
        write_offset(file, offset_s)?;
        let deadline = Instant::now() + CLOCK_LIMIT;
        while self.is_running() {
            let shown = timeout(ANSWER_LIMIT, shown_offset_s(self.launch.admin)).await;
            if matches!(shown, Ok(Some(shown)) if (shown - i64::from(offset_s)).abs() <= 2) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::given(format!(
                    "a server's clock is not off by {offset_s} s as it should be: {shown:?}"
                )));
            }
            sleep(POLL).await;
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.launch.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How far a server's clock is ahead of ours, by the `Date` of an answer.
async fn shown_offset_s(admin: u16) -> Option<i64> {
    let mut stream = TcpStream::connect(("127.0.0.1", admin)).await.ok()?;
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let date = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("date").then(|| value.trim())
    })?;
    let theirs = httpdate::parse_http_date(date).ok()?;
    let theirs = theirs.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(i64::try_from(theirs).ok()? - i64::try_from(unix_s()).ok()?)
}

/// Renamed into its place: the library must never read half a number.
pub fn write_offset(file: &Path, offset_s: i32) -> Result<()> {
    let new = file.with_extension("new");
    fs::write(&new, format!("{offset_s:+}\n"))
        .and_then(|()| fs::rename(&new, file))
        .map_err(Error::io("cannot set a clock"))
}

async fn is_ready(admin: u16) -> bool {
    let mut http = Http::new(format!("127.0.0.1:{admin}"));
    let asked = http.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    matches!(timeout(ANSWER_LIMIT, asked).await, Ok(Ok(answer)) if answer.status == 200)
}
