//! `connection.json`: where a running sandbox is and how to get in.

use std::{fs, path::Path};

use serde::Deserialize;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Deserialize)]
pub struct Target {
    /// `http://127.0.0.1:<port>`
    pub api: String,
    pub admin: String,
    /// `ws://127.0.0.1:<port>/v1/stream`
    pub stream: String,
    /// `postgres://...`
    pub postgres: String,
    pub operator_key: String,
    pub providers: Vec<Provider>,
    pub pids: Pids,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Provider {
    pub id: String,
    pub dialect: String,
    pub secret: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Pids {
    pub server: u32,
    pub postgres: u32,
    pub nats: u32,
}

impl Target {
    pub fn read(path: &Path) -> Result<Self> {
        let what = format!(
            "cannot read {} (is the sandbox running? its file is chosen by --connection)",
            path.display()
        );
        let text = fs::read_to_string(path).map_err(Error::io(what))?;
        serde_json::from_str(&text).map_err(|error| {
            Error::given(format!(
                "{} is not a sandbox's connection file: {error}",
                path.display()
            ))
        })
    }

    /// `host:port` of the public API.
    pub fn api_authority(&self) -> Result<String> {
        authority(&self.api)
    }

    /// `host:port` of the admin listener.
    pub fn admin_authority(&self) -> Result<String> {
        authority(&self.admin)
    }

    /// The account to bet with: the one named, or the first that speaks the native protocol.
    pub fn native_provider(&self, name: Option<&str>) -> Result<&Provider> {
        let native = |provider: &&Provider| provider.dialect == "native";
        let found = match name {
            Some(name) => self
                .providers
                .iter()
                .filter(native)
                .find(|provider| provider.id == name),
            None => self.providers.iter().find(native),
        };
        found.ok_or_else(|| {
            let known: Vec<String> = self
                .providers
                .iter()
                .map(|provider| format!("{} ({})", provider.id, provider.dialect))
                .collect();
            Error::given(format!(
                "the sandbox has no native provider account {}; it has: {}",
                name.unwrap_or(""),
                known.join(", ")
            ))
        })
    }
}

fn authority(url: &str) -> Result<String> {
    url.strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/').to_owned())
        .filter(|authority| !authority.is_empty() && !authority.contains('/'))
        .ok_or_else(|| {
            Error::given(format!(
                "{url:?} is not of the form http://<host>:<port>; this driver speaks plain HTTP only"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"api":"http://127.0.0.1:8080/","admin":"http://127.0.0.1:8081","stream":"ws://x/v1/stream",
        "postgres":"postgres://a@b/c","nats":{"url":"nats://x","user":"u","password":"p"},"operator_key":"sk_test_1",
        "providers":[{"id":"big","dialect":"softswiss","secret":"a"},{"id":"demo","dialect":"native","secret":"b"}],
        "players":["alice"],"pids":{"server":1,"postgres":2,"nats":3}}"#;

    #[test]
    fn the_first_native_account_is_taken_unless_one_is_named() {
        let target: Target = serde_json::from_str(FILE).unwrap();
        assert_eq!(target.native_provider(None).unwrap().id, "demo");
        assert_eq!(target.native_provider(Some("demo")).unwrap().secret, "b");
        let error = target.native_provider(Some("big")).unwrap_err().to_string();
        assert!(error.contains("big (softswiss), demo (native)"), "{error}");
        assert_eq!(target.api_authority().unwrap(), "127.0.0.1:8080");
    }

    #[test]
    fn only_plain_http_without_a_path_is_taken() {
        for bad in ["https://x", "http://", "http://x/y", "x:80"] {
            assert!(authority(bad).is_err(), "{bad}");
        }
    }
}
