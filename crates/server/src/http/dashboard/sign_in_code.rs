//! The second step of a sign-in: a code of the authenticator app, or a recovery code.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::look;
use super::page::{Bare, Page};
use super::sign_in::{entered, onward};
use super::who::{Visitor, own_path};
use crate::http::Web;
use crate::operations::{FactorAttempt, ProofError, SignedIn};

#[derive(Template)]
#[template(path = "sign-in-code.html")]
struct CodePage<'a> {
    frame: Bare<'a>,
    next: &'a str,
    errors: FormErrors,
}

/// A session whose password was right and whose code is outstanding. [`Visitor`] leaves it out.
type Pending = Option<Extension<SignedIn>>;

fn pending(session: Pending) -> Option<SignedIn> {
    session.map(|Extension(one)| one).filter(|one| one.session.pending)
}

pub(crate) async fn show(visitor: Visitor, session: Pending) -> Response {
    if pending(session).is_none() {
        return elsewhere(&visitor, visitor.next()).into_response();
    }
    let frame = Bare::new(&visitor.base, &visitor.look);
    Page(CodePage { frame, next: visitor.next(), errors: FormErrors::default() }).into_response()
}

/// Whoever is signed in goes on; the others begin again.
fn elsewhere(visitor: &Visitor, next: &str) -> Redirect {
    if visitor.signed_in.is_some() {
        return onward(&visitor.base, next);
    }
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    Redirect::to(&format!("{}/sign-in?next={next}", visitor.base))
}

pub(crate) async fn finish(
    State(web): State<Web>,
    visitor: Visitor,
    session: Pending,
    fields: Fields,
) -> Result<Response, Failure> {
    let next = own_path(fields.text("next"));
    let Some(pending) = pending(session) else { return Ok(elsewhere(&visitor, next).into_response()) };
    let attempt = FactorAttempt {
        code: fields.text("code"),
        client: visitor.client(&web),
        device: look::device(&web.app, &visitor.headers),
    };
    match web.app.finish_sign_in(&pending, &attempt).await {
        Ok(step) => Ok(entered(&web, onward(&visitor.base, next).into_response(), &step)),
        Err(error) => {
            let (status, errors, wait) = proof(error)?;
            let frame = Bare::new(&visitor.base, &visitor.look);
            Ok(waiting((status, Page(CodePage { frame, next, errors })).into_response(), wait))
        }
    }
}

/// Status, words and wait of a proof that was not taken.
pub(crate) fn proof(error: ProofError) -> Result<(StatusCode, FormErrors, Option<i64>), Failure> {
    match error {
        ProofError::Wrong(message) => Ok((StatusCode::UNPROCESSABLE_ENTITY, FormErrors::one("", message), None)),
        ProofError::Wait(wait) => {
            let message = format!("Too many tries. Try again in {wait}");
            Ok((StatusCode::TOO_MANY_REQUESTS, FormErrors::one("", message), Some(wait.0)))
        }
        ProofError::Refused(error) => Ok((StatusCode::UNPROCESSABLE_ENTITY, FormErrors::of(error)?, None)),
    }
}

pub(crate) fn waiting(mut response: Response, wait: Option<i64>) -> Response {
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
