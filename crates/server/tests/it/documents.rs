//! What is generated is committed and current, and the OpenAPI document tells the truth.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::identities::{Family, ROUTES, routed, same_places};
use crate::world::World;

/// Compares a committed file with what the program makes today. With `UPDATE=1` the file is written anew.
fn is_current(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, made).expect("docs is writable");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == made, "docs/{name} is out of date: run the tests once with UPDATE=1");
}

#[test]
fn the_committed_openapi_document_is_current() {
    is_current("openapi.json", &tollgate_server::http::openapi());
}

#[test]
fn the_committed_configuration_reference_is_current() {
    is_current("configuration.md", &tollgate_server::config::markdown());
}

fn document() -> Value {
    serde_json::from_str(&tollgate_server::http::openapi()).expect("JSON")
}

#[test]
fn the_openapi_document_has_exactly_the_routes_of_the_router() {
    let document = document();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{}", document["openapi"]);
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("an object") {
        let methods = methods.as_object().expect("an object").keys();
        described.extend(methods.map(|method| (method.to_uppercase(), same_places(path))));
    }
    assert_eq!(described, routed());
}

#[test]
fn each_operation_has_a_name_of_its_own_and_each_answer_is_described() {
    let document = document();
    let mut names = BTreeSet::new();
    for methods in document["paths"].as_object().expect("an object").values() {
        for operation in methods.as_object().expect("an object").values() {
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name), "{name} is there twice");
            for (status, response) in operation["responses"].as_object().expect("an object") {
                let response = resolved(&document, response);
                assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} {status}");
                assert!(response["content"].is_object(), "{name} {status}");
            }
        }
    }
}

on_both_engines! {
    async fn every_answer_is_as_the_openapi_document_describes_it(world: World) {
        let served = world.ask("GET", "/openapi.json").send().await.is(200);
        assert_eq!(served.text, tollgate_server::http::openapi());
        let document = document();
        let paths = document["paths"].as_object().expect("an object");
        let family = Family::new(&world).await;
        for (method, path, body, [.., status], _) in ROUTES {
            let (_, methods) = paths.iter().find(|(known, _)| same_places(known) == same_places(path)).expect("described");
            let responses = &methods[method.to_lowercase()]["responses"];
            let refused = family.ask(&world, method, path, body).await.send().await.is(401);
            let schema = |response: &str| &resolved(&document, &responses[response])["content"]["application/json"]["schema"];
            conforms(&document, schema("401"), &refused.json(), path);
            let answer = family.ask(&world, method, path, body).await.operator().send().await.is(*status);
            if *status == 200 && *schema("200") != Value::Null {
                conforms(&document, schema("200"), &answer.json(), path);
            }
        }
    }
}

/// What a reference leads to; anything else is itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value["$ref"].as_str();
    reference
        .map_or(value, |place| document.pointer(place.trim_start_matches('#')).expect("a reference leads somewhere"))
}

/// Checks members, required ones and kinds of values, all the way down.
fn conforms(document: &Value, schema: &Value, value: &Value, place: &str) {
    let schema = resolved(document, schema);
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| choice["type"] != "null").expect("more than null");
        return conforms(document, choice, value, place);
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(kinds.contains(&kind.into()), "{place}: {value} is not {kinds:?}");
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| conforms(document, &schema["items"], entry, place)),
        Value::Object(members) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(members.contains_key(name.as_str().expect("a name")), "{place}: {name} is missing in {value}");
            }
            let Some(known) = schema["properties"].as_object() else { return };
            for (name, member) in members {
                let place = format!("{place} {name}");
                conforms(
                    document,
                    known.get(name).unwrap_or_else(|| panic!("{place} is not described")),
                    member,
                    &place,
                );
            }
        }
        _ => {}
    }
}
