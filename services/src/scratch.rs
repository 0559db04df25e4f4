//! A temporary folder for the services of one test run.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::data_dir::{create_private_dir, random_hex};
use crate::error::ServiceError;
use crate::remove::remove_data;

const PREFIX: &str = "pitboss-scratch-";

/// A new folder under the system's temporary folder, removed with all services' data when
/// dropped. Declare it before the services that live in it, or after them in a struct.
///
/// Names carry their maker's pid and start time. A run that was killed, or that kept its
/// services in a static, never drops; the next `new` removes what it left.
#[derive(Debug)]
pub struct ScratchDir {
    path: PathBuf,
}

impl ScratchDir {
    pub fn new(label: &str) -> Result<ScratchDir, ServiceError> {
        let base = std::env::temp_dir();
        remove_abandoned(&base);
        let pid = std::process::id();
        let started = start_time(pid).unwrap_or_default();
        let path = base.join(format!(
            "{PREFIX}{label}-{pid}-{started}-{}",
            random_hex(4)?
        ));
        create_private_dir(&path)?;
        // Passable for the account that Postgres runs under.
        fs::set_permissions(&path, Permissions::from_mode(0o711))
            .map_err(ServiceError::path("set the mode of", &path))?;
        Ok(ScratchDir { path })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        if let Err(error) = remove_data(&self.path) {
            tracing::warn!(%error, "a scratch folder stays behind");
        }
    }
}

fn remove_abandoned(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_abandoned) {
            // Best effort: it may be another user's, or another run is removing it too.
            let _ = remove_data(&entry.path());
        }
    }
}

fn is_abandoned(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let mut parts = rest.rsplit('-').skip(1);
    let started = parts.next().and_then(|text| text.parse::<u64>().ok());
    let pid = parts.next().and_then(|text| text.parse::<u32>().ok());
    match (pid, started) {
        (Some(pid), Some(started)) => start_time(pid) != Some(started),
        _ => false,
    }
}

/// When a process started, in clock ticks since boot: field 22 of its `stat`. With the pid it
/// names a process for good, which the pid alone does not.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_abandoned_only_when_its_maker_is_dead() {
        let scratch = ScratchDir::new("own").unwrap();
        let name = scratch.path().file_name().unwrap().to_str().unwrap();
        assert!(!is_abandoned(name));
        let pid = std::process::id();
        assert!(
            is_abandoned(&format!("{PREFIX}x-{pid}-1-abcd")),
            "reused pid"
        );
        assert!(!is_abandoned("pitboss-scratch-something"));
        assert!(!is_abandoned("another-folder"));
    }

    #[test]
    fn dropping_removes_the_folder_and_what_is_in_it() {
        let scratch = ScratchDir::new("drop").unwrap();
        let path = scratch.path().to_path_buf();
        fs::write(scratch.join("file"), "x").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }
}
