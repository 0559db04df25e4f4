//! Why a command could not be carried out. A result that is merely bad is not an error but a verdict.

use std::error::Error as _;
use std::io;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what}: {source}")]
    Io {
        what: String,
        #[source]
        source: io::Error,
    },
    #[error("{what}: {text}")]
    Sql { what: String, text: String },
    #[error("{what}: the server answered {status}: {body}")]
    Refused {
        what: String,
        status: u16,
        body: String,
    },
    #[error("{what}: no usable answer after {tries} tries, the last: {last}")]
    NoAnswer {
        what: String,
        tries: u32,
        last: String,
    },
    #[error(transparent)]
    Service(#[from] pitboss_services::ServiceError),
    #[error("{0}")]
    Given(String),
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    pub fn given(text: impl Into<String>) -> Self {
        Self::Given(text.into())
    }

    /// For `map_err`: an I/O failure with what was being done.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// For `map_err`: a database failure with its whole chain. The first text alone says only "db error".
    pub fn sql(what: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Self {
        let what = what.into();
        move |error| Self::Sql {
            what,
            text: chain(&error),
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
