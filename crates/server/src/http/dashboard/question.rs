//! A page that asks before something is done, and the page that shows a link once.

use std::borrow::Cow;

use askama::Template;
use axum::response::{IntoResponse, Response};

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::frame::Frame;
use super::page::{Page, wrong};
use super::who::Me;
use super::words::Moment;
use crate::http::Web;
use crate::operations::{MadeLink, ManageError};

/// How a form came that works once.
pub(crate) enum Sent {
    /// For the first time, with its id as it is kept.
    First(String),
    /// Again: what it asked for is done.
    Again,
    /// Without its id: it could be sent twice.
    Incomplete,
}

impl Sent {
    pub(crate) async fn of(web: &Web, me: &Me, fields: &Fields) -> Result<Self, Failure> {
        let Some(form) = me.form(fields.text("form")) else { return Ok(Self::Incomplete) };
        let before = web.app.form_target(&form).await?;
        Ok(if before.is_some() { Self::Again } else { Self::First(form) })
    }
}

/// What is wrong with a form without its id.
pub(crate) fn incomplete() -> FormErrors {
    FormErrors::one("", "The form was not complete. Nothing was done; send it again")
}

/// What an operation did not like; nothing when the same form at the same moment was faster.
pub(crate) async fn unless_done(web: &Web, form: &str, error: ManageError) -> Result<Option<FormErrors>, Failure> {
    if web.app.form_target(form).await?.is_some() {
        return Ok(None);
    }
    FormErrors::of(error).map(Some)
}

/// Asks whether something shall be done, and says what comes of it.
#[derive(Template)]
#[template(path = "question.html")]
pub(crate) struct Question<'a> {
    pub(crate) frame: Frame,
    /// The page above: its address and name.
    pub(crate) above: (String, &'a str),
    pub(crate) title: &'a str,
    /// What it is about, as somebody named it.
    pub(crate) subject: Cow<'a, str>,
    pub(crate) consequence: String,
    /// The path of this page.
    pub(crate) here: String,
    /// The id of a form that works once; empty where doing it twice is doing it once.
    pub(crate) form: String,
    pub(crate) button: &'a str,
    pub(crate) danger: bool,
    pub(crate) errors: FormErrors,
}

impl Question<'_> {
    /// The page: with a status of its own when something is wrong.
    pub(crate) fn page(self) -> Response {
        if self.errors.is_empty() { Page(self).into_response() } else { wrong(self) }
    }
}

/// Shows a link: in the answer to the request that made it, and in no other.
#[derive(Template)]
#[template(path = "link.html")]
pub(crate) struct LinkPage<'a> {
    frame: Frame,
    above: (String, &'a str),
    title: &'a str,
    email: String,
    url: &'a str,
    until: Moment,
    /// Then it is not shown: nobody but the person needs it.
    mailed: bool,
    /// What whoever opens it can do.
    purpose: &'a str,
}

impl<'a> LinkPage<'a> {
    pub(crate) fn new(
        frame: Frame,
        above: (String, &'a str),
        title: &'a str,
        purpose: &'a str,
        made: &'a MadeLink,
    ) -> Self {
        Self {
            frame,
            above,
            title,
            email: made.link.email.clone(),
            url: &made.url,
            until: made.link.ends_at.into(),
            mailed: made.is_mailed,
            purpose,
        }
    }
}
