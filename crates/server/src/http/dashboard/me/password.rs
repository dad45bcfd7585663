//! Another password, proven by the one before.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::look;
use crate::http::dashboard::page::Page;
use crate::http::dashboard::sign_in_code::{proof, waiting};
use crate::http::dashboard::who::Me;
use crate::operations::ProofError;

#[derive(Template)]
#[template(path = "me-password.html")]
struct PasswordPage<'a> {
    frame: Frame,
    email: &'a str,
    has_password: bool,
    errors: FormErrors,
}

/// The old password is asked for in the form itself; without one, the sign-in must be young.
fn confirmed(web: &Web, me: &Me) -> Result<(), Failure> {
    if me.signed_in.person.user.has_password { Ok(()) } else { me.confirmed(web) }
}

pub(crate) async fn show(State(web): State<Web>, me: Me) -> Result<Response, Failure> {
    confirmed(&web, &me)?;
    Ok(Page(page(&web, &me, FormErrors::default()).await?).into_response())
}

pub(crate) async fn change(State(web): State<Web>, me: Me, fields: Fields) -> Result<Response, Failure> {
    confirmed(&web, &me)?;
    let (old, new) = (fields.text("old_password"), fields.text("password"));
    match web.app.change_password(&me.signed_in, None, old, new).await {
        Ok(cookie) => {
            let mut response = Redirect::to(&format!("{}/me?done=password-changed", me.base())).into_response();
            look::put_session(&web.app, response.headers_mut(), &cookie);
            Ok(response)
        }
        Err(ProofError::Wrong(_)) => {
            let (status, _, _) = proof(ProofError::Wrong(""))?;
            let errors = FormErrors::one("old_password", "is wrong");
            Ok((status, Page(page(&web, &me, errors).await?)).into_response())
        }
        Err(error) => {
            let (status, errors, wait) = proof(error)?;
            Ok(waiting((status, Page(page(&web, &me, errors).await?)).into_response(), wait))
        }
    }
}

async fn page<'a>(web: &Web, me: &'a Me, errors: FormErrors) -> Result<PasswordPage<'a>, Failure> {
    let user = &me.signed_in.person.user;
    let frame = Frame::personal(web, me, Here::Mine).await?;
    Ok(PasswordPage { frame, email: &user.email, has_password: user.has_password, errors })
}
