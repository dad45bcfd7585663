//! What is done to an access key after one question: rename, disable, enable, end an overlap, revoke its tokens.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::InKey;
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::{Page, wrong};
use crate::http::rights::ManageKeys;
use crate::operations::{KeyChange, ManageError};

#[derive(Template)]
#[template(path = "key-rename.html")]
struct RenamePage<'a> {
    frame: Frame,
    list: String,
    page: String,
    key: String,
    name: &'a str,
    display_name: &'a str,
    errors: FormErrors,
}

pub(crate) async fn show_rename(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    Ok(Page(rename_page(&web, &key, &key.view.key.display_name, FormErrors::default()).await?).into_response())
}

pub(crate) async fn rename(
    State(web): State<Web>,
    key: InKey<ManageKeys>,
    fields: Fields,
) -> Result<Response, Failure> {
    let name = fields.text("display_name");
    let change = KeyChange { display_name: Some(name.to_owned()), ..KeyChange::default() };
    match changed(&web, &key, change).await {
        Ok(()) => Ok(back(&key, "key-renamed")),
        Err(error) => Ok(wrong(rename_page(&web, &key, name, FormErrors::of(error)?).await?)),
    }
}

async fn rename_page<'a>(
    web: &Web,
    key: &'a InKey<ManageKeys>,
    display_name: &'a str,
    errors: FormErrors,
) -> Result<RenamePage<'a>, Failure> {
    Ok(RenamePage {
        frame: frame(web, key).await?,
        list: key.list(),
        page: key.page(),
        key: key.view.key.id.to_string(),
        name: &key.view.key.display_name,
        display_name,
        errors,
    })
}

/// A question that is answered by one button.
#[derive(Template)]
#[template(path = "key-question.html")]
struct QuestionPage<'a> {
    frame: Frame,
    list: String,
    page: String,
    verb: &'static str,
    title: &'static str,
    name: &'a str,
    consequence: &'static str,
    button: &'static str,
    danger: bool,
}

/// What is asked before something is done to a key.
struct Question {
    verb: &'static str,
    title: &'static str,
    consequence: &'static str,
    button: &'static str,
    danger: bool,
}

const DISABLE: Question = Question {
    verb: "disable",
    title: "Disable the access key",
    consequence: "It gets no more tokens, and its tokens are refused from the next call on. Nothing is lost: it can be enabled again.",
    button: "Disable",
    danger: true,
};
const ENABLE: Question = Question {
    verb: "enable",
    title: "Enable the access key",
    consequence: "It gets tokens again, and its tokens that have not ended are good again.",
    button: "Enable",
    danger: false,
};
const END_OVERLAP: Question = Question {
    verb: "end-overlap",
    title: "End the overlap",
    consequence: "The old KEY SECRET is refused from now on. Programs that still use it get no more tokens.",
    button: "End the old secret",
    danger: true,
};
const REVOKE_TOKENS: Question = Question {
    verb: "revoke-tokens",
    title: "Revoke all tokens",
    consequence: "All tokens of this key are refused from the next call on. Programs that have its KEY SECRET can get new ones.",
    button: "Revoke all tokens",
    danger: true,
};

pub(crate) async fn ask_disable(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    ask(&web, &key, &DISABLE).await
}

pub(crate) async fn disable(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    changed(&web, &key, KeyChange { disabled: Some(true), ..KeyChange::default() }).await?;
    Ok(back(&key, "key-disabled"))
}

pub(crate) async fn ask_enable(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    ask(&web, &key, &ENABLE).await
}

pub(crate) async fn enable(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    changed(&web, &key, KeyChange { disabled: Some(false), ..KeyChange::default() }).await?;
    Ok(back(&key, "key-enabled"))
}

pub(crate) async fn ask_end_overlap(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    ask(&web, &key, &END_OVERLAP).await
}

pub(crate) async fn end_overlap(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    web.app.end_overlap(&key.at.me.doing(None), &key.at.project, key.view.key.id).await?;
    Ok(Redirect::to(&format!("{}?done=overlap-ended", key.page())).into_response())
}

pub(crate) async fn ask_revoke_tokens(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    ask(&web, &key, &REVOKE_TOKENS).await
}

pub(crate) async fn revoke_tokens(State(web): State<Web>, key: InKey<ManageKeys>) -> Result<Response, Failure> {
    web.app.revoke_key_tokens(&key.at.me.doing(None), &key.at.project, key.view.key.id).await?;
    Ok(Redirect::to(&format!("{}?done=tokens-revoked", key.page())).into_response())
}

async fn ask(web: &Web, key: &InKey<ManageKeys>, question: &Question) -> Result<Response, Failure> {
    let page = QuestionPage {
        frame: frame(web, key).await?,
        list: key.list(),
        page: key.page(),
        verb: question.verb,
        title: question.title,
        name: &key.view.key.display_name,
        consequence: question.consequence,
        button: question.button,
        danger: question.danger,
    };
    Ok(Page(page).into_response())
}

async fn changed(web: &Web, key: &InKey<ManageKeys>, change: KeyChange) -> Result<(), ManageError> {
    web.app.change_key(&key.at.me.doing(None), &key.at.project, key.view.key.id, change).await.map(|_| ())
}

fn back(key: &InKey<ManageKeys>, done: &str) -> Response {
    Redirect::to(&format!("{}&done={done}", key.list())).into_response()
}

async fn frame(web: &Web, key: &InKey<ManageKeys>) -> Result<Frame, Failure> {
    Frame::in_project(web, &key.at.me, &key.at.account, &key.at.project, Here::ProjectKeys).await
}
