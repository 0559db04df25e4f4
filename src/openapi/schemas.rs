//! The schemas of bodies and answers, each type once.

use schemars::{SchemaGenerator, generate::SchemaSettings};
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
    settings
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

    /// All that were named. A type is read and written alike: a test holds the two together.
    pub fn finish(mut self) -> Map<String, Value> {
        let mut all = self.read.take_definitions(true);
        all.extend(self.written.take_definitions(true));
        all
    }

    /// Names that stand for one thing in bodies and for another in answers.
    #[cfg(test)]
    pub fn ambiguous(mut self) -> Vec<String> {
        let read = self.read.take_definitions(true);
        let written = self.written.take_definitions(true);
        let differs =
            |(name, schema): (&String, &Value)| read.get(name).is_some_and(|other| other != schema);
        written
            .iter()
            .filter(|entry| differs(*entry))
            .map(|(name, _)| name.clone())
            .collect()
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
