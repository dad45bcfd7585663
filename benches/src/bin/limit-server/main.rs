//! The limit server: the least that any server must do to answer like Tollgate.
//!
//! Bare hyper on one thread, the real cryptography with keys parsed once, everything in memory and nothing stored:
//! no revocation, no limits, no routes, no log, no count. What Tollgate needs beyond it is the price of those.

#![expect(clippy::print_stdout, reason = "the address and the credentials are what this program prints")]

mod gate;
mod jwt;
mod limit;
mod token;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bytes::Bytes;
use clap::Parser;
use http_body_util::Full;
use hyper::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tollgate_bench::Algorithm;

use crate::limit::{Limit, Seed};

/// What the limit server can be told.
#[derive(Parser)]
#[command(name = "limit-server", about = "The least a server must do to answer like Tollgate")]
struct Options {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Algorithm that signs the tokens.
    #[arg(long, value_enum, default_value_t = Algorithm::Es256)]
    algorithm: Algorithm,
    /// Write the address and the credentials to this file instead of standard output.
    #[arg(long)]
    env: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let listener =
        TcpListener::bind(options.listen).await.with_context(|| format!("cannot listen on {}", options.listen))?;
    let url = format!("http://{}", listener.local_addr()?);
    let (limit, seed) = Limit::seeded(&url, options.algorithm)?;
    publish(&environment(&url, &seed), options.env.as_deref())?;
    // Lives as long as the process: a plain reference is cheaper than a counted one.
    let limit: &'static Limit = Box::leak(Box::new(limit));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(limit, stream));
    }
}

/// Answers one connection until the client closes it.
async fn serve(limit: &'static Limit, stream: TcpStream) {
    let service = service_fn(move |request| async move { Ok::<_, Infallible>(answer(limit, request).await) });
    // A client that breaks off is its own business: the load generator reports it.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The whole route table.
async fn answer<B: Body>(limit: &Limit, request: Request<B>) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/oauth2/token") => token::answer(limit, request).await,
        (&Method::GET, "/gate") => gate::answer(limit, &request),
        (&Method::GET, "/verify") => gate::verify(limit, &request),
        _ => refusal(StatusCode::NOT_FOUND),
    }
}

/// An empty answer that stops a benchmark: it only counts 200.
fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// The lines a script reads to use this server.
fn environment(url: &str, seed: &Seed) -> String {
    format!(
        "LIMIT_URL={url}\nLIMIT_PROJECT_ID={}\nLIMIT_KEY_ID={}\nLIMIT_KEY_SECRET={}\nLIMIT_TOKEN={}\n",
        seed.project, seed.key, seed.secret, seed.token,
    )
}

/// Prints `lines`, or moves them to `file` in one step, so that a reader never sees half of them.
fn publish(lines: &str, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = file else {
        print!("{lines}");
        return Ok(());
    };
    let unfinished = file.with_extension("unfinished");
    std::fs::write(&unfinished, lines).with_context(|| format!("cannot write {}", unfinished.display()))?;
    std::fs::rename(&unfinished, file).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use http_body_util::BodyExt;

    use super::*;

    fn limit() -> (Limit, Seed) {
        Limit::seeded("http://127.0.0.1:1", Algorithm::Es256).expect("keys can be made")
    }

    async fn token_answer(limit: &Limit, pair: &str, body: &'static str) -> Response<Full<Bytes>> {
        let request = Request::post("/oauth2/token")
            .header("authorization", format!("Basic {}", BASE64_STANDARD.encode(pair)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::<Bytes>::from(body))
            .expect("a well-formed request");
        answer(limit, request).await
    }

    async fn gate_answer(limit: &Limit, token: &str) -> Response<Full<Bytes>> {
        door_answer(limit, "/gate", token).await
    }

    async fn door_answer(limit: &Limit, door: &str, token: &str) -> Response<Full<Bytes>> {
        let request = Request::get(door)
            .header("authorization", format!("Bearer {token}"))
            .header("x-forwarded-method", "GET")
            .body(Full::<Bytes>::default())
            .expect("a well-formed request");
        answer(limit, request).await
    }

    #[tokio::test]
    async fn the_seeded_key_gets_a_token() {
        let (limit, seed) = limit();
        let pair = format!("{}:{}", seed.key, seed.secret);
        let response = token_answer(&limit, &pair, "grant_type=client_credentials").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["pragma"], "no-cache");
        let body = response.into_body().collect().await.expect("a body in memory").to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).expect("the answer is JSON");
        assert_eq!(body["token_type"], "bearer");
        assert_eq!(body["expires_in"], 3600);
        assert_eq!(body["scope"], "demo");
        assert_eq!(body["access_token"].as_str().map(|token| token.split('.').count()), Some(3));
    }

    #[tokio::test]
    async fn a_wrong_secret_an_unknown_key_and_another_grant_get_none() {
        let (limit, seed) = limit();
        let grant = "grant_type=client_credentials";
        let wrong = token_answer(&limit, &format!("{}:wrong", seed.key), grant).await;
        assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
        let unknown = token_answer(&limit, &format!("unknown:{}", seed.secret), grant).await;
        assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
        let pair = format!("{}:{}", seed.key, seed.secret);
        let password = token_answer(&limit, &pair, "grant_type=password").await;
        assert_eq!(password.status(), StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn the_gate_lets_the_remembered_token_through_and_no_other() {
        let (limit, seed) = limit();
        let allowed = gate_answer(&limit, &seed.token).await;
        assert_eq!(allowed.status(), StatusCode::OK);
        assert_eq!(allowed.headers()["tollgate-project"], seed.project);
        assert_eq!(allowed.headers()["tollgate-credential"], seed.key);
        assert_eq!(gate_answer(&limit, "another").await.status(), StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn a_token_that_was_never_seen_is_verified_and_a_forged_one_refused() {
        let (limit, seed) = limit();
        let key = limit.authenticate(&seed.key, &seed.secret).expect("the seeded key");
        let fresh = limit.issuer.token(key, crate::limit::unix_seconds()).expect("a token");
        let allowed = door_answer(&limit, "/verify", &fresh).await;
        assert_eq!(allowed.headers()["tollgate-project"], seed.project);
        let over = limit.issuer.token(key, 0).expect("a token");
        let forged = format!("{}A{}", &fresh[..fresh.len() - 9], &fresh[fresh.len() - 8..]);
        for refused in [over, forged, "a.b.c".to_owned(), String::new()] {
            assert_eq!(door_answer(&limit, "/verify", &refused).await.status(), StatusCode::UNAUTHORIZED, "{refused}");
        }
    }

    #[tokio::test]
    async fn what_is_not_measured_is_not_found() {
        let (limit, _) = limit();
        let request = Request::get("/").body(Full::<Bytes>::default()).expect("a well-formed request");
        assert_eq!(answer(&limit, request).await.status(), StatusCode::NOT_FOUND);
    }
}
