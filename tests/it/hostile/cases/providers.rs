//! Provider accounts and their callbacks.

use serde_json::json;

use super::{Caller, Case, case};

const PROVIDERS: &[&str] = &[
    "?after=",
    "?after=a%20b",
    "?after=%00",
    "?after=%ff",
    "?after=a&after=b",
    "?limit=0",
    "?limit=-1",
    "?limit=1e3",
    "?limit=1000000000",
    "?limit=99999999999999999999",
    "?limit=",
    "?x=1",
    "?%ff=%ff",
];

const CALLBACKS: &[&str] = &[
    "?after=",
    "?after=x",
    "?after=%00",
    "?after=WzFd",
    "?after=Wy0xLDFd",
    "?after=WzkyMjMzNzIwMzY4NTQ3NzU4MDcsMV0",
    "?limit=0",
    "?limit=1e3",
    "?limit=99999999999999999999",
    "?outcome=",
    "?outcome=%00",
    "?action=",
    "?player=",
    "?player=%00",
    "?transaction=",
    "?transaction=%00",
    "?from=",
    "?from=yesterday",
    "?from=2026-13-01T00:00:00Z",
    "?to=0",
    "?to=%00",
    "?failures=",
    "?failures=1",
    "?failures=yes",
    "?failures=true&failures=true",
    "?x=1",
    "?%ff=%ff",
];

/// The account of the sandbox, and one of its own; `number` is a callback's that was logged.
pub fn cases(number: i64) -> Vec<Case> {
    let operator = |route: &'static str, method| {
        let path = route.replace("{id}", "demo");
        let path = path.replace("{number}", &number.to_string());
        case(route, method, Caller::Operator, path)
    };
    let policy =
        json!({ "late_win": "refuse", "auto_close_after_s": 3600, "refusal_burns_id": true });
    vec![
        Case {
            bad_queries: PROVIDERS,
            ..operator("/v1/providers", "GET")
        },
        Case {
            body: json!({
                "id": "hostile", "name": "Hostile", "dialect": "native", "policy": policy,
                "allowed_addresses": ["192.0.2.0/24"], "callback_log": "failures", "settings": {},
                "secret": "a secret of the provider's",
            }),
            optional: &[
                "/name",
                "/policy/auto_close_after_s",
                "/callback_log",
                "/secret",
            ],
            legal: &[
                ("/policy", "{}"),
                ("/settings", "{}"),
                ("/allowed_addresses", "[]"),
                ("/allowed_addresses/0", ""),
            ],
            ..operator("/v1/providers", "POST")
        },
        operator("/v1/providers/{id}", "GET"),
        Case {
            body: json!({
                "name": "Changed", "policy": policy, "allowed_addresses": ["127.0.0.0/8"], "status": "active",
                "callback_log": "all", "settings": {},
            }),
            optional: &[
                "/name",
                "/policy/auto_close_after_s",
                "/allowed_addresses",
                "/status",
                "/callback_log",
            ],
            legal: &[
                ("", "{}"),
                ("/policy", "{}"),
                ("/settings", "{}"),
                ("/allowed_addresses", "[]"),
                ("/allowed_addresses/0", ""),
            ],
            ..operator("/v1/providers/{id}", "PATCH")
        },
        Case {
            bad_queries: &["?x=1", "?limit=1", "?%ff=%ff"],
            ..operator("/v1/dialects", "GET")
        },
        Case {
            bad_queries: CALLBACKS,
            ..operator("/v1/providers/{id}/callbacks", "GET")
        },
        operator("/v1/providers/{id}/callbacks/{number}", "GET"),
        Case {
            body: json!({ "grace_s": 60, "secret": "another of the provider's" }),
            optional: &["/grace_s", "/secret"],
            legal: &[("", "{}"), ("", "")],
            ..operator("/v1/providers/{id}/rotate", "POST")
        },
        Case {
            body: json!({}),
            legal: &[("", "{}"), ("", "")],
            ..operator("/v1/providers/{id}/revoke-old", "POST")
        },
    ]
}
