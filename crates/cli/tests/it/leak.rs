//! A secret is seen once: the log at its loudest, the data directory, the metrics and every later answer are searched.

use serde_json::json;

use crate::leak_watch::Watch;
use crate::server::{House, Server};
use crate::wire::{Request, To, once};
use crate::world::{Key, World};

/// An end of the right form that no server made.
fn wrong(secret: &str) -> String {
    let (start, end) = secret.split_at(secret.len() - 1);
    format!("{start}{}", if end == "x" { "y" } else { "x" })
}

#[test]
fn no_secret_is_in_the_log_in_text() {
    the_secrets_of_a_day_are_nowhere("text");
}

#[test]
fn no_secret_is_in_the_log_in_json() {
    the_secrets_of_a_day_are_nowhere("json");
}

fn the_secrets_of_a_day_are_nowhere(format: &str) {
    let mut house = House::new(&format!("[limits]\nguess_burst = 1000\n[log]\nlevel = 'trace'\nformat = '{format}'"));
    let server = house.start();
    let mut watch = Watch::default();
    watch.master_key(&house.data());
    let world = World::new(server.operator());

    let (one, two) = (make_two_keys(&mut watch, &server, &world), make_and_rotate(&mut watch, &server, &world));
    use_api_tokens(&mut watch, &server, &world, &one);
    fail_to_create(&mut watch, &server, &world, &one);
    attempt_wrong_secrets(&mut watch, &server, &world, &one, &two);
    send_malformed_requests(&mut watch, &server, &world, &one);
    put_secrets_where_they_do_not_belong(&mut watch, &server, &world, &one);
    let denied = call_the_gate(&mut watch, &server, &world, &one);

    read_everything(&mut watch, &server, &world, &one, &denied);
    watch.search_files(&house.data());
    server.stop();
    watch.search_files(&house.data());
    let server = house.start();
    read_everything(&mut watch, &server, &world, &one, &denied);
    watch.search_files(&house.data());
    server.kill();
    watch.search_files(&house.data());
    watch.search("the log", house.logs().as_bytes());
    watch.search_answers();
    assert!(house.logs().contains("accessKey") || house.logs().contains("http.route"), "there is a log");
}

fn make_two_keys(watch: &mut Watch, server: &Server, world: &World) -> Key {
    let answer = watch.send(&server.operator(), &world.create_request("one")).expect(200);
    let one = watch.made_key(&answer);
    let request = world.create_request("made by one").basic(&one.id, &one.secret);
    let answer = watch.send(&server.public(), &request).expect(200);
    watch.made_key(&answer);
    one
}

fn make_and_rotate(watch: &mut Watch, server: &Server, world: &World) -> Key {
    let answer = watch.send(&server.operator(), &world.create_request("two")).expect(200);
    let old = watch.made_key(&answer);
    let request = Request::post(format!("{}/{}/rotateSecret", world.keys(), old.id)).basic(&old.id, &old.secret);
    let answer = watch.send(&server.public(), &request.json(json!({ "overlapSeconds": 600 }))).expect(200);
    watch.made_key(&answer);
    old
}

/// API tokens of a service plan: right, rotated, wrong, where they do not belong, and in a body that cannot be read.
fn use_api_tokens(watch: &mut Watch, server: &Server, world: &World, one: &Key) {
    let plans = format!("/v1/projects/{}/servicePlans", world.project);
    let create = Request::post(plans.clone()).json(json!({ "displayName": "plan" }));
    let answer = watch.send(&server.operator(), &create).expect(200);
    let (plan, first) = (answer.text("/servicePlan/servicePlanId"), answer.text("/secret"));
    watch.text("API token", &first, true);
    let more = Request::post(format!("{plans}/{plan}/apiTokens"));
    let answer = watch.send(&server.public(), &more.clone().basic(&one.id, &one.secret)).expect(200);
    let second = answer.text("/secret");
    watch.text("API token", &second, true);
    let guess = wrong(&second);
    watch.text("wrong API token", &guess, false);
    let call = |named: &str| {
        let uri = format!("/xms/v1/{named}/batches");
        Request::get("/gate").header("x-forwarded-method", "GET").header("x-forwarded-uri", uri)
    };
    watch.send(&server.public(), &call(&plan).bearer(&first)).expect(200);
    watch.send(&server.public(), &call(&plan).bearer(&guess)).expect(401);
    watch.send(&server.public(), &call(&world.project).bearer(&second)).expect(401);
    watch.send(&server.public(), &world.gate().bearer(&second)).expect(401);
    watch.send(&server.public(), &call(&plan).basic(&plan, &second)).expect(401);
    watch.send(&server.operator(), &more.json(json!({ "overlapSeconds": second }))).expect(400);
    let targets = [plans.clone(), format!("{plans}/{plan}"), format!("{plans}/{plan}/apiTokens")];
    for target in targets {
        watch.send(&server.operator(), &Request::get(target)).expect(200);
    }
}

fn fail_to_create(watch: &mut Watch, server: &Server, world: &World, one: &Key) {
    watch.send(&server.operator(), &world.create_request("one")).expect(409);
    watch.send(&server.public(), &world.create_request("one").basic(&one.id, &one.secret)).expect(409);
    watch.send(&server.public(), &world.create_request("").basic(&one.id, &one.secret)).expect(400);
    let two_live = Request::post(format!("{}/{}/rotateSecret", world.keys(), one.id)).basic(&one.id, &one.secret);
    let answer = watch.send(&server.public(), &two_live).expect(200);
    watch.made_key(&answer);
    watch.send(&server.public(), &two_live).expect(400);
}

fn attempt_wrong_secrets(watch: &mut Watch, server: &Server, world: &World, one: &Key, two: &Key) {
    let guess = Key { id: one.id.clone(), secret: wrong(&one.secret) };
    watch.other_key("wrong secret", &guess);
    let attempts = [
        guess,
        Key { id: one.id.clone(), secret: two.secret.clone() },
        Key { id: one.id.clone(), secret: format!("{}\0", one.secret) },
        Key { id: one.id.clone(), secret: one.secret[..48].to_owned() },
        Key { id: one.secret.clone(), secret: one.id.clone() },
        Key { id: world.project.clone(), secret: one.secret.clone() },
    ];
    for Key { id, secret } in attempts {
        let refused = watch.send(&server.public(), &Key { id: id.clone(), secret: secret.clone() }.token_request());
        assert_eq!(refused.status, 401, "{}", refused.body);
        let in_body =
            format!("grant_type=client_credentials&client_id={id}&client_secret={secret}").replace('\0', "%00");
        watch.send(&server.public(), &Request::post("/oauth2/token").form(in_body)).expect(401);
        watch.send(&server.public(), &world.gate().basic(&id, &secret)).expect(401);
        watch.send(&server.public(), &Request::get(world.keys()).basic(&id, &secret)).expect(401);
    }
}

fn send_malformed_requests(watch: &mut Watch, server: &Server, world: &World, one: &Key) {
    let secret = &one.secret;
    let bodies = [
        format!("{{\"displayName\": {secret}"),
        format!("{{\"displayName\": {secret}}}"),
        format!("{{\"displayName\": \"{secret}"),
        format!("{{\"displayName\": {{\"secret\": \"{secret}\"}}}}"),
        format!("{{\"displayName\": \"a\", \"secret\": \"{secret}\"}}"),
        format!("{{\"displayName\": \"a\", \"{secret}\": 1}}"),
        format!("{{\"displayName\": \"a\", \"expireTime\": \"{secret}\"}}"),
        format!("{{\"displayName\": \"a\", \"scopes\": \"{secret}\"}}"),
        format!("{{\"displayName\": \"a\", \"scopes\": [\"{secret}\"]}}"),
        format!("{{\"displayName\": \"a\", \"allowedAddresses\": [\"{secret}\"]}}"),
        format!("{{\"displayName\": \"a\", \"tokenRate\": {{\"{secret}\": 1}}}}"),
        format!("{{\"displayName\": \"a\"}} {secret}"),
        secret.clone(),
    ];
    for body in bodies {
        watch.send(&server.operator(), &Request::post(world.keys()).json(&body)).expect(400);
        let as_curl_sends_it = Request::post(world.keys()).basic(&one.id, secret).form(&body);
        watch.send(&server.public(), &as_curl_sends_it).expect(400);
        watch.send(&server.operator(), &Request::post("/v1/accounts").json(&body)).expect(400);
        watch
            .send(&server.operator(), &Request::post(format!("{}/{}/rotateSecret", world.keys(), one.id)).json(&body))
            .expect(400);
    }
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", one.id);
    for kind in ["text/plain", "application/json", "multipart/form-data; boundary=x"] {
        watch.send(&server.public(), &Request::post("/oauth2/token").body(kind, &form)).expect(415);
        watch
            .send(&server.public(), &Request::post(world.keys()).body("text/plain", &form).basic(&one.id, secret))
            .expect(415);
    }
    watch
        .send(&server.public(), &Request::post("/oauth2/token").form(format!("{form}&client_secret={secret}")))
        .expect(400);
    watch.send(&server.public(), &Request::post("/oauth2/token").form(format!("{secret}={secret}"))).expect(401);
}

fn put_secrets_where_they_do_not_belong(watch: &mut Watch, server: &Server, world: &World, one: &Key) {
    let secret = &one.secret;
    let public = server.public();
    for field in ["grant_type", "scope", "resource", "token", "token_type_hint"] {
        let rest = if field == "grant_type" { "" } else { "grant_type=client_credentials&" };
        for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
            let answer = watch
                .send(&public, &Request::post(path).basic(&one.id, secret).form(format!("{rest}{field}={secret}")));
            if let Some("200") = answer.head.split(' ').nth(1).filter(|_| path == "/oauth2/token") {
                watch.made_token(&answer);
            }
        }
    }
    for target in [
        format!("/oauth2/token?client_id={}&client_secret={secret}", one.id),
        format!("/oauth2/token?token={secret}"),
        format!("/oauth2/introspect?access_token={secret}"),
    ] {
        watch.send(&public, &Request::post(target).form("grant_type=client_credentials")).expect(400);
    }
    for target in [
        format!("{}?pageToken={secret}", world.keys()),
        format!("{}?pageSize={secret}", world.keys()),
        format!("/v1/projects/{secret}/accessKeys"),
        format!("/v1/projects/{}/accessKeys/{secret}", world.project),
        format!("/v1/denials/{secret}"),
        format!("/v1/accounts/{secret}"),
        format!("/v1/accounts/{}/usage?groupBy={secret}&from={secret}", world.account),
        format!("/nothing/{secret}?x={secret}"),
    ] {
        let answer = watch.send(&server.operator(), &Request::get(&target));
        assert!((400..500).contains(&answer.status), "{target}: {}", answer.status);
        watch.send(&public, &Request::get(&target).header("cookie", format!("session={secret}")));
        watch.send(&public, &Request::new("DELETE", &target).header("authorization", secret));
        watch.send(&public, &Request::new("TRACE", &target).bearer(secret));
    }
}

/// The request ids of denials.
fn call_the_gate(watch: &mut Watch, server: &Server, world: &World, one: &Key) -> Vec<String> {
    let public = server.public();
    let answer = watch.send(&public, &one.token_request()).expect(200);
    let token = watch.made_token(&answer);
    let answer = watch
        .send(
            &public,
            &Request::post("/oauth2/token")
                .form(format!("grant_type=client_credentials&client_id={}&client_secret={}", one.id, one.secret)),
        )
        .expect(200);
    let other = watch.made_token(&answer);
    watch.send(&public, &world.gate().bearer(&token)).expect(200);
    watch.send(&public, &world.gate().basic(&one.id, &one.secret)).expect(200);
    let about =
        |path: &str, token: &str| Request::post(path).basic(&one.id, &one.secret).form(format!("token={token}"));
    watch.send(&public, &about("/oauth2/introspect", &token)).expect(200);
    watch.send(&public, &about("/oauth2/revoke", &token)).expect(200);
    watch.send(&public, &about("/oauth2/introspect", &token)).expect(200);
    let call = format!("/v1/projects/{}/hello?key={}&access_token={other}", world.project, one.secret);
    let hidden = || Request::get("/gate").header("x-forwarded-method", "GET").header("x-forwarded-uri", &call);
    watch.send(&public, &hidden().bearer(&other)).expect(200);
    let attempts = [
        world.gate().bearer(&token),
        world.gate().bearer(&one.secret),
        world.gate().bearer(&format!("{other}x")),
        world.gate().header("authorization", &one.secret),
        world.gate().bearer(&other).basic(&one.id, &one.secret),
        hidden().bearer(&token),
        hidden(),
        Request::get(format!("/gate/envoy{call}")).bearer(&one.secret),
        Request::get("/gate/nginx").header("x-original-method", "GET").header("x-original-uri", &call).bearer(&token),
    ];
    let ids = attempts.iter().map(|attempt| {
        let answer = watch.send(&public, attempt);
        assert!((400..500).contains(&answer.status), "{}", answer.status);
        answer.header("request-id").expect("an id").to_owned()
    });
    ids.collect()
}

fn read_everything(watch: &mut Watch, server: &Server, world: &World, one: &Key, denied: &[String]) {
    let operator = server.operator();
    let mut targets = vec![
        world.keys(),
        format!("{}/{}", world.keys(), one.id),
        "/v1/accounts".to_owned(),
        format!("/v1/accounts/{}", world.account),
        format!("/v1/accounts/{}/projects", world.account),
        format!("/v1/accounts/{}/auditEvents?pageSize=1000", world.account),
        "/v1/signingKeys".to_owned(),
        "/openapi.json".to_owned(),
        "/readyz".to_owned(),
        "/.well-known/jwks.json".to_owned(),
    ];
    targets.extend(
        ["project", "key", "product", "day"].map(|by| format!("/v1/accounts/{}/usage?groupBy={by}", world.account)),
    );
    targets.extend(denied.iter().map(|id| format!("/v1/denials/{id}")));
    for target in targets {
        watch.send(&operator, &Request::get(target)).expect(200);
    }
    watch.send(&To::Tcp(server.admin), &Request::get("/metrics")).expect(200);
    let own = once(&server.public(), &Request::get(world.keys()).basic(&one.id, &one.secret)).expect(200);
    watch.search("a key's own list", own.body.as_bytes());
}
