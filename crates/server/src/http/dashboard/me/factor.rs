//! The second factor: on with a QR code, off, and new recovery codes. Codes are shown in one answer only.

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
use crate::operations::{Enrolment, FactorChanged, ManageError, ProofError};
use tollgate_core::recovery::RecoveryCode;

#[derive(Template)]
#[template(path = "me-factor-on.html")]
struct OnPage {
    frame: Frame,
    enrolment: Enrolment,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "me-factor-code.html")]
struct CodePage {
    frame: Frame,
    off: bool,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "me-factor-codes.html")]
struct CodesPage<'a> {
    frame: Frame,
    codes: Vec<&'a str>,
}

pub(crate) async fn show_on(State(web): State<Web>, me: Me) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    on_page(&web, &me, web.app.start_factor(&me.signed_in)?, FormErrors::default()).await
}

async fn on_page(web: &Web, me: &Me, enrolment: Enrolment, errors: FormErrors) -> Result<Response, Failure> {
    let frame = Frame::personal(web, me, Here::Mine).await?;
    Ok(Page(OnPage { frame, enrolment, errors }).into_response())
}

pub(crate) async fn switch_on(State(web): State<Web>, me: Me, fields: Fields) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    let sealed = fields.text("sealed");
    match web.app.confirm_factor(&me.signed_in, None, sealed, fields.text("code")).await {
        Ok(changed) => shown_once(&web, &me, &changed).await,
        // Sent twice: the first answer showed the codes.
        Err(ProofError::Refused(ManageError::Exists(message))) => Err(ManageError::Exists(message).into()),
        Err(error) => {
            let (status, errors, wait) = proof(error)?;
            let errors = at_code(errors);
            let enrolment = match web.app.resume_factor(&me.signed_in, sealed) {
                Ok(enrolment) => enrolment,
                // Too old, or not ours: a new one.
                Err(ManageError::Precondition(_)) => web.app.start_factor(&me.signed_in)?,
                Err(error) => return Err(error.into()),
            };
            let mut response = on_page(&web, &me, enrolment, errors).await?;
            *response.status_mut() = status;
            Ok(waiting(response, wait))
        }
    }
}

/// A code that was not taken is wrong at its field.
fn at_code(errors: FormErrors) -> FormErrors {
    let message = errors.at("").trim_start_matches("The code ").to_owned();
    if errors.at("") == message { errors } else { FormErrors::one("code", message) }
}

pub(crate) async fn show_off(State(web): State<Web>, me: Me) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    has_factor(&me)?;
    Ok(Page(code_page(&web, &me, true, FormErrors::default()).await?).into_response())
}

pub(crate) async fn switch_off(State(web): State<Web>, me: Me, fields: Fields) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    has_factor(&me)?;
    match web.app.disable_factor(&me.signed_in, None, fields.text("code")).await {
        Ok(changed) => {
            let mut response = Redirect::to(&format!("{}/me?done=factor-off", me.base())).into_response();
            look::put_session(&web.app, response.headers_mut(), &changed.cookie);
            Ok(response)
        }
        Err(error) => refused(&web, &me, true, error).await,
    }
}

pub(crate) async fn show_codes(State(web): State<Web>, me: Me) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    has_factor(&me)?;
    Ok(Page(code_page(&web, &me, false, FormErrors::default()).await?).into_response())
}

pub(crate) async fn new_codes(State(web): State<Web>, me: Me, fields: Fields) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    has_factor(&me)?;
    match web.app.new_recovery_codes(&me.signed_in, None, fields.text("code")).await {
        Ok(changed) => shown_once(&web, &me, &changed).await,
        Err(error) => refused(&web, &me, false, error).await,
    }
}

fn has_factor(me: &Me) -> Result<(), ManageError> {
    if me.signed_in.person.user.has_factor {
        Ok(())
    } else {
        Err(ManageError::Precondition("The second factor is off".to_owned()))
    }
}

async fn refused(web: &Web, me: &Me, off: bool, error: ProofError) -> Result<Response, Failure> {
    let (status, errors, wait) = proof(error)?;
    let page = code_page(web, me, off, at_code(errors)).await?;
    Ok(waiting((status, Page(page)).into_response(), wait))
}

async fn code_page(web: &Web, me: &Me, off: bool, errors: FormErrors) -> Result<CodePage, Failure> {
    Ok(CodePage { frame: Frame::personal(web, me, Here::Mine).await?, off, errors })
}

async fn shown_once(web: &Web, me: &Me, changed: &FactorChanged) -> Result<Response, Failure> {
    let codes = changed.codes.iter().map(RecoveryCode::expose).collect();
    let frame = Frame::personal(web, me, Here::Mine).await?;
    let mut response = Page(CodesPage { frame, codes }).into_response();
    look::put_session(&web.app, response.headers_mut(), &changed.cookie);
    Ok(response)
}
