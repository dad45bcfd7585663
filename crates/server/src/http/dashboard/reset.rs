//! A new password by a link: asking for the link, and using it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::page::{Bare, Page, wrong};
use super::sign_in::refused;
use super::who::Visitor;
use crate::http::Web;
use crate::operations::ManageError;

#[derive(Template)]
#[template(path = "reset.html")]
struct AskPage<'a> {
    frame: Bare<'a>,
    email: &'a str,
    mails: bool,
    sent: bool,
    contact: Vec<&'a str>,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, visitor: Visitor) -> Response {
    Page(ask_page(&web, &visitor, "", FormErrors::default())).into_response()
}

/// The same answer in the same time, whether somebody has the address or not.
pub(crate) async fn ask(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Result<Response, Failure> {
    let email = fields.text("email");
    match web.app.ask_reset(email, visitor.client(&web)) {
        Ok(()) => Ok(Redirect::to(&format!("{}/reset?sent=1", visitor.base)).into_response()),
        Err(error) => {
            let page = ask_page(&web, &visitor, email, FormErrors::one("", error.to_string()));
            refused(error, Page(page).into_response())
        }
    }
}

fn ask_page<'a>(web: &'a Web, visitor: &'a Visitor, email: &'a str, errors: FormErrors) -> AskPage<'a> {
    AskPage {
        frame: Bare::new(&visitor.base, &visitor.look),
        email,
        mails: web.app.sends_mail(),
        sent: !visitor.query("sent").is_empty(),
        contact: web.app.config.dashboard.contact.lines().collect(),
        errors,
    }
}

#[derive(Template)]
#[template(path = "reset-new.html")]
struct NewPage<'a> {
    frame: Bare<'a>,
    token: &'a str,
    email: String,
    errors: FormErrors,
}

pub(crate) async fn show_new(State(web): State<Web>, visitor: Visitor) -> Result<Response, Failure> {
    let token = visitor.query("token");
    let email = web.app.reset_address(token).await?.ok_or_else(dead)?;
    let frame = Bare::new(&visitor.base, &visitor.look);
    Ok(Page(NewPage { frame, token, email, errors: FormErrors::default() }).into_response())
}

pub(crate) async fn set(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Result<Response, Failure> {
    let token = fields.text("token");
    let email = web.app.reset_address(token).await?.ok_or_else(dead)?;
    match web.app.reset_password(token, fields.text("password"), visitor.client(&web)).await {
        Ok(()) => Ok(Redirect::to(&format!("{}/sign-in?done=password-set", visitor.base)).into_response()),
        Err(ManageError::NotFound(_)) => Err(dead()),
        Err(error) => {
            let frame = Bare::new(&visitor.base, &visitor.look);
            Ok(wrong(NewPage { frame, token, email, errors: FormErrors::of(error)? }))
        }
    }
}

fn dead() -> Failure {
    let message = "This link was used before, or has ended. If you have set your password with it, sign in; otherwise \
                   ask for a new one";
    Failure::Refused(StatusCode::NOT_FOUND, message.to_owned())
}
