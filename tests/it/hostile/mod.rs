//! Every route with every hostile value in every place: a documented 4xx each time, and nothing is written.
//!
//! `cases` has one entry or more for each route of `src/http`, and the test fails for a route that has none.

mod cases;
mod people;

use std::collections::BTreeMap;

use pitboss_services::ScratchDir;
use reqwest::{
    Method, RequestBuilder,
    header::{AUTHORIZATION, HeaderValue},
};
use serde_json::{Value, json};

use cases::{
    Caller, Case, Made, SEGMENTS, Webhook, cases, documented_statuses, hostile_values, routes,
};

use crate::support::{
    client::{Answer, Client, send, signature, unix_now},
    eventually,
    player::Player,
    sandbox::Sandbox,
};

struct Scene {
    client: Client,
    player: Player,
    statuses: BTreeMap<String, u16>,
}

impl Scene {
    fn request(&self, case: &Case, method: &str, path: &str, body: Vec<u8>) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.http(method, path);
        let at = &self.client.at;
        let request = match case.caller {
            Caller::Anybody => request,
            Caller::Operator => request.bearer_auth(&at.operator_key),
            Caller::Player => request.bearer_auth(&self.player.token),
            Caller::Provider => {
                let signed = path.split('?').next().unwrap();
                let signed = signature(&at.providers[0].secret, unix_now(), signed, &body);
                request.header("Pitboss-Signature", signed)
            }
        };
        if body.is_empty() {
            request
        } else {
            request.body(body)
        }
    }

    /// A refusal as docs/errors.md has it.
    fn is_documented(&self, answer: &Answer, tried: &str) {
        let shown = format!("{tried}: {} {}", answer.status, answer.text);
        let shown: String = shown.chars().take(2_000).collect();
        assert!((400..500).contains(&answer.status), "{shown}");
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{shown}"
        );
        if answer.text.is_empty() {
            // Only a HEAD has none.
            assert!(tried.starts_with("HEAD "), "{shown}");
            return;
        }
        assert_eq!(
            self.statuses.get(answer.code()),
            Some(&answer.status),
            "{shown}"
        );
        assert!(answer.text.len() < 1_500, "repeats too much: {shown}");
    }

    async fn refuses_body(&self, case: &Case, body: Vec<u8>) {
        let start = &body[..body.len().min(300)];
        let tried = format!("{} {}", case.path, start.escape_ascii());
        let request = self.request(case, case.method, &case.path, body.clone());
        self.is_documented(&send(request).await, &tried);
    }

    async fn refuses_bodies(&self, case: &Case) {
        let good = case.body.to_string();
        for place in places(&case.body) {
            let field = case.body.pointer(&place).unwrap();
            let name = place.rsplit('/').next().unwrap();
            let is_element = name.parse::<usize>().is_ok();
            let mut values = hostile_values();
            if let Some(text) = field.as_str() {
                values.push(format!("\"{text}\\u0000\"").into_bytes());
            }
            if !case.optional.contains(&place.as_str()) {
                values.push(b"null".to_vec());
            }
            if !is_element {
                values.push(format!("{field},\"{name}\":{field}").into_bytes());
                let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
                values.push(format!("{field},\"{escaped}\":{field}").into_bytes());
            }
            for value in values {
                if !case.has_legal(&place, &value) {
                    self.refuses_body(case, with_bytes(&case.body, &place, &value))
                        .await;
                }
            }
        }
        // As a list, the values in either order: serde takes one for an object with these fields.
        let mut values: Vec<&Value> = case.body.as_object().unwrap().values().collect();
        let list = json!(values).to_string().into_bytes();
        values.reverse();
        let whole = [
            list,
            json!(values).to_string().into_bytes(),
            format!("[{good}]").into_bytes(),
            json!(good).to_string().into_bytes(),
            good.as_bytes()[..good.len() - 1].to_vec(),
            format!("{good}{good}").into_bytes(),
            format!("\u{feff}{good}").into_bytes(),
            good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            good.replace('"', "'").into_bytes(),
            b"null".to_vec(),
            b"{}".to_vec(),
            b"".to_vec(),
            b"\x1f\x8b\x08\x00".to_vec(),
            good.replacen('{', "{\"x\":[{\"y\":1,\"y\":2}],", 1)
                .into_bytes(),
            [&b" ".repeat(case.body_max + 1)[..], good.as_bytes()].concat(),
        ];
        for body in whole {
            if !case.has_legal("", &body) {
                self.refuses_body(case, body).await;
            }
        }
        if case.caller == Caller::Operator {
            for name in ["x", "", "__proto__", "ID"] {
                let comma = if good == "{}" { "" } else { "," };
                let more = good.replacen('{', &format!("{{\"{name}\":1{comma}"), 1);
                self.refuses_body(case, more.into_bytes()).await;
            }
        }
    }

    /// Everything but the body. `methods` are those of the route.
    async fn refuses_heads(&self, case: &Case, methods: &[&str]) {
        let body = if case.body.is_null() {
            String::new()
        } else {
            case.body.to_string()
        };
        let bare = case.path.split('?').next().unwrap();
        let refused =
            async |method: &str, path: &str, change: &dyn Fn(RequestBuilder) -> RequestBuilder| {
                let request = self.request(case, method, path, body.clone().into_bytes());
                self.is_documented(&send(change(request)).await, &format!("{method} {path}"));
            };
        for query in case.bad_queries {
            let query = query.replace("=p", &format!("={}", self.player.id));
            refused(case.method, &format!("{bare}{query}"), &|request| request).await;
        }
        for (index, part) in case.route.split('/').enumerate() {
            if part.starts_with('{') {
                for hostile in SEGMENTS
                    .map(str::to_owned)
                    .into_iter()
                    .chain(["x".repeat(10_000)])
                {
                    let mut parts: Vec<&str> = bare.split('/').collect();
                    parts[index] = &hostile;
                    refused(case.method, &parts.join("/"), &|request| request).await;
                }
            }
        }
        for method in [
            "GET", "POST", "HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "BREW",
        ] {
            if !methods.contains(&method) {
                refused(method, &case.path, &|request| request).await;
            }
        }
        if case.caller != Caller::Anybody {
            let name = if case.caller == Caller::Provider {
                "Pitboss-Signature"
            } else {
                "Authorization"
            };
            let key = format!("Bearer sk_test_{}", "A".repeat(43));
            let long = format!("Bearer {}", "x".repeat(10_000));
            for value in ["", "Bearer", "Bearer ", "x", &key, &long, "Bearer \t"] {
                let value = HeaderValue::from_str(value).unwrap();
                refused(case.method, &case.path, &|request| {
                    replaced(request, name, Some(&value))
                })
                .await;
            }
            let binary = HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap();
            refused(case.method, &case.path, &|request| {
                replaced(request, name, Some(&binary))
            })
            .await;
            refused(case.method, &case.path, &|request| {
                replaced(request, name, None)
            })
            .await;
            refused(case.method, &case.path, &twice).await;
        }
        if case.caller == Caller::Operator && case.method == "POST" {
            let long = "k".repeat(256);
            let longer = "k".repeat(10_000);
            let binary = HeaderValue::from_bytes(b"k\xff").unwrap();
            for key in ["", "a b", "a\tb", &long, &longer] {
                refused(case.method, &case.path, &|request| {
                    request.header("Idempotency-Key", key)
                })
                .await;
            }
            refused(case.method, &case.path, &|request| {
                request.header("Idempotency-Key", &binary)
            })
            .await;
            let two = |request: RequestBuilder| {
                request
                    .header("Idempotency-Key", "k")
                    .header("Idempotency-Key", "k")
            };
            refused(case.method, &case.path, &two).await;
        }
    }
}

/// The request with another value of a header, or without it.
fn replaced(
    request: RequestBuilder,
    name: &'static str,
    value: Option<&HeaderValue>,
) -> RequestBuilder {
    let (client, request) = request.build_split();
    let mut request = request.unwrap();
    request.headers_mut().remove(name);
    if let Some(value) = value {
        request.headers_mut().append(name, value.clone());
    }
    RequestBuilder::from_parts(client, request)
}

/// The request with its credentials twice: nobody can tell which were meant.
fn twice(request: RequestBuilder) -> RequestBuilder {
    let (client, request) = request.build_split();
    let mut request = request.unwrap();
    for name in [AUTHORIZATION.as_str(), "pitboss-signature"] {
        if let Some(value) = request.headers().get(name).cloned() {
            request.headers_mut().append(
                reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value,
            );
        }
    }
    RequestBuilder::from_parts(client, request)
}

/// Pointers to everything inside a body.
fn places(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => vec![],
    };
    let each = inner.into_iter().flat_map(|(name, value)| {
        let below = places(value);
        let here = format!("/{name}");
        let below: Vec<String> = below.iter().map(|place| format!("{here}{place}")).collect();
        [vec![here], below].concat()
    });
    each.collect()
}

/// The body's text with these bytes in a place.
fn with_bytes(body: &Value, place: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = body.clone();
    *body.pointer_mut(place).unwrap() = json!("@here@");
    let text = body.to_string();
    let (before, after) = text.split_once("\"@here@\"").unwrap();
    [before.as_bytes(), bytes, after.as_bytes()].concat()
}

/// A webhook that nothing is sent to, so that the server writes nothing about it; and an event and a transaction of the player.
async fn webhook(client: &Client, player: &Player) -> Webhook {
    let settings = json!({ "url": "http://localhost:9/in" });
    let made = client.post("/v1/webhooks", &settings).await.ok();
    let id = made.text_at("/id");
    let change = client
        .http(Method::PATCH, &format!("/v1/webhooks/{id}"))
        .bearer_auth(&client.at.operator_key)
        .json(&json!({ "enabled": false }));
    send(change).await.ok();
    let events = format!("/v1/events?player={}", player.id);
    let event = client.get(&events).await.ok().text_at("/data/0/id");
    let block = json!({ "category": "bingo", "reason": "hostile" });
    let blocks = format!("/v1/players/{}/game-blocks", player.id);
    let block = client.post(&blocks, &block).await.ok().text_at("/id");
    let transactions = format!("/v1/transactions?player={}", player.id);
    let transactions = client.get(&transactions).await.ok();
    Webhook {
        id,
        event,
        block,
        transaction: transactions.text_at("/data/0/transaction_id"),
    }
}

/// The number of a callback that was logged: the player's launch was one.
async fn logged_callback(client: &Client) -> i64 {
    eventually("a callback is logged", async || {
        let log = client.get("/v1/providers/demo/callbacks").await.ok();
        log.json["data"][0]["number"].as_i64()
    })
    .await
}

#[tokio::test]
async fn every_route_refuses_every_hostile_value_and_nothing_is_written() {
    let scratch = ScratchDir::new("hostile").unwrap();
    let sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
    let client = sandbox.client();
    let mut player = Player::with(&client, "100.00").await;
    // Of the game that he plays: its session takes the place of the one before.
    let launched = player.launched(&client).await;
    player.session = launched.text_at("/session");
    let launch_token = launched.text_at("/token");
    let scene = Scene {
        client,
        player,
        statuses: documented_statuses(),
    };
    let webhook = webhook(&scene.client, &scene.player).await;
    let key = json!({ "name": "hostile", "person": "nobody", "scopes": ["*"] });
    let key = scene
        .client
        .post("/v1/keys", &key)
        .await
        .ok()
        .text_at("/id");
    // The first request of an account that may be stored is noted on its row, whatever becomes of it.
    let bet = scene.player.bet("first", "0.01");
    scene.client.callback("bet", &bet).await.ok();
    let callback = logged_callback(&scene.client).await;
    let made = Made {
        launch_token,
        webhook,
        key,
        callback,
        payments: cases::payments::made(&scene.client, &scene.player).await,
    };
    let people = people::asked(&scene.client, &scene.player).await;
    let mut cases = cases(&scene.client, &scene.player, &made);
    cases.extend(people::cases(&scene.client, &scene.player, &people));
    for (path, method) in routes() {
        let has = |case: &Case| case.route.ends_with(&path) && case.method == method;
        assert!(cases.iter().any(has), "{method} {path} has no case here");
    }
    let ledger = sandbox.ledger().await;
    let before = ledger.contents().await;
    for case in &cases {
        if case.body.is_object() {
            scene.refuses_bodies(case).await;
        }
        let of_route = cases.iter().filter(|other| other.route == case.route);
        let methods: Vec<&str> = of_route.map(|other| other.method).collect();
        scene.refuses_heads(case, &methods).await;
    }
    assert_eq!(ledger.contents().await, before);
    // It was the hostile part that was refused: each request as it is in order is carried out.
    for case in cases.iter().filter(|case| case.caller != Caller::Player) {
        let body = if case.body.is_null() {
            vec![]
        } else {
            case.body.to_string().into_bytes()
        };
        let answer = send(scene.request(case, case.method, &case.path, body)).await;
        assert!(
            matches!(answer.status, 200..=204),
            "{}: {} {}",
            case.path,
            answer.status,
            answer.text
        );
    }
    assert_ne!(ledger.contents().await, before);
    let log = sandbox.program.log();
    assert!(!log.contains("panicked"), "{log}");
}
