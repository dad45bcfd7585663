//! A new service plan, and another API token of one: one form each, and the token in its answer.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::reveal::{exists, reveal};
use super::{InPlan, frame, list_of};
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::Frame;
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::question::{incomplete, unless_done};
use crate::http::dashboard::who::InProject;
use crate::http::rights::ManageKeys;

/// How long the old token goes on, to choose from: seconds, or nothing for until it is revoked.
const OVERLAPS: [(&str, &str); 6] = [
    ("", "Until it is revoked"),
    ("0", "Not at all: it is refused at once"),
    ("3600", "1 hour"),
    ("86400", "24 hours"),
    ("604800", "7 days"),
    ("2592000", "30 days"),
];

#[derive(Template)]
#[template(path = "sms-new.html")]
struct NewPlanPage {
    frame: Frame,
    list: String,
    project_name: String,
    form: String,
    display_name: String,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, at: InProject<ManageKeys>) -> Result<Response, Failure> {
    Ok(Page(new_plan(&web, &at, web.app.new_form(), "", FormErrors::default()).await?).into_response())
}

pub(crate) async fn create(
    State(web): State<Web>,
    at: InProject<ManageKeys>,
    fields: Fields,
) -> Result<Response, Failure> {
    let name = fields.text("display_name");
    let Some(form) = at.me.form(fields.text("form")) else {
        return Ok(wrong(new_plan(&web, &at, web.app.new_form(), name, incomplete()).await?));
    };
    if let Some(plan) = web.app.form_target(&form).await? {
        return exists(&web, &at, &plan, false).await;
    }
    match web.app.create_plan(&at.me.doing(Some(&form)), &at.project, name).await {
        Ok(made) => reveal(&web, &at, &made, false).await,
        Err(error) => match (unless_done(&web, &form, error).await?, web.app.form_target(&form).await?) {
            // The same form at the same moment was faster.
            (None, Some(plan)) => exists(&web, &at, &plan, false).await,
            (errors, _) => {
                let errors = errors.unwrap_or_default();
                Ok(wrong(new_plan(&web, &at, fields.text("form").to_owned(), name, errors).await?))
            }
        },
    }
}

async fn new_plan(
    web: &Web,
    at: &InProject<ManageKeys>,
    form: String,
    name: &str,
    errors: FormErrors,
) -> Result<NewPlanPage, Failure> {
    Ok(NewPlanPage {
        frame: frame(web, at).await?,
        list: list_of(at),
        project_name: at.project.display_name.clone(),
        form,
        display_name: name.chars().take(5_000).collect(),
        errors,
    })
}

#[derive(Template)]
#[template(path = "sms-token-new.html")]
struct NewTokenPage<'a> {
    frame: Frame,
    list: String,
    page: String,
    name: &'a str,
    form: String,
    overlaps: [(&'static str, &'static str); 6],
    overlap: &'a str,
    live: usize,
    errors: FormErrors,
}

pub(crate) async fn show_token(State(web): State<Web>, plan: InPlan<ManageKeys>) -> Result<Response, Failure> {
    Ok(Page(new_token(&web, &plan, web.app.new_form(), "", FormErrors::default()).await?).into_response())
}

pub(crate) async fn create_token(
    State(web): State<Web>,
    plan: InPlan<ManageKeys>,
    fields: Fields,
) -> Result<Response, Failure> {
    let typed = fields.text("overlap");
    let Some(form) = plan.at.me.form(fields.text("form")) else {
        return Ok(wrong(new_token(&web, &plan, web.app.new_form(), typed, incomplete()).await?));
    };
    if let Some(target) = web.app.form_target(&form).await? {
        return exists(&web, &plan.at, &target, true).await;
    }
    let overlap = if typed.is_empty() { None } else { Some(typed.parse().unwrap_or(-1)) };
    let doing = plan.at.me.doing(Some(&form));
    match web.app.create_api_token(&doing, &plan.at.project, plan.view.plan.id, overlap).await {
        Ok(made) => reveal(&web, &plan.at, &made, true).await,
        Err(error) => match (unless_done(&web, &form, error).await?, web.app.form_target(&form).await?) {
            // The same form at the same moment was faster.
            (None, Some(target)) => exists(&web, &plan.at, &target, true).await,
            (errors, _) => {
                let errors = errors.unwrap_or_default();
                Ok(wrong(new_token(&web, &plan, fields.text("form").to_owned(), typed, errors).await?))
            }
        },
    }
}

async fn new_token<'a>(
    web: &Web,
    plan: &'a InPlan<ManageKeys>,
    form: String,
    overlap: &'a str,
    errors: FormErrors,
) -> Result<NewTokenPage<'a>, Failure> {
    Ok(NewTokenPage {
        frame: frame(web, &plan.at).await?,
        list: list_of(&plan.at),
        page: plan.page(),
        name: &plan.view.plan.display_name,
        form,
        overlaps: OVERLAPS,
        overlap,
        live: plan.view.tokens.len(),
        errors,
    })
}
