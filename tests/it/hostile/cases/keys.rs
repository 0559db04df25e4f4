//! Operator keys and the audit log.

use serde_json::json;

use super::{Caller, Case, case};

const LISTS: &[&str] = &[
    "?after=",
    "?after=x",
    "?after=%00",
    "?after=%ff",
    "?after=01a2",
    "?after=1&after=1",
    "?limit=0",
    "?limit=-1",
    "?limit=1e3",
    "?limit=1000000000",
    "?limit=99999999999999999999",
    "?limit=",
    "?x=1",
    "?%ff=%ff",
];

const AUDIT: &[&str] = &[
    "?after=x",
    "?after=",
    "?limit=0",
    "?limit=1000000000",
    "?action=",
    "?action=no.such",
    "?action=key.created&action=key.created",
    "?subject=",
    "?subject=%00",
    "?actor=",
    "?actor=%ff",
    "?from=yesterday",
    "?from=",
    "?to=2026-13-01T00:00:00Z",
    "?to=99999999999999999999",
    "?x=1",
];

/// Cases for another key than that of the test, in an order in which they can be carried out.
pub fn cases(id: &str) -> Vec<Case> {
    let operator = |route: &'static str, method| {
        case(route, method, Caller::Operator, route.replace("{id}", id))
    };
    let restricted = json!({
        "name": "hostile", "scopes": ["players:read"], "allowed_addresses": ["127.0.0.0/8"],
        "rate": { "per_s": 5, "burst": 10 }, "expires_at": "2099-01-01T00:00:00Z",
    });
    let mut new = restricted.clone();
    new["person"] = json!("somebody");
    vec![
        Case {
            bad_queries: LISTS,
            ..operator("/v1/keys", "GET")
        },
        Case {
            body: new,
            optional: &["/rate", "/expires_at"],
            legal: &[("/allowed_addresses", "[]"), ("/allowed_addresses/0", "")],
            ..operator("/v1/keys", "POST")
        },
        operator("/v1/keys/{id}", "GET"),
        Case {
            body: restricted,
            optional: &[
                "/name",
                "/scopes",
                "/allowed_addresses",
                "/rate",
                "/expires_at",
            ],
            legal: &[
                ("", "{}"),
                ("/allowed_addresses", "[]"),
                ("/allowed_addresses/0", ""),
            ],
            ..operator("/v1/keys/{id}", "PATCH")
        },
        Case {
            body: json!({ "grace_s": 60 }),
            optional: &["/grace_s"],
            legal: &[("", "{}"), ("", "")],
            ..operator("/v1/keys/{id}/rotate", "POST")
        },
        Case {
            body: json!({ "reason": "tried out" }),
            optional: &["/reason"],
            legal: &[("", "{}"), ("", "")],
            ..operator("/v1/keys/{id}/revoke", "POST")
        },
        Case {
            bad_queries: AUDIT,
            ..operator("/v1/audit", "GET")
        },
        operator("/v1/audit/head", "GET"),
        case(
            "/v1/audit/{number}",
            "GET",
            Caller::Operator,
            "/v1/audit/1".into(),
        ),
    ]
}
