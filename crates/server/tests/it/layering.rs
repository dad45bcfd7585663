//! Who may use whom inside the server: `http → operations → store → core`, never up. And what keeps files readable.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A layer is a directory or file at the top of `crates/server/src`; what stands right of it, it must not name.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    ("http", &["store", "serve"]),
    ("grpc", &["store"]),
    ("operations", &["http", "grpc"]),
    ("store", &["operations", "http", "grpc"]),
];

/// What would bring input and output into `crates/core`.
const NOT_IN_CORE: [&str; 5] = ["tokio", "axum", "sqlx", "hyper", "reqwest"];

const MOST_LINES: usize = 400;

#[test]
fn no_layer_uses_one_above_it() {
    let sources = server().join("src");
    let files = rust_files(&sources);
    for layer in ["http", "operations", "store"] {
        assert!(
            files.iter().any(|file| layer_of(inside(&sources, file)) == layer),
            "no file of the layer {layer} was found: has it moved?"
        );
    }
    let found: Vec<String> = files.iter().flat_map(|file| violations(inside(&sources, file), &read(file))).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn core_has_no_input_or_output() {
    let found = forbidden_dependencies(&read(&workspace().join("crates/core/Cargo.toml")));
    assert!(found.is_empty(), "crates/core must not depend on {}", found.join(", "));
}

#[test]
fn no_file_is_too_long_to_read() {
    let workspace = workspace();
    let found: Vec<String> = ["crates", "benches"]
        .iter()
        .flat_map(|part| rust_files(&workspace.join(part)))
        .map(|file| (read(&file).lines().count(), file))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, file)| format!("{}: {lines}", inside(&workspace, &file).display()))
        .collect();
    assert!(found.is_empty(), "more than {MOST_LINES} lines:\n{}", found.join("\n"));
}

/// The uses in one file, by its path below `src`, of layers that it must not know.
fn violations(file: &Path, source: &str) -> Vec<String> {
    let layer = layer_of(file);
    let forbidden = FORBIDDEN.iter().find(|(name, _)| *name == layer).map_or(&[][..], |(_, above)| *above);
    let used = modules_used(source, depth(file));
    forbidden
        .iter()
        .filter(|above| used.iter().any(|module| module == *above))
        .map(|above| format!("{}: `{layer}` must not use `{above}`", file.display()))
        .collect()
}

/// `http/oauth/token.rs` and `http.rs` both belong to `http`.
fn layer_of(file: &Path) -> String {
    let first = file.iter().next().map(Path::new).unwrap_or(file);
    let name = first.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// How many `super::` lead from a file to the root of the crate.
fn depth(file: &Path) -> usize {
    let parts = file.iter().count();
    if file.file_name().is_some_and(|name| name == "mod.rs") { parts - 1 } else { parts }
}

/// The modules at the root of the crate that a source names, by `crate::` or by enough `super::`, singly or in braces.
/// Comments that stand on lines of their own may name what they like.
fn modules_used(source: &str, depth: usize) -> Vec<String> {
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line.trim(), " "])
        .collect();
    let from_root = ["crate::".to_owned(), "super::".repeat(depth)];
    from_root.iter().flat_map(|root| code.split(root.as_str()).skip(1)).flat_map(first_names).collect()
}

/// `store::Keys` → `store`; `{clock::Clock, store::{a, b}}; …` → `clock`, `store`.
fn first_names(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("super::");
    let Some(group) = path.strip_prefix('{') else {
        return vec![word(path)];
    };
    let mut names = vec![word(group)];
    let mut open = 1;
    for (at, character) in group.char_indices() {
        match character {
            '{' => open += 1,
            '}' => open -= 1,
            ',' if open == 1 => names.push(word(&group[at + 1..])),
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    names
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The dependencies of any kind in a manifest that `crates/core` must not have.
fn forbidden_dependencies(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("Cargo has read it too");
    let platforms = manifest.get("target").and_then(toml::Value::as_table);
    let sections =
        platforms.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table).chain([&manifest]);
    sections
        .flat_map(|section| section.iter())
        .filter(|(name, _)| name.ends_with("dependencies"))
        .filter_map(|(_, value)| value.as_table())
        .flat_map(toml::Table::keys)
        .filter(|name| NOT_IN_CORE.contains(&name.as_str()))
        .cloned()
        .collect()
}

fn server() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn workspace() -> PathBuf {
    server().join("../..")
}

fn inside<'a>(root: &Path, file: &'a Path) -> &'a Path {
    file.strip_prefix(root).expect("the file was found below the root")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn rust_files(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("the directory stays readable").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_planted_violation_is_found() {
    for (file, source) in [
        ("operations/keys.rs", "use crate::http::error::Problem;"),
        ("operations/keys.rs", "fn f() { crate::grpc::serve() }"),
        ("operations.rs", "use crate::{\n    clock::Clock,\n    http::{a, b},\n};"),
        ("operations/keys.rs", "use super::super::http;"),
        ("store/keys.rs", "use crate::operations::App;"),
        ("store/engine.rs", "use crate::{http, clock};"),
        ("store/mod.rs", "mod tests {\n    use super::super::operations::App;\n}"),
        ("store/keys.rs", "mod tests {\n    use super::super::super::operations::App;\n}"),
        ("http/api/keys.rs", "use crate::store::{Keys, Secrets};"),
        ("http/api/keys.rs", "use super::super::super::store::engine::Row;"),
        ("http.rs", "use super::store;"),
        ("grpc.rs", "let row = crate::store::Row::default();"),
    ] {
        assert_eq!(violations(Path::new(file), source).len(), 1, "{file}: {source}");
    }
}

#[test]
fn what_is_allowed_is_not_a_violation() {
    for (file, source) in [
        ("http/api/keys.rs", "use crate::operations::keys::create;"),
        ("http/api/keys.rs", "/// Unlike [`crate::store::Keys`].\n"),
        ("http/api/keys.rs", "use super::store_of_forms;"),
        ("http/api/keys.rs", "use super::super::gate;"),
        ("http/api/keys.rs", "use crate::{clock::store, routes};"),
        ("operations/keys.rs", "use crate::store::Keys;"),
        ("operations/keys.rs", "use http::StatusCode;"),
        ("store/keys.rs", "use super::engine::Row;"),
        ("app.rs", "use crate::{http, operations, store};"),
    ] {
        assert_eq!(violations(Path::new(file), source), [""; 0], "{file}: {source}");
    }
}

#[test]
fn a_planted_dependency_is_found() {
    for manifest in [
        "[dependencies]\ntokio.workspace = true",
        "[dependencies.tokio]\nversion = \"1\"",
        "[dev-dependencies]\ntokio = \"1\"",
        "[target.'cfg(unix)'.dependencies]\ntokio = \"1\"",
    ] {
        assert_eq!(forbidden_dependencies(manifest), ["tokio"], "{manifest}");
    }
    assert_eq!(forbidden_dependencies("[dependencies]\ntokio-util = \"1\""), [""; 0]);
}
