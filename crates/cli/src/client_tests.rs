//! The client against a small server that answers what it is told and keeps what it was asked.

use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;

use super::*;
use crate::hidden::{Hidden, KeyPair};

/// Answers one request with each of the texts, and returns the requests.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut part = [0; 4096];
        match stream.read(&mut part).await.expect("a request") {
            0 => break,
            read => request.extend_from_slice(&part[..read]),
        }
    }
    stream.write_all(answer.as_bytes()).await.expect("answered");
    stream.shutdown().await.expect("closed");
    String::from_utf8(request).expect("text")
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

async fn over_http(answers: Vec<String>) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/base/", listener.local_addr().expect("an address"));
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().await.expect("a connection");
            seen.push(serve(stream, &answer).await);
        }
        seen
    });
    let key = KeyPair { id: "k1".to_owned(), secret: Hidden::new("tgs_1".to_owned()) };
    (signed_in(&url, Credential::Key(key)), seen)
}

fn signed_in(url: &str, credential: Credential) -> Client {
    let place = Place::Http(Url::parse(url).expect("a URL"));
    Client::new(Target { place, credential: Some(credential) }).expect("a client")
}

#[tokio::test]
async fn a_person_signs_in_with_a_bearer_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let seen = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        serve(stream, &answer("200 OK", "", "{}")).await
    });
    let client = signed_in(&url, Credential::Personal(Hidden::new("tgp_1".to_owned())));
    client.get("/v1/me", &[]).await.expect("answered");
    assert!(seen.await.expect("served").contains("authorization: Bearer tgp_1\r\n"));
}

fn over_socket(path: &Path) -> Client {
    Client::new(Target { place: Place::Socket(PathBuf::from(path)), credential: None }).expect("a client")
}

#[tokio::test]
async fn a_list_is_followed_to_its_end_and_signed_in_with_basic() {
    let first = answer("200 OK", "", r#"{"accounts":[{"accountId":"a"},{"accountId":"b"}],"nextPageToken":"x/y="}"#);
    let last = answer("200 OK", "", r#"{"accounts":[{"accountId":"c"}],"nextPageToken":""}"#);
    let (client, seen) = over_http(vec![first, last]).await;
    let accounts = client.list("/v1/accounts", "accounts", &[("showArchived", "true")], None).await.expect("a list");
    assert_eq!(accounts.len(), 3);
    let seen = seen.await.expect("served");
    assert!(seen[0].starts_with("GET /base/v1/accounts?showArchived=true&pageSize=1000 HTTP/1.1\r\n"), "{}", seen[0]);
    assert!(seen[1].contains("&pageToken=x%2Fy%3D "), "{}", seen[1]);
    assert!(seen[1].contains("authorization: Basic azE6dGdzXzE=\r\n"));
}

#[tokio::test]
async fn a_list_stops_at_its_limit_and_when_it_turns_in_a_circle() {
    let page = || answer("200 OK", "", r#"{"accounts":[{"accountId":"a"},{"accountId":"b"}],"nextPageToken":"same"}"#);
    let (client, seen) = over_http(vec![page()]).await;
    assert_eq!(client.list("/v1/accounts", "accounts", &[], NonZeroUsize::new(2)).await.expect("a list").len(), 2);
    assert!(seen.await.expect("served")[0].contains("pageSize=2 "));

    let (client, _) = over_http(vec![page()]).await;
    assert_eq!(client.list("/v1/accounts", "accounts", &[], NonZeroUsize::new(1)).await.expect("a list").len(), 1);

    let (client, _) = over_http(vec![page(), page()]).await;
    let failure = client.list("/v1/accounts", "accounts", &[], None).await.expect_err("a circle");
    assert!(failure.message.contains("twice"));
}

#[tokio::test]
async fn a_denial_shows_message_and_request_id() {
    let body = r#"{"error":{"code":403,"message":"Needs the scope keys:manage","status":"PERMISSION_DENIED"}}"#;
    let (client, _) = over_http(vec![answer("403 Forbidden", "request-id: r1\r\n", body)]).await;
    let failure = client.post("/v1/accounts", &json!({})).await.expect_err("denied");
    assert_eq!(
        (failure.exit, failure.message.as_str()),
        (Exit::Forbidden, "Needs the scope keys:manage (request id r1)")
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_html_is_no_answer() {
    let (client, seen) = over_http(vec![answer("302 Found", "location: http://127.0.0.1:1/\r\n", "")]).await;
    assert_eq!(client.get("/v1/accounts", &[]).await.expect_err("no redirect").exit, Exit::Error);
    assert_eq!(seen.await.expect("served").len(), 1);
    for body in ["<html>", "[]", "null", "1"] {
        let (client, _) = over_http(vec![answer("200 OK", "", body)]).await;
        let failure = client.list("/v1/accounts", "accounts", &[], None).await.expect_err(body);
        assert!(failure.message.contains("is it a Tollgate server?"), "{}", failure.message);
    }
}

#[tokio::test]
async fn over_the_socket_no_key_is_sent() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tollgate.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let seen = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        serve(stream, &answer("200 OK", "", "{}")).await
    });
    assert_eq!(over_socket(&path).delete("/v1/x").await.expect("an answer"), json!({}));
    let seen = seen.await.expect("served").to_lowercase();
    assert!(seen.starts_with("delete /v1/x http/1.1\r\n") && !seen.contains("authorization"), "{seen}");
}

#[tokio::test]
async fn no_answer_has_its_own_exit_code_and_names_the_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("tollgate.sock");
    let failure = over_socket(&path).get("/readyz", &[]).await.expect_err("no socket");
    assert_eq!(failure.exit, Exit::NoAnswer);
    assert!(failure.message.contains("tollgate.sock"), "{}", failure.message);

    let (client, _) = over_http(vec![String::new()]).await;
    let failure = client.post("/v1/accounts", &json!({})).await.expect_err("broken off");
    assert_eq!(failure.exit, Exit::NoAnswer);
    assert!(failure.message.contains("may have been done"), "{}", failure.message);
}
