//! The table of all events for `docs/events.md`, from the same schemas as the document.

use std::fmt::Write;

use pitboss_wallet::EventType;
use serde_json::Value;

use super::{document, system_types};

/// A section per type of event: what it means, and the fields of its `data`; then what the types of fields are.
#[must_use]
pub fn reference() -> String {
    let document = document("http://127.0.0.1:8080");
    let mut text = String::new();
    for kind in EventType::ALL {
        let payload = &document["components"]["messages"][kind.as_str()]["payload"];
        let data = resolve(&document, &payload["properties"]["data"]);
        let _ = write!(text, "### {}\n\n{}\n\n", kind.as_str(), kind.meaning());
        text.push_str(&fields(data));
    }
    text.push_str(
        "### Events that belong to no player\n\n`player` is `null`, and `seq` counts these events. Each is an entry of the \
         [audit log](audit.md#actions) as well.\n\n| type | |\n|---|---|\n",
    );
    for kind in system_types() {
        let _ = writeln!(text, "| `{}` | {} |", kind.as_str(), kind.meaning().trim());
    }
    let first = system_types().next();
    if let Some(kind) = first {
        let payload = &document["components"]["messages"][kind.as_str()]["payload"];
        let data = resolve(&document, &payload["properties"]["data"]);
        let _ = write!(text, "\nTheir `data`:\n\n{}", fields(data));
    }
    let types = document["components"]["schemas"].as_object();
    // Others are the data itself, which is above, or belong to the stream's own messages.
    let named = types.into_iter().flatten().filter(|(name, _)| {
        let in_a_table = format!("` | {name}");
        text.contains(&format!("{in_a_table} ")) || text.contains(&format!("{in_a_table},"))
    });
    let (objects, scalars): (Vec<_>, Vec<_>) =
        named.partition(|(_, schema)| schema["properties"].is_object());
    text.push_str("## Types of fields\n\n| type | |\n|---|---|\n");
    for (name, schema) in scalars {
        let _ = writeln!(text, "| {name} | {} |", comment(schema));
    }
    text.push('\n');
    for (name, schema) in objects {
        let _ = write!(text, "### {name}\n\n{}\n\n", comment(schema));
        text.push_str(&fields(schema));
    }
    text
}

/// A table of an object's fields.
fn fields(schema: &Value) -> String {
    let mut text = String::from("| field | type | |\n|---|---|---|\n");
    let required: Vec<&str> = schema["required"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let fields = schema["properties"].as_object();
    for (name, field) in fields.into_iter().flatten() {
        let kind = type_of(field);
        let kind = if required.contains(&name.as_str()) {
            kind
        } else {
            // What may be absent is never null.
            format!("{}, may be absent", kind.trim_end_matches(" or null"))
        };
        let _ = writeln!(text, "| `{name}` | {kind} | {} |", comment(field));
    }
    text.push('\n');
    text
}

/// Follows `$ref`, also where it stands in an `allOf` beside a description.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let direct = schema["$ref"].as_str();
    let reference = direct.or_else(|| schema["allOf"][0]["$ref"].as_str());
    let target =
        reference.and_then(|reference| document.pointer(reference.trim_start_matches('#')));
    target.map_or(schema, |target| resolve(document, target))
}

fn type_of(field: &Value) -> String {
    let named = |schema: &Value| {
        let reference = schema["$ref"].as_str()?;
        reference.rsplit('/').next().map(str::to_owned)
    };
    if let Some(name) = named(field).or_else(|| named(&field["allOf"][0])) {
        return name;
    }
    if let Some(name) = named(&field["anyOf"][0]) {
        return format!("{name} or null");
    }
    match &field["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(" or ")
        }
        _ => "any".to_owned(),
    }
}

fn comment(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.replace('\n', " ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use pitboss_schema::AuditAction;

    use crate::access::Resource;

    /// What is made from the types stands between two marks of a page.
    /// `PITBOSS_WRITE_DOCS=1 cargo test -p pitboss --lib contract` writes it anew.
    fn is_written(page: &str, mark: &str, wanted: &str) {
        let file = format!("{}/docs/{page}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&file).unwrap();
        let mark = format!("<!-- {mark} -->\n");
        let end = "<!-- end -->";
        let (before, rest) = text.split_once(&mark).unwrap();
        let (table, after) = rest.split_once(end).unwrap();
        if std::env::var_os("PITBOSS_WRITE_DOCS").is_some() {
            let page = [before, &mark, wanted, end, after].concat();
            return std::fs::write(file, page).unwrap();
        }
        assert_eq!(table, wanted);
    }

    #[test]
    fn the_reference_in_the_documentation_is_that_of_the_types() {
        let wanted = format!("\n{}", super::reference());
        is_written("events.md", "made from the types", &wanted);
    }

    fn table<'a>(head: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let head = format!("| {head} | |\n|---|---|\n");
        rows.fold(head, |mut text, (name, meaning)| {
            let _ = writeln!(text, "| `{name}` | {} |", meaning.trim());
            text
        })
    }

    #[test]
    fn every_scope_and_every_action_is_in_the_documentation() {
        let resources = Resource::ALL.iter().map(|it| (it.as_str(), it.meaning()));
        is_written("keys.md", "scopes", &table("resource", resources));
        let actions = AuditAction::ALL
            .iter()
            .map(|it| (it.as_str(), it.meaning()));
        is_written("audit.md", "actions", &table("action", actions));
    }
}
