//! What can go wrong, written for the person who has to put it right.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    #[error("{program} was not found (looked in {looked_in}).\n{advice}")]
    Missing {
        program: &'static str,
        looked_in: String,
        advice: &'static str,
    },

    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },

    #[error("{0} is in use by another running process; stop it, or choose another data folder")]
    InUse(PathBuf),

    #[error("{service} cannot use port {port} on 127.0.0.1: another process has it")]
    PortTaken { service: &'static str, port: u16 },

    #[error("{service} did not start: {reason}\n  tried: {tried}\n  log:   {log}\n{tail}")]
    StartFailed {
        service: &'static str,
        reason: String,
        tried: String,
        log: String,
        tail: String,
    },

    #[error("{kind} {value:?} is not usable: {allowed}")]
    BadName {
        kind: &'static str,
        value: String,
        allowed: &'static str,
    },

    #[error("{0}")]
    BadCluster(String),

    #[error("process {pid} of an earlier run still uses {dir} and could not be ended")]
    Leftover { pid: i32, dir: PathBuf },

    #[error("Postgres refuses to run as root, and neither user `postgres` nor `nobody` exists")]
    NoUnprivilegedUser,

    #[error("{what}: {reason}")]
    Sql { what: String, reason: String },
}

impl ServiceError {
    /// Adds what was being done to an I/O error, which by itself does not even name the file.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| ServiceError::Io { what, source }
    }

    pub(crate) fn path(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::io(format!("cannot {verb} {}", path.display()))
    }

    /// `tokio_postgres::Error` hides its cause from `Display`, so the chain is spelled out here.
    pub(crate) fn sql(what: impl Into<String>, error: &tokio_postgres::Error) -> Self {
        ServiceError::Sql {
            what: what.into(),
            reason: sql_chain(error),
        }
    }
}

pub(crate) fn sql_chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
