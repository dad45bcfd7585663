//! Rotation: a second secret beside the old one, which ends after an overlap. The KEY ID stays.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::InKey;
use super::reveal::{exists, reveal};
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::words::ago;
use crate::http::rights::ManageKeys;
use crate::operations::RotateRequest;

/// The overlaps to choose from, in seconds.
const OVERLAPS: [(i64, &str); 5] = [
    (0, "None: the old secret is refused at once"),
    (3_600, "1 hour"),
    (86_400, "24 hours"),
    (604_800, "7 days"),
    (2_592_000, "30 days"),
];
/// What is ticked at first: a day is enough for a deployment.
const USUAL: i64 = 86_400;

#[derive(Template)]
#[template(path = "key-rotate.html")]
struct RotatePage<'a> {
    frame: Frame,
    list: String,
    page: String,
    name: &'a str,
    form: String,
    overlaps: [(i64, &'static str); 5],
    overlap: i64,
    revoke: bool,
    two_live: bool,
    used: String,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    let form = web.app.new_form();
    Ok(Page(page(&web, &key, form, USUAL, false, FormErrors::default()).await?).into_response())
}

pub(crate) async fn rotate(
    State(web): State<Web>,
    key: InKey<ManageKeys>,
    fields: Fields,
) -> Result<Response, Failure> {
    let revoke = fields.is_set("revoke");
    let overlap = fields.text("overlap").parse().unwrap_or(-1);
    let Some(form) = key.at.me.form(fields.text("form")) else {
        let errors = FormErrors::one("", "The form was not complete. Nothing was changed; send it again");
        return Ok(wrong(page(&web, &key, web.app.new_form(), overlap, revoke, errors).await?));
    };
    if let Some(target) = web.app.form_target(&form).await? {
        return exists(&web, &key.at, &target, true).await;
    }
    let doing = key.at.me.doing(Some(&form));
    let request = RotateRequest { overlap_seconds: overlap, revoke_tokens: revoke };
    match web.app.rotate_secret(&doing, &key.at.project, key.view.key.id, request).await {
        Ok((view, secret)) => reveal(&web, &key.at, &view, &secret, true).await,
        Err(error) => {
            // The same form at the same moment was faster.
            if let Some(target) = web.app.form_target(&form).await? {
                return exists(&web, &key.at, &target, true).await;
            }
            let form = fields.text("form").to_owned();
            Ok(wrong(page(&web, &key, form, overlap, revoke, FormErrors::of(error)?).await?))
        }
    }
}

async fn page<'a>(
    web: &Web,
    key: &'a InKey<ManageKeys>,
    form: String,
    overlap: i64,
    revoke: bool,
    errors: FormErrors,
) -> Result<RotatePage<'a>, Failure> {
    let newest = key.view.secrets.last().map(|secret| secret.id.to_string()).unwrap_or_default();
    let used = key.view.activity.iter().find(|one| one.id == newest);
    let now = web.app.now();
    Ok(RotatePage {
        frame: Frame::in_project(web, &key.at.me, &key.at.account, &key.at.project, Here::ProjectKeys).await?,
        list: key.list(),
        page: key.page(),
        name: &key.view.key.display_name,
        form,
        overlaps: OVERLAPS,
        overlap,
        revoke,
        two_live: key.view.secrets.len() > 1,
        used: used.map_or_else(|| "never".to_owned(), |one| ago(one.used_at, now)),
        errors,
    })
}
