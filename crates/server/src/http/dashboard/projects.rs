//! The projects of an account: list, new, rename, archive.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::{Right, Timestamp};

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::frame::{Frame, Here};
use super::page::{Page, wrong};
use super::sms::is_offered;
use super::spark::Spark;
use super::who::InAccount;
use super::words::{Moment, ago};
use crate::http::Web;
use crate::http::rights::{ManageProjects, SeeProjects};
use crate::operations::{self, CallsByDay, CallsOf, Project};

/// Projects on one page of the list.
const PAGE: i64 = 50;
/// Subprojects that are listed below their parent; all of them stand on its own page.
const BELOW: i64 = 10;

struct Line {
    id: String,
    name: String,
    keys: i64,
    plans: i64,
    created: Moment,
    age: String,
    calls: Spark,
    /// The last day with a call, in the days that are drawn.
    last_call: Option<Moment>,
    /// Whether it is a subproject, below its parent.
    below: bool,
}

#[derive(Template)]
#[template(path = "projects.html")]
struct ProjectsPage {
    frame: Frame,
    account: String,
    lines: Vec<Line>,
    more: String,
    may_manage: bool,
    may_see_keys: bool,
    offers_sms: bool,
}

pub(crate) async fn list(State(web): State<Web>, at: InAccount<SeeProjects>) -> Result<Response, Failure> {
    let page = operations::Page { size: Some(PAGE), token: at.me.visitor.query("page").to_owned() };
    let (projects, next) = web.app.projects(at.account.id, false, &page).await?;
    let here = format!("{}/accounts/{}/projects", at.me.base(), at.account.id);
    let now = web.app.now();
    let all = with_subprojects(&web, &projects).await?;
    let (mut calls, mut plans) = (HashMap::new(), HashMap::new());
    if let (Some(first), Some(last)) = (all.iter().map(|one| one.id).min(), all.iter().map(|one| one.id).max()) {
        calls = web.app.calls_by_day(CallsOf::Projects(at.account.id, first, last)).await?;
        plans = web.app.plans_of_projects(at.account.id, first, last).await?;
    }
    let of = |project: &Project| {
        let plans = plans.get(&project.id).copied().unwrap_or_default();
        line(project, plans, calls.get(&project.id.to_string()), now)
    };
    let lines = all.iter().map(of).collect();
    let page = ProjectsPage {
        frame: Frame::in_account(&web, &at.me, &at.account, Here::Projects).await?,
        account: at.account.id.to_string(),
        lines,
        more: if next.is_empty() { String::new() } else { format!("{here}?page={next}") },
        may_manage: at.may(Right::ManageProjects),
        may_see_keys: at.may(Right::SeeKeys),
        offers_sms: is_offered(&web.app.config),
    };
    Ok(Page(page).into_response())
}

/// Each project, and below it the first of its subprojects.
async fn with_subprojects(web: &Web, projects: &[Project]) -> Result<Vec<Project>, Failure> {
    let page = operations::Page { size: Some(BELOW), token: String::new() };
    let mut all = Vec::new();
    for project in projects {
        all.push(project.clone());
        all.extend(web.app.subprojects(project.id, false, &page).await?.0);
    }
    Ok(all)
}

fn line(project: &Project, plans: i64, calls: Option<&CallsByDay>, now: Timestamp) -> Line {
    let last = calls.and_then(|days| days.iter().rev().position(|&calls| calls > 0));
    let day = |back: usize| Timestamp(now.day().0 - i64::try_from(back).unwrap_or(0) * Timestamp::DAY);
    Line {
        id: project.id.to_string(),
        name: project.display_name.clone(),
        keys: project.live_keys,
        plans,
        created: project.created_at.into(),
        age: ago(project.created_at, now),
        calls: Spark::of(calls),
        last_call: last.map(|back| day(back).into()),
        below: project.parent.is_some(),
    }
}

#[derive(Template)]
#[template(path = "project-new.html")]
struct NewProjectPage<'a> {
    frame: Frame,
    account: String,
    form: String,
    display_name: &'a str,
    errors: FormErrors,
}

pub(crate) async fn show_new(State(web): State<Web>, at: InAccount<ManageProjects>) -> Result<Response, Failure> {
    Ok(Page(new_page(&web, &at, "", FormErrors::default()).await?).into_response())
}

pub(crate) async fn create(
    State(web): State<Web>,
    at: InAccount<ManageProjects>,
    fields: Fields,
) -> Result<Response, Failure> {
    let name = fields.text("display_name");
    let form = at.me.form(fields.text("form"));
    let list = format!("{}/accounts/{}/projects", at.me.base(), at.account.id);
    match web.app.create_project(&at.me.doing(form.as_deref()), at.account.id, name).await {
        // Sent twice, it is there once.
        Ok(_) | Err(operations::ManageError::FormUsed) => {
            Ok(Redirect::to(&format!("{list}?done=project-created")).into_response())
        }
        Err(error) => Ok(wrong(new_page(&web, &at, name, FormErrors::of(error)?).await?)),
    }
}

async fn new_page<'a>(
    web: &Web,
    at: &InAccount<ManageProjects>,
    display_name: &'a str,
    errors: FormErrors,
) -> Result<NewProjectPage<'a>, Failure> {
    Ok(NewProjectPage {
        frame: Frame::in_account(web, &at.me, &at.account, Here::Projects).await?,
        account: at.account.id.to_string(),
        form: web.app.new_form(),
        display_name,
        errors,
    })
}
