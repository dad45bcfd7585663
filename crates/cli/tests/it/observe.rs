//! Metrics, and the one log line per request.

use serde_json::Value;

use crate::deadline::until;
use crate::server::House;
use crate::wire::{Request, To, once};
use crate::world::World;

#[test]
fn metrics_are_on_the_admin_listener_only() {
    let mut house = House::new("");
    let server = house.start();
    for door in [server.public(), server.operator()] {
        once(&door, &Request::get("/metrics")).expect(404);
    }
    let admin = To::Tcp(server.admin);
    let world = World::new(server.operator());
    let key = world.key("caller");
    let before = number(&once(&admin, &Request::get("/metrics")).expect(200).body, "tollgate_ledger_calls_total");
    for _ in 0..3 {
        once(&server.public(), &world.gate().basic(&key.id, &key.secret)).expect(200);
    }
    let metrics = once(&admin, &Request::get("/metrics")).expect(200).body;
    assert_eq!(number(&metrics, "tollgate_ledger_calls_total"), before + 3);
    assert!(number(&metrics, "tollgate_requests_total{group=\"gate\",class=\"2xx\"}") >= 3);
    for id in [&world.account, &world.project, &key.id] {
        assert!(!metrics.contains(id.as_str()), "ids make metrics without end");
    }
    for path in ["/v1/accounts", "/oauth2/token", "/gate", "/readyz"] {
        once(&admin, &Request::get(path)).expect(404);
    }
}

fn number(metrics: &str, name: &str) -> u64 {
    let line =
        metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {metrics}"));
    line.trim().parse().expect("a number")
}

#[test]
fn each_request_is_one_line_with_the_id_that_its_answer_bears() {
    let mut house = House::new("[log]\nformat = 'json'\n");
    let server = house.start();
    let world = World::new(server.operator());
    let key = world.key("caller");
    let hidden = "hidden-in-the-request";
    let target = |path: &str| format!("{path}?value={hidden}");
    let requests = [
        (server.public(), key.token_request(), "/oauth2/token", "public"),
        (server.public(), world.gate().basic(&key.id, &key.secret).header("user-agent", hidden), "/gate", "public"),
        (
            server.public(),
            Request::get("/gate").header("x-forwarded-method", "GET").header("x-forwarded-uri", target("/v1/x")),
            "/gate",
            "public",
        ),
        (
            server.public(),
            Request::get(target(&world.keys())).basic(&key.id, &key.secret),
            "/v1/projects/{project}/accessKeys",
            "public",
        ),
        (server.operator(), Request::get(target(&world.keys())), "/v1/projects/{project}/accessKeys", "operator"),
        (server.public(), Request::get(target(&format!("/{hidden}/nothing"))), "", "public"),
        (
            server.public(),
            Request::get(target("/gate/envoy/v1/hidden-in-the-request")),
            "/gate/envoy/{*path}",
            "public",
        ),
        (server.public(), Request::new("PUT", target("/oauth2/token")), "/oauth2/token", "public"),
    ];
    let expected: Vec<_> = requests
        .iter()
        .map(|(door, request, route, listener)| {
            let answer = once(door, request);
            (answer.header("request-id").expect("an id").to_owned(), answer.status, *route, *listener)
        })
        .collect();
    let last = &expected.last().expect("requests").0;
    let lines = until("the log has the last request", 5, || {
        let log = server.log();
        log.contains(last.as_str())
            .then(|| log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>())
    });
    for (id, status, route, listener) in &expected {
        let own: Vec<&Value> = lines.iter().filter(|line| line["request.id"] == *id.as_str()).collect();
        assert_eq!(own.len(), 1, "lines of {id}: {own:?}");
        assert_eq!(own[0]["http.status"], *status);
        assert_eq!(own[0]["http.route"], *route);
        assert_eq!(own[0]["listener"], *listener);
        assert!(own[0]["duration_us"].is_u64() && own[0]["http.method"].is_string(), "{}", own[0]);
    }
    let log = server.log();
    for absent in [hidden, world.project.as_str(), world.account.as_str(), "value="] {
        assert!(!log.contains(absent), "{absent} is in the log");
    }
}

#[test]
fn request_ids_are_the_servers_own() {
    let mut house = House::new("");
    let server = house.start();
    let ask = Request::get("/livez").header("request-id", "01234567-89ab-7cde-8f01-23456789abcd");
    let ids: Vec<String> =
        (0..2).map(|_| once(&server.public(), &ask).header("request-id").expect("an id").to_owned()).collect();
    assert!(ids[0] != ids[1] && !ids.iter().any(|id| id.starts_with("01234567-89ab")), "{ids:?}");
}
