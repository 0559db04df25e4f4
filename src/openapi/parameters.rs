//! What stands in paths and queries.

use serde_json::{Map, Value, json};

use super::schemas;
use crate::http::{Route, docs};

/// What names one of a collection, by the segment before it in the path.
struct Place {
    collection: &'static str,
    description: &'static str,
    /// As it is published. Where an example elsewhere has the same text it means the same thing: the test that carries
    /// the examples out puts the id there that the collection's POST has answered.
    example: &'static str,
    pattern: &'static str,
}

/// A new collection of things that are named in paths has a row here.
const PLACES: &[Place] = &[
    Place {
        collection: "players",
        description: "The player's id, as the operator gave it.",
        example: "alice",
        pattern: "^[A-Za-z0-9._:@-]{1,64}$",
    },
    Place {
        collection: "games",
        description: "The game's id, as its provider uses it in callbacks.",
        example: "dice",
        pattern: "^.{1,128}$",
    },
    Place {
        collection: "sessions",
        description: "The session's id.",
        example: "ses_0192f3a0c0de7000800000000000b00c",
        pattern: "^ses_[0-9a-f]{32}$",
    },
    Place {
        collection: "keys",
        description: "The key's id.",
        example: "0192f3a0-c0de-7000-8000-000000000c1e",
        pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    },
    Place {
        collection: "providers",
        description: "The provider account's id, which is part of its callback URL.",
        example: "acme",
        pattern: "^.{1,64}$",
    },
    Place {
        collection: "collections",
        description: "The collection's id.",
        example: "popular",
        pattern: "^.{1,64}$",
    },
    Place {
        collection: "deposits",
        description: "The deposit's id.",
        example: "pay_0192f3a0c0de7000800000000000de90",
        pattern: "^pay_[0-9a-f]{32}$",
    },
    Place {
        collection: "withdrawals",
        description: "The withdrawal's id.",
        example: "pay_0192f3a0c0de7000800000000000a17d",
        pattern: "^pay_[0-9a-f]{32}$",
    },
    Place {
        collection: "approvals",
        description: "The approval's id.",
        example: "apr_0192f3a0c0de70008000000000000a99",
        pattern: "^apr_[0-9a-f]{32}$",
    },
    Place {
        collection: "transactions",
        description: "Our id of the transaction.",
        example: "tx_0192f3a0c0de70008000000000007ac5",
        pattern: "^tx_[0-9a-f]{32}$",
    },
    Place {
        collection: "rounds",
        description: "The round's id, as lists show it.",
        example: "rnd_WyJhbGljZSIsImRlbW8iLG51bGwsInItMSJd",
        pattern: "^rnd_[A-Za-z0-9_-]+$",
    },
    Place {
        collection: "webhooks",
        description: "The webhook's id.",
        example: "wh_0192f3a0c0de7000800000000000b00c",
        pattern: "^wh_[0-9a-f]{32}$",
    },
];

/// The parameters of a route: of its path, of its query, and the headers that its method takes.
pub fn of(route: &Route, page_max: usize) -> Vec<Value> {
    let mut parameters = of_path(route);
    if let Some(query) = route.query {
        parameters.extend(of_query(route, &schemas::of_query(query), page_max));
    }
    parameters.extend(of_head(route));
    parameters
}

fn of_path(route: &Route) -> Vec<Value> {
    let segments: Vec<&str> = route.path.split('/').collect();
    let each = segments.windows(2).filter_map(|pair| {
        let name = pair[1].strip_prefix('{')?.strip_suffix('}')?;
        let mut parameter = json!({ "name": name, "in": "path", "required": true });
        let place = PLACES.iter().find(|place| place.collection == pair[0]);
        if let Some(place) = place.filter(|_| name == "id") {
            parameter["description"] = place.description.into();
            parameter["schema"] = json!({ "type": "string", "pattern": place.pattern });
            parameter["example"] = place.example.into();
        } else if name == "page" {
            parameter["description"] = "The guide's name.".into();
            parameter["schema"] = json!({ "type": "string", "enum": docs::names() });
            parameter["example"] = "errors".into();
        } else {
            parameter["schema"] = json!({ "type": "string", "minLength": 1 });
        }
        if let Some(example) = route.example_value(name) {
            parameter["example"] = example.into();
        }
        Some(parameter)
    });
    each.collect()
}

fn of_query(route: &Route, query: &Value, page_max: usize) -> Vec<Value> {
    let required = query["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
    let fields = query["properties"].as_object().into_iter().flatten();
    let each = fields.map(|(name, schema)| {
        let mut schema = without_null(schema.clone());
        let description = schema.remove("description");
        if name == "limit" {
            schema = bounds(page_max);
        }
        let mut parameter = json!({
            "name": name,
            "in": "query",
            "required": is_required(name),
            "schema": schema,
        });
        if let Some(description) = description.or_else(|| common(name)) {
            parameter["description"] = description;
        }
        if let Some(example) = route.example_value(name) {
            parameter["example"] = example.into();
        }
        parameter
    });
    each.collect()
}

/// Rows of a page.
fn bounds(page_max: usize) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".into(), "integer".into());
    schema.insert("minimum".into(), 1.into());
    schema.insert("maximum".into(), page_max.into());
    schema
}

/// What a name means everywhere.
fn common(name: &str) -> Option<Value> {
    match name {
        "limit" => Some("Rows at most.".into()),
        "after" => Some("The `next` of the page before.".into()),
        "player" => Some("Of this player alone.".into()),
        _ => None,
    }
}

/// A query has no null: a field is there or it is not.
fn without_null(mut schema: Value) -> Map<String, Value> {
    if let Some(kinds) = schema["type"].as_array() {
        let kinds: Vec<Value> = kinds
            .iter()
            .filter(|kind| *kind != "null")
            .cloned()
            .collect();
        schema["type"] = match kinds.as_slice() {
            [kind] => kind.clone(),
            _ => kinds.into(),
        };
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let choices = choices.iter().filter(|choice| choice["type"] != "null");
        let choices: Vec<Value> = choices.cloned().collect();
        if let [choice] = choices.as_slice() {
            let mut choice = without_null(choice.clone());
            if let Some(description) = schema.get("description") {
                choice.insert("description".into(), description.clone());
            }
            return choice;
        }
        schema["anyOf"] = choices.into();
    }
    match schema {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn of_head(route: &Route) -> Vec<Value> {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema });
    let any = || json!({ "type": "string" });
    let mut parameters = vec![header(
        "Request-Id",
        "The caller's own name for this request. One that is not 1 to 128 visible ASCII characters is replaced.",
        any(),
    )];
    match route.method.as_str() {
        "POST" => parameters.push(header(
            "Idempotency-Key",
            "The same key with the same body gets the stored answer; with another body it is refused.",
            json!({ "type": "string", "pattern": "^[!-~]{1,255}$" }),
        )),
        "GET" => parameters.push(header(
            "If-None-Match",
            "The ETag of an answer that the caller has: 304 when nothing has changed.",
            any(),
        )),
        _ => parameters.push(header(
            "If-Match",
            "The ETag of what the caller has seen at this path: 412 when it has changed since.",
            any(),
        )),
    }
    parameters
}

/// Whether a path's parameters are all described.
#[cfg(test)]
pub fn undescribed(route: &Route) -> Vec<String> {
    let missing = of_path(route)
        .into_iter()
        .filter(|parameter| parameter.get("example").is_none());
    missing
        .map(|parameter| parameter["name"].to_string())
        .collect()
}
