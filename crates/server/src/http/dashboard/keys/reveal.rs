//! The one page that shows a secret, and the page that says that it cannot be shown again.

use askama::Template;
use axum::response::{IntoResponse, Response};
use tollgate_core::Secret;

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::InProject;
use crate::operations::{KeyView, ManageError};

#[derive(Template)]
#[template(path = "key-secret.html")]
struct SecretPage<'a> {
    frame: Frame,
    account: String,
    project: String,
    key: String,
    name: &'a str,
    secret: &'a str,
    url: &'a str,
    rotated: bool,
}

/// Shows a secret: the answer to the request that made it, and to no other.
pub(crate) async fn reveal<R>(
    web: &Web,
    at: &InProject<R>,
    view: &KeyView,
    secret: &Secret,
    rotated: bool,
) -> Result<Response, Failure> {
    let page = SecretPage {
        frame: Frame::in_project(web, &at.me, &at.account, &at.project, Here::ProjectKeys).await?,
        account: at.account.id.to_string(),
        project: at.project.id.to_string(),
        key: view.key.id.to_string(),
        name: &view.key.display_name,
        secret: secret.expose(),
        url: web.app.issuer().as_str(),
        rotated,
    };
    Ok(Page(page).into_response())
}

#[derive(Template)]
#[template(path = "key-exists.html")]
struct ExistsPage {
    frame: Frame,
    account: String,
    project: String,
    key: String,
    name: String,
    gone: bool,
    rotated: bool,
}

/// What a form that was sent again has made the first time. Its secret cannot be shown any more.
pub(crate) async fn exists<R>(web: &Web, at: &InProject<R>, key: &str, rotated: bool) -> Result<Response, Failure> {
    let id = key.parse().map_err(|_| ManageError::NotFound("access key"))?;
    let name = match web.app.key(at.project.id, id).await {
        Ok(view) => Some(view.key.display_name),
        Err(ManageError::NotFound(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let page = ExistsPage {
        frame: Frame::in_project(web, &at.me, &at.account, &at.project, Here::ProjectKeys).await?,
        account: at.account.id.to_string(),
        project: at.project.id.to_string(),
        key: key.to_owned(),
        gone: name.is_none(),
        name: name.unwrap_or_default(),
        rotated,
    };
    Ok(Page(page).into_response())
}
