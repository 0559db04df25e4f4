//! The published description of the REST API: an OpenAPI 3.1 document made from the table of routes.
//!
//! `operation` writes one route, `parameters` knows what stands in paths and queries, `refusals` the problem documents,
//! `callbacks` what providers send. What must not live here: a schema written by hand, or a second description of a
//! route. What is said here is in [`crate::http::routes`] and in the types of bodies and answers.

mod callbacks;
mod operation;
mod parameters;
mod refusals;
mod schemas;
#[cfg(test)]
mod tests;

use pitboss_providers::Code;
use serde_json::{Map, Value, json};

use crate::{access, http::Route};
use schemas::Schemas;

/// The document of a server that the outside reaches at `public_url`, and whose lists have `page_max` rows at most.
/// The operations of a path that take a body.
fn operations(path: &mut Value) -> impl Iterator<Item = &mut Value> {
    let methods = path.as_object_mut().into_iter().flatten();
    methods.filter_map(|(_, operation)| operation.get("requestBody").is_some().then_some(operation))
}

#[must_use]
pub fn document(routes: &[Route], public_url: &str, page_max: usize) -> Value {
    let mut schemas = Schemas::default();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes.iter().filter(|route| route.is_published) {
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = operation::of(route, page_max, &mut schemas);
        paths.entry(route.path).or_insert_with(|| json!({}))[method] = operation;
    }
    callbacks::add(&mut paths, &mut schemas);
    refusals::add_schema(&mut schemas);
    for operation in paths.values_mut().flat_map(operations) {
        schemas.in_bodies(&mut operation["requestBody"]);
    }
    // What no operation answers is of paths and methods that are not described.
    let told = Value::Object(paths.clone()).to_string();
    let examples: Map<String, Value> = Code::ALL
        .iter()
        .map(|code| (code.as_str().to_owned(), refusals::example(*code)))
        .filter(|(name, _)| told.contains(&format!("\"#/components/examples/{name}\"")))
        .collect();
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Pitboss",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "An open casino platform server",
            "description": INTRODUCTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": public_url.trim_end_matches('/'), "description": "This server" }],
        "security": [],
        "tags": tags(&paths),
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "examples": examples,
            "headers": headers(),
            "securitySchemes": {
                "operatorKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An operator's secret key of one environment: `sk_test_...` or `sk_live_...`. Each \
                                    operation says which scope it needs.",
                },
                "playerToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A player's session token, `pst_...`; browsers send the subprotocols \
                                    `pitboss.v1, <token>` instead. Never in the URL.",
                },
                "callbackSignature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Pitboss-Signature",
                    "description": "`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 under the provider account's secret over \
                                    `t`, the path and the body, with line feeds between; see /docs/callbacks.",
                },
            },
        },
    })
}

const INTRODUCTION: &str = "\
Amounts are decimal texts in major units beside their currency (`\"12.50\"`, never a JSON number); moments are RFC 3339 in \
UTC. Errors are RFC 9457 documents with a stable `code`; `retryable` says whether the same request may be sent again. A \
field that is not known, in a body or a query, is refused by its name.\n\n\
Every POST takes an `Idempotency-Key`: the same key with the same body gets the stored answer. Lists are read page by page \
with `limit` and `after`. An answer to GET has an `ETag`; `If-None-Match` spares the body, `If-Match` on PATCH, PUT and \
DELETE spares the surprise. Every answer repeats the request's `Request-Id`.";

/// A tag for each resource that has an operation.
fn tags(paths: &Map<String, Value>) -> Vec<Value> {
    let operations = || {
        let methods = paths.values().filter_map(Value::as_object);
        methods.flat_map(Map::values)
    };
    let is_used = |name: &str| operations().any(|operation| operation["tags"][0] == name);
    let resources = access::Resource::ALL.iter();
    let resources = resources.map(|resource| (resource.as_str(), resource.meaning().trim()));
    let others = [
        (operation::OF_PLAYERS, "What a player's client uses."),
        (
            callbacks::TAG,
            "What game providers send, in the native protocol.",
        ),
        (operation::OF_ANYBODY, "What needs no key."),
    ];
    resources
        .chain(others)
        .filter(|(name, _)| is_used(name))
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect()
}

fn headers() -> Value {
    let text =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "Request-Id": text("The request's own id, or the one that it was given here. It is in the server's log."),
        "ETag": text("The name of this very state, for If-None-Match and If-Match. Answers that are sent while they are \
                      made have none."),
        "Idempotency-Replayed": {
            "description": "`true`: the stored answer of an earlier request with this key.",
            "schema": { "type": "string", "const": "true" },
        },
        "RateLimit-Policy": text("How many requests the key may make at once (`q`), and in how many seconds they come back \
                                  (`w`), as draft-ietf-httpapi-ratelimit-headers has it."),
        "RateLimit": text("How many requests may come right now (`r`), and in how many seconds all may (`t`)."),
        "Retry-After": {
            "description": "Seconds after which the same request may be sent again.",
            "schema": { "type": "string", "pattern": "^[0-9]+$" },
        },
    })
}

/// A reference to a component.
fn reference_to(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
