//! Reading the configuration file, and refusing what is unknown with its line and the nearest name.

use std::path::{Path, PathBuf};

use schemars::Schema;
use serde_json::Value;
use toml_edit::{Document, Item, TableLike};

use super::Config;

/// Why a configuration was refused. Each sentence names the place and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {cause}; give the configuration with --config FILE", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file is not TOML, or a value has the wrong type.
    #[error("{}, line {line}: {message}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The reason.
        message: String,
    },
    /// A field that does not exist.
    #[error("{}, line {line}: unknown field {field}{}", path.display(), nearest.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default())]
    UnknownField {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The field.
        field: String,
        /// The field whose name is nearest.
        nearest: Option<String>,
    },
    /// A value that is out of its range.
    #[error("{field}: {message}")]
    Invalid {
        /// The field.
        field: String,
        /// What is wrong with it.
        message: String,
    },
}

impl ConfigError {
    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.to_owned(), message: message.into() }
    }

    /// The mail server's URL is wrong.
    pub(crate) fn smtp(message: &str) -> Self {
        Self::invalid("mail.smtp_url", message)
    }
}

impl Config {
    /// Reads, parses and checks a configuration file.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
        Self::parse(path, &text)
    }

    /// Parses and checks the text of a configuration file; `path` is for messages.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        // The reason in one line, without the line of the file: it might hold a password.
        let malformed = |message: &str, span: Option<std::ops::Range<usize>>| ConfigError::Malformed {
            path: path.to_owned(),
            line: line_at(text, span.map_or(0, |span| span.start)),
            message: without_value(message),
        };
        let document = Document::parse(text).map_err(|error| malformed(error.message(), error.span()))?;
        let schema = schemars::schema_for!(Config);
        if let Some(unknown) = unknown_field(document.as_table(), schema.as_value(), &schema) {
            let line = line_at(text, unknown.offset);
            let UnknownField { field, nearest, .. } = unknown;
            return Err(ConfigError::UnknownField { path: path.to_owned(), line, field, nearest });
        }
        let config: Self = toml::from_str(text).map_err(|error| malformed(error.message(), error.span()))?;
        config.check()?;
        Ok(config)
    }
}

/// What serde says of a wrong value begins with the value itself.
fn without_value(message: &str) -> String {
    let is_about_value =
        ["invalid type", "invalid value", "unknown variant"].iter().any(|start| message.starts_with(start));
    match message.rsplit_once("expected ").filter(|_| is_about_value) {
        Some((_, expected)) => format!("a value of the wrong type or form; expected {expected}"),
        None => message.lines().collect::<Vec<_>>().join("; "),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text[..offset.min(text.len())].matches('\n').count() + 1
}

struct UnknownField {
    offset: usize,
    field: String,
    nearest: Option<String>,
}

fn unknown_field(table: &dyn TableLike, schema: &Value, root: &Schema) -> Option<UnknownField> {
    let properties = schema.get("properties")?.as_object()?;
    for (name, item) in table.iter() {
        let Some(field) = properties.get(name) else {
            let offset = table.key(name).and_then(toml_edit::Key::span).map_or(0, |span| span.start);
            return Some(UnknownField { offset, field: name.to_owned(), nearest: nearest(name, properties.keys()) });
        };
        let inner = resolve(field, root);
        if let Some(unknown) = tables(item).into_iter().find_map(|table| unknown_field(table, inner, root)) {
            return Some(unknown);
        }
    }
    None
}

fn tables(item: &Item) -> Vec<&dyn TableLike> {
    if let Some(list) = item.as_array_of_tables() {
        return list.iter().map(|table| table as &dyn TableLike).collect();
    }
    item.as_table_like().into_iter().collect()
}

/// The schema that a field refers to: its own, a named definition, or the one of a list's items.
pub(super) fn resolve<'a>(field: &'a Value, root: &'a Schema) -> &'a Value {
    let field = field.get("items").unwrap_or(field);
    let Some(reference) = field.get("$ref").and_then(Value::as_str) else { return field };
    reference.strip_prefix('#').and_then(|pointer| root.as_value().pointer(pointer)).unwrap_or(field)
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<String> {
    let distance = |other: &String| {
        let begins = other.starts_with(name) || name.starts_with(other.as_str());
        if begins { 1 } else { strsim::damerau_levenshtein(name, other) }
    };
    let (distance, other) = known.map(|other| (distance(other), other)).min()?;
    (distance <= 1 + name.len() / 2).then(|| other.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Config::parse(Path::new("t.toml"), text).expect_err("must be refused").to_string()
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_line_and_the_nearest_name() {
        assert_eq!(refused("\nlistne = \"x\"\n"), "t.toml, line 2: unknown field listne; did you mean listen?");
        let nested = refused("[tokens]\nleeway_seconds = 5\nlifetime = 60\n");
        assert_eq!(nested, "t.toml, line 3: unknown field lifetime; did you mean lifetime_seconds?");
        let product = refused("[[product]]\nname = \"a\"\nroutes = []\nscopes = \"x\"\n");
        assert_eq!(product, "t.toml, line 4: unknown field scopes; did you mean scope?");
        assert_eq!(refused("zzzzzzzzzzzz = 1"), "t.toml, line 1: unknown field zzzzzzzzzzzz");
    }

    #[test]
    fn values_of_the_wrong_type_and_out_of_range_are_refused() {
        assert!(refused("listen = 5").contains("line 1"));
        assert!(refused("[tokens]\nlifetime_seconds = 60").starts_with("tokens.lifetime_seconds:"));
        assert!(refused("a = ").contains("line 1"));
    }

    #[test]
    fn the_empty_configuration_is_the_default() {
        let config = Config::parse(Path::new("t.toml"), "").expect("defaults");
        assert_eq!(config.tokens.lifetime_seconds, 3_600);
    }
}
