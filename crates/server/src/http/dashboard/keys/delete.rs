//! Deletion, with disabling offered before it. A key that is in use asks for its name.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::Timestamp;

use super::InKey;
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::words::ago;
use crate::http::rights::ManageKeys;

/// A key that was used in the last seven days is in use.
const IN_USE: i64 = 7 * 86_400;

#[derive(Template)]
#[template(path = "key-delete.html")]
struct DeletePage<'a> {
    frame: Frame,
    list: String,
    page: String,
    name: &'a str,
    key: String,
    used: String,
    in_use: bool,
    disabled: bool,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    key.at.me.confirmed(&web)?;
    Ok(Page(page(&web, &key, FormErrors::default()).await?).into_response())
}

pub(crate) async fn delete(
    State(web): State<Web>,
    key: InKey<ManageKeys>,
    fields: Fields,
) -> Result<Response, Failure> {
    key.at.me.confirmed(&web)?;
    let name = &key.view.key.display_name;
    if is_in_use(&key, web.app.now()) && fields.text("name").trim() != name {
        let errors = FormErrors::one("name", "is not the display name of this key; type it as it stands above");
        return Ok(wrong(page(&web, &key, errors).await?));
    }
    web.app.delete_key(&key.at.me.doing(None), &key.at.project, key.view.key.id).await?;
    Ok(Redirect::to(&format!("{}&done=key-deleted", key.list())).into_response())
}

fn is_in_use(key: &InKey<ManageKeys>, now: Timestamp) -> bool {
    key.view.activity.first().is_some_and(|one| one.used_at.plus_seconds(IN_USE) > now)
}

async fn page<'a>(web: &Web, key: &'a InKey<ManageKeys>, errors: FormErrors) -> Result<DeletePage<'a>, Failure> {
    let now = web.app.now();
    Ok(DeletePage {
        frame: Frame::in_project(web, &key.at.me, &key.at.account, &key.at.project, Here::ProjectKeys).await?,
        list: key.list(),
        page: key.page(),
        name: &key.view.key.display_name,
        key: key.view.key.id.to_string(),
        used: key.view.activity.first().map_or_else(|| "never".to_owned(), |one| ago(one.used_at, now)),
        in_use: is_in_use(key, now),
        disabled: key.view.key.disabled_at.is_some(),
        errors,
    })
}
