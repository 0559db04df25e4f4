//! `/openapi.json` against the server that publishes it: every operation's example is carried out.

use std::collections::BTreeMap;

use pitboss_services::ScratchDir;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    client::{Answer, Client, send},
    eventually,
    sandbox::Sandbox,
};

/// Operations whose example is in order and is refused all the same, and why. Anything else has to succeed.
const REFUSED: &[(&str, u16, &str)] = &[
    (
        "post_approvals_one_reject",
        409,
        "it was approved by the example of another operation",
    ),
    ("post_withdrawals_one_reject", 409, PAID),
    ("post_withdrawals_one_cancel", 409, PAID),
    ("post_withdrawals_one_split", 409, PAID),
];
const PAID: &str = "it was paid by the examples of other operations";

/// Operations that end what others need, in order.
const LAST: &[&str] = &[
    "post_withdrawals_one_review",
    "post_withdrawals_one_hold",
    "post_withdrawals_one_clear",
    "post_withdrawals_one_approve",
    "post_withdrawals_one_send",
    "post_withdrawals_one_result",
    "post_withdrawals_one_reject",
    "post_withdrawals_one_cancel",
    "post_withdrawals_one_split",
    // Whoever adjusts a player's money does not approve that it leaves.
    "post_approvals_one_approve",
    "post_approvals_one_reject",
    "post_keys_one_revoke",
    "delete_session",
    "delete_sessions_one",
    "post_players_one_sessions_end",
];

/// Operations that the second person has to carry out: the first asked for it.
const BY_ANOTHER: &[&str] = &[
    "post_approvals_one_approve",
    "post_approvals_one_reject",
    "post_withdrawals_one_approve",
];

/// One operation of the document.
struct Operation<'a> {
    method: Method,
    path: &'a str,
    said: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        self.said["operationId"].as_str().unwrap()
    }

    /// What makes a new one of a collection: the others need what it answers.
    fn creates(&self) -> bool {
        self.method == Method::POST && !self.path.contains('{')
    }

    /// The path of the one that it makes, as the others say it.
    fn made(&self) -> Option<String> {
        let collection = match self.path {
            "/v1/adjustments" => "/v1/approvals",
            path => path,
        };
        (self.method == Method::POST).then(|| format!("{collection}/{{"))
    }

    fn parameters(&self, place: &str) -> Vec<(&str, &Value)> {
        let all = self.said["parameters"].as_array().unwrap().iter();
        all.filter(|parameter| parameter["in"] == place && parameter.get("example").is_some())
            .map(|parameter| (parameter["name"].as_str().unwrap(), &parameter["example"]))
            .collect()
    }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().unwrap();
    let mut all: Vec<_> = paths
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, said)| Operation {
                method: method.to_uppercase().parse().unwrap(),
                path,
                said,
            })
        })
        .collect();
    all.sort_by_key(|operation| {
        let order = match &operation.method {
            _ if operation.creates() => 0,
            method if *method == Method::PUT => 1,
            method if *method == Method::GET => 2,
            method if *method == Method::DELETE => 4,
            _ => 3,
        };
        let last = LAST.iter().position(|id| *id == operation.id());
        // A player has to be there before his session: paths that players stand in come first.
        let is_of_players = operation.path.starts_with("/v1/players");
        (last, order, !is_of_players, operation.path.len())
    });
    all
}

/// No field may be sent that is not described, although clients must allow for new ones.
fn closed(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(closed);
            if fields.get("properties").is_some_and(Value::is_object) {
                fields.insert("additionalProperties".into(), false.into());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(closed),
        _ => {}
    }
}

/// Fails unless the answer is one that the document tells of.
#[track_caller]
fn is_described(document: &Value, operation: &Operation<'_>, answer: &Answer) {
    let id = operation.id();
    let shown = format!("{id}: {} {}", answer.status, answer.text);
    let response = &operation.said["responses"][answer.status.to_string()];
    assert!(response.is_object(), "not described: {shown}");
    let is_required = |name: &&String| !matches!(name.as_str(), "Idempotency-Replayed" | "ETag");
    let headers = response["headers"].as_object().unwrap();
    for name in headers.keys().filter(is_required) {
        assert!(answer.headers.contains_key(name), "no {name}: {shown}");
    }
    let Some(content) = response["content"].as_object() else {
        assert!(answer.text.is_empty(), "{shown}");
        return;
    };
    let sent = answer.header("content-type").split(';').next().unwrap();
    let Some(media) = content.get(sent) else {
        panic!("{sent:?} is not described: {shown}");
    };
    if !sent.ends_with("json") {
        return;
    }
    let mut schema = json!({
        "allOf": [media["schema"]],
        "components": { "schemas": document["components"]["schemas"] },
    });
    closed(&mut schema);
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&answer.json)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}: {shown}");
}

/// The examples as they are published, with ids that are really there.
struct Known<'a> {
    operations: &'a [Operation<'a>],
    ids: BTreeMap<String, String>,
}

impl Known<'_> {
    /// What the operations with this path, up to its last parameter, have an example for.
    fn is(&mut self, path: &str, id: String) {
        let example = self.operations.iter().find_map(|operation| {
            let rest = operation.path.strip_prefix(path)?;
            let name = rest.split('}').next()?;
            let of_path = operation.parameters("path");
            let (_, example) = of_path.into_iter().find(|(other, _)| *other == name)?;
            example.as_str()
        });
        if let Some(example) = example {
            self.ids.insert(example.to_owned(), id);
        }
    }

    fn real(&self, text: &str) -> String {
        self.ids
            .get(text)
            .cloned()
            .unwrap_or_else(|| text.to_owned())
    }

    fn body(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.real(text).into(),
            Value::Array(values) => values.iter().map(|value| self.body(value)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.body(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }
}

/// As it stands in a query.
fn escaped(text: &str) -> String {
    let each = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    each.collect()
}

/// What the examples are about, and nobody has made yet: alice's bet. Her player token.
async fn bet_of_the_examples(client: &Client, known: &mut Known<'_>) -> String {
    let player = json!({ "player": "alice", "currency": "EUR" });
    let login = client.post("/v1/sessions", &player).await.ok();
    let launched = client.post("/v1/games/dice/launch", &player).await.ok();
    let bet = json!({
        "session": launched.text_at("/session"), "player": "alice", "currency": "EUR", "game": "dice",
        "round": "r-1001", "transaction_id": "b-1001", "amount": "1.00",
    });
    client.callback("bet", &bet).await.ok();
    let lookup = "/v1/transactions/lookup?player=alice&provider=demo&kind=bet&external_id=b-1001";
    let transaction = client.get(lookup).await.ok().text_at("/transaction_id");
    let round = client.get("/v1/rounds?player=alice").await.ok();
    known.is("/v1/transactions/{", transaction);
    known.is("/v1/rounds/{", round.text_at("/data/0/id"));
    eventually("the bet is in the callback log", async || {
        let log = client.get("/v1/providers/demo/callbacks").await.ok();
        let number = log.json["data"][0]["number"].as_i64()?;
        known.is("/v1/providers/{id}/callbacks/{", number.to_string());
        Some(())
    })
    .await;
    login.text_at("/token")
}

async fn carry_out(
    client: &Client,
    token: &str,
    operation: &Operation<'_>,
    known: &Known<'_>,
) -> Answer {
    let mut path = operation.path.to_owned();
    for (name, example) in operation.parameters("path") {
        let real = known.real(example.as_str().unwrap());
        path = path.replace(&format!("{{{name}}}"), &real);
    }
    let query: Vec<String> = operation
        .parameters("query")
        .into_iter()
        .map(|(name, example)| {
            let text = example.as_str().map(str::to_owned);
            {
                let real = known.real(&text.unwrap_or_else(|| example.to_string()));
                format!("{name}={}", escaped(&real))
            }
        })
        .collect();
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let mut request = client.http(operation.method.clone(), &path);
    let security = &operation.said["security"][0];
    if security.get("operatorKey").is_some() {
        let client = match BY_ANOTHER.contains(&operation.id()) {
            true => client.second_person(),
            false => client.clone(),
        };
        request = request.bearer_auth(&client.at.operator_key);
    } else if security.get("playerToken").is_some() {
        request = request.bearer_auth(token);
    }
    let content = &operation.said["requestBody"]["content"]["application/json"];
    if !content.is_null() {
        request = request.json(&known.body(&content["example"]));
    }
    send(request).await
}

#[tokio::test]
async fn every_example_is_carried_out_and_answered_as_described() {
    let scratch = ScratchDir::new("openapi").unwrap();
    let sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
    let client = sandbox.client();
    let document = send(client.http(Method::GET, "/openapi.json")).await.ok();
    assert_eq!(document.header("cache-control"), "public, max-age=300");
    let document = document.json;
    assert_eq!(document["servers"][0]["url"], client.at.api);
    let operations = operations(&document);
    let mut known = Known {
        operations: &operations,
        ids: BTreeMap::new(),
    };
    let token = bet_of_the_examples(&client, &mut known).await;
    let mut count = 0;
    for operation in &operations {
        let is_rest = !operation.path.starts_with("/callbacks/");
        let is_answered = operation.said["responses"].get("101").is_none();
        if !is_rest || !is_answered {
            continue;
        }
        let answer = carry_out(&client, &token, operation, &known).await;
        is_described(&document, operation, &answer);
        let refused = REFUSED.iter().find(|(id, ..)| *id == operation.id());
        match refused {
            Some((id, status, _)) => assert_eq!(answer.status, *status, "{id}: {}", answer.text),
            None => assert!(
                (200..300).contains(&answer.status),
                "{}: the example is refused: {} {}",
                operation.id(),
                answer.status,
                answer.text
            ),
        }
        count += 1;
        // The others name it by the example of its collection.
        if let (Some(path), Some(id)) = (operation.made(), answer.json["id"].as_str()) {
            known.is(&path, id.to_owned());
        }
        // Without a key, and by a body that is none: problems, and described as well.
        if operation.said["security"][0].is_object() {
            let path = operation.path.replace(['{', '}'], "");
            let refused = send(client.http(operation.method.clone(), &path)).await;
            assert_eq!(refused.code(), "unauthorized", "{}", operation.id());
            is_described(&document, operation, &refused);
            let path = format!("{path}?nobody-knows-this=1");
            let broken = client
                .http(operation.method.clone(), &path)
                .bearer_auth(&client.at.operator_key)
                .body("{\"x\":");
            let refused = send(broken).await;
            assert!((400..500).contains(&refused.status), "{}", refused.text);
            is_described(&document, operation, &refused);
        }
    }
    assert!(count >= 80, "only {count} examples");
}
