//! The configuration's reference page and template, made from the types and their comments.

use std::fmt::Write as _;

use schemars::Schema;
use serde_json::Value;

use super::Config;
use super::load::resolve;

/// The reference page in Markdown.
pub fn markdown() -> String {
    let schema = schemars::schema_for!(Config);
    let mut page =
        "# Configuration\n\nMade by `tollgate config reference`; do not edit. One TOML file, given with `--config`. \
                    Every field has a default but those of a product that say otherwise.\n"
            .to_owned();
    for (heading, section) in sections(&schema) {
        write!(page, "\n## {heading}\n\n| field | default | meaning |\n|---|---|---|\n")
            .expect("a String takes everything");
        for (name, field) in plain_fields(section, &schema) {
            let default = default_of(&field).map_or("–".to_owned(), |value| format!("`{value}`"));
            let meaning = description(&field).replace('|', "\\|");
            writeln!(page, "| `{name}` | {default} | {meaning} |").expect("a String takes everything");
        }
    }
    page
}

/// A commented file with every field at its default.
pub fn template() -> String {
    let schema = schemars::schema_for!(Config);
    let mut file = "# Tollgate. Every line that is commented out shows a default.\n".to_owned();
    for (heading, section) in sections(&schema) {
        if heading != "Top level" {
            write!(file, "\n# {heading}\n").expect("a String takes everything");
        }
        for (name, field) in plain_fields(section, &schema) {
            let value = default_of(&field).unwrap_or_else(|| "…".to_owned());
            write!(file, "\n# {}\n# {name} = {value}\n", description(&field)).expect("a String takes everything");
        }
    }
    file
}

fn sections(schema: &Schema) -> Vec<(String, &Value)> {
    let root = schema.as_value();
    let mut all = vec![("Top level".to_owned(), root)];
    for (name, field) in properties(root) {
        let inner = resolve(field, schema);
        if inner.get("properties").is_some() {
            let is_list = field.get("items").is_some();
            all.push((if is_list { format!("[[{name}]]") } else { format!("[{name}]") }, inner));
        }
    }
    all
}

/// The fields that are values, not tables.
fn plain_fields<'a>(section: &'a Value, root: &'a Schema) -> Vec<(&'a String, Value)> {
    let fields = properties(section).into_iter();
    fields
        .filter(|(_, field)| resolve(field, root).get("properties").is_none())
        .map(|(name, field)| (name, field.clone()))
        .collect()
}

fn properties(section: &Value) -> Vec<(&String, &Value)> {
    section.get("properties").and_then(Value::as_object).map(|fields| fields.iter().collect()).unwrap_or_default()
}

fn default_of(field: &Value) -> Option<String> {
    field.get("default").filter(|value| !value.is_null()).map(ToString::to_string)
}

fn description(field: &Value) -> String {
    let text = field.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_explained() {
        let page = markdown();
        for name in ["public_url", "lifetime_seconds", "durability", "trusted_peers", "routes", "drain_wait_seconds"] {
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
        }
        assert!(!page.contains("|  |\n"), "a field without a meaning");
    }

    #[test]
    fn the_template_is_a_configuration() {
        let text = template();
        assert!(text.contains("# lifetime_seconds = 3600"));
        Config::parse(std::path::Path::new("t.toml"), &text).expect("comments only");
    }
}
