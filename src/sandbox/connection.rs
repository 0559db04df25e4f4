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

impl Connection {
    /// # Errors
    /// What to do about it.
    pub fn read(file: &Path) -> Result<Self, String> {
        read_json(file).map_err(|error| {
            format!(
                "no sandbox is running here ({}: {error}); start one in another terminal: bin/sandbox",
                file.display()
            )
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
