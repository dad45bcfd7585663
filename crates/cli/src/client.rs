//! The client: one request at a time, over HTTP with a key pair or a personal token, or over the operator's Unix socket.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde_json::Value;

use crate::failure::{Exit, Failure};
use crate::hidden::Credential;
use crate::output::{note, text};
use crate::target::{Place, Target};

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(30);
/// The most that the server puts on one page.
const PAGE: usize = 1_000;

/// A connection to one server.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    credential: Option<Credential>,
    /// The server's name in messages.
    place: String,
}

impl Client {
    pub(crate) fn new(target: Target) -> Result<Self, Failure> {
        let Target { place, credential } = target;
        // A redirect is not followed: it would carry the secret to a place that nobody named.
        let builder = reqwest::Client::builder()
            .user_agent(concat!("tollgate-cli/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(ANSWER);
        let (builder, base, place) = match place {
            Place::Http(url) => {
                let near = is_loopback(&url);
                if credential.is_some() && url.scheme() == "http" && !near {
                    note("warning: http:// carries the secret in the clear; use https://");
                }
                let name = url.as_str().trim_end_matches('/').to_owned();
                (if near { builder.no_proxy() } else { builder }, url, name)
            }
            Place::Socket(path) => {
                let base = Url::parse("http://localhost").map_err(|error| Failure::error(error.to_string()))?;
                let name = path.display().to_string();
                (builder.no_proxy().unix_socket(path), base, name)
            }
        };
        let http = builder.build().map_err(|error| Failure::from(anyhow::Error::new(error)))?;
        Ok(Self { http, base, credential, place })
    }

    /// The server's name in messages.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.json(self.request(Method::GET, path, query)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.json(self.request(Method::POST, path, &[]).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.json(self.request(Method::PATCH, path, &[]).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.json(self.request(Method::DELETE, path, &[])).await
    }

    /// A form, as the OAuth endpoints take it.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Value, Failure> {
        self.json(self.request(Method::POST, path, &[]).form(fields)).await
    }

    /// Status and body of an answer, whatever they are.
    pub(crate) async fn raw(&self, path: &str) -> Result<(StatusCode, String), Failure> {
        let request = self.request(Method::GET, path, &[]);
        let answer = request.send().await.map_err(|error| self.no_answer(&error))?;
        let status = answer.status();
        Ok((status, answer.text().await.map_err(|error| self.no_answer(&error))?))
    }

    /// Goes through a list page by page, to its end or to the limit. `field` is the list's name in the answer.
    pub(crate) async fn each_page(
        &self,
        path: &str,
        field: &str,
        query: &[(&str, &str)],
        limit: Option<NonZeroUsize>,
        mut take: impl FnMut(Vec<Value>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut left = limit.map_or(usize::MAX, NonZeroUsize::get);
        let mut token = String::new();
        while left > 0 {
            let size = left.min(PAGE).to_string();
            let mut query = query.to_vec();
            query.push(("pageSize", &size));
            if !token.is_empty() {
                query.push(("pageToken", &token));
            }
            let mut page = self.get(path, &query).await?;
            let Value::Array(mut items) = page[field].take() else {
                return Err(Failure::error(format!("the server's answer has no list {field}")));
            };
            items.truncate(left);
            left -= items.len();
            take(items)?;
            let next = page["nextPageToken"].as_str().unwrap_or_default();
            if next.is_empty() {
                break;
            }
            if next == token {
                return Err(Failure::error("the server's list does not go on: the same page came twice"));
            }
            token = next.to_owned();
        }
        Ok(())
    }

    /// All pages of a list as one.
    pub(crate) async fn list(
        &self,
        path: &str,
        field: &str,
        query: &[(&str, &str)],
        limit: Option<NonZeroUsize>,
    ) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        let take = |items| {
            all.extend::<Vec<Value>>(items);
            Ok(())
        };
        self.each_page(path, field, query, limit, take).await?;
        Ok(all)
    }

    /// `path` is made of literals and of ids that were parsed, so that it needs no escaping.
    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.http.request(method, url);
        match &self.credential {
            Some(Credential::Key(key)) => request.basic_auth(&key.id, Some(key.secret.expose())),
            Some(Credential::Personal(token)) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// Every answer is an object.
    async fn json(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let answer = request.send().await.map_err(|error| self.no_answer(&error))?;
        let status = answer.status();
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (retry_after, request_id) = (header("retry-after"), header("request-id"));
        let body = answer.text().await.map_err(|error| self.no_answer(&error))?;
        if !status.is_success() {
            return Err(Failure::of_answer(status, retry_after.as_deref(), request_id.as_deref(), &body));
        }
        let body = if body.is_empty() { "{}" } else { &body };
        match serde_json::from_str(body) {
            Ok(answer @ Value::Object(_)) => Ok(answer),
            _ => {
                let place = &self.place;
                Err(Failure::error(format!(
                    "{place} answered {status} without a JSON object; is it a Tollgate server?"
                )))
            }
        }
    }

    fn no_answer(&self, error: &reqwest::Error) -> Failure {
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        let place = &self.place;
        let cause = text::clean(&cause.to_string()).into_owned();
        let message = if error.is_timeout() && !error.is_connect() {
            format!(
                "{place}: no answer within {} s; what was asked may have been done, so look before you repeat it",
                ANSWER.as_secs()
            )
        } else if error.is_connect() || error.is_timeout() {
            format!("nothing answers at {place} ({cause}); is the server running there?")
        } else {
            format!(
                "{place}: the answer broke off ({cause}); what was asked may have been done, so look before you repeat it"
            )
        };
        Failure::new(Exit::NoAnswer, message)
    }
}

/// No proxy stands between a machine and itself.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
