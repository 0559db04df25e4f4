//! A key as it is shown.

use pitboss_schema::{OperatorKeyRow, Rate as KeyRate};
use pitboss_wallet::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How many requests a key may make on one node.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeyRate")]
pub(super) struct Rate {
    /// A second.
    pub(super) per_s: u32,
    /// At once, before the rate counts.
    pub(super) burst: u32,
}

/// A secret of a key, without the secret.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "KeySecret")]
pub(super) struct Secret {
    /// Its first characters.
    prefix: String,
    /// `current`; `old`, which works until its time is over; `ended`.
    state: &'static str,
    /// When it ends, if that is known.
    until: Option<Timestamp>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(super) struct View {
    pub(super) id: Uuid,
    name: String,
    /// Whom it is for: two keys for one person are one person.
    person: String,
    /// The persons through whose hands its secret came, none of whom counts as another person than this key's.
    issuers: Vec<String>,
    /// The first characters of its secret.
    prefix: String,
    /// `live`, `expired` or `revoked`.
    state: &'static str,
    /// What it may do, such as `players:read`; `*` is everything.
    scopes: Vec<String>,
    /// Networks from which it may be used; none: from anywhere.
    allowed_addresses: Vec<String>,
    /// `null`: as configured.
    rate: Option<Rate>,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    pub(super) revoked_at: Option<Timestamp>,
    /// To the minute.
    last_used_at: Option<Timestamp>,
    last_used_address: Option<String>,
    /// The current secret, and the one before it.
    secrets: Vec<Secret>,
    /// Shown once: when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl View {
    pub(super) fn of(row: OperatorKeyRow, now: Timestamp, secret: Option<String>) -> Self {
        let state = if row.revoked_at.is_some() {
            "revoked"
        } else if row.expires_at.is_some_and(|end| end <= now) {
            "expired"
        } else {
            "live"
        };
        let ended = |live| if state == "live" { live } else { "ended" };
        let current = Secret {
            prefix: row.prefix.clone(),
            state: ended("current"),
            until: row.expires_at,
        };
        let old = row.old.map(|(prefix, until)| Secret {
            prefix,
            state: if until > now { ended("old") } else { "ended" },
            until: Some(row.expires_at.map_or(until, |end| end.min(until))),
        });
        Self {
            id: row.id,
            name: row.name,
            person: row.person,
            issuers: row.issuers,
            prefix: row.prefix,
            state,
            scopes: row.scopes,
            allowed_addresses: row.allowed,
            rate: row
                .rate
                .map(|KeyRate { per_s, burst }| Rate { per_s, burst }),
            expires_at: row.expires_at,
            created_at: row.created_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
            last_used_address: row.last_used_address,
            secrets: std::iter::once(current).chain(old).collect(),
            secret,
        }
    }
}
