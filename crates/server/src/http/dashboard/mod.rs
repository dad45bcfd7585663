//! The customer dashboard: pages rendered on the server, plain forms, one small script. The routes stand in `http/mod.rs`.
//!
//! Every form posts to the path of the page that shows it, so that whoever has to sign in first comes back to it.

pub(super) mod account;
pub(super) mod audit;
mod denial_words;
mod failure;
mod fields;
mod frame;
pub(super) mod help;
pub(super) mod home;
pub(super) mod invitation;
pub(super) mod keys;
mod look;
pub(super) mod me;
pub(super) mod members;
pub(super) mod operator;
mod page;
pub(super) mod project;
pub(super) mod projects;
mod question;
pub(super) mod requests;
pub(super) mod reset;
pub(super) mod setup;
pub(super) mod sign_in;
pub(super) mod sign_in_code;
pub(super) mod sms;
mod spark;
pub(super) mod statics;
pub(super) mod usage;
mod who;
mod words;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tower_http::csrf::{CsrfLayer, ProtectionError};

use super::Web;

pub(super) use look::Look;
pub(super) use page::{put_headers, render_problem};

/// Adds what surrounds every page: cross-site writes are refused, the session is read, headers are set.
pub(super) fn surrounded(pages: Router<Web>, web: &Web) -> Router<Web> {
    pages
        .layer(from_fn_with_state(web.clone(), who::read_session))
        .layer(CsrfLayer::new().with_rejection_response(cross_site))
        .layer(from_fn(page::with_headers))
}

/// What another site's page asked the browser to send.
fn cross_site(_: ProtectionError) -> Response {
    failure::Failure::Refused(
        StatusCode::FORBIDDEN,
        "This was sent from another site and was not done. Open the page here and send it again".to_owned(),
    )
    .into_response()
}
