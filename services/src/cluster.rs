//! The files of a Postgres cluster: where they are, whose they are, and how they come to be.
//!
//! ```text
//! <data_dir>/cluster/        or a symlink, see `place`; owned by the account Postgres runs under
//!            cluster/data/   PGDATA
//!            password        mode 600
//!            postgres.log, port, service.lock
//! ```

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::account::Account;
use crate::binaries::PostgresBinaries;
use crate::data_dir::{DataDir, Log, create_private_dir, random_hex, write_private};
use crate::error::ServiceError;
use crate::leftovers;
use crate::process::{Process, Spec, Steps};

pub(crate) const SUPERUSER: &str = "pitboss";
pub(crate) const CLUSTER_LINK: &str = "cluster";
/// A folder with this file in it was made by `place`, and may be removed with its data folder.
pub(crate) const PLACED_NOTE: &str = "PITBOSS-CLUSTER.txt";
const INITDB_LIMIT: Duration = Duration::from_secs(120);
const INITDB_END: Steps = &[
    (Signal::SIGTERM, Duration::from_secs(3)),
    (Signal::SIGKILL, Duration::from_secs(3)),
];

/// A cluster that is ready to be served.
pub(crate) struct Cluster {
    pub pgdata: PathBuf,
    pub account: Option<Account>,
    pub binaries: PostgresBinaries,
    pub password: String,
}

/// What is there before the question whether `initdb` must run.
struct Home {
    path: PathBuf,
    account: Option<Account>,
}

impl Cluster {
    /// Opens the cluster in `dir`, or makes one.
    pub(crate) async fn open(dir: DataDir) -> Result<(Cluster, DataDir), ServiceError> {
        let (home, dir) = crate::server::blocking(move || {
            let home = Home::open(&dir)?;
            leftovers::end_in(&working_dirs(&home.path))?;
            Ok((home, dir))
        })
        .await?;
        let pgdata = home.path.join("data");
        let version = fs::read_to_string(pgdata.join("PG_VERSION")).ok();
        let binaries = PostgresBinaries::find(version.as_deref().map(str::trim))?;
        if version.is_none() {
            initdb(&dir, &home, &binaries).await?;
        } else {
            drop_misleading_pid_file(&pgdata)?;
        }
        let path = dir.join("password");
        let password = fs::read_to_string(&path).map_err(ServiceError::path("read", &path))?;
        let cluster = Cluster {
            pgdata,
            account: home.account,
            binaries,
            password: password.trim().to_owned(),
        };
        Ok((cluster, dir))
    }
}

/// Every folder that a process of a cluster may have as its working directory.
pub(crate) fn working_dirs(home: &Path) -> Vec<PathBuf> {
    vec![home.to_path_buf(), home.join("data"), home.join("new")]
}

impl Home {
    fn open(dir: &DataDir) -> Result<Home, ServiceError> {
        let link = dir.join(CLUSTER_LINK);
        if fs::symlink_metadata(&link).is_err() {
            return Self::place(dir, &link);
        }
        let path = link.canonicalize().map_err(|_| {
            ServiceError::BadCluster(format!(
                "{} points to a cluster that is gone; remove the link to start with an empty one",
                link.display()
            ))
        })?;
        let account = Account::of_owner(&path)?;
        Ok(Home { path, account })
    }

    /// Makes the folder: in the data folder, or elsewhere when the account cannot get there.
    fn place(dir: &DataDir, link: &Path) -> Result<Home, ServiceError> {
        create_private_dir(link)?;
        let Some(account) = Account::to_drop_to()? else {
            return Ok(Home {
                path: link.to_path_buf(),
                account: None,
            });
        };
        account.own(link)?;
        if account.can_use(link) {
            return Ok(Home {
                path: link.to_path_buf(),
                account: Some(account),
            });
        }
        let mut refused = Vec::new();
        for base in [PathBuf::from("/var/lib"), std::env::temp_dir()] {
            let path = base.join(format!("pitboss-{}", random_hex(6)?));
            if create_private_dir(&path).is_ok() {
                account.own(&path)?;
                if account.can_use(&path) {
                    let note = format!(
                        "The Postgres cluster of {}, which the account it runs under cannot reach.\n",
                        dir.path().display()
                    );
                    write_private(&path.join(PLACED_NOTE), note.as_bytes())?;
                    fs::remove_dir(link).map_err(ServiceError::path("replace", link))?;
                    symlink(&path, link).map_err(ServiceError::path("create the link", link))?;
                    tracing::info!(
                        data = %dir.path().display(), cluster = %path.display(),
                        "the account that Postgres runs under cannot reach the data folder; the cluster is placed elsewhere"
                    );
                    return Ok(Home {
                        path,
                        account: Some(account),
                    });
                }
                let _ = fs::remove_dir(&path);
            }
            refused.push(base.display().to_string());
        }
        let _ = fs::remove_dir(link);
        Err(ServiceError::BadCluster(format!(
            "user id {} cannot write to {}, nor to {}; choose a data folder that it can reach",
            account.uid,
            dir.path().display(),
            refused.join(", ")
        )))
    }
}

/// Makes the cluster beside its place and renames it, so that an interrupted `initdb` leaves
/// nothing that looks like a cluster.
async fn initdb(
    dir: &DataDir,
    home: &Home,
    binaries: &PostgresBinaries,
) -> Result<(), ServiceError> {
    let new = home.path.join("new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(ServiceError::path("remove", &new))?;
    }
    let password = random_hex(24)?;
    write_private(&dir.join("password"), password.as_bytes())?;
    // A file of its own: initdb must read it as an account that has no business with ours.
    let given = home.path.join("initdb-password");
    write_private(&given, password.as_bytes())?;
    if let Some(account) = home.account {
        account.own(&given)?;
    }
    let log = dir.open_log("postgres.log")?;
    let (log_path, log_start) = (log.path.clone(), log.start());
    let spec = Spec {
        program: binaries.initdb.clone(),
        args: [
            "--pgdata",
            &new.display().to_string(),
            "--username",
            SUPERUSER,
            "--pwfile",
            &given.display().to_string(),
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        .map(str::to_owned)
        .to_vec(),
        cwd: home.path.clone(),
        account: home.account,
        log: log.try_clone()?,
        on_parent_death: Signal::SIGTERM,
        on_drop: INITDB_END,
    };
    let tried = spec.tried();
    let outcome = match Process::spawn(spec).await {
        Err(error) => Some(error.to_string()),
        Ok(mut process) => match process.wait(INITDB_LIMIT).await {
            Some(status) if status.success() => None,
            Some(status) => Some(format!("initdb ended with {status}")),
            None => Some(format!("initdb took longer than {INITDB_LIMIT:?}")),
        },
    };
    let _ = fs::remove_file(&given);
    if let Some(reason) = outcome {
        return Err(ServiceError::StartFailed {
            service: "Postgres",
            reason,
            tried,
            log: log_path.display().to_string(),
            tail: Log::tail(&log_path, log_start),
        });
    }
    let pgdata = home.path.join("data");
    fs::rename(&new, &pgdata).map_err(ServiceError::path("move into place", &pgdata))
}

/// Postgres itself sees through a stale `postmaster.pid`, except when the pid in it now belongs
/// to some other process of the same user. Only then is the file removed: it also holds the key
/// by which Postgres notices surviving backends. (None survive: `leftovers` has just looked.)
fn drop_misleading_pid_file(pgdata: &Path) -> Result<(), ServiceError> {
    let path = pgdata.join("postmaster.pid");
    let Ok(content) = fs::read_to_string(&path) else {
        return Ok(());
    };
    let pid = content.lines().next().unwrap_or_default().trim();
    if pid.parse::<u32>().is_ok() && Path::new("/proc").join(pid).exists() {
        fs::remove_file(&path).map_err(ServiceError::path("remove", &path))?;
    }
    Ok(())
}
