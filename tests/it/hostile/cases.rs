//! The routes, each with a request that is in order, and the values that no part of one may have.

mod games;
mod history;
mod keys;
pub mod payments;
mod providers;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{client::Client, player::Player};

mod sessions;

/// Who calls.
#[derive(Clone, Copy, PartialEq)]
pub enum Caller {
    Anybody,
    Operator,
    Player,
    Provider,
}

/// A route, and a request to it that is in order.
pub struct Case {
    /// As in `src/http`.
    pub route: &'static str,
    pub method: &'static str,
    pub caller: Caller,
    pub path: String,
    pub body: Value,
    /// Places in the body that may be empty.
    pub optional: &'static [&'static str],
    /// Hostile elsewhere, but in order in this place of the body; "" is the whole of it.
    pub legal: &'static [(&'static str, &'static str)],
    /// Queries that mean nothing here; `=p` stands for the player of the test.
    pub bad_queries: &'static [&'static str],
    /// How many bytes a body may have.
    pub body_max: usize,
}

impl Case {
    pub fn has_legal(&self, place: &str, value: &[u8]) -> bool {
        let mut legal = self.legal.iter();
        legal.any(|legal| (legal.0, legal.1.as_bytes()) == (place, value))
    }
}

const POSITIONS: &[&str] = &[
    "?after=x",
    "?after=",
    "?after=9223372036854775808",
    "?after=1.0",
    "?after=1&after=1",
    "?epoch=x&x=%00",
];

const FEED: &[&str] = &[
    "?after=",
    "?after=x",
    "?after=1",
    "?after=oldest",
    "?after=%00",
    "?after=AQ",
    "?after=AQAAAAA",
    "?after=newest&after=newest",
    "?player=p&after=-1",
    "?player=p&after=1.5",
    "?player=p&after=9223372036854775807",
    "?player=p&after=9223372036854775808",
    "?player=p&after=AQAAAAA",
    "?player=",
    "?player=nobody",
    "?player=nobody&after=newest",
    "?player=%00",
    "?player=%ff",
    "?type=",
    "?type=,",
    "?type=wallet",
    "?type=wallet.*,",
    "?type=wallet.%00",
    "?type=%ff",
    "?type=*",
    "?limit=0",
    "?limit=-1",
    "?limit=1e3",
    "?limit=1000000000",
    "?limit=99999999999999999999",
    "?wait=-1",
    "?wait=0.5",
    "?wait=1000000000",
    "?wait=18446744073709551616",
    "?wait=",
    "?x=1",
    "?%ff=%ff",
];

const WEBHOOKS: &[&str] = &[
    "?after=",
    "?after=x",
    "?after=%00",
    "?after=%ff",
    "?after=wh_",
    "?after=wh_0",
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

/// What no field of any body may be, as bytes of JSON.
pub fn hostile_values() -> Vec<Vec<u8>> {
    let text = |text: &str| format!("\"{text}\"").into_bytes();
    vec![
        b"-0".to_vec(),
        b"0.1e1".to_vec(),
        b"1e400".to_vec(),
        b"01".to_vec(),
        b"9223372036854775808".to_vec(),
        "1234567890".repeat(4).into_bytes(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"[\"x\"]".to_vec(),
        [b"[".repeat(5_000), b"]".repeat(5_000)].concat(),
        [b"{\"a\":".repeat(2_000), b"1".to_vec(), b"}".repeat(2_000)].concat(),
        text(""),
        text("\\u0000"),
        text("\\ud800"),
        text("\\ud800\\u0041"),
        text(&"x".repeat(256)),
        text(&"é".repeat(256)),
        text(&"x".repeat(10_000)),
        b"\"\xff\"".to_vec(),
        b"\"\xed\xa0\x80\"".to_vec(),
        b"\"\x00\"".to_vec(),
        b"\"\n\"".to_vec(),
        b"".to_vec(),
        b"NaN".to_vec(),
    ]
}

/// Segments of a path that name nobody.
pub const SEGMENTS: [&str; 10] = [
    "%00",
    "%ff",
    "a%2Fb",
    "%20",
    "%2e%2e%2f",
    "%F0%9F%8E%B2",
    "%",
    "nobody",
    "wh_00000000000000000000000000000000",
    "wh_-1",
];

/// A request to this path that is in order, if it needs neither a body nor a query.
pub fn case(route: &'static str, method: &'static str, caller: Caller, path: String) -> Case {
    Case {
        route,
        method,
        caller,
        path,
        body: Value::Null,
        optional: &[],
        legal: &[],
        bad_queries: &[],
        body_max: 16_384,
    }
}

/// What was made for the cases.
pub struct Made {
    pub launch_token: String,
    pub webhook: Webhook,
    /// An operator key.
    pub key: String,
    /// A callback in the log of the sandbox's provider.
    pub callback: i64,
    pub payments: payments::Payments,
}

/// A request in order for every route, about this player and this webhook. Their order is that in which they can be
/// carried out.
pub fn cases(client: &Client, player: &Player, made: &Made) -> Vec<Case> {
    let launch_token = made.launch_token.as_str();
    let Player { id, .. } = player;
    let get = |route, path: String| case(route, "GET", Caller::Operator, path);
    let post = |route, path: String, body| Case {
        body,
        ..case(route, "POST", Caller::Operator, path)
    };
    let public = |route: &'static str| case(route, "GET", Caller::Anybody, route.to_owned());
    let login = json!({ "player": id, "currency": "EUR" });
    let deposit = json!({ "amount": "1.00", "currency": "EUR", "reference": "hostile" });
    let mut cases = vec![
        public("/"),
        public("/docs"),
        case(
            "/docs/{page}",
            "GET",
            Caller::Anybody,
            "/docs/errors".into(),
        ),
        public("/asyncapi.json"),
        public("/openapi.json"),
        case(
            "/docs/assets/{file}",
            "GET",
            Caller::Anybody,
            "/docs/assets/docs.css".into(),
        ),
        public("/healthz"),
        Case {
            optional: &["/country"],
            ..post(
                "/v1/players",
                "/v1/players".into(),
                json!({ "id": "p", "currency": "EUR", "country": "SE" }),
            )
        },
        get("/v1/players/{id}", format!("/v1/players/{id}")),
        get(
            "/v1/players/{id}/wallets",
            format!("/v1/players/{id}/wallets"),
        ),
        post(
            "/v1/players/{id}/deposits",
            format!("/v1/players/{id}/deposits"),
            deposit,
        ),
        Case {
            bad_queries: POSITIONS,
            ..case("/v1/stream", "GET", Caller::Player, "/v1/stream".into())
        },
        Case {
            bad_queries: FEED,
            ..get("/v1/events", "/v1/events?after=newest&wait=0".into())
        },
    ];
    let mut ask = |action, body, optional| {
        cases.push(Case {
            body,
            optional,
            ..case(
                "/callbacks/{environment}/{provider}/{action:.*}",
                "POST",
                Caller::Provider,
                client.callback_path(action),
            )
        });
    };
    let also = |mut body: Value, more: Value| {
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        body
    };
    let batch = player.batch("r", &[("bet", "b2", "0.01"), ("win", "w2", "0.02")]);
    let flags = json!({ "round_closed": false, "jackpot_contribution": "0.00" });
    let kind = json!({ "round_closed": false, "bet_transaction_id": "b1", "kind": "ordinary" });
    ask("authenticate", json!({ "token": launch_token }), &[]);
    ask("balance", login, &[]);
    ask(
        "bet",
        also(player.bet("b1", "0.01"), flags),
        &["/round_closed", "/jackpot_contribution"],
    );
    ask(
        "bet",
        also(player.bet("b3", "0.00"), json!({ "free_round": "f" })),
        &["/free_round"],
    );
    ask(
        "win",
        also(player.win("w1", "b1", "0.01"), kind),
        &["/round_closed", "/bet_transaction_id", "/kind"],
    );
    ask(
        "bet_win",
        also(batch, json!({ "round_closed": false })),
        &["/round_closed"],
    );
    ask(
        "rollback",
        also(player.rollback("rb", "b3"), json!({ "round": "r-b3" })),
        &["/round"],
    );
    ask("close_round", player.close("b1"), &[]);
    cases.extend(webhook_cases(&made.webhook));
    cases.extend(keys::cases(&made.key));
    cases.extend(providers::cases(made.callback));
    cases.extend(games::cases(player, &made.webhook.block));
    cases.extend(history::cases(id, &made.webhook.transaction));
    cases.extend(payments::cases(id, &made.payments));
    cases.extend(sessions::cases(player));
    cases
}

/// A webhook that is there, an event that it may get, and a transaction.
pub struct Webhook {
    pub id: String,
    pub event: String,
    /// And a block of the player.
    pub block: String,
    pub transaction: String,
}

fn webhook_cases(Webhook { id, event, .. }: &Webhook) -> Vec<Case> {
    let operator = |route: &'static str, method| {
        case(route, method, Caller::Operator, route.replace("{id}", id))
    };
    let list = |route| Case {
        bad_queries: WEBHOOKS,
        ..operator(route, "GET")
    };
    let settings = json!({
        "url": "http://localhost:9/in", "types": ["withdrawal.*"], "description": "hostile",
    });
    let also = |name: &str, value: Value| {
        let mut settings = settings.clone();
        settings[name] = value;
        settings
    };
    let replay = |body| Case {
        body,
        ..operator("/v1/webhooks/{id}/replay", "POST")
    };
    vec![
        list("/v1/webhooks"),
        Case {
            body: also("after", json!("newest")),
            optional: &["/after"],
            legal: &[("/types", "[]"), ("/types/0", ""), ("/description", "\"\"")],
            ..operator("/v1/webhooks", "POST")
        },
        operator("/v1/webhooks/{id}", "GET"),
        Case {
            body: also("enabled", json!(true)),
            optional: &["/url", "/types", "/description", "/enabled"],
            legal: &[
                ("", "{}"),
                ("/types", "[]"),
                ("/types/0", ""),
                ("/description", "\"\""),
            ],
            ..operator("/v1/webhooks/{id}", "PATCH")
        },
        Case {
            body: json!({ "grace_s": 60 }),
            optional: &["/grace_s"],
            legal: &[("", "{}"), ("", "")],
            ..operator("/v1/webhooks/{id}/rotate", "POST")
        },
        Case {
            body: json!({}),
            legal: &[("", "{}"), ("", "")],
            ..operator("/v1/webhooks/{id}/test", "POST")
        },
        list("/v1/webhooks/{id}/dead"),
        replay(json!({ "event": event })),
        replay(json!({ "dead": true })),
        replay(json!({ "from": "2026-01-01T12:00:00Z" })),
        operator("/v1/webhooks/{id}", "DELETE"),
    ]
}

/// Every code of docs/errors.md with its status.
pub fn documented_statuses() -> BTreeMap<String, u16> {
    let text = include_str!("../../../docs/errors.md");
    let sections = text.split("\n## ").skip(1);
    let statuses = sections.map(|section| {
        let (code, rest) = section.split_once('\n').unwrap();
        (code.to_owned(), rest[..3].parse().unwrap())
    });
    statuses.collect()
}

/// Every route of the API listener: its path and its methods.
pub fn routes() -> BTreeSet<(String, String)> {
    let table = pitboss::http::routes();
    let methods = table
        .iter()
        .map(|route| (route.path.to_owned(), route.method.to_string()));
    let callbacks = (pitboss::http::CALLBACKS.to_owned(), "POST".to_owned());
    let found: BTreeSet<_> = methods.chain([callbacks]).collect();
    assert!(found.len() > 10, "{found:?}");
    found
}
