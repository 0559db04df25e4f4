//! Integrators who may read events on NATS, until keys do this: who, and which subjects.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::nats::words;

/// By name.
pub type NatsUsers = BTreeMap<String, NatsUser>;

/// An integrator.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NatsUser {
    #[serde(serialize_with = "super::told::hidden")]
    pub password: SecretString,
    /// `withdrawal.*` for a family, `withdrawal.paid` for one type.
    pub subjects: Vec<String>,
}

const NAME_MAX: usize = 32;
const PASSWORD_MIN: usize = 16;
const SUBJECTS_MAX: usize = 64;

/// What is wrong with a user of `environment`, as the key, its value and what is allowed.
pub(super) fn check(environment: &str, users: &NatsUsers) -> Result<(), String> {
    for (name, user) in users {
        let key = format!("environments.{environment}.nats_users.{name}");
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(is_plain) {
            return Err(format!(
                "{key}: the name must be 1 to {NAME_MAX} of a-z, 0-9 and _"
            ));
        }
        let password = user.password.expose_secret();
        if password.len() < PASSWORD_MIN || password.chars().any(char::is_control) {
            return Err(format!(
                "{key}.password = (hidden): must be {PASSWORD_MIN} characters or more; make one with: openssl rand -hex 16"
            ));
        }
        if user.subjects.is_empty() || user.subjects.len() > SUBJECTS_MAX {
            return Err(format!(
                "{key}.subjects = {:?}: must be 1 to {SUBJECTS_MAX} subjects",
                user.subjects
            ));
        }
        let all: BTreeSet<&str> = user.subjects.iter().map(String::as_str).collect();
        for subject in &user.subjects {
            let parts = subject.split_once('.');
            let good = parts.is_some_and(|(word, kind)| {
                words().any(|known| known == word)
                    && (kind == "*"
                        || !kind.is_empty()
                            && kind.chars().all(is_plain)
                            && !all.contains(format!("{word}.*").as_str()))
            });
            if !good || all.len() != user.subjects.len() {
                return Err(format!(
                    "{key}.subjects = {:?}: each must be one of {} followed by .* or by the rest of an event's type, \
                     none twice or within another",
                    user.subjects,
                    words().collect::<Vec<_>>().join(", ")
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, password: &str, subjects: &[&str]) -> Result<(), String> {
        let user = NatsUser {
            password: password.to_owned().into(),
            subjects: subjects.iter().map(ToString::to_string).collect(),
        };
        check("live", &[(name.to_owned(), user)].into())
    }

    #[test]
    fn subjects_are_families_or_single_types_and_nothing_else() {
        let good = "0123456789abcdef";
        assert_eq!(
            user("acme", good, &["withdrawal.*", "wallet.adjusted"]),
            Ok(())
        );
        for subjects in [
            &[][..],
            &["*.*"],
            &[">"],
            &["wallet.>"],
            &["wallet"],
            &["wallet."],
            &["wallet.a.b"],
            &["casino.*"],
            &["wallet.*", "wallet.adjusted"],
            &["wallet.adjusted", "wallet.adjusted"],
            &["$JS.API"],
            &["wallet.a b"],
        ] {
            let error = user("acme", good, subjects).unwrap_err();
            let key = "environments.live.nats_users.acme.subjects";
            assert!(error.starts_with(key), "{subjects:?}: {error}");
        }
    }

    #[test]
    fn names_and_passwords_are_checked_and_a_password_is_not_shown() {
        for name in ["", "a.b", "A", "a b", "a-b", "*", &"a".repeat(33)] {
            assert!(
                user(name, "0123456789abcdef", &["bonus.*"]).is_err(),
                "{name}"
            );
        }
        let error = user("acme", "hunter2", &["bonus.*"]).unwrap_err();
        assert!(
            error.contains("password") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
