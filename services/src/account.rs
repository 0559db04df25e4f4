//! The unprivileged account that Postgres runs under when we are root.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use crate::error::ServiceError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub uid: u32,
    pub gid: u32,
}

impl Account {
    /// The account to drop to; `None` when we are not root and simply stay who we are.
    pub(crate) fn to_drop_to() -> Result<Option<Account>, ServiceError> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| {
                Some(Account {
                    uid: user.uid.as_raw(),
                    gid: user.gid.as_raw(),
                })
            })
            .ok_or(ServiceError::NoUnprivilegedUser)
    }

    /// The account of a cluster that exists: whoever owns it. So a cluster that an ordinary user
    /// made stays that user's when root starts it once.
    pub(crate) fn of_owner(path: &Path) -> Result<Option<Account>, ServiceError> {
        let owner = std::fs::metadata(path).map_err(ServiceError::path("look at", path))?;
        if geteuid().is_root() {
            return if owner.uid() == 0 {
                Self::to_drop_to()
            } else {
                Ok(Some(Account {
                    uid: owner.uid(),
                    gid: owner.gid(),
                }))
            };
        }
        if owner.uid() == geteuid().as_raw() {
            return Ok(None);
        }
        Err(ServiceError::BadCluster(format!(
            "the Postgres cluster in {} belongs to user id {}; start as root or as that user, or choose another data folder",
            path.display(),
            owner.uid()
        )))
    }

    pub(crate) fn own(self, path: &Path) -> Result<(), ServiceError> {
        chown(path, Some(self.uid), Some(self.gid))
            .map_err(ServiceError::path("change the owner of", path))
    }

    /// Whether this account can get to a folder and write there. Tried rather than computed from
    /// the mode bits of every parent, which know nothing of ACLs or security modules.
    pub(crate) fn can_use(self, dir: &Path) -> bool {
        Command::new("/bin/sh")
            .args(["-c", "cd \"$1\" && test -w .", "sh"])
            .arg(dir)
            .uid(self.uid)
            .gid(self.gid)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}
