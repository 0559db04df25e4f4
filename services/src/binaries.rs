//! Finds the programs of Postgres and NATS on this machine.

use std::path::{Path, PathBuf};

use crate::error::ServiceError;

const POSTGRES_ADVICE: &str = "Install it: Debian/Ubuntu `apt-get install postgresql`; Fedora `dnf install postgresql-server`; \
Arch `pacman -S postgresql`; Alpine `apk add postgresql`. \
Or set PITBOSS_POSTGRES_BIN to the folder that holds `postgres` and `initdb`.";

const NATS_ADVICE: &str = "Install it: Debian/Ubuntu `apt-get install nats-server`; Arch `pacman -S nats-server`; \
elsewhere the single binary from https://github.com/nats-io/nats-server/releases. \
Or set PITBOSS_NATS_SERVER to the program.";

/// The programs of one Postgres installation.
#[derive(Debug, Clone)]
pub(crate) struct PostgresBinaries {
    pub initdb: PathBuf,
    pub postgres: PathBuf,
}

impl PostgresBinaries {
    /// The newest installation, or the one of `major` when a cluster of that version exists:
    /// a server cannot open the files of another major version.
    pub(crate) fn find(major: Option<&str>) -> Result<Self, ServiceError> {
        if let Some(dir) = std::env::var_os("PITBOSS_POSTGRES_BIN") {
            let dir = PathBuf::from(dir);
            return Self::in_dir(&dir).ok_or_else(|| ServiceError::Missing {
                program: "postgres",
                looked_in: format!("PITBOSS_POSTGRES_BIN={}", dir.display()),
                advice: POSTGRES_ADVICE,
            });
        }
        let mut versioned = versioned_dirs();
        versioned.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        if let Some(wanted) = major.and_then(|major| major.parse::<u32>().ok()) {
            // A stable sort: the wanted version first, the others stay as they were.
            versioned.sort_by_key(|(version, _)| *version != wanted);
        }
        versioned
            .into_iter()
            .map(|(_, dir)| dir)
            .chain(path_dirs())
            .find_map(|dir| Self::in_dir(&dir))
            .ok_or(ServiceError::Missing {
                program: "postgres",
                looked_in:
                    "/usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, /usr/libexec/postgresql*, PATH"
                        .into(),
                advice: POSTGRES_ADVICE,
            })
    }

    fn in_dir(dir: &Path) -> Option<Self> {
        let found = PostgresBinaries {
            initdb: dir.join("initdb"),
            postgres: dir.join("postgres"),
        };
        (found.initdb.is_file() && found.postgres.is_file()).then_some(found)
    }
}

pub(crate) fn nats_server() -> Result<PathBuf, ServiceError> {
    let missing = |looked_in: String| ServiceError::Missing {
        program: "nats-server",
        looked_in,
        advice: NATS_ADVICE,
    };
    if let Some(program) = std::env::var_os("PITBOSS_NATS_SERVER") {
        let program = PathBuf::from(program);
        return if program.is_file() {
            Ok(program)
        } else {
            Err(missing(format!(
                "PITBOSS_NATS_SERVER={}",
                program.display()
            )))
        };
    }
    on_path("nats-server").ok_or_else(|| missing("PATH, /usr/sbin, /usr/local/bin".into()))
}

/// A program on the PATH, or where Debian puts daemons: `/usr/sbin` is on root's PATH only.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    path_dirs()
        .map(|dir| dir.join(name))
        .find(|program| program.is_file())
}

fn path_dirs() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let listed: Vec<PathBuf> = std::env::split_paths(&path)
        .filter(|dir| dir.is_absolute())
        .collect();
    listed.into_iter().chain(
        ["/usr/bin", "/usr/sbin", "/usr/local/bin"]
            .into_iter()
            .map(PathBuf::from),
    )
}

/// Where distributions keep several Postgres versions side by side, with the version of each.
fn versioned_dirs() -> Vec<(u32, PathBuf)> {
    let mut found = Vec::new();
    let mut look = |parent: &str, prefix: &str, below: &str| {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(prefix));
            if let Some(version) = version.and_then(|text| text.parse().ok()) {
                found.push((version, entry.path().join(below)));
            }
        }
    };
    look("/usr/lib/postgresql", "", "bin"); // Debian, Ubuntu
    look("/usr", "pgsql-", "bin"); // the RPMs of the Postgres project
    look("/usr/libexec", "postgresql", ""); // Alpine
    found
}
