//! The projects of an account: list, new, rename, archive.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::Right;

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::frame::{Frame, Here};
use super::page::{Page, wrong};
use super::who::InAccount;
use super::words::{Moment, ago};
use crate::http::Web;
use crate::http::rights::{ManageProjects, SeeProjects};
use crate::operations::{self, Project};

/// Projects on one page of the list.
const PAGE: i64 = 50;

struct Line {
    id: String,
    name: String,
    keys: i64,
    created: Moment,
    age: String,
    archived: bool,
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
}

pub(crate) async fn list(State(web): State<Web>, at: InAccount<SeeProjects>) -> Result<Response, Failure> {
    let page = operations::Page { size: Some(PAGE), token: at.me.visitor.query("page").to_owned() };
    let (projects, next) = web.app.projects(at.account.id, false, &page).await?;
    let here = format!("{}/accounts/{}/projects", at.me.base(), at.account.id);
    let now = web.app.now();
    let line = |project: &Project| Line {
        id: project.id.to_string(),
        name: project.display_name.clone(),
        keys: project.live_keys,
        created: project.created_at.into(),
        age: ago(project.created_at, now),
        archived: project.archived_at.is_some(),
    };
    let page = ProjectsPage {
        frame: Frame::in_account(&web, &at.me, &at.account, Here::Projects).await?,
        account: at.account.id.to_string(),
        lines: projects.iter().map(line).collect(),
        more: if next.is_empty() { String::new() } else { format!("{here}?page={next}") },
        may_manage: at.may(Right::ManageProjects),
        may_see_keys: at.may(Right::SeeKeys),
    };
    Ok(Page(page).into_response())
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
