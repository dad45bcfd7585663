//! The filtered audit log as NDJSON: one event a line, newest first. It is read and sent a thousand events at a time, as
//! fast as the client takes them. The names of the fields stay as they are.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http_body_util::channel::{Channel, Sender};
use serde::Serialize;
use tollgate_core::AccountId;

use super::question::Question;
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::who::InAccount;
use crate::http::rights::SeeAudit;
use crate::operations::{ManageError, Page, TrailEntry, TrailFilter};

/// Events that are held in memory at once.
const PART: i64 = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    event_id: String,
    time: String,
    actor: &'a str,
    actor_name: Option<&'a str>,
    action: &'a str,
    target: &'a str,
    target_name: Option<&'a str>,
    project_id: Option<String>,
    address: &'a str,
    details: serde_json::Value,
}

pub(crate) async fn show(State(web): State<Web>, at: InAccount<SeeAudit>) -> Result<Response, Failure> {
    let filter = Question::of(&at.me.visitor).filter().map_err(|errors| {
        let words = errors.list().iter().map(|error| format!("{}: {}", error.label(), error.message));
        Failure::from(ManageError::Invalid { field: "filter", message: words.collect::<Vec<_>>().join("; ") })
    })?;
    let account = at.account.id;
    // The first part is read before the answer begins, so that an outage has its status.
    let (first, next) = part(&web, account, &filter, String::new()).await?;
    let (sender, body) = Channel::<Bytes, std::io::Error>::new(1);
    tokio::spawn(send(web, account, filter, sender, first, next));
    let file = format!("attachment; filename=\"audit-{account}.ndjson\"");
    let headers = [(CONTENT_TYPE, "application/x-ndjson".to_owned()), (CONTENT_DISPOSITION, file)];
    Ok((headers, Body::new(body)).into_response())
}

/// Ends when everything is sent or the client is gone. After a failure the body breaks off, so that nobody takes a part for
/// the whole.
async fn send(
    web: Web,
    account: AccountId,
    filter: TrailFilter,
    mut sender: Sender<Bytes, std::io::Error>,
    mut lines: Bytes,
    mut next: String,
) {
    loop {
        if sender.send_data(lines).await.is_err() || next.is_empty() {
            return;
        }
        match part(&web, account, &filter, next).await {
            Ok(read) => (lines, next) = read,
            Err(cause) => {
                tracing::error!(error = %cause, "an export of the audit log broke off");
                return sender.abort(std::io::Error::other("the store did not answer"));
            }
        }
    }
}

async fn part(
    web: &Web,
    account: AccountId,
    filter: &TrailFilter,
    token: String,
) -> Result<(Bytes, String), ManageError> {
    let (entries, next) = web.app.trail(account, filter, &Page { size: Some(PART), token }).await?;
    let lines: String = entries.iter().map(line).collect();
    Ok((lines.into(), next))
}

fn line(entry: &TrailEntry) -> String {
    let event = &entry.event;
    let line = Line {
        event_id: event.id.to_string(),
        time: event.at.to_string(),
        actor: &event.actor,
        actor_name: entry.actor_name.as_deref(),
        action: &event.action,
        target: &event.target,
        target_name: entry.target_name.as_deref(),
        project_id: event.project.map(|id| id.to_string()),
        address: &event.address,
        details: serde_json::from_str(&event.details).unwrap_or_default(),
    };
    let mut text = serde_json::to_string(&line).unwrap_or_default();
    text.push('\n');
    text
}
