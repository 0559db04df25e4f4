//! Why the database did not do what was asked.

use std::{error::Error, time::Duration};

use pitboss_actors::ports::PortError;
use pitboss_wallet::Environment;

/// The texts are for the log and for the operator's console, never for an HTTP answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database address cannot be read: {0}")]
    Address(String),
    /// No connection, or none in time.
    #[error("no connection to the database: {0}")]
    Connection(String),
    #[error("the database did not answer within {0:?}")]
    Timeout(Duration),
    #[error("{what}: {reason}")]
    Sql {
        what: &'static str,
        /// The whole chain: tokio-postgres prints only the outermost of it.
        reason: String,
    },
    #[error("cannot migrate the database: {0}")]
    Migration(String),
    #[error("the database is not migrated: run `pitboss migrate`")]
    NotInstalled,
    #[error(
        "the database is at schema version {found}, this program needs {needed}: {}",
        advice(*found, *needed)
    )]
    SchemaVersion { found: i32, needed: i32 },
    /// The lane of a player is fixed by the number of lanes at install.
    #[error(
        "the database was installed with {installed} lanes, the configuration says {configured}: \
         this number cannot change"
    )]
    Lanes { installed: u16, configured: u16 },
    #[error(
        "the database is that of the environment {found}, and {wanted} must never touch it: name another in \
         environments.{wanted}.postgres_url"
    )]
    OtherEnvironment { found: String, wanted: Environment },
    /// A stored value that this program cannot have written.
    #[error("the database holds what cannot be read: {0}")]
    Corrupt(String),
}

fn advice(found: i32, needed: i32) -> &'static str {
    if found < needed {
        "run `pitboss migrate`"
    } else {
        "a newer pitboss has upgraded it, and only that one or a newer one may use it"
    }
}

impl StoreError {
    /// Makes a query's error, for `map_err`.
    pub(crate) fn sql(what: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |error| Self::Sql {
            what,
            reason: chain(&error),
        }
    }

    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt(what.to_string())
    }
}

impl From<StoreError> for PortError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

/// An error with all its causes, and the detail that Postgres gives beside its message.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        if let Some(detail) = error
            .downcast_ref::<tokio_postgres::error::DbError>()
            .and_then(tokio_postgres::error::DbError::detail)
        {
            text.push_str(" (");
            text.push_str(detail);
            text.push(')');
        }
        cause = error.source();
    }
    text
}
