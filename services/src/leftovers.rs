//! Ends what an earlier run left behind.
//!
//! A process is ours when it works in the data folder (compared by device and inode, so a reused
//! pid or the same path in another container never matches) and its program is one of ours (so a
//! shell that somebody opened there is left alone). Both `postgres` and its backends stay in the
//! cluster's folder; a backend that outlived its postmaster is thus found as well.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::ServiceError;

const PROGRAMS: [&str; 4] = ["postgres", "nats-server", "initdb", "setpriv"];
const POLITE_LIMIT: Duration = Duration::from_secs(20);
const KILL_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// Ends every process of ours that works in one of `dirs`, and returns when none is left.
pub(crate) fn end_in(dirs: &[PathBuf]) -> Result<(), ServiceError> {
    // SIGINT is the fast shutdown of Postgres, and nats-server ends by it too.
    for (signal, limit) in [
        (Signal::SIGINT, POLITE_LIMIT),
        (Signal::SIGKILL, KILL_LIMIT),
    ] {
        let deadline = Instant::now() + limit;
        let found = find_in(dirs);
        if found.is_empty() {
            return Ok(());
        }
        for (pid, dir) in &found {
            tracing::warn!(pid, %signal, dir = %dir.display(), "ending a process of an earlier run");
            let _ = kill(Pid::from_raw(*pid), signal);
        }
        while Instant::now() < deadline {
            if find_in(dirs).is_empty() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
    }
    match find_in(dirs).into_iter().next() {
        Some((pid, dir)) => Err(ServiceError::Leftover { pid, dir }),
        None => Ok(()),
    }
}

fn find_in(dirs: &[PathBuf]) -> Vec<(i32, PathBuf)> {
    let marks: Vec<(u64, u64, &PathBuf)> = dirs
        .iter()
        .filter_map(|dir| {
            let meta = std::fs::metadata(dir).ok()?;
            Some((meta.dev(), meta.ino(), dir))
        })
        .collect();
    if marks.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // Not readable for the processes of other users, which cannot be ours then.
        let Ok(cwd) = std::fs::metadata(entry.path().join("cwd")) else {
            continue;
        };
        let place = marks
            .iter()
            .find(|(dev, ino, _)| (*dev, *ino) == (cwd.dev(), cwd.ino()));
        if let Some((_, _, dir)) = place
            && runs_our_program(&entry.path())
        {
            found.push((pid, (*dir).clone()));
        }
    }
    found
}

/// Judged by the first argument; a zombie has none, and has ended.
fn runs_our_program(process: &Path) -> bool {
    let command_line = std::fs::read(process.join("cmdline")).unwrap_or_default();
    // A backend of Postgres retitles itself: `postgres: checkpointer`.
    let first = command_line
        .split(|byte| *byte == 0 || *byte == b':')
        .next()
        .unwrap_or_default();
    Path::new(std::ffi::OsStr::from_bytes(first))
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| PROGRAMS.contains(&name))
}
