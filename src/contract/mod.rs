//! The published contract of the events: an AsyncAPI 3.0 document made from the types that are sent.
//!
//! What lives here: the document ([`document`]), the reference in `docs/events.md` ([`reference`]), and an
//! example of each type of event from a real run (`examples.jsonl`, which `tests/it/contract.rs` records). What
//! must not: a schema written by hand. A new type of event, or a new message of the stream, is in the document
//! as soon as it is in the table of `pitboss_wallet::EventType` or an enum of `pitboss_actors::session`.

mod reference;
mod system;

use pitboss_actors::session;
use pitboss_wallet::{EVENT_VERSION, EventType};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

pub use reference::reference;
pub use system::system_types;

use crate::webhooks::{TEST_EVENT, TestEvent};

/// One real event of each type, a line each.
const EXAMPLES: &str = include_str!("examples.jsonl");

/// The example of a type, as it was sent.
#[must_use]
pub fn example(kind: EventType) -> Option<Value> {
    let mut events = EXAMPLES
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.find(|event| event["type"] == kind.as_str())
}

/// Draft 7, which AsyncAPI speaks, of values as they are written.
fn generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft07().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.into_generator()
}

/// The AsyncAPI document of a server that the outside reaches at `public_url`.
#[must_use]
pub fn document(public_url: &str) -> Value {
    let mut generator = generator();
    let mut messages = Map::new();
    let events: Vec<String> = EventType::ALL
        .iter()
        .map(|kind| {
            let schema = kind.schema(&mut generator);
            messages.insert(kind.as_str().into(), event_message(*kind, schema));
            kind.as_str().to_owned()
        })
        .collect();
    let of_nobody: Vec<String> = system_types()
        .map(|kind| {
            let schema = system::schema(kind, &mut generator);
            let message = stream_message(kind.as_str(), schema);
            messages.insert(kind.as_str().into(), message);
            kind.as_str().to_owned()
        })
        .collect();
    let mut of_stream = |schemas: Vec<Schema>, prefix: &str| -> Vec<String> {
        let named = schemas.into_iter().map(|schema| {
            let kind = message_type(&schema);
            let mut name = format!("{prefix}.{kind}");
            if messages.contains_key(&name) {
                // The same word for what is pushed and for the answer to its command.
                name += "_answer";
            }
            messages.insert(name.clone(), stream_message(&kind, schema));
            name
        });
        named.collect()
    };
    let from_server = of_stream(session::server_schemas(&mut generator), "stream");
    let from_client = of_stream(session::client_schemas(&mut generator), "client");

    let mut channels = Map::new();
    let mut operations = Map::new();
    for name in events.iter().chain(&of_nobody) {
        let servers = [
            reference_to("servers", "natsSandbox"),
            reference_to("servers", "natsLive"),
        ];
        let channel = channel(
            name,
            "The subject of these events, in the sandbox's and in the live account.",
            &servers,
            &[name],
        );
        channels.insert(name.clone(), channel);
        operations.insert(format!("publish.{name}"), operation("send", name, &[name]));
    }
    let to_client: Vec<&String> = from_server.iter().chain(&events).collect();
    let both: Vec<&String> = to_client.iter().copied().chain(&from_client).collect();
    let servers = [reference_to("servers", "stream")];
    let what = "A player's WebSocket: a snapshot or `stream.resumed` first, then every event of the player.";
    channels.insert(
        "stream".into(),
        channel("/v1/stream", what, &servers, &both),
    );
    operations.insert("stream".into(), operation("send", "stream", &to_client));
    let commands: Vec<&String> = from_client.iter().collect();
    operations.insert("command".into(), operation("receive", "stream", &commands));
    let test = TestEvent::json_schema(&mut generator);
    messages.insert(TEST_EVENT.into(), stream_message(TEST_EVENT, test));
    let test = TEST_EVENT.to_owned();
    let all = events.iter().chain(&of_nobody).chain([&test]);
    let all: Vec<&String> = all.collect();
    let mut webhook = channel(
        "webhook",
        "A POST of one event to an endpoint of yours, signed by the Standard Webhooks specification: headers \
         `webhook-id`, `webhook-timestamp` and `webhook-signature`.",
        &[],
        &all,
    );
    // Its address is whatever the operator gives.
    webhook["address"] = Value::Null;
    channels.insert("webhook".into(), webhook);
    let mut deliver = operation("send", "webhook", &all);
    deliver["security"] = json!([reference_to(
        "components/securitySchemes",
        "webhookSignature"
    )]);
    operations.insert("webhook".into(), deliver);

    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Pitboss events",
            "version": EVENT_VERSION.to_string(),
            "description": "Everything that happens to a player, once, in order: `seq` counts a player's events \
                            without a gap; and what happens to nobody, such as to operator keys, in an order of its own. The same bytes go to NATS, WebSocket, `GET /v1/events` and webhooks; on a player's WebSocket without the fields that say so.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": servers_of(public_url),
        "channels": channels,
        "operations": operations,
        "components": {
            "schemas": generator.take_definitions(true),
            "messages": messages,
            "securitySchemes": {
                "natsUser": {
                    "type": "userPassword",
                    "description": "A user of the environment's account.",
                },
                "playerToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A player's session token, `pst_...`; browsers send the subprotocols \
                                    `pitboss.v1, <token>` instead. Never in the URL.",
                },
                "webhookSignature": {
                    "type": "httpApiKey",
                    "name": "webhook-signature",
                    "in": "header",
                    "description": "`v1,<base64>`: HMAC-SHA256 under the endpoint's secret over \
                                    `<webhook-id>.<webhook-timestamp>.<body>`.",
                },
            },
        },
    })
}

fn servers_of(public_url: &str) -> Value {
    let (scheme, rest) = public_url.split_once("://").unwrap_or(("http", public_url));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let nats = |account: &str| {
        json!({
            "host": "{host}:4222",
            "protocol": "nats",
            "description": format!("The {account} account: the same subjects, other events."),
            "variables": { "host": { "default": "127.0.0.1", "description": "As the operator tells." } },
            "security": [reference_to("components/securitySchemes", "natsUser")],
        })
    };
    json!({
        "natsSandbox": nats("sandbox"),
        "natsLive": nats("live"),
        "stream": {
            "host": host,
            "pathname": format!("/{}", path.trim_end_matches('/')),
            "protocol": if scheme == "https" { "wss" } else { "ws" },
            "security": [reference_to("components/securitySchemes", "playerToken")],
        },
    })
}

fn event_message(kind: EventType, schema: Schema) -> Value {
    let mut message = json!({
        "name": kind.as_str(),
        "title": kind.as_str(),
        "summary": kind.meaning(),
        "contentType": "application/json",
        "payload": schema,
    });
    if let Some(example) = example(kind) {
        message["examples"] = json!([{ "name": kind.as_str(), "payload": example }]);
    }
    message
}

fn stream_message(kind: &str, schema: Schema) -> Value {
    let summary = schema.get("description").cloned();
    json!({
        "name": kind,
        "title": kind,
        "summary": summary.unwrap_or_default(),
        "contentType": "application/json",
        "payload": schema,
    })
}

/// What a message of the stream has in its `type`.
fn message_type(schema: &Schema) -> String {
    let kind = schema.pointer("/properties/type/const");
    kind.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn reference_to(place: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{place}/{name}") })
}

fn channel(
    address: &str,
    description: &str,
    servers: &[Value],
    messages: &[impl AsRef<str>],
) -> Value {
    let named = messages.iter().map(|name| {
        let name = name.as_ref();
        (name.to_owned(), reference_to("components/messages", name))
    });
    let mut channel = json!({
        "address": address,
        "description": description,
        "messages": named.collect::<Map<_, _>>(),
    });
    if !servers.is_empty() {
        channel["servers"] = servers.into();
    }
    channel
}

fn operation(action: &str, channel: &str, messages: &[impl AsRef<str>]) -> Value {
    let place = format!("channels/{channel}/messages");
    let messages = messages
        .iter()
        .map(|name| reference_to(&place, name.as_ref()));
    json!({
        "action": action,
        "channel": reference_to("channels", channel),
        "messages": messages.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` of the document.
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
        let document = document("https://casino.example/play/");
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let stream = &document["servers"]["stream"];
        assert_eq!(stream["host"], "casino.example");
        assert_eq!(
            (&stream["pathname"], &stream["protocol"]),
            (&"/play".into(), &"wss".into())
        );
    }

    #[test]
    fn every_type_has_a_meaning_a_schema_and_an_example() {
        let document = document("http://127.0.0.1:8080");
        for kind in EventType::ALL {
            let name = kind.as_str();
            let message = &document["components"]["messages"][name];
            assert!(message["summary"].as_str().unwrap().len() > 10, "{name}");
            assert_eq!(message["payload"]["properties"]["type"]["const"], name);
            assert_eq!(
                message["examples"][0]["payload"]["type"], name,
                "no example"
            );
            assert!(document["channels"][name].is_object(), "{name}");
        }
        for name in [
            "stream.snapshot",
            "stream.resumed",
            "stream.error",
            "client.ping",
        ] {
            let message = &document["components"]["messages"][name];
            assert!(message["summary"].as_str().unwrap().len() > 10, "{name}");
        }
    }

    /// Who adds an event that people cause has to think of the player who sees it.
    #[test]
    fn what_names_the_casinos_staff_is_hidden_from_the_player_and_may_be_absent() {
        let document = document("http://127.0.0.1:8080");
        let mut hidden_fields = 0;
        for kind in EventType::ALL {
            let name = kind.as_str();
            let data = &document["components"]["messages"][name]["payload"]["properties"]["data"];
            let data = reference::resolve(&document, data);
            let required = data["required"].as_array().cloned().unwrap_or_default();
            let fields = data["properties"].as_object().into_iter().flatten();
            for (field, schema) in fields {
                let schema = schema.to_string();
                let names_staff = ["By", "MakerChecker"].map(|of| format!("schemas/{of}\""));
                let names_staff = names_staff.iter().any(|of| schema.contains(of.as_str()));
                let is_hidden = kind.hidden_from_player().contains(&field.as_str());
                assert!(is_hidden || !names_staff, "{name}: {field}");
                assert!(
                    !is_hidden || !required.contains(&field.as_str().into()),
                    "{name}: {field}"
                );
                hidden_fields += usize::from(is_hidden);
            }
        }
        assert_eq!(hidden_fields, 6, "by and reason, of three types");
    }
}
