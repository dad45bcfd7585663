//! Telling Tollgate how many message parts a batch took: the units that the account pays for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tollgate_core::{Secret, Timestamp};

use crate::gate::Caller;
use crate::link::Link;

/// A token is renewed when it has this many seconds left.
const RENEW_SECONDS: i64 = 60;

/// The access key of this API. It holds the scope `usage:report`, and may bill all accounts.
#[derive(Debug)]
pub struct Reporter {
    /// Its KEY ID.
    pub key_id: String,
    /// Its KEY SECRET.
    pub key_secret: Secret,
}

/// Posts events, with a token that it gets and renews.
#[derive(Debug)]
pub(crate) struct Meter {
    reporter: Reporter,
    token: Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    bearer: HeaderValue,
    renew_at: Timestamp,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: i64,
}

/// A batch to be paid for.
#[derive(Debug)]
pub(crate) struct Bill<'a> {
    pub(crate) caller: &'a Caller,
    /// The id of the batch. An event of the same id counts once, so that a lost answer can be asked for again.
    pub(crate) id: &'a str,
    /// Message parts.
    pub(crate) quantity: u64,
    pub(crate) time: Timestamp,
}

impl Meter {
    pub(crate) fn new(reporter: Reporter) -> Self {
        Self { reporter, token: Mutex::new(None) }
    }

    /// Posts one event, and returns when it is counted.
    pub(crate) async fn post(&self, link: &Link, bill: &Bill<'_>) -> anyhow::Result<()> {
        let event = event(bill).to_string();
        // The second try is for a token that was refused or a connection that broke; an event counts once.
        let mut last = None;
        for _ in 0..2 {
            match self.attempt(link, &event, bill.time).await {
                Ok(answer) if answer.status() == StatusCode::OK => return Ok(()),
                Ok(answer) => {
                    if answer.status() == StatusCode::UNAUTHORIZED {
                        *self.token.lock().await = None;
                    }
                    last = Some(refused("the event", &answer));
                    if !says_expired(&answer) {
                        break;
                    }
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no answer")))
    }

    async fn attempt(&self, link: &Link, event: &str, now: Timestamp) -> anyhow::Result<Response<Bytes>> {
        let request = Request::post(link.uri("/v1/usage/events"))
            .header(AUTHORIZATION, self.bearer(link, now).await?)
            .header(CONTENT_TYPE, "application/cloudevents+json")
            .body(Bytes::copy_from_slice(event.as_bytes()))?;
        link.send(request).await
    }

    /// The token, which whoever comes first fetches for all.
    async fn bearer(&self, link: &Link, now: Timestamp) -> anyhow::Result<HeaderValue> {
        let mut kept = self.token.lock().await;
        if let Some(token) = &*kept
            && now < token.renew_at
        {
            return Ok(token.bearer.clone());
        }
        let pair = format!("{}:{}", self.reporter.key_id, self.reporter.key_secret.expose());
        let mut basic = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))?;
        basic.set_sensitive(true);
        let request = Request::post(link.uri("/oauth2/token"))
            .header(AUTHORIZATION, basic)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from_static(b"grant_type=client_credentials&scope=usage%3Areport"))?;
        let answer = link.send(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(refused("the token", &answer));
        }
        let answer: TokenAnswer = serde_json::from_slice(answer.body())?;
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", answer.access_token))?;
        bearer.set_sensitive(true);
        let renew_at = now.plus_seconds(answer.expires_in - RENEW_SECONDS);
        *kept = Some(Token { bearer: bearer.clone(), renew_at });
        Ok(bearer)
    }
}

/// Only then is a new token worth a second try at once.
fn says_expired(answer: &Response<Bytes>) -> bool {
    let challenge = answer.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    challenge.is_some_and(|challenge| challenge.contains("expired"))
}

fn refused(what: &str, answer: &Response<Bytes>) -> anyhow::Error {
    anyhow::anyhow!("{what} was answered {}", answer.status())
}

/// A CloudEvent 1.0.
fn event(bill: &Bill<'_>) -> Value {
    let Bill { caller, id, quantity, time } = bill;
    json!({
        "specversion": "1.0",
        "id": id,
        "source": "/sms",
        "type": "tollgate.units",
        "time": time.to_string(),
        "data": {
            "account": caller.account,
            "project": caller.project,
            "credential": caller.credential,
            "product": "sms",
            "quantity": quantity,
        },
    })
}
