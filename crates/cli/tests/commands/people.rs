//! Signing in as a person, and the commands about people.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::mpsc;

use crate::dev::{Dev, beside};

/// A server that knows one token, and tells who asked for what.
fn one_person(token: &'static str) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let (sender, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let known = request.iter().any(|line| *line == format!("authorization: Bearer {token}"));
            let (status, body) = match (known, request[0].contains("/v1/me")) {
                (true, true) => {
                    ("200 OK", r#"{"userId":"u1","email":"me@example.com","operator":false,"accounts":[]}"#)
                }
                (true, false) => ("200 OK", r#"{"accounts":[],"nextPageToken":""}"#),
                (false, _) => {
                    ("401 Unauthorized", r#"{"error":{"message":"Unknown token","status":"UNAUTHENTICATED"}}"#)
                }
            };
            let length = body.len();
            write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
                .expect("answered");
            sender.send(request[0].clone()).expect("the test listens");
        }
    });
    (url, asked)
}

#[test]
fn a_token_from_standard_input_is_kept_and_used_until_logout() {
    let home = tempfile::tempdir().expect("a directory");
    let (url, asked) = one_person("tgp_right");
    let file = home.path().join(".config/tollgate/tokens.toml");
    let here = [("TOLLGATE_URL", url.as_str())];
    let run = |line: &str, input: &str| beside(home.path(), line, &here, input);
    assert_eq!(run("account list", "").code, 3);
    let wrong = run("login --token-stdin", "tgp_wrong\n");
    assert_eq!((wrong.code, file.exists()), (3, false), "{wrong:?}");
    let signed_in = run("login --token-stdin", "tgp_right\n");
    assert_eq!(signed_in.code, 0, "{signed_in:?}");
    assert!(signed_in.out.contains("me@example.com") && !signed_in.err.contains("tgp_right"), "{signed_in:?}");
    assert_eq!(std::fs::metadata(&file).expect("kept").permissions().mode() & 0o777, 0o600);
    assert_eq!(run("account list", "").code, 0);
    assert!(asked.try_iter().last().expect("asked").starts_with("GET /v1/accounts?"));
    let key = [here[0], ("TOLLGATE_KEY_ID", "k"), ("TOLLGATE_KEY_SECRET", "s")];
    assert_eq!(beside(home.path(), "account list", &key, "").code, 3, "a key comes first");
    assert_eq!((run("logout", "").code, run("account list", "").code, run("logout", "").code), (0, 3, 0));
    assert!(!std::fs::read_to_string(&file).expect("kept").contains("tgp_right"));
}

#[test]
fn nobody_signs_in_over_the_socket_or_with_a_token_in_the_arguments() {
    let dev = Dev::start();
    let refused = dev.run_with("login --token-stdin", &[], "tgp_x\n");
    assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("--server"));
    assert_eq!(dev.run("login").code, 2);
    assert_eq!(dev.run("login tgp_x").code, 2);
}

#[test]
fn members_are_listed_invited_given_roles_and_removed() {
    let dev = Dev::start();
    let listed = dev.run("member list -o json");
    let members: serde_json::Value = serde_json::from_str(&listed.out).expect("JSON");
    assert_eq!(
        (&members["members"][0]["email"], &members["members"][0]["role"]),
        (&"owner@example.com".into(), &"owner".into())
    );
    let invited = dev.run("member invite new@example.com --role developer");
    assert_eq!(invited.code, 0, "{invited:?}");
    assert!(invited.out.contains("/invitation?token=tgl_") && invited.out.lines().count() == 1, "{invited:?}");
    assert!(!invited.err.contains("tgl_"));
    let reset = dev.run("member reset-link owner@example.com");
    assert!(reset.out.contains("/reset/new?token=tgl_") && reset.out.lines().count() == 1, "{reset:?}");
    let made = dev.run("account create Customer --owner boss@example.com -o json");
    assert!(made.out.contains("\"invitationUrl\": \"http"), "{made:?}");
    assert!(!dev.run("account list -o json").out.contains("invitationUrl"));
    for (code, line) in [
        (2, "member invite new@example.com --role root"),
        (4, "member role nobody@example.com admin"),
        (4, "member reset-link nobody@example.com"),
        (5, "member invite owner@example.com --role admin"),
        (5, "member role owner@example.com admin"),
        (2, "member remove owner@example.com"),
        (5, "member remove owner@example.com --yes"),
        (5, "setup-link"),
    ] {
        let done = dev.run(line);
        assert_eq!((done.code, done.out.as_str()), (code, ""), "{line}: {done:?}");
    }
}
