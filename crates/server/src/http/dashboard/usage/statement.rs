//! The statement of a month: what an account used, by project and product. Made to be printed.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tollgate_core::Timestamp;
use tollgate_core::calendar::Month;

use super::Place;
use super::period::date;
use crate::config::Products;
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::Frame;
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::InAccount;
use crate::http::dashboard::words::grouped;
use crate::http::rights::SeeUsage;
use crate::operations::{Statement, UsageSum};

/// Months to choose from, this one included.
const MONTHS: i32 = 13;
/// Projects on one page; the total is that of all of them.
const PAGE: usize = 50;

struct Line {
    product: String,
    calls: String,
    denied: String,
    /// With their word, where the product counts any.
    units: String,
}

/// A project's lines, and their sum where there is more than one.
struct Part {
    id: String,
    name: String,
    gone: &'static str,
    lines: Vec<Line>,
    sum: Option<Line>,
}

struct Choice {
    link: String,
    name: String,
    here: bool,
}

#[derive(Template)]
#[template(path = "statement.html")]
struct StatementPage {
    frame: Frame,
    path: String,
    account_name: String,
    account: String,
    month: String,
    name: String,
    from: String,
    last: String,
    /// The month is not over.
    running: bool,
    counted: String,
    counted_iso: String,
    parts: Vec<Part>,
    total: Line,
    has_units: bool,
    months: Vec<Choice>,
    more: String,
}

pub(crate) async fn show(State(web): State<Web>, at: InAccount<SeeUsage>) -> Result<Response, Failure> {
    let place = Place::account(&at);
    let now = web.app.now();
    let this_month = Month::of(now);
    let month = match at.me.visitor.query("month") {
        "" => this_month,
        text => text.parse().map_err(|_| {
            let message = "There is no such month: choose one on the page of the statement";
            Failure::Refused(StatusCode::UNPROCESSABLE_ENTITY, message.to_owned())
        })?,
    };
    let statement = web.app.statement(at.account.id, month).await?;
    let number = at.me.visitor.query("page").parse::<usize>().unwrap_or(1).clamp(1, 1_000_000);
    let shown = statement.projects.iter().skip((number - 1) * PAGE).take(PAGE);
    let path = format!("{}/statement", place.path());
    let counted_iso = statement.counted_up_to.to_string();
    let more = if statement.projects.len() > number * PAGE {
        format!("{path}?month={month}&page={}", number + 1)
    } else {
        String::new()
    };
    let page = StatementPage {
        frame: place.frame(&web).await?,
        account_name: at.account.display_name.clone(),
        account: at.account.id.to_string(),
        month: month.to_string(),
        name: name(month),
        from: date(month.start()),
        last: date(Timestamp(month.plus(1).start().0 - 1)),
        running: month >= this_month,
        counted: counted_iso.get(..19).map(|text| text.replace('T', " ")).unwrap_or_default(),
        counted_iso,
        parts: shown.map(|(id, sums)| part(&statement, &web.app.products, id, sums)).collect(),
        total: sum_of(statement.projects.iter().flat_map(|(_, sums)| sums)),
        has_units: statement.projects.iter().flat_map(|(_, sums)| sums).any(|sum| sum.units > 0)
            || web.app.products.iter().any(|product| product.unit.is_some()),
        months: months(&at, this_month, month),
        more,
        path,
    };
    Ok(Page(page).into_response())
}

/// Back to the month in which the account was made, a year at most; and the one that is shown.
fn months(at: &InAccount<SeeUsage>, this_month: Month, shown: Month) -> Vec<Choice> {
    let first = Month::of(at.account.created_at);
    let mut months: Vec<Month> = (0..MONTHS).map(|back| this_month.plus(-back)).filter(|&one| one >= first).collect();
    if !months.contains(&shown) {
        months.push(shown);
    }
    months.into_iter().map(|one| Choice { link: one.to_string(), name: name(one), here: one == shown }).collect()
}

fn name(month: Month) -> String {
    format!("{} {}", month.name(), month.year())
}

fn part(statement: &Statement, products: &Products, id: &str, sums: &[UsageSum]) -> Part {
    let used = statement.names.get(id);
    let line = |sum: &UsageSum| Line {
        product: sum.group.clone(),
        calls: grouped(sum.calls),
        denied: grouped(sum.denied),
        units: units(products, sum),
    };
    Part {
        id: id.to_owned(),
        name: used.map(|used| used.name.clone()).unwrap_or_default(),
        gone: used.map_or("", |used| used.gone),
        lines: sums.iter().map(line).collect(),
        sum: (sums.len() > 1).then(|| sum_of(sums.iter())),
    }
}

fn sum_of<'a>(sums: impl Iterator<Item = &'a UsageSum>) -> Line {
    let mut all = UsageSum::nothing(String::new());
    sums.for_each(|sum| all.add(sum));
    // Units of different products are not alike.
    Line { product: String::new(), calls: grouped(all.calls), denied: grouped(all.denied), units: String::new() }
}

/// `2,400 message parts`; nothing where the product counts no units.
fn units(products: &Products, sum: &UsageSum) -> String {
    let word = products.iter().find(|product| *product.name == *sum.group).and_then(|product| product.unit.as_deref());
    match (word, sum.units) {
        (None, 0) => String::new(),
        (word, units) => format!("{} {}", grouped(units), word.unwrap_or("units")),
    }
}
