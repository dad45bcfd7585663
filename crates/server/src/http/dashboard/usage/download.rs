//! The question of a usage page as a file: all its sums, not one page of them.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use tollgate_core::Timestamp;

use super::Place;
use super::page::by_calls;
use super::period::{Typed, date};
use crate::http::Web;
use crate::http::api::usage::report;
use crate::http::csv::Csv;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::who::{InAccount, InProject};
use crate::http::rights::SeeUsage;
use crate::operations::{Grouping, Slice, Usage, UsageQuestion};

pub(crate) async fn account_csv(State(web): State<Web>, at: InAccount<SeeUsage>) -> Result<Response, Failure> {
    as_csv(&web, &Place::account(&at)).await
}

pub(crate) async fn project_csv(State(web): State<Web>, at: InProject<SeeUsage>) -> Result<Response, Failure> {
    as_csv(&web, &Place::project(&at)).await
}

pub(crate) async fn account_json(State(web): State<Web>, at: InAccount<SeeUsage>) -> Result<Response, Failure> {
    as_json(&web, &Place::account(&at)).await
}

pub(crate) async fn project_json(State(web): State<Web>, at: InProject<SeeUsage>) -> Result<Response, Failure> {
    as_json(&web, &Place::project(&at)).await
}

async fn as_csv(web: &Web, place: &Place<'_>) -> Result<Response, Failure> {
    let (usage, grouping, name) = find(web, place).await?;
    Ok(file(&format!("{name}.csv"), "text/csv; charset=utf-8", table(&usage, grouping).text()))
}

/// The same report as the management API gives.
async fn as_json(web: &Web, place: &Place<'_>) -> Result<Response, Failure> {
    let (usage, grouping, name) = find(web, place).await?;
    let text = serde_json::to_string_pretty(&report(&usage, grouping)).expect("texts and numbers are JSON");
    Ok(file(&format!("{name}.json"), "application/json", text + "\n"))
}

/// The sums, and the file's name without its ending.
async fn find(web: &Web, place: &Place<'_>) -> Result<(Usage, Grouping, String), Failure> {
    let typed = Typed::of(&place.me.visitor, place.group());
    let asked = typed.asked(web.app.now()).map_err(|errors| {
        let first = errors.list().first();
        let message = first.map(|error| format!("{}: {}", error.label(), error.message)).unwrap_or_default();
        Failure::Refused(StatusCode::UNPROCESSABLE_ENTITY, message)
    })?;
    let question = UsageQuestion {
        within: place.project.map(|project| project.id),
        from: Some(asked.from),
        to: Some(asked.to),
        grouping: asked.grouping,
        slice: Slice { most_first: by_calls(asked.grouping), ..Slice::ALL },
    };
    let name = format!("usage-{}-to-{}-by-{}", date(asked.from), asked.last_day(), typed.group);
    Ok((web.app.usage(place.account.id, question).await?, asked.grouping, name))
}

fn table(usage: &Usage, grouping: Grouping) -> Csv {
    let id = match grouping {
        Grouping::Project => "project_id",
        Grouping::Key => "credential_id",
        Grouping::Product => "product",
        Grouping::Day => "day",
        Grouping::Hour => "hour",
    };
    let is_named = matches!(grouping, Grouping::Project | Grouping::Key);
    let counts = ["calls", "denied", "units"];
    let columns: Vec<&str> = [id].into_iter().chain(is_named.then_some("display_name")).chain(counts).collect();
    let mut csv = Csv::new(&columns);
    for sum in &usage.sums {
        let instant = || Timestamp(sum.group.parse().unwrap_or(0));
        let group = match grouping {
            Grouping::Project | Grouping::Key | Grouping::Product => sum.group.clone(),
            Grouping::Day => date(instant()),
            Grouping::Hour => instant().to_string(),
        };
        let name = usage.names.get(&sum.group).map_or("", |used| &used.name);
        let counts = [sum.calls, sum.denied, sum.units].map(|count| count.to_string());
        let cells = [&*group].into_iter().chain(is_named.then_some(name)).chain(counts.iter().map(String::as_str));
        csv.row(&cells.collect::<Vec<_>>());
    }
    csv
}

/// `name` is made of our own words and of days.
fn file(name: &str, kind: &'static str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)], text).into_response()
}
