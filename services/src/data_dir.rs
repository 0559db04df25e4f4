//! The folder of one service: its lock, its log, its port and its secrets.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};

use crate::error::ServiceError;

pub(crate) const LOCK_FILE: &str = "service.lock";
/// A log that has grown beyond this is set aside when the service starts.
const LOG_ROTATE_BYTES: u64 = 16 << 20;
const TAIL_BYTES: u64 = 16 << 10;
const TAIL_LINES: usize = 20;
/// The lock of a parent that was just killed goes when the kernel has closed its files.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// A data folder that this process alone uses, for as long as the value lives.
///
/// The lock is what tells a leftover (its parent is dead, the lock is free) from the service of
/// somebody who is running right now.
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: Flock<File>,
}

impl DataDir {
    pub(crate) fn open(path: &Path) -> Result<DataDir, ServiceError> {
        if !path.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .create(path)
                .map_err(ServiceError::path("create", path))?;
            // Passable for the account that Postgres runs under, whatever the umask; what is
            // secret in here has its own mode.
            fs::set_permissions(path, Permissions::from_mode(0o711))
                .map_err(ServiceError::path("set the mode of", path))?;
        }
        let path = path
            .canonicalize()
            .map_err(ServiceError::path("find", path))?;
        let lock = lock(&path)?;
        Ok(DataDir { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn recorded_port(&self) -> Option<u16> {
        fs::read_to_string(self.join("port"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    pub(crate) fn record_port(&self, port: u16) -> Result<(), ServiceError> {
        let path = self.join("port");
        fs::write(&path, format!("{port}\n")).map_err(ServiceError::path("write", &path))
    }

    pub(crate) fn open_log(&self, name: &str) -> Result<Log, ServiceError> {
        let path = self.join(name);
        if fs::metadata(&path).is_ok_and(|meta| meta.len() > LOG_ROTATE_BYTES) {
            let _ = fs::rename(&path, self.join(&format!("{name}.1")));
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(ServiceError::path("open", &path))?;
        let start = file.metadata().map_or(0, |meta| meta.len());
        Ok(Log { path, file, start })
    }
}

/// The log of a service, with the place where this start began to write.
pub(crate) struct Log {
    pub path: PathBuf,
    file: File,
    start: u64,
}

impl Log {
    /// The last lines of this start, indented for an error message.
    pub(crate) fn tail(path: &Path, start: u64) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = File::open(path)?;
            let len = file.metadata()?.len();
            file.seek(SeekFrom::Start(start.max(len.saturating_sub(TAIL_BYTES))))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = read().unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        if last.is_empty() {
            return "  | (nothing was logged)".into();
        }
        let indented: Vec<String> = last.iter().map(|line| format!("  | {line}")).collect();
        indented.join("\n")
    }

    /// A handle for the child to write to.
    pub(crate) fn try_clone(&self) -> Result<File, ServiceError> {
        self.file
            .try_clone()
            .map_err(ServiceError::path("share", &self.path))
    }

    pub(crate) fn start(&self) -> u64 {
        self.start
    }
}

fn lock(dir: &Path) -> Result<Flock<File>, ServiceError> {
    let path = dir.join(LOCK_FILE);
    let deadline = Instant::now() + LOCK_PATIENCE;
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(ServiceError::path("open", &path))?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err(_) if Instant::now() >= deadline => {
                return Err(ServiceError::InUse(dir.to_path_buf()));
            }
            Err((back, _)) => file = back,
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Writes a file that only its owner can read, replacing it as a whole.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), ServiceError> {
    let new = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(ServiceError::path("write", path))
}

/// Creates a folder that only its owner can enter.
pub(crate) fn create_private_dir(path: &Path) -> Result<(), ServiceError> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .map_err(ServiceError::path("create", path))
}

/// `bytes` random bytes as hexadecimal digits, for passwords and unique names.
pub(crate) fn random_hex(bytes: usize) -> Result<String, ServiceError> {
    let mut raw = vec![0_u8; bytes];
    getrandom::fill(&mut raw).map_err(|error| ServiceError::Io {
        what: "cannot read random bytes".into(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(raw.iter().map(|byte| format!("{byte:02x}")).collect())
}
