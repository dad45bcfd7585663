//! Form bodies, and the token request: the first line is the `Authorization` header, if there is one, the rest is the body.
//!
//! The parameters are those of a naive reader, none comes twice; and a token is issued exactly when that reader finds the key
//! authenticated in exactly one way, the grant, scopes that the key holds, and a known resource.
#![no_main]

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex};

use axum::body::Body;
use http::header::{AUTHORIZATION, CACHE_CONTROL};
use http::{HeaderValue, Request};
use libfuzzer_sys::fuzz_target;
use tollgate_core::form::{BadForm, Form, MAX_FIELDS};
use tollgate_fuzz::reference;
use tollgate_fuzz::world::World;

/// A larger body is not read.
const MOST_BYTES: usize = 64 * 1024;

static WORLD: LazyLock<Mutex<World>> = LazyLock::new(|| Mutex::new(World::start()));

/// What is known of a form, and only once per name.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name)?;
        Some(&*found.1).filter(|value| !value.is_empty())
    }
}

fuzz_target!(|input: &[u8]| {
    let world = WORLD.lock().expect("one at a time");
    let input = world.fill(input);
    let end = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len());
    let (header, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());

    let pairs = reference::form(body);
    let names: HashSet<&String> = pairs.iter().map(|(name, _)| name).collect();
    let is_refused = names.len() < pairs.len() || pairs.len() > MAX_FIELDS;
    match Form::parse(body) {
        Ok(form) => {
            assert!(form.iter().eq(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
        }
        Err(BadForm::Repeated) => assert!(names.len() < pairs.len()),
        Err(BadForm::TooMany) => assert!(pairs.len() > MAX_FIELDS),
    }
    assert!(!is_refused || Form::parse(body).is_err());

    let Ok(value) = HeaderValue::from_bytes(header) else { return };
    let mut request = Request::post("/oauth2/token")
        .header("host", "tollgate.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body.to_vec()))
        .expect("a request");
    if !header.is_empty() {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let answer = world.ask(request);
    assert!(answer.status < 500, "{}", answer.status);
    let fields = Fields(pairs);
    if body.len() > MOST_BYTES {
        assert_eq!(answer.status, 413);
        return;
    }
    let is_issued = !is_refused && is_authenticated(&world, header, &fields) && is_in_order(&fields);
    assert_eq!(answer.status == 200, is_issued, "{} {:?}", answer.status, answer.body);
    let json = answer.json();
    if is_issued {
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
        assert_eq!(json["token_type"], "bearer");
        assert!(json["expires_in"].is_i64() && json["scope"].is_string());
        assert_eq!(json["access_token"].as_str().map(|token| token.split('.').count()), Some(3));
    } else {
        assert!(json["error"].is_string() && json["error_description"].is_string());
        assert!(!is_refused || answer.status == 400, "{}", answer.status);
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge.starts_with("Basic "), answer.status == 401);
        assert!(!challenge.contains("expired"));
    }
});

fn is_authenticated(world: &World, header: &[u8], form: &Fields) -> bool {
    let (id, secret) = (form.value("client_id"), form.value("client_secret"));
    let is_ours = |id: &str, secret: &str| id.eq_ignore_ascii_case(&world.key) && secret == world.secret;
    if header.is_empty() {
        return id.zip(secret).is_some_and(|(id, secret)| is_ours(id, secret));
    }
    let Some(value) = std::str::from_utf8(header).ok().filter(|value| value.is_ascii()) else { return false };
    let (scheme, rest) = reference::scheme(value);
    let pair = reference::basic(rest.as_bytes()).filter(|_| scheme == "basic");
    pair.is_some_and(|pair| is_ours(&pair.0, &pair.1) && secret.is_none() && id.is_none_or(|id| *id == *pair.0))
}

fn is_in_order(form: &Fields) -> bool {
    let scopes = form.value("scope").unwrap_or_default();
    let audiences = ["", "/demo", "/sms", "/maps", "/status"].map(|end| format!("https://tollgate.example{end}"));
    form.value("grant_type") == Some("client_credentials")
        && scopes.split(' ').all(|word| ["", "demo", "sms"].contains(&word))
        && form.value("resource").is_none_or(|resource| audiences.iter().any(|known| known == resource))
}
