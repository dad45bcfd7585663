//! A page that asks before something is done, and the page that shows a link once.

use askama::Template;
use axum::response::{IntoResponse, Response};

use super::fields::FormErrors;
use super::frame::Frame;
use super::page::{Page, wrong};
use super::words::Moment;
use crate::operations::MadeLink;

/// Asks whether something shall be done, and says what comes of it.
#[derive(Template)]
#[template(path = "question.html")]
pub(crate) struct Question<'a> {
    pub(crate) frame: Frame,
    /// The page above: its address and name.
    pub(crate) above: (String, &'a str),
    pub(crate) title: &'a str,
    /// What it is about, as somebody named it.
    pub(crate) subject: &'a str,
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
            purpose,
        }
    }
}
