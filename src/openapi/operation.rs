//! One route as an operation.

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::{parameters, reference_to, refusals, schemas::Schemas};
use crate::http::{
    Route,
    route::{Answer, Caller},
};

/// The tag of what players use, and of what needs no key.
pub const OF_PLAYERS: &str = "stream";
pub const OF_ANYBODY: &str = "documents";

/// Of every answer to an operator's key.
pub const RATE_HEADERS: [&str; 2] = ["RateLimit-Policy", "RateLimit"];

pub fn of(route: &Route, page_max: usize, schemas: &mut Schemas) -> Value {
    let (tag, security, description) = match route.caller {
        Caller::Operator(scope) => (
            scope.resource.as_str(),
            json!([{ "operatorKey": [] }]),
            Some(format!("Needs the scope `{scope}`.")),
        ),
        Caller::Player => (OF_PLAYERS, json!([{ "playerToken": [] }]), None),
        Caller::Anybody => (OF_ANYBODY, json!([]), None),
    };
    let mut operation = json!({
        "operationId": id(route),
        "tags": [tag],
        "summary": route.summary,
        "parameters": parameters::of(route, page_max),
        "responses": responses(route, schemas),
        "security": security,
    });
    if let Some(description) = description {
        operation["description"] = description.into();
    }
    if let Some(body) = route.body {
        let mut content = json!({ "schema": schemas.of_body(body) });
        if let Some(example) = &route.example {
            content["example"] = example.clone();
        }
        operation["requestBody"] = json!({
            "required": !route.body_is_optional,
            "content": { "application/json": content },
        });
    }
    operation
}

/// The method and what is fixed in the path: `get_players_wallets`, with `one` for what is named.
fn id(route: &Route) -> String {
    let segments = route.path.split('/').filter(|segment| !segment.is_empty());
    let words = segments.filter(|segment| *segment != "v1").map(|segment| {
        if segment.starts_with('{') {
            "one"
        } else {
            segment
        }
    });
    let words: Vec<&str> = words.collect();
    let method = route.method.as_str().to_ascii_lowercase();
    if words.is_empty() {
        return format!("{method}_index");
    }
    format!("{method}_{}", words.join("_").replace(['.', '-'], "_"))
}

fn responses(route: &Route, schemas: &mut Schemas) -> Map<String, Value> {
    let mut responses = Map::new();
    for answer in &route.answers {
        responses.insert(answer.status.to_string(), success(route, answer, schemas));
    }
    let is_get = route.method == Method::GET;
    if is_get && route.answers.iter().any(|answer| answer.status == 200) {
        let unchanged = json!({
            "description": "Nothing has changed since the answer that `If-None-Match` names.",
            "headers": {
                "Request-Id": reference_to("headers", "Request-Id"),
                "ETag": reference_to("headers", "ETag"),
            },
        });
        responses.insert("304".into(), unchanged);
    }
    responses.extend(refusals::answers(&refusals::of(route)));
    responses
}

fn success(route: &Route, answer: &Answer, schemas: &mut Schemas) -> Value {
    let mut headers = json!({ "Request-Id": reference_to("headers", "Request-Id") });
    if matches!(route.caller, Caller::Operator(_)) {
        for name in RATE_HEADERS {
            headers[name] = reference_to("headers", name);
        }
    }
    if route.method == Method::POST {
        headers["Idempotency-Replayed"] = reference_to("headers", "Idempotency-Replayed");
    }
    if route.method == Method::GET && answer.status == 200 {
        headers["ETag"] = reference_to("headers", "ETag");
    }
    let mut response = json!({ "description": meaning(answer.status), "headers": headers });
    if !answer.content_type.is_empty() {
        let schema = match answer.schema {
            Some(schema) => schemas.of_answer(schema),
            None => json!({ "type": "string" }),
        };
        // The media type is its name alone: what follows it is no part of the contract.
        let media = answer.content_type.split(';').next().unwrap_or_default();
        response["content"] = json!({ media: { "schema": schema } });
    }
    // Another content type of the same status.
    let others = route.answers.iter().filter(|other| {
        other.status == answer.status
            && other.content_type != answer.content_type
            && !other.content_type.is_empty()
    });
    for other in others {
        let schema = match other.schema {
            Some(schema) => schemas.of_answer(schema),
            None => json!({ "type": "string" }),
        };
        let media = other.content_type.split(';').next().unwrap_or_default();
        response["content"][media] = json!({ "schema": schema });
    }
    response
}

fn meaning(status: u16) -> &'static str {
    match status {
        101 => "The connection is a WebSocket from here on.",
        201 => "It is made.",
        202 => "It is accepted, and carried out meanwhile.",
        204 => "It is done.",
        _ => "It is so.",
    }
}
