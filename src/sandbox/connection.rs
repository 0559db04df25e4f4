//! `connection.json`: how programs find a running sandbox. Mode 600, because it holds keys.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use pitboss_schema::{Store, StoreError, StoreOptions};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Where the default sandbox keeps it.
pub const CONNECTION_FILE: &str = ".sandbox/connection.json";

/// A running sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connection {
    pub api: String,
    pub admin: String,
    pub stream: String,
    pub postgres: String,
    pub nats: NatsConnection,
    pub operator_key: String,
    /// Of another person: for what two have to agree on.
    pub second_operator_key: String,
    pub providers: Vec<ProviderConnection>,
    pub players: Vec<String>,
    pub pids: Pids,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NatsConnection {
    pub url: String,
    pub user: String,
    pub password: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProviderConnection {
    pub id: String,
    pub dialect: String,
    pub secret: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pids {
    pub server: u32,
    pub postgres: u32,
    pub nats: u32,
}

/// Why a sandbox cannot be found by its file. The texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error(
        "{} is not there: no sandbox is running here.\n\n\
         Start one in another terminal, and wait for its ready line:\n\n    bin/sandbox\n\n\
         Then run this again. (--connection FILE names the connection.json of a sandbox elsewhere.)",
        file.display()
    )]
    Missing { file: PathBuf },
    #[error("{} is not the connection file of a running sandbox: {reason}", file.display())]
    Unreadable { file: PathBuf, reason: String },
}

impl Connection {
    /// # Errors
    /// What to do about it.
    pub fn read(file: &Path) -> Result<Self, ConnectionError> {
        read_json(file).map_err(|error| {
            let file = file.to_owned();
            match error.kind() {
                io::ErrorKind::NotFound => ConnectionError::Missing { file },
                _ => ConnectionError::Unreadable {
                    file,
                    reason: error.to_string(),
                },
            }
        })
    }

    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        write_private_json(file, self)
    }

    /// Its database.
    ///
    /// # Errors
    /// The address cannot be read.
    pub fn store(&self) -> Result<Store, StoreError> {
        Store::connect(&self.postgres, StoreOptions::default())
    }

    /// The account that the sandbox is seeded with, or else the first that speaks the native protocol.
    #[must_use]
    pub fn native_provider(&self) -> Option<&ProviderConnection> {
        let native = || {
            self.providers
                .iter()
                .filter(|provider| provider.dialect == "native")
        };
        native()
            .find(|provider| provider.id == super::seed::PROVIDER)
            .or_else(|| native().next())
    }
}

pub fn read_json<T: DeserializeOwned>(file: &Path) -> io::Result<T> {
    serde_json::from_slice(&fs::read(file)?).map_err(io::Error::other)
}

/// Writes a file that nobody else can read, as a whole or not at all.
pub fn write_private_json(file: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    let draft = PathBuf::from(format!("{}.new", file.display()));
    let mut written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    written.write_all(&text)?;
    written.sync_all()?;
    fs::rename(&draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(providers: &[(&str, &str)]) -> Connection {
        let provider = |(id, dialect): &(&str, &str)| ProviderConnection {
            id: (*id).to_owned(),
            dialect: (*dialect).to_owned(),
            secret: "s".to_owned(),
        };
        Connection {
            api: "http://127.0.0.1:1".to_owned(),
            admin: "http://127.0.0.1:2".to_owned(),
            stream: "ws://127.0.0.1:1/v1/stream".to_owned(),
            postgres: "postgres://x".to_owned(),
            nats: NatsConnection {
                url: "nats://x".to_owned(),
                user: "u".to_owned(),
                password: "p".to_owned(),
            },
            operator_key: "sk_test_1".to_owned(),
            second_operator_key: "sk_test_2".to_owned(),
            providers: providers.iter().map(provider).collect(),
            players: vec!["a".to_owned()],
            pids: Pids {
                server: 1,
                postgres: 2,
                nats: 3,
            },
        }
    }

    #[test]
    fn the_seeded_account_is_taken_before_any_other_native_one() {
        let chosen = |providers| {
            let connection = connection(providers);
            connection.native_provider().map(|found| found.id.clone())
        };
        let all = &[("x", "other"), ("y", "native"), ("demo", "native")];
        assert_eq!(chosen(all).as_deref(), Some("demo"));
        assert_eq!(chosen(&all[..2]).as_deref(), Some("y"));
        assert_eq!(chosen(&all[..1]), None);
    }

    #[test]
    fn a_file_that_is_missing_or_of_something_else_says_so() {
        let error = Connection::read(Path::new("/nowhere/connection.json")).unwrap_err();
        assert!(error.to_string().contains("bin/sandbox"), "{error}");
        let error = Connection::read(Path::new(file!())).unwrap_err();
        assert!(
            matches!(error, ConnectionError::Unreadable { .. }),
            "{error}"
        );
    }
}
