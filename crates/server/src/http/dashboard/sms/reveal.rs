//! The one page that shows an API token, and the page that says that it cannot be shown again.

use askama::Template;
use axum::response::{IntoResponse, Response};

use super::{endpoints, frame, list_of};
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::Frame;
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::InProject;
use crate::operations::{ManageError, NewToken};

#[derive(Template)]
#[template(path = "sms-token.html")]
struct TokenPage<'a> {
    frame: Frame,
    list: String,
    project: String,
    plan: String,
    name: &'a str,
    token: &'a str,
    endpoints: Vec<String>,
    more: bool,
}

/// Shows an API token: the answer to the request that made it, and to no other. `more` when its plan existed before.
pub(super) async fn reveal<R>(web: &Web, at: &InProject<R>, made: &NewToken, more: bool) -> Result<Response, Failure> {
    let page = TokenPage {
        frame: frame(web, at).await?,
        list: list_of(at),
        project: at.project.id.to_string(),
        plan: made.view.plan.id.to_string(),
        name: &made.view.plan.display_name,
        token: made.secret.expose(),
        endpoints: endpoints(&web.app.config, "$TOLLGATE_SERVICE_PLAN_ID"),
        more,
    };
    Ok(Page(page).into_response())
}

#[derive(Template)]
#[template(path = "sms-exists.html")]
struct ExistsPage {
    frame: Frame,
    list: String,
    plan: String,
    name: String,
    gone: bool,
    more: bool,
}

/// What a form that was sent again has made the first time. Its API token cannot be shown any more.
pub(super) async fn exists<R>(web: &Web, at: &InProject<R>, plan: &str, more: bool) -> Result<Response, Failure> {
    let id = plan.parse().map_err(|_| ManageError::NotFound("service plan"))?;
    let name = match web.app.plan(at.project.id, id).await {
        Ok(view) => Some(view.plan.display_name),
        Err(ManageError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let page = ExistsPage {
        frame: frame(web, at).await?,
        list: list_of(at),
        plan: plan.to_owned(),
        gone: name.is_none(),
        name: name.unwrap_or_default(),
        more,
    };
    Ok(Page(page).into_response())
}
