//! HTTP on the real listener: what is malformed is refused, and the next request is served.

use std::process::Command;

use crate::deadline::now;
use crate::server::{House, Server};
use crate::wire::{Answer, Request, once};
use crate::world::{World, connect};

/// Sends bytes on a connection of their own. `None` when it was closed without an answer.
fn raw(server: &Server, bytes: &[u8]) -> Option<Answer> {
    let mut connection = connect(&server.public());
    // The server may have refused and closed before all was sent.
    let _ = connection.write(bytes);
    connection.answer().ok()
}

#[track_caller]
fn status(server: &Server, bytes: &[u8]) -> Option<u16> {
    let status = raw(server, bytes).map(|answer| answer.status);
    assert_eq!(server.get("/livez").status, 200, "the next request is served");
    status
}

fn start() -> (House, Server) {
    let mut house = House::new("[http]\nheader_seconds = 1\nrequest_seconds = 2\n");
    let server = house.start();
    (house, server)
}

#[test]
fn one_host_header_is_needed() {
    let (_house, server) = start();
    assert_eq!(status(&server, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"), Some(200));
    assert_eq!(status(&server, b"GET /livez HTTP/1.1\r\n\r\n"), Some(400));
    assert_eq!(status(&server, b"GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"), Some(400));
    assert_eq!(status(&server, b"POST /oauth2/token HTTP/1.1\r\ncontent-length: 0\r\n\r\n"), Some(400));
}

#[test]
fn a_header_beyond_64_kib_is_431() {
    let (_house, server) = start();
    let one = format!("GET /livez HTTP/1.1\r\nHost: x\r\nx-long: {}\r\n\r\n", "a".repeat(70_000));
    assert_eq!(status(&server, one.as_bytes()), Some(431));
    let many = format!("GET /livez HTTP/1.1\r\nHost: x\r\n{}\r\n", "x-many: a\r\n".repeat(10_000));
    assert_eq!(status(&server, many.as_bytes()), Some(431));
    let target = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000));
    let refused = status(&server, target.as_bytes());
    assert!(matches!(refused, Some(414 | 431)), "{refused:?}");
}

#[test]
fn a_header_that_comes_too_slowly_ends_its_connection() {
    ends_within_seconds(b"GET /livez HTTP/1.1\r\nHost: ");
}

#[test]
fn a_connection_that_never_says_anything_is_ended() {
    ends_within_seconds(b"");
}

#[test]
fn a_connection_that_stops_in_the_first_word_is_ended() {
    ends_within_seconds(b"P");
}

fn ends_within_seconds(begun: &[u8]) {
    let (_house, server) = start();
    let mut connection = connect(&server.public());
    connection.write(begun).expect("half a header");
    let began = now();
    let rest = connection.rest();
    let took = began.elapsed().as_millis();
    assert!((500..4_000).contains(&took), "after {took} ms: {rest}");
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408"), "{rest}");
}

#[test]
fn a_body_that_comes_too_slowly_is_408() {
    let (_house, server) = start();
    let head = "POST /oauth2/token HTTP/1.1\r\nHost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\ngrant";
    assert_eq!(status(&server, head.as_bytes()), Some(408));
}

#[test]
fn trace_and_connect_are_refused() {
    let (_house, server) = start();
    for path in ["/livez", "/oauth2/token", "/nothing"] {
        let bytes = format!("TRACE {path} HTTP/1.1\r\nHost: x\r\nx-secret: a\r\n\r\n");
        let answer = raw(&server, bytes.as_bytes()).expect("an answer");
        assert!(matches!(answer.status, 404 | 405), "{}", answer.status);
        assert!(!answer.body.contains("x-secret"));
    }
    let refused = status(&server, b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n");
    assert!(refused.is_none_or(|status| (400..500).contains(&status)), "{refused:?}");
}

#[test]
fn http_1_0_is_served_and_its_connection_closed() {
    let (_house, server) = start();
    let mut connection = connect(&server.public());
    connection.write(b"GET /livez HTTP/1.0\r\nHost: x\r\n\r\n").expect("a request");
    let all = connection.rest();
    assert!(all.starts_with("HTTP/1.0 200") || all.starts_with("HTTP/1.1 200"), "{all}");
    assert!(all.ends_with("ok\n"), "{all}");
}

#[test]
fn a_length_that_can_be_read_in_two_ways_is_refused() {
    let (_house, server) = start();
    let head = "POST /oauth2/token HTTP/1.1\r\nHost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    for lengths in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        "content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        "content-length: 5, 6\r\n\r\nabcdef",
        "content-length: +5\r\n\r\nabcde",
        "content-length: -1\r\n\r\n",
        "transfer-encoding: identity\r\n\r\nabcde",
        "transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    ] {
        // A second request hides behind the first: it must not be answered as one.
        let bytes = format!("{head}{lengths}GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut connection = connect(&server.public());
        let _ = connection.write(bytes.as_bytes());
        let all = connection.rest();
        // RFC 9112 §6.1: with both lengths, chunked may win, and then the connection must end.
        assert!(all.matches("HTTP/1.1 ").count() <= 1 && !all.contains("200 OK"), "{lengths}: {all}");
        let both = lengths.contains("content-length") && lengths.contains("transfer-encoding: chunked\r\n");
        assert!(all.is_empty() || all.starts_with("HTTP/1.1 400") || both, "{lengths}: {all}");
        assert!(!both || all.is_empty() || all.contains("\r\nconnection: close\r\n"), "{lengths}: {all}");
    }
    assert_eq!(server.get("/livez").status, 200);
}

#[test]
fn junk_is_400_and_the_next_request_is_served() {
    let (_house, server) = start();
    let junk: Vec<u8> = (0..10_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let more = junk.iter().map(|byte| byte | 128).collect();
    for junk in [junk, more, vec![b'A'; 10_000], vec![0; 10_000]] {
        // A client that still writes when the server closes may lose the answer; one that has written all gets it.
        let refused = status(&server, &junk);
        assert!(matches!(refused, None | Some(400)), "{refused:?}");
        let refused = status(&server, &[&junk[..4_000], b"\r\n\r\n"].concat());
        assert_eq!(refused, Some(400), "junk that begins with {:?}", &junk[..20]);
    }
    for line in
        ["GET  /livez HTTP/1.1", "GET /livez", "GET /livez HTTP/9.9", " GET /livez HTTP/1.1", "GET /li\0vez HTTP/1.1"]
    {
        let refused = status(&server, format!("{line}\r\nHost: x\r\n\r\n").as_bytes());
        assert!(refused.is_none_or(|status| (400..=505).contains(&status) && status != 500), "{line}: {refused:?}");
    }
    let folded = status(&server, b"GET /livez HTTP/1.1\r\nHost: x\r\nx-one: a\r\n folded: b\r\n\r\n");
    assert_eq!(folded, Some(400));
}

#[test]
fn header_names_are_in_lower_case() {
    let (_house, server) = start();
    let world = World::new(server.operator());
    let key = world.key("caller");
    let answers = [
        server.get("/readyz"),
        once(&server.public(), &key.token_request()),
        once(&server.public(), &world.gate()),
        once(&server.public(), &world.gate().basic(&key.id, &key.secret)),
        raw(&server, b"junk\r\n\r\n").expect("an answer"),
    ];
    for answer in answers {
        for name in answer.head.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name) {
            assert_eq!(name, name.to_ascii_lowercase());
        }
    }
}

#[test]
fn http_2_with_prior_knowledge_is_served() {
    let (_house, server) = start();
    let Ok(version) = Command::new("curl").arg("--version").output() else {
        eprintln!("not checked: curl is not installed");
        return;
    };
    if !String::from_utf8_lossy(&version.stdout).contains("HTTP2") {
        eprintln!("not checked: this curl has no HTTP/2");
        return;
    }
    let url = format!("http://{}/readyz", server.public);
    let curl =
        Command::new("curl").args(["-s", "-i", "--http2-prior-knowledge", "-m", "5", &url]).output().expect("curl");
    let said = String::from_utf8_lossy(&curl.stdout).into_owned();
    assert!(said.starts_with("HTTP/2 200") && said.contains("request-id: "), "{said}");
}

#[test]
fn many_requests_on_one_connection_are_answered_in_order() {
    let (_house, server) = start();
    let mut connection = connect(&server.public());
    let requests: Vec<u8> =
        ["/livez", "/readyz", "/nothing", "/livez"].iter().flat_map(|path| Request::get(*path).bytes()).collect();
    connection.write(&requests).expect("four requests at once");
    let statuses: Vec<u16> = (0..4).map(|_| connection.answer().expect("an answer").status).collect();
    assert_eq!(statuses, [200, 200, 404, 200]);
}
