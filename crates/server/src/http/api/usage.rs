//! `/v1/accounts/{account}/usage`.

use axum::Json as Answer;
use axum::extract::State;
use serde::Serialize;
use tollgate_core::{PlanId, Timestamp};
use utoipa::ToSchema;

use super::caller::InAccount;
use super::page::Query;
use crate::http::Web;
use crate::http::extract::invalid;
use crate::http::problem::Problem;
use crate::http::rights::SeeUsage;
use crate::operations::{Grouping, Slice, Usage, UsageQuestion, UsageSum};

/// One sum, with the one field that it is grouped by.
#[derive(Serialize, ToSchema, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageRow {
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_plan_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    /// The day in UTC, for example 2026-11-23.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<String>,
    /// The start of the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    hour: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// Calls that were let through: these are billed.
    calls: i64,
    /// Calls that were denied: never billed.
    denied: i64,
    /// Units that the APIs behind have reported.
    units: i64,
}

/// An account's usage in whole hours.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsageReport {
    usage: Vec<UsageRow>,
    total_calls: i64,
    total_denied: i64,
    total_units: i64,
    from: String,
    /// Not included.
    to: String,
    /// Every call that was let through before this instant is in.
    counted_up_to: String,
}

#[utoipa::path(get, path = "/v1/accounts/{account}/usage", tag = "usage", params(("account" = String, Path), ("groupBy" = Option<String>, Query), ("from" = Option<String>, Query), ("to" = Option<String>, Query)),
    responses((status = 200, body = UsageReport)))]
pub(crate) async fn show(
    State(web): State<Web>,
    account: InAccount<SeeUsage>,
    query: Query,
) -> Result<Answer<UsageReport>, Problem> {
    let grouping = match query.value("groupBy") {
        None | Some("project") => Grouping::Project,
        Some("key") => Grouping::Key,
        Some("product") => Grouping::Product,
        Some("day") => Grouping::Day,
        Some("hour") => Grouping::Hour,
        Some(_) => return Err(invalid("groupBy", "must be project, key, product, day or hour")),
    };
    let (from, to) = (query.instant("from")?, query.instant("to")?);
    let question = UsageQuestion { within: None, from, to, grouping, slice: Slice::ALL };
    let usage = web.app.usage(account.account.id, question).await?;
    Ok(Answer(report(&usage, grouping)))
}

/// The answer, also as a download of the dashboard.
pub(crate) fn report(usage: &Usage, grouping: Grouping) -> UsageReport {
    UsageReport {
        usage: usage.sums.iter().map(|sum| row(sum, usage, grouping)).collect(),
        total_calls: usage.sums.iter().map(|sum| sum.calls).sum(),
        total_denied: usage.sums.iter().map(|sum| sum.denied).sum(),
        total_units: usage.sums.iter().map(|sum| sum.units).sum(),
        from: usage.from.to_string(),
        to: usage.to.to_string(),
        counted_up_to: usage.counted_up_to.to_string(),
    }
}

fn row(sum: &UsageSum, usage: &Usage, grouping: Grouping) -> UsageRow {
    let group = sum.group.clone();
    let instant = || Timestamp(group.parse().unwrap_or(0)).to_string();
    let mut row = UsageRow {
        display_name: usage.names.get(&group).map(|used| used.name.clone()),
        calls: sum.calls,
        denied: sum.denied,
        units: sum.units,
        ..UsageRow::default()
    };
    match grouping {
        Grouping::Project => row.project_id = Some(group),
        Grouping::Key if group.parse::<PlanId>().is_ok() => row.service_plan_id = Some(group),
        Grouping::Key => row.access_key_id = Some(group),
        Grouping::Product => row.product = Some(group),
        Grouping::Day => row.day = Some(instant()[..10].to_owned()),
        Grouping::Hour => row.hour = Some(instant()),
    }
    row
}
