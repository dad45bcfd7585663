//! The SMS surface: send, list, get, cancel, dry run, and the delivery report.

use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Api;
use crate::answer::{Problem, Shape};
use crate::batch::{Batch, Message, instant};
use crate::batches::ulid;
use crate::gate::Caller;
use crate::parts::Parts;
use crate::units::Bill;

/// The most entries of a page.
const PAGE: usize = 100;
/// The most recipients that a dry run shows one by one.
const SHOWN: usize = 1_000;

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.render(Shape::Xms)
    }
}

type Body = Result<Bytes, BytesRejection>;

/// `POST …/batches`: counted first, then taken. What cannot be counted is not sent.
pub(crate) async fn send(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let message = message(&headers, body)?;
    let now = api.clock.now();
    let units = message.units();
    let batch = Batch::new(ulid(now, &*api.random), caller.owner().to_owned(), message, now)?;
    if let Some(meter) = &api.meter {
        let bill = Bill { caller: &caller, id: &batch.id, quantity: units, time: now };
        meter.post(&api.link, &bill).await.map_err(|error| {
            tracing::warn!(batch = batch.id, %error, "not counted, so not sent");
            Problem::outage()
        })?;
    }
    let view = batch.view();
    api.batches.keep(&caller, batch);
    Ok((StatusCode::CREATED, Json(view)))
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    page: Option<usize>,
    page_size: Option<usize>,
    from: Option<String>,
    client_reference: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
}

/// `GET …/batches`
pub(crate) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    let query: ListQuery = query(&uri)?;
    let (page, size) = (query.page.unwrap_or(0), query.page_size.unwrap_or(30));
    if !(1..=PAGE).contains(&size) {
        return Err(Problem::constraint(format!("page_size must be 1 to {PAGE}")));
    }
    let (start, end) =
        (instant("start_date", query.start_date.as_deref())?, instant("end_date", query.end_date.as_deref())?);
    let fits = |batch: &Batch| {
        let from = batch.message.from.as_deref();
        query.from.as_ref().is_none_or(|all| all.split(',').any(|one| from == Some(one.trim_start_matches('+'))))
            && (query.client_reference.is_none() || query.client_reference == batch.message.client_reference)
            && start.is_none_or(|start| batch.created >= start)
            && end.is_none_or(|end| batch.created < end)
    };
    let found = api.batches.list(&caller, fits);
    let batches: Vec<Value> = found.iter().skip(page.saturating_mul(size)).take(size).map(Batch::view).collect();
    Ok(Json(json!({ "count": found.len(), "page": page, "page_size": batches.len(), "batches": batches })))
}

/// `GET …/batches/{id}`
pub(crate) async fn get(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let found = api.batches.with(&caller, &id, |batch| batch.view());
    found.map(Json).ok_or_else(no_batch)
}

/// `DELETE …/batches/{id}`: what has not left yet never will.
pub(crate) async fn cancel(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let now = api.clock.now();
    let found = api.batches.with(&caller, &id, |batch| {
        batch.cancel(now);
        batch.view()
    });
    found.map(Json).ok_or_else(no_batch)
}

/// `GET …/batches/{id}/delivery_report`
pub(crate) async fn report(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let now = api.clock.now();
    let found = api.batches.with(&caller, &id, |batch| batch.report(now));
    found.map(Json).ok_or_else(no_batch)
}

#[derive(Debug, Deserialize)]
struct DryRunQuery {
    /// Python's SDK writes `True`.
    per_recipient: Option<String>,
    number_of_recipients: Option<usize>,
}

/// `POST …/batches/dry_run`: what it would take. Nothing is sent, and no parts are counted.
pub(crate) async fn dry_run(uri: Uri, headers: HeaderMap, body: Body) -> Result<Json<Value>, Problem> {
    let query: DryRunQuery = query(&uri)?;
    let shown = query.number_of_recipients.unwrap_or(100);
    if shown > SHOWN {
        return Err(Problem::constraint(format!("number_of_recipients must be at most {SHOWN}")));
    }
    let per_recipient = match query.per_recipient.unwrap_or_default().to_ascii_lowercase().as_str() {
        "true" => true,
        "" | "false" => false,
        _ => return Err(Problem::bad_format("per_recipient must be true or false")),
    };
    let message = message(&headers, body)?;
    let mut answer = json!({ "number_of_recipients": message.to.len(), "number_of_messages": message.units() });
    if per_recipient {
        let Parts { encoding, count } = Parts::of(&message.body);
        let one = |number: &String| json!({ "recipient": number, "body": message.body, "number_of_parts": count, "encoding": encoding });
        answer["per_recipient"] = message.to.iter().take(shown).map(one).collect();
    }
    Ok(Json(answer))
}

fn message(headers: &HeaderMap, body: Body) -> Result<Message, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::not_json_type());
    }
    let body = body.map_err(|_| Problem::constraint("The body is too long, or broke off"))?;
    Message::parse(&body)
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    let read = Query::try_from_uri(uri);
    read.map(|Query(value)| value).map_err(|error| Problem::bad_format(format!("The query cannot be read: {error}")))
}

fn no_batch() -> Problem {
    Problem::not_found("There is no batch of this id")
}
