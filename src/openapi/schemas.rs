//! The schemas of bodies and answers, each type once.

use std::collections::BTreeSet;

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value};

use crate::http::route::SchemaOf;

const PLACE: &str = "#/components/schemas/";

/// What is read and what is written have generators of their own: a field with a default may be left out of a body, and
/// is always in an answer.
pub struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        Self {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
        }
    }
}

/// JSON Schema 2020-12, which OpenAPI 3.1 speaks.
fn settings() -> SchemaSettings {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    settings.with_transform(RecursiveTransform(without_null_default))
}

/// That a field is not there when it is left out needs no saying, least of all by a null that it may not be.
fn without_null_default(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

impl Schemas {
    pub fn of_body(&mut self, schema: SchemaOf) -> Value {
        schema(&mut self.read).to_value()
    }

    pub fn of_answer(&mut self, schema: SchemaOf) -> Value {
        schema(&mut self.written).to_value()
    }

    pub fn reader(&mut self) -> &mut SchemaGenerator {
        &mut self.read
    }

    pub fn writer(&mut self) -> &mut SchemaGenerator {
        &mut self.written
    }

    /// All that were named. What is read in another form than it is written in, because fields may be left out of it,
    /// has a name of its own in bodies: see [`rename`].
    pub fn finish(mut self) -> Map<String, Value> {
        let apart = self.apart();
        let mut all = Map::new();
        for (name, mut schema) in self.read.take_definitions(true) {
            rename(&mut schema, &apart);
            all.insert(name_in_bodies(&name, &apart), schema);
        }
        all.extend(self.written.take_definitions(true));
        all
    }

    /// Names that stand for one thing in bodies and for another in answers.
    pub fn apart(&self) -> BTreeSet<String> {
        let mut read = self.read.clone();
        let mut written = self.written.clone();
        let read = read.take_definitions(true);
        let written = written.take_definitions(true);
        let is_apart = |name: &&String| {
            written
                .get(*name)
                .is_some_and(|other| *other != read[*name])
        };
        read.keys().filter(is_apart).cloned().collect()
    }

    /// Puts the names that bodies have for types into a schema that was made for one.
    pub fn in_bodies(&self, schema: &mut Value) {
        rename(schema, &self.apart());
    }
}

fn name_in_bodies(name: &str, apart: &BTreeSet<String>) -> String {
    if apart.contains(name) {
        format!("{name}InBody")
    } else {
        name.to_owned()
    }
}

/// Every reference to one of these names.
fn rename(schema: &mut Value, apart: &BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                let named = value.as_str().and_then(|text| text.strip_prefix(PLACE));
                match named.map(|named| name_in_bodies(named, apart)) {
                    Some(named) if name == "$ref" => *value = format!("{PLACE}{named}").into(),
                    _ => rename(value, apart),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, apart)),
        _ => {}
    }
}

/// The schema of a query: its fields, without references.
pub fn of_query(schema: SchemaOf) -> Value {
    let mut settings = settings().for_deserialize();
    settings.inline_subschemas = true;
    let mut generator = settings.into_generator();
    let schema = schema(&mut generator).to_value();
    let named = schema["$ref"]
        .as_str()
        .and_then(|place| place.strip_prefix(PLACE));
    match named {
        Some(name) => generator
            .take_definitions(true)
            .remove(name)
            .unwrap_or_default(),
        None => schema,
    }
}
