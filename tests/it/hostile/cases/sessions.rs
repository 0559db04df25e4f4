//! Sessions: the last requests about the player, for they end what all others need.

use serde_json::json;

use super::{Caller, Case, case};
use crate::support::player::Player;

const HISTORY: &[&str] = &[
    "?after=",
    "?after=x",
    "?after=%00",
    "?after=MQ",
    "?after=InNlc18i",
    "?limit=0",
    "?limit=-1",
    "?limit=1e3",
    "?limit=1000000000",
    "?limit=1&limit=1",
    "?x=1",
    "?%ff=%ff",
];

/// Longer than any id, and still a user agent.
fn long_texts() -> &'static [(&'static str, &'static str)] {
    let long = |letter: &str| -> &'static str { format!("\"{}\"", letter.repeat(256)).leak() };
    vec![
        ("/user_agent", "\"\""),
        ("/user_agent", long("x")),
        ("/user_agent", long("é")),
    ]
    .leak()
}

pub(super) fn cases(Player { id, session, .. }: &Player) -> Vec<Case> {
    let operator = |route: &'static str, method, of: &str| {
        case(route, method, Caller::Operator, route.replace("{id}", of))
    };
    let login = json!({ "player": id, "currency": "EUR" });
    let mut launch = login.clone();
    launch["session"] = json!(null);
    let mut from = login;
    from["address"] = json!("192.0.2.7");
    from["user_agent"] = json!("Browser/1.0");
    let nothing = |case| Case {
        body: json!({}),
        legal: &[("", "{}"), ("", "")],
        ..case
    };
    vec![
        Case {
            body: from,
            optional: &["/address", "/user_agent"],
            legal: long_texts(),
            ..operator("/v1/sessions", "POST", "")
        },
        Case {
            body: json!({ "player": id, "reason": "wrong password", "address": "2001:db8::7" }),
            optional: &["/reason", "/address"],
            legal: &[("/reason", "\"\"")],
            ..operator("/v1/sessions/failed", "POST", "")
        },
        operator("/v1/sessions/{id}", "GET", session),
        nothing(operator("/v1/sessions/{id}/keep-alive", "POST", session)),
        Case {
            bad_queries: HISTORY,
            ..operator("/v1/players/{id}/sessions", "GET", id)
        },
        operator("/v1/sessions/{id}", "DELETE", session),
        Case {
            body: launch,
            optional: &["/session"],
            ..operator("/v1/games/{id}/launch", "POST", "dice")
        },
        case(
            "/v1/session",
            "DELETE",
            Caller::Player,
            "/v1/session".into(),
        ),
        nothing(operator("/v1/players/{id}/sessions/end", "POST", id)),
    ]
}
