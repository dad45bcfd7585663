//! The page: a period, a drawing, and sums by project, access key, product or day.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tollgate_core::{PlanId, Right, Timestamp};

use super::Place;
use super::chart::{Chart, Unit};
use super::period::{Asked, GROUPINGS, PERIODS, Typed, date};
use crate::http::Web;
use crate::http::dashboard::failure::{Failure, sentence};
use crate::http::dashboard::fields::FormErrors;
use crate::http::dashboard::frame::Frame;
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::who::{InAccount, InProject};
use crate::http::dashboard::words::grouped;
use crate::http::rights::SeeUsage;
use crate::operations::{Grouping, Slice, Usage, UsageQuestion, UsageSum};

/// Sums on one page.
const PAGE: i64 = 50;
/// Pages that can be asked for: nobody turns more.
const LAST_PAGE: i64 = 100_000;

/// One sum.
struct Line {
    name: String,
    /// Empty where the name says all.
    id: String,
    /// Where the name leads; empty when there is no such page, or the person may not see it.
    href: String,
    gone: &'static str,
    calls: String,
    denied: String,
    units: String,
    share: String,
}

/// What was found.
struct Found {
    lines: Vec<Line>,
    heading: &'static str,
    chart: Chart,
    /// Whether the drawing needs a table of its own.
    has_figures: bool,
    calls: String,
    denied: String,
    /// Above the column of units; empty where there is none.
    units_word: String,
    from: String,
    last: String,
    counted: String,
    counted_iso: String,
    previous: String,
    next: String,
}

#[derive(Template)]
#[template(path = "usage.html")]
struct UsagePage {
    frame: Frame,
    path: String,
    /// The question, for the downloads.
    link: String,
    /// The account's statements.
    statement: String,
    project_name: Option<String>,
    typed: Typed,
    periods: &'static [(&'static str, &'static str)],
    groups: &'static [(&'static str, &'static str)],
    errors: FormErrors,
    found: Option<Found>,
}

pub(crate) async fn of_account(State(web): State<Web>, at: InAccount<SeeUsage>) -> Result<Response, Failure> {
    show(&web, &Place::account(&at)).await
}

pub(crate) async fn of_project(State(web): State<Web>, at: InProject<SeeUsage>) -> Result<Response, Failure> {
    show(&web, &Place::project(&at)).await
}

async fn show(web: &Web, place: &Place<'_>) -> Result<Response, Failure> {
    let typed = Typed::of(&place.me.visitor, place.group());
    let (found, errors) = match typed.asked(web.app.now()) {
        Ok(asked) => (Some(find(web, place, &typed, asked).await?), FormErrors::default()),
        Err(errors) => (None, errors),
    };
    let is_wrong = found.is_none();
    let page = UsagePage {
        frame: place.frame(web).await?,
        path: place.path(),
        link: typed.link(&typed.group),
        statement: format!("{}/accounts/{}/usage/statement", place.me.base(), place.account.id),
        project_name: place.project.map(|project| project.display_name.clone()),
        typed,
        periods: &PERIODS,
        groups: &GROUPINGS,
        errors,
        found,
    };
    Ok(if is_wrong { wrong(page) } else { Page(page).into_response() })
}

async fn find(web: &Web, place: &Place<'_>, typed: &Typed, asked: Asked) -> Result<Found, Failure> {
    let number = place.me.visitor.query("page").parse().unwrap_or(1).clamp(1, LAST_PAGE);
    let slice = Slice { most_first: by_calls(asked.grouping), limit: PAGE + 1, offset: (number - 1) * PAGE };
    let within = place.project.map(|project| project.id);
    let question =
        UsageQuestion { within, from: Some(asked.from), to: Some(asked.to), grouping: asked.grouping, slice };
    let mut usage = web.app.usage(place.account.id, question).await?;
    let has_more = usage.sums.len() > PAGE as usize;
    usage.sums.truncate(PAGE as usize);
    let unit = Unit::of(asked);
    let over_time = web.app.usage_over_time(place.account.id, within, (asked.from, asked.to), unit.grouping()).await?;
    let chart = Chart::new(asked, unit, &over_time);
    let page = |number: i64| format!("{}?{}&page={number}", place.path(), typed.link(&typed.group));
    let counted_iso = usage.counted_up_to.to_string();
    Ok(Found {
        lines: usage.sums.iter().map(|sum| line(place, typed, asked.grouping, sum, &usage, chart.calls)).collect(),
        heading: GROUPINGS.iter().find(|(word, _)| *word == typed.group).map_or("", |(_, name)| name),
        has_figures: asked.grouping != Grouping::Day || unit != Unit::Day || has_more || number > 1,
        calls: grouped(chart.calls),
        denied: grouped(chart.denied),
        units_word: units_word(web),
        from: date(asked.from),
        last: asked.last_day(),
        counted: counted_iso.get(11..19).unwrap_or_default().to_owned(),
        counted_iso,
        previous: if number > 1 { page(number - 1) } else { String::new() },
        next: if has_more { page(number + 1) } else { String::new() },
        chart,
    })
}

/// What units are called: by their own word where all products share one, else just units.
fn units_word(web: &Web) -> String {
    let mut words: Vec<&str> = web.app.products.iter().filter_map(|product| product.unit.as_deref()).collect();
    words.sort_unstable();
    words.dedup();
    match *words {
        [] => String::new(),
        [word] => sentence(word),
        _ => "Units".to_owned(),
    }
}

/// Days stand in their own order.
pub(super) fn by_calls(grouping: Grouping) -> bool {
    match grouping {
        Grouping::Project | Grouping::Key | Grouping::Product => true,
        Grouping::Day | Grouping::Hour => false,
    }
}

fn line(place: &Place<'_>, typed: &Typed, grouping: Grouping, sum: &UsageSum, usage: &Usage, total: i64) -> Line {
    let base = place.me.base();
    let used = usage.names.get(&sum.group);
    let sees_keys = place.me.signed_in.person.may(place.account, Right::SeeKeys);
    let (name, id, href) = match (grouping, used) {
        (Grouping::Day | Grouping::Hour, _) => {
            (date(Timestamp(sum.group.parse().unwrap_or(0))), String::new(), String::new())
        }
        (Grouping::Product, _) => (sum.group.clone(), String::new(), String::new()),
        (Grouping::Project, Some(used)) if place.project.is_none_or(|project| project.id.to_string() != sum.group) => {
            let href = format!("{base}/projects/{}/usage?{}", sum.group, typed.link("key"));
            (used.name.clone(), sum.group.clone(), href)
        }
        (Grouping::Key, Some(used)) if sees_keys && used.gone.is_empty() => {
            let place =
                if sum.group.parse::<PlanId>().is_ok() { "sms".to_owned() } else { format!("keys/{}", sum.group) };
            let href = format!("{base}/projects/{}/{place}", used.project);
            (used.name.clone(), sum.group.clone(), href)
        }
        (Grouping::Project | Grouping::Key, used) => {
            (used.map(|used| used.name.clone()).unwrap_or_default(), sum.group.clone(), String::new())
        }
    };
    Line {
        name,
        id,
        href,
        gone: used.map_or("", |used| used.gone),
        calls: grouped(sum.calls),
        denied: grouped(sum.denied),
        units: grouped(sum.units),
        share: share(sum.calls, total),
    }
}

/// `12.3 %`
fn share(calls: i64, total: i64) -> String {
    if total <= 0 {
        return "–".to_owned();
    }
    let tenths = i128::from(calls) * 1_000 / i128::from(total);
    if tenths == 0 && calls > 0 { "< 0.1 %".to_owned() } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_share_is_never_rounded_up_to_all_nor_down_to_none() {
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(9_999, 10_000), "99.9 %");
        assert_eq!(share(1, 10_000), "< 0.1 %");
        assert_eq!((share(7, 7), share(0, 7), share(0, 0)), ("100.0 %".into(), "0.0 %".into(), "–".into()));
        assert_eq!(share(i64::MAX, i64::MAX), "100.0 %");
    }
}
