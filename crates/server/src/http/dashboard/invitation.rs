//! Accepting an invitation: with a new password, or as somebody who signs in already.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::page::{Bare, Page, wrong};
use super::sign_in::entered;
use super::who::Visitor;
use crate::http::Web;
use crate::operations::{Invitation, ManageError};

/// Who has opened the link.
#[derive(PartialEq, Eq)]
enum Reader {
    /// Nobody is signed in, and nobody has the address yet.
    New,
    /// Nobody is signed in, and somebody has the address.
    Known,
    /// The person who was invited.
    Invited,
    /// Somebody else.
    Other,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage<'a> {
    frame: Bare<'a>,
    token: &'a str,
    account: &'a str,
    role: &'static str,
    meaning: &'static str,
    email: &'a str,
    signed_in_as: &'a str,
    reader: Reader,
    /// This page, to come back to after signing in.
    next: String,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, visitor: Visitor) -> Result<Response, Failure> {
    let token = visitor.query("token");
    let invitation = web.app.invitation(token).await.map_err(dead)?;
    Ok(Page(page(&visitor, token, &invitation, FormErrors::default())).into_response())
}

pub(crate) async fn accept(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Result<Response, Failure> {
    let token = fields.text("token");
    let invitation = web.app.invitation(token).await.map_err(dead)?;
    // Every member sees the projects, whatever its role.
    let to = format!("{}/accounts/{}/projects?done=joined", visitor.base, invitation.account.id);
    let error = match &visitor.signed_in {
        Some(signed_in) => match web.app.accept_as(signed_in, token).await {
            Ok(_) => return Ok(Redirect::to(&to).into_response()),
            Err(error) => error,
        },
        None => match web.app.accept_as_new(token, fields.text("password"), visitor.client(&web)).await {
            Ok(step) => return Ok(entered(&web, Redirect::to(&to).into_response(), &step)),
            Err(error) => error,
        },
    };
    match error {
        ManageError::NotFound(_) => Err(dead(error)),
        error => Ok(wrong(page(&visitor, token, &invitation, FormErrors::of(error)?))),
    }
}

fn page<'a>(
    visitor: &'a Visitor,
    token: &'a str,
    invitation: &'a Invitation,
    errors: FormErrors,
) -> InvitationPage<'a> {
    let signed_in_as = visitor.signed_in.as_ref().map_or("", |one| &one.person.user.email);
    let here = format!("{}/invitation?token={token}", visitor.base);
    InvitationPage {
        frame: Bare::new(&visitor.base, &visitor.look),
        token,
        account: &invitation.account.display_name,
        role: invitation.role.word(),
        meaning: invitation.role.meaning(),
        email: &invitation.email,
        signed_in_as,
        reader: match signed_in_as {
            "" if invitation.has_user => Reader::Known,
            "" => Reader::New,
            email if email == invitation.email => Reader::Invited,
            _ => Reader::Other,
        },
        next: form_urlencoded::byte_serialize(here.as_bytes()).collect(),
        errors,
    }
}

fn dead(error: ManageError) -> Failure {
    match error {
        ManageError::NotFound(_) => {
            let message = "This invitation was accepted before, was withdrawn, or has ended. If you have accepted it, \
                           sign in; otherwise ask for a new one";
            Failure::Refused(StatusCode::NOT_FOUND, message.to_owned())
        }
        other => other.into(),
    }
}
