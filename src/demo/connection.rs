//! `connection.json`: where a running sandbox is, and how to get in.

use std::{fs, io, path::Path};

use serde::Deserialize;

use super::DemoError;

#[derive(Deserialize)]
pub(super) struct Connection {
    /// `http://127.0.0.1:<port>`
    pub api: String,
    /// `ws://127.0.0.1:<port>/v1/stream`
    pub stream: String,
    pub nats: Nats,
    pub operator_key: String,
    pub providers: Vec<Provider>,
}

#[derive(Deserialize)]
pub(super) struct Nats {
    pub url: String,
    pub user: String,
    pub password: String,
}

#[derive(Clone, Deserialize)]
pub(super) struct Provider {
    pub id: String,
    pub dialect: String,
    pub secret: String,
}

impl Connection {
    pub fn read(path: &Path) -> Result<Self, DemoError> {
        let shown = || path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DemoError::NoSandbox { path: shown() },
            _ => DemoError::Connection {
                path: shown(),
                reason: error.to_string(),
            },
        })?;
        let mut connection: Self =
            serde_json::from_str(&text).map_err(|error| DemoError::Connection {
                path: shown(),
                reason: error.to_string(),
            })?;
        connection
            .api
            .truncate(connection.api.trim_end_matches('/').len());
        Ok(connection)
    }

    /// The account that the sandbox is seeded with, or else the first that speaks the native protocol.
    pub fn native_provider(&self) -> Result<&Provider, DemoError> {
        let native = || {
            self.providers
                .iter()
                .filter(|provider| provider.dialect == "native")
        };
        native()
            .find(|provider| provider.id == "demo")
            .or_else(|| native().next())
            .ok_or_else(|| {
                let found: Vec<_> = self
                    .providers
                    .iter()
                    .map(|provider| format!("{} ({})", provider.id, provider.dialect))
                    .collect();
                DemoError::NoProvider {
                    found: found.join(", "),
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(providers: &str) -> Connection {
        let text = format!(
            r#"{{"api":"http://127.0.0.1:1","admin":"x","stream":"ws://127.0.0.1:1/v1/stream","postgres":"x",
            "nats":{{"url":"nats://x","user":"u","password":"p"}},"operator_key":"sk_test_1",
            "providers":{providers},"players":["a"],"pids":{{"server":1}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_seeded_account_is_taken_before_any_other_native_one() {
        let both = connection(
            r#"[{"id":"x","dialect":"other","secret":"1"},{"id":"y","dialect":"native","secret":"2"},
                {"id":"demo","dialect":"native","secret":"3"}]"#,
        );
        assert_eq!(both.native_provider().unwrap().id, "demo");
        let none = connection(r#"[{"id":"x","dialect":"other","secret":"1"}]"#);
        let error = none.native_provider().err().unwrap().to_string();
        assert!(error.contains("x (other)"), "{error}");
    }

    #[test]
    fn a_missing_file_says_what_to_start() {
        let error = Connection::read(Path::new("/nowhere/connection.json"))
            .err()
            .unwrap();
        assert!(error.to_string().contains("bin/sandbox"), "{error}");
    }
}
