//! The configuration as it is told in the audit log: every setting by its key, secrets hashed.

use std::collections::BTreeMap;

use pitboss_wallet::Environment;
use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Config;

/// Hexadecimal digits of a hash: enough to see that a secret is another one, too few to find it out by.
const SHOWN_DIGITS: usize = 8;

/// Writes a secret's hash in its place.
pub(super) fn hidden<S: Serializer>(
    secret: &SecretString,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let hash = hex::encode(Sha256::digest(secret.expose_secret()));
    serializer.collect_str(&format_args!("sha256:{}...", &hash[..SHOWN_DIGITS]))
}

impl Config {
    /// Every setting that counts for an environment.
    #[must_use]
    pub fn told(&self, environment: Environment) -> BTreeMap<String, Value> {
        let mut told = BTreeMap::new();
        let value = serde_json::to_value(self).unwrap_or_default();
        flatten(String::new(), value, &mut told);
        let of_others = Environment::ALL
            .into_iter()
            .filter(|other| *other != environment);
        for other in of_others {
            let section = format!("environments.{other}.");
            told.retain(|key, _| !key.starts_with(&section));
        }
        told
    }
}

fn flatten(key: String, value: Value, told: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let inner = if key.is_empty() {
                    name
                } else {
                    format!("{key}.{name}")
                };
                flatten(inner, value, told);
            }
        }
        value => drop(told.insert(key, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_told_and_no_secret_is() {
        let mut config = Config::defaults().unwrap();
        config.security.master_key = "hunter2-master".to_owned().into();
        config.environments.live.postgres_url = "postgres://u:hunter2@h/d".to_owned().into();
        config.environments.live.nats_password = "hunter2-nats".to_owned().into();
        let user = super::super::NatsUser {
            password: "hunter2-user-0123".to_owned().into(),
            subjects: vec!["wallet.*".into()],
        };
        let users = &mut config.environments.live.nats_users;
        users.insert("acme".into(), user);
        let told = config.told(Environment::Live);
        let text = serde_json::to_string(&told).unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        assert_eq!(told["journal.writers"], config.journal.writers);
        assert_eq!(told["log.format"], "text");
        for secret in [
            "security.master_key",
            "environments.live.postgres_url",
            "environments.live.nats_password",
            "environments.live.nats_users.acme.password",
        ] {
            let hash = told[secret].as_str().unwrap();
            assert!(hash.starts_with("sha256:"), "{secret}: {hash}");
        }
        assert!(
            !told
                .keys()
                .any(|key| key.starts_with("environments.sandbox."))
        );
        let before = told["environments.live.nats_password"].clone();
        config.environments.live.nats_password = "hunter3".to_owned().into();
        assert_ne!(
            config.told(Environment::Live)["environments.live.nats_password"],
            before
        );
    }
}
