//! Signing in and out, and giving the password again before something that cannot be undone.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, StatusCode};

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::frame::done;
use super::look;
use super::page::{Bare, Page};
use super::who::{Me, Visitor, own_path};
use crate::http::Web;
use crate::operations::{Attempt, ManageError, SignInError, SignInStep};

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage<'a> {
    frame: Bare<'a>,
    done: &'static str,
    email: &'a str,
    next: &'a str,
    errors: FormErrors,
}

pub(crate) async fn show(visitor: Visitor) -> Response {
    if visitor.signed_in.is_some() {
        return onward(&visitor.base, visitor.next()).into_response();
    }
    Page(SignInPage {
        frame: Bare::new(&visitor.base, &visitor.look),
        done: done(visitor.query("done")),
        email: "",
        next: visitor.next(),
        errors: FormErrors::default(),
    })
    .into_response()
}

pub(crate) async fn sign_in(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Result<Response, Failure> {
    let next = own_path(fields.text("next"));
    let attempt = Attempt {
        email: fields.text("email"),
        password: fields.text("password"),
        client: visitor.client(&web),
        device: look::device(&web.app, &visitor.headers),
    };
    let error = match web.app.sign_in(&attempt).await {
        Ok(step) => {
            let to = match &step {
                SignInStep::Done { .. } => onward(&visitor.base, next),
                SignInStep::Factor(_) => to_factor(&visitor.base, next),
            };
            return Ok(entered(&web, to.into_response(), &step));
        }
        Err(error) => error,
    };
    let page = SignInPage {
        frame: Bare::new(&visitor.base, &visitor.look),
        done: "",
        email: attempt.email,
        next,
        errors: FormErrors::one("", error.to_string()),
    };
    refused(error, Page(page).into_response())
}

/// A link that signs in. It is used up by opening it, but not by looking whether it is there.
pub(crate) async fn by_link(State(web): State<Web>, visitor: Visitor, method: Method) -> Result<Response, Failure> {
    if method == Method::HEAD {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    match web.app.sign_in_by_link(visitor.query("token"), visitor.client(&web)).await {
        Ok(step) => Ok(entered(&web, onward(&visitor.base, "").into_response(), &step)),
        Err(SignInError::DeadLink) if visitor.signed_in.is_some() => Ok(onward(&visitor.base, "").into_response()),
        Err(SignInError::Unavailable(cause)) => Err(ManageError::Unavailable(cause).into()),
        Err(error) => Err(Failure::Refused(StatusCode::NOT_FOUND, error.to_string())),
    }
}

pub(crate) async fn sign_out(State(web): State<Web>, visitor: Visitor) -> Result<Response, Failure> {
    if let Some(signed_in) = &visitor.signed_in {
        web.app.sign_out(signed_in).await?;
    }
    let mut response = Redirect::to(&format!("{}/sign-in", visitor.base)).into_response();
    look::drop_session(&web.app, response.headers_mut());
    Ok(response)
}

/// Whoever comes here by the address line is led home.
pub(crate) async fn nothing_to_show(visitor: Visitor) -> Redirect {
    onward(&visitor.base, "")
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    frame: Bare<'a>,
    email: &'a str,
    has_password: bool,
    next: &'a str,
    errors: FormErrors,
}

pub(crate) async fn show_confirm(me: Me) -> Response {
    Page(confirm_page(&me, me.visitor.next(), FormErrors::default())).into_response()
}

pub(crate) async fn confirm(State(web): State<Web>, me: Me, fields: Fields) -> Result<Response, Failure> {
    let next = own_path(fields.text("next"));
    match web.app.confirm(&me.signed_in, fields.text("password")).await {
        Ok(cookie) => {
            let mut response = onward(me.base(), next).into_response();
            if let Some(cookie) = cookie {
                look::put_session(&web.app, response.headers_mut(), &cookie);
            }
            Ok(response)
        }
        Err(SignInError::Wrong) => {
            let errors = FormErrors::one("password", "is wrong");
            let page = Page(confirm_page(&me, next, errors)).into_response();
            refused(SignInError::Wrong, page)
        }
        Err(error) => {
            let errors = FormErrors::one("", error.to_string());
            let page = Page(confirm_page(&me, next, errors)).into_response();
            refused(error, page)
        }
    }
}

fn confirm_page<'a>(me: &'a Me, next: &'a str, errors: FormErrors) -> ConfirmPage<'a> {
    ConfirmPage {
        frame: Bare::new(me.base(), &me.visitor.look),
        email: &me.signed_in.person.user.email,
        has_password: me.signed_in.person.user.has_password,
        next,
        errors,
    }
}

/// Gives the page of a sign-in that did not work its status.
pub(crate) fn refused(error: SignInError, mut page: Response) -> Result<Response, Failure> {
    match error {
        SignInError::Wrong | SignInError::DeadLink => *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY,
        SignInError::Wait(wait) => {
            *page.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.0));
        }
        SignInError::Unavailable(cause) => return Err(ManageError::Unavailable(cause).into()),
    }
    Ok(page)
}

/// Adds the cookies of a sign-in to the answer.
pub(crate) fn entered(web: &Web, mut response: Response, step: &SignInStep) -> Response {
    match step {
        SignInStep::Done { cookie, device } => {
            look::put_session(&web.app, response.headers_mut(), cookie);
            look::put_device(&web.app, response.headers_mut(), device);
        }
        SignInStep::Factor(cookie) => look::put_session(&web.app, response.headers_mut(), cookie),
    }
    response
}

/// To where somebody wanted to go, or home.
pub(crate) fn onward(base: &str, next: &str) -> Redirect {
    if next.is_empty() { Redirect::to(&format!("{base}/")) } else { Redirect::to(next) }
}

fn to_factor(base: &str, next: &str) -> Redirect {
    let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    Redirect::to(&format!("{base}/sign-in/code?next={next}"))
}
