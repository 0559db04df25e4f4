//! The accounts block of a nats-server's configuration.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::error::ServiceError;

/// An account with one user, a JetStream of its own, and guests who may look into it.
#[derive(Clone, PartialEq, Eq)]
pub struct NatsAccount {
    pub name: String,
    pub user: String,
    pub password: String,
    pub guests: Vec<NatsGuest>,
}

/// A user with an account of his own, who hears chosen subjects of his host's account and may send it chosen requests.
/// He can send nothing else there, and nothing else reaches him.
#[derive(Clone, PartialEq, Eq)]
pub struct NatsGuest {
    pub user: String,
    pub password: String,
    pub hears: Vec<String>,
    pub asks: Vec<NatsRequest>,
}

/// A request that a guest may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsRequest {
    /// In the host's account.
    pub subject: String,
    /// In the guest's account, when it differs.
    pub seen_as: Option<String>,
    /// One request may be answered by many messages.
    pub many_answers: bool,
}

impl NatsAccount {
    #[must_use]
    pub fn new(name: &str, user: &str, password: &str) -> Self {
        NatsAccount {
            name: name.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
            guests: Vec::new(),
        }
    }

    #[must_use]
    pub fn guest(mut self, guest: NatsGuest) -> Self {
        self.guests.push(guest);
        self
    }
}

impl NatsGuest {
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        NatsGuest {
            user: user.to_owned(),
            password: password.to_owned(),
            hears: Vec::new(),
            asks: Vec::new(),
        }
    }

    #[must_use]
    pub fn hears(mut self, subject: &str) -> Self {
        self.hears.push(subject.to_owned());
        self
    }

    #[must_use]
    pub fn asks(mut self, request: NatsRequest) -> Self {
        self.asks.push(request);
        self
    }

    /// His account. A user's name is unique over a server, so this is too.
    fn account(&self) -> String {
        format!("GUEST-{}", self.user)
    }

    fn config(&self, host: &str) -> Value {
        let streams = self
            .hears
            .iter()
            .map(|subject| json!({"stream": {"account": host, "subject": subject}}));
        let services = self.asks.iter().map(|request| {
            let mut import = json!({"service": {"account": host, "subject": request.subject}});
            if let Some(seen_as) = &request.seen_as {
                import["to"] = seen_as.as_str().into();
            }
            import
        });
        let asks: Vec<&str> = self
            .asks
            .iter()
            .map(|request| {
                request
                    .seen_as
                    .as_ref()
                    .unwrap_or(&request.subject)
                    .as_str()
            })
            .collect();
        let mut hears: Vec<&str> = self.hears.iter().map(String::as_str).collect();
        hears.push("_INBOX.>");
        json!({
            "users": [{
                "user": self.user,
                "password": self.password,
                "permissions": {"publish": asks, "subscribe": hears},
            }],
            "imports": streams.chain(services).collect::<Vec<_>>(),
        })
    }

    fn exports(&self) -> impl Iterator<Item = Value> {
        let streams = self
            .hears
            .iter()
            .map(|subject| json!({"stream": subject, "accounts": [self.account()]}));
        let services = self.asks.iter().map(|request| {
            let answers = if request.many_answers {
                "stream"
            } else {
                "singleton"
            };
            json!({
                "service": request.subject,
                "response_type": answers,
                "accounts": [self.account()],
            })
        });
        streams.chain(services)
    }
}

impl fmt::Debug for NatsAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsAccount")
            .field("name", &self.name)
            .field("user", &self.user)
            .field("password", &"***")
            .field("guests", &self.guests)
            .finish()
    }
}

impl fmt::Debug for NatsGuest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsGuest")
            .field("user", &self.user)
            .field("password", &"***")
            .field("hears", &self.hears)
            .finish_non_exhaustive()
    }
}

/// The value of `accounts` in a nats-server's configuration, as JSON, which it reads: so the quoting is not ours to do.
///
/// # Errors
/// [`ServiceError::BadName`]: a name is empty, not printable, or there twice.
pub fn nats_accounts(accounts: &[NatsAccount]) -> Result<Value, ServiceError> {
    let mut named = Map::new();
    let mut users = Vec::new();
    for account in accounts {
        check("NATS account name", &account.name)?;
        let mut exports: Vec<Value> = Vec::new();
        for guest in &account.guests {
            exports.extend(guest.exports());
            users.push((&guest.user, &guest.password));
            insert(&mut named, guest.account(), guest.config(&account.name))?;
        }
        users.push((&account.user, &account.password));
        let mut body = json!({
            "jetstream": "enabled",
            "users": [{"user": account.user, "password": account.password}],
        });
        if !exports.is_empty() {
            body["exports"] = merged(exports).into();
        }
        insert(&mut named, account.name.clone(), body)?;
    }
    for (user, password) in users {
        check("NATS user", user)?;
        check("NATS password", password)?;
    }
    Ok(Value::Object(named))
}

/// A subject that several guests share is exported once, to all of them.
fn merged(exports: Vec<Value>) -> Vec<Value> {
    let mut merged: Vec<Value> = Vec::new();
    for export in exports {
        let same = |other: &&mut Value| {
            other["stream"] == export["stream"] && other["service"] == export["service"]
        };
        match merged.iter_mut().find(same) {
            Some(other) => {
                if let (Some(all), Some(more)) = (
                    other["accounts"].as_array_mut(),
                    export["accounts"].as_array(),
                ) {
                    all.extend(more.iter().cloned());
                }
            }
            None => merged.push(export),
        }
    }
    merged
}

fn insert(named: &mut Map<String, Value>, name: String, body: Value) -> Result<(), ServiceError> {
    if named.contains_key(&name) {
        return Err(ServiceError::BadName {
            kind: "NATS account name",
            value: name,
            allowed: "each name once",
        });
    }
    named.insert(name, body);
    Ok(())
}

fn check(kind: &'static str, value: &str) -> Result<(), ServiceError> {
    if !value.is_empty() && !value.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ServiceError::BadName {
        kind,
        value: if kind == "NATS password" {
            "***"
        } else {
            value
        }
        .to_owned(),
        allowed: "not empty, no control characters",
    })
}
