//! What a route refuses with: its own codes, and those that come with its kind.

use std::collections::BTreeMap;

use actix_web::http::Method;
use pitboss_providers::{Code, Problem};
use serde_json::{Map, Value, json};

use super::{operation::RATE_HEADERS, reference_to, schemas::Schemas};
use crate::http::{RefusalDocument, Route, route::Caller};

/// Every code that a route may answer, in the order of the table.
pub fn of(route: &Route) -> Vec<Code> {
    let mut codes = route.refusals.to_vec();
    // A path that is no UTF-8, a query that nobody reads; and a connection that is full.
    codes.extend([Code::Malformed, Code::UnknownField, Code::Busy]);
    match route.caller {
        Caller::Anybody => {}
        Caller::Player => codes.extend([Code::Unauthorized, Code::Retry, Code::Internal]),
        Caller::Operator(_) => codes.extend([
            Code::Unauthorized,
            Code::Forbidden,
            Code::RateLimited,
            Code::Retry,
            Code::Internal,
        ]),
    }
    if route.body.is_some() {
        codes.extend([
            Code::BodyTooSlow,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
        ]);
    }
    if route.method == Method::POST {
        codes.push(Code::IdempotencyMismatch);
    } else if route.method != Method::GET {
        codes.push(Code::PreconditionFailed);
    }
    let all = Code::ALL.iter().copied();
    all.filter(|code| codes.contains(code)).collect()
}

/// Answers by status, each with its codes.
pub fn answers(codes: &[Code]) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status()).or_default().push(*code);
    }
    let each = by_status.into_iter().map(|(status, codes)| {
        let named = codes.iter().map(|code| {
            let name = code.as_str();
            format!("[`{name}`]({}): {}.", code.documentation(), code.title())
        });
        let examples = codes.iter().map(|code| {
            let name = code.as_str().to_owned();
            let example = reference_to("examples", &name);
            (name, example)
        });
        let mut headers = json!({ "Request-Id": reference_to("headers", "Request-Id") });
        if codes.iter().any(|code| code.is_retryable()) {
            headers["Retry-After"] = reference_to("headers", "Retry-After");
        }
        if codes.contains(&Code::RateLimited) {
            for name in RATE_HEADERS {
                headers[name] = reference_to("headers", name);
            }
        }
        let answer = json!({
            "description": named.collect::<Vec<_>>().join(" "),
            "headers": headers,
            "content": {
                "application/problem+json": {
                    "schema": reference_to("schemas", "Problem"),
                    "examples": examples.collect::<Map<_, _>>(),
                },
            },
        });
        (status.to_string(), answer)
    });
    each.collect()
}

/// A problem as it may come.
pub fn example(code: Code) -> Value {
    let problem = Problem::new(code, "What went wrong this time, for a person.");
    json!({ "summary": code.title(), "value": problem })
}

/// The schema that every refusal has.
pub fn add_schema(schemas: &mut Schemas) {
    schemas.writer().subschema_for::<RefusalDocument<'_>>();
}
