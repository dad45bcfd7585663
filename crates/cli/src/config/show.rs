//! The whole configuration that a file makes: what it says, and the default of all that it does not say.

use std::path::Path;

use reqwest::Url;
use serde_json::{Map, Value};
use tollgate_server::config::Config;

use crate::failure::Failure;

const MASK: &str = "***";

/// The effective configuration as TOML, with passwords masked.
pub(super) fn effective(path: &Path) -> Result<String, Failure> {
    let broken = |cause: anyhow::Error| Failure::from(cause.context(path.display().to_string()));
    let text = std::fs::read_to_string(path).map_err(|cause| Failure::file(path.display(), &cause))?;
    Config::parse(path, &text).map_err(anyhow::Error::new)?;
    let given: Value = toml::from_str(&text).map_err(|error| broken(error.into()))?;
    let schema = schemars::schema_for!(Config);
    let mut whole = filled(schema.as_value(), schema.as_value(), given);
    for pointer in ["/database/url", "/mail/smtp_url"] {
        if let Some(Value::String(url)) = whole.pointer_mut(pointer) {
            *url = masked(url);
        }
    }
    toml::to_string_pretty(&whole).map_err(|error| broken(error.into()))
}

/// A table with the defaults of its schema for all that was not given. What has no default stays out: TOML has no null.
fn filled(section: &Value, root: &Value, given: Value) -> Value {
    let mut given = match given {
        Value::Object(given) => given,
        other => return other,
    };
    let mut table = Map::new();
    for (name, field) in section["properties"].as_object().into_iter().flatten() {
        let is_list = field.get("items").is_some();
        let inner = resolved(field, root);
        let value = given.remove(name).or_else(|| field.get("default").cloned());
        let is_table = inner.get("properties").is_some();
        let value = match value {
            Some(Value::Array(items)) if is_table => items.into_iter().map(|item| filled(inner, root, item)).collect(),
            None if is_table && !is_list => filled(inner, root, Value::Object(Map::new())),
            Some(value) if is_table => filled(inner, root, value),
            Some(value) => value,
            None => Value::Null,
        };
        if !value.is_null() {
            table.insert(name.clone(), value);
        }
    }
    Value::Object(table)
}

fn resolved<'a>(field: &'a Value, root: &'a Value) -> &'a Value {
    let field = field.get("items").unwrap_or(field);
    let pointer = field.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(field)
}

/// A database URL without its passwords. What cannot be read is masked as a whole.
fn masked(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return MASK.to_owned() };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if !pairs.is_empty() {
        let shown = |(name, value): (String, String)| {
            let value = if name.to_lowercase().contains("password") { MASK.to_owned() } else { value };
            (name, value)
        };
        url.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(shown));
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> Result<String, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("t.toml");
        std::fs::write(&file, text).expect("written");
        effective(&file).map_err(|failure| failure.message)
    }

    #[test]
    fn what_is_shown_is_a_configuration_with_every_default_filled_in() {
        let given = "listen = '127.0.0.1:9000'\n[[product]]\nname = 'sms'\nroutes = ['/xms/**']\n";
        let shown = show(given).expect("a configuration");
        for line in [
            "listen = \"127.0.0.1:9000\"",
            "admin_listen = \"127.0.0.1:8090\"",
            "lifetime_seconds = 3600",
            "count = true",
        ] {
            assert!(shown.contains(line), "{line} in\n{shown}");
        }
        let config = Config::parse(Path::new("t.toml"), &shown).expect("reads back");
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::parse(Path::new("t.toml"), given).expect("reads")));
    }

    #[test]
    fn passwords_are_masked() {
        let shown = show("[database]\nurl = 'postgres://app:hunter2@db/tollgate?sslpassword=hunter3&sslmode=require'")
            .expect("reads");
        assert!(
            !shown.contains("hunter") && shown.contains("app:***@db") && shown.contains("sslmode=require"),
            "{shown}"
        );
        let mail = show("[mail]\nsmtp_url = 'smtps://app:hunter2@mail'\nfrom = 't@example.com'").expect("reads");
        assert!(!mail.contains("hunter") && mail.contains("app:***@mail"), "{mail}");
        assert_eq!(masked("host=db password=hunter2"), MASK);
    }

    #[test]
    fn a_wrong_file_is_not_shown() {
        assert!(show("listne = 'x'").expect_err("refused").contains("did you mean listen?"));
    }
}
