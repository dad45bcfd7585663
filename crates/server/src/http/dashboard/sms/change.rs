//! What becomes of a service plan: another name, an API token less, deletion.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::id::SecretId;

use super::{InPlan, frame, list_of};
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::Frame;
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::question::Question;
use crate::http::rights::ManageKeys;
use crate::operations::{ManageError, TokenFacts};

#[derive(Template)]
#[template(path = "sms-rename.html")]
struct RenamePage<'a> {
    frame: Frame,
    list: String,
    page: String,
    plan: String,
    name: &'a str,
    display_name: &'a str,
    errors: FormErrors,
}

pub(crate) async fn show_rename(State(web): State<Web>, plan: InPlan<ManageKeys>) -> Result<Response, Failure> {
    Ok(Page(rename_page(&web, &plan, &plan.view.plan.display_name, FormErrors::default()).await?).into_response())
}

pub(crate) async fn rename(
    State(web): State<Web>,
    plan: InPlan<ManageKeys>,
    fields: Fields,
) -> Result<Response, Failure> {
    let name = fields.text("display_name");
    match web.app.rename_plan(&plan.at.me.doing(None), &plan.at.project, plan.view.plan.id, name).await {
        Ok(_) => Ok(back(&plan, "plan-renamed")),
        Err(error) => Ok(wrong(rename_page(&web, &plan, name, FormErrors::of(error)?).await?)),
    }
}

async fn rename_page<'a>(
    web: &Web,
    plan: &'a InPlan<ManageKeys>,
    display_name: &'a str,
    errors: FormErrors,
) -> Result<RenamePage<'a>, Failure> {
    Ok(RenamePage {
        frame: frame(web, &plan.at).await?,
        list: list_of(&plan.at),
        page: plan.page(),
        plan: plan.view.plan.id.to_string(),
        name: &plan.view.plan.display_name,
        display_name,
        errors,
    })
}

pub(crate) async fn ask_delete(State(web): State<Web>, plan: InPlan<ManageKeys>) -> Result<Response, Failure> {
    plan.at.me.confirmed(&web)?;
    let consequence = "Programs that use its API tokens are refused from the next call on. There is no way back, and the \
                       SERVICE PLAN ID is never given again. Its usage stays on the bill.";
    let page = format!("{}/delete", plan.page());
    ask(&web, &plan, ("Delete the service plan", "Delete"), consequence.to_owned(), page).await
}

pub(crate) async fn delete(State(web): State<Web>, plan: InPlan<ManageKeys>) -> Result<Response, Failure> {
    plan.at.me.confirmed(&web)?;
    web.app.delete_plan(&plan.at.me.doing(None), &plan.at.project, plan.view.plan.id).await?;
    Ok(back(&plan, "plan-deleted"))
}

/// The token in the path, which must be a live one of the plan.
fn token<'a>(plan: &'a InPlan<ManageKeys>, text: &str) -> Result<(SecretId, &'a TokenFacts), Failure> {
    let found = plan.view.tokens.iter().find(|facts| facts.id.to_string() == text);
    let found = found.ok_or(ManageError::NotFound("API token"))?;
    Ok((found.id, found))
}

pub(crate) async fn ask_revoke(
    State(web): State<Web>,
    plan: InPlan<ManageKeys>,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<Response, Failure> {
    let (id, facts) = token(&plan, &id)?;
    let consequence = format!(
        "The API token {} is refused from the next call on. Programs that still use it stop working.",
        facts.hint
    );
    let page = format!("{}/tokens/{id}/revoke", plan.page());
    ask(&web, &plan, ("Revoke an API token", "Revoke"), consequence, page).await
}

pub(crate) async fn revoke(
    State(web): State<Web>,
    plan: InPlan<ManageKeys>,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<Response, Failure> {
    let (id, _) = token(&plan, &id)?;
    web.app.revoke_api_token(&plan.at.me.doing(None), &plan.at.project, plan.view.plan.id, id).await?;
    Ok(back(&plan, "api-token-revoked"))
}

async fn ask(
    web: &Web,
    plan: &InPlan<ManageKeys>,
    (title, button): (&str, &str),
    consequence: String,
    here: String,
) -> Result<Response, Failure> {
    let question = Question {
        frame: frame(web, &plan.at).await?,
        above: (list_of(&plan.at), "SMS"),
        title,
        subject: plan.view.plan.display_name.as_str().into(),
        consequence,
        here,
        form: String::new(),
        button,
        danger: true,
        errors: FormErrors::default(),
    };
    Ok(question.page())
}

fn back(plan: &InPlan<ManageKeys>, done: &str) -> Response {
    Redirect::to(&format!("{}?done={done}", list_of(&plan.at))).into_response()
}
