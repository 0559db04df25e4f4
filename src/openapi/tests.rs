//! The document is one, says everything, and nothing twice.

use std::collections::BTreeSet;

use pitboss_providers::Code;
use serde_json::{Value, json};

use super::*;
use crate::http::routes;

fn published() -> Value {
    document(&routes(), "https://casino.example/", 200)
}

/// Every operation, with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    each.collect()
}

/// The part of the document as a schema that may refer to the others.
fn breaches(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let schema = json!({ "allOf": [schema], "components": document["components"] });
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

#[test]
fn it_is_an_openapi_document() {
    let schema = include_str!("../../tests/vendored/openapi-3.1.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let document = published();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(!validator.is_valid(&json!({ "openapi": "3.1.0" })));
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(schema), "{name}");
    }
}

/// A query has no null, and a default is a value that may be sent.
#[test]
fn no_null_is_offered_where_none_is_taken() {
    fn nulls(value: &Value, found: &mut Vec<String>, place: &str) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if name == "default" && value.is_null() {
                        found.push(place.to_owned());
                    }
                    nulls(value, found, &format!("{place}/{name}"));
                }
            }
            Value::Array(values) => values.iter().for_each(|value| nulls(value, found, place)),
            _ => {}
        }
    }
    let document = published();
    let mut found = Vec::new();
    nulls(&document["components"]["schemas"], &mut found, "");
    for (name, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().unwrap() {
            let offered = parameter["schema"]["enum"].as_array().into_iter().flatten();
            if offered.clone().any(Value::is_null) {
                found.push(format!("{name}: {}", parameter["name"]));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(reference) if name == "$ref" => found.push(reference.to_owned()),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = published();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_code_is_told_by_an_operation() {
    let document = published();
    let mut told = BTreeSet::new();
    for (_, operation) in operations(&document) {
        for response in operation["responses"].as_object().unwrap().values() {
            let examples = &response["content"]["application/problem+json"]["examples"];
            told.extend(examples.as_object().into_iter().flat_map(|all| all.keys()));
        }
    }
    // Of paths and methods that are in no description.
    let elsewhere = [Code::UnknownAction, Code::MethodNotAllowed];
    for code in Code::ALL.iter().filter(|code| !elsewhere.contains(code)) {
        assert!(told.contains(&code.as_str().to_owned()), "{code:?}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_what_it_does() {
    let document = published();
    let mut names = BTreeSet::new();
    for (place, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(names.insert(id.to_owned()), "{place}: {id} is there twice");
        let summary = operation["summary"].as_str().unwrap();
        assert!(summary.len() > 4, "{place}: give its Route a .summary(..)");
        let tag = &operation["tags"][0];
        let tags = document["tags"].as_array().unwrap();
        assert!(tags.iter().any(|known| known["name"] == *tag), "{place}");
    }
    assert!(names.len() >= 27, "{}", names.len());
}

#[test]
fn every_body_and_every_part_of_a_path_has_an_example() {
    let document = published();
    for route in routes().iter().filter(|route| route.is_published) {
        let place = format!("{} {}", route.method, route.path);
        assert!(
            route.body.is_none() || route.example.is_some(),
            "{place} has no example of its body: give its Route an .example(json!({{ .. }}))"
        );
        let missing = parameters::undescribed(route);
        assert!(
            missing.is_empty(),
            "{place}: {missing:?} has no example: add its collection to PLACES in src/openapi/parameters.rs, or give \
             its Route an .example_with(name, value)"
        );
    }
    let mut untold = Vec::new();
    for (place, operation) in operations(&document) {
        let content = &operation["requestBody"]["content"]["application/json"];
        if !content.is_null() {
            let found = breaches(&document, &content["schema"], &content["example"]);
            assert!(found.is_empty(), "{place}: {found:#?}");
        }
        for parameter in operation["parameters"].as_array().unwrap() {
            let example = &parameter["example"];
            if parameter["in"] == "path" {
                let found = breaches(&document, &parameter["schema"], example);
                assert!(found.is_empty(), "{place}: {found:#?}");
            }
            if parameter["in"] != "path" && parameter["description"].is_null() {
                untold.push(format!("{place}: {}", parameter["name"]));
            }
        }
    }
    assert!(untold.is_empty(), "without a doc comment: {untold:#?}");
}

#[test]
fn a_name_of_a_type_is_one_type() {
    let mut schemas = Schemas::default();
    for route in routes() {
        parameters::of(&route, 200);
        operation::of(&route, 200, &mut schemas);
    }
    let apart = schemas.apart();
    let document = published();
    let fields = |name: &str| {
        let fields = document["components"]["schemas"][name]["properties"].as_object();
        fields.map(|fields| fields.keys().cloned().collect::<BTreeSet<_>>())
    };
    for name in &apart {
        let in_bodies = fields(&format!("{name}InBody"));
        assert_eq!(in_bodies, fields(name), "{name}: two types have this name");
    }
    let names = document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys();
    let shared: Vec<_> = names
        .filter(|name| name.ends_with(|c: char| c.is_ascii_digit()) || *name == "View")
        .collect();
    assert!(
        shared.is_empty(),
        "several types have one name; give each its own with #[schemars(rename = \"..\")]: {shared:?}"
    );
}

#[test]
fn every_example_of_the_manual_fits_its_schema() {
    let document = published();
    let manual = include_str!("../../docs/callbacks.md");
    let actions = manual.split_once("## Actions").unwrap().1;
    let actions = actions.split_once("## Errors").unwrap().0;
    for section in actions.split("\n### ").skip(1) {
        let name = section.lines().next().unwrap();
        let path = format!("/callbacks/{{environment}}/{{provider}}/{name}");
        let operation = &document["paths"][&path]["post"];
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let shown: Vec<Value> = section
            .split("```json\n")
            .skip(1)
            .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
            .collect();
        assert!(shown.len() >= 2, "{name}");
        for value in shown {
            let schema = if value["status"] == "ok" {
                answer
            } else {
                body
            };
            let found = breaches(&document, schema, &value);
            assert!(found.is_empty(), "{name}: {found:#?} in {value}");
        }
    }
}

/// A default that is no value of its field, or a choice of a query that cannot be written, would be a lie.
#[test]
fn null_is_no_default_and_no_choice_of_a_query() {
    let document = published();
    let text = document["components"].to_string();
    assert!(!text.contains("\"default\":null"));
    assert!(text.contains("\"default\":"));
    for (name, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let choices = parameter["schema"]["enum"].as_array();
            let has_null = choices.is_some_and(|choices| choices.contains(&Value::Null));
            assert!(!has_null, "{name}: {parameter}");
            assert!(
                jsonschema::meta::is_valid(&parameter["schema"]),
                "{name}: {parameter}"
            );
        }
    }
}
