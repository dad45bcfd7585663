//! Ending sessions: one, or all others.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::id::SessionId;

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::FormErrors;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::look;
use crate::http::dashboard::question::Question;
use crate::http::dashboard::who::Me;
use crate::http::dashboard::words::Moment;
use crate::operations::ManageError;

pub(crate) async fn ask_end(State(web): State<Web>, me: Me, Path(session): Path<String>) -> Result<Response, Failure> {
    let id = id(&session)?;
    let all = web.app.sessions(&me.signed_in).await?;
    let found = all.into_iter().find(|one| one.id == id).ok_or(ManageError::NotFound("session"))?;
    let is_here = id == me.signed_in.session.id;
    let consequence = format!(
        "{} It began {} from {}.",
        if is_here {
            "This is the browser that you use now: you are signed out."
        } else {
            "That browser is signed out."
        },
        Moment::from(found.created_at).text,
        if found.address.is_empty() { "an unknown address" } else { &found.address },
    );
    let here = format!("{}/me/sessions/{id}/end", me.base());
    Ok(question(&web, &me, ("End the session", "End session"), here, found.agent, consequence).await?.page())
}

pub(crate) async fn end(State(web): State<Web>, me: Me, Path(session): Path<String>) -> Result<Response, Failure> {
    let id = id(&session)?;
    match web.app.end_session(&me.signed_in, id).await {
        // One that is over is what was asked for; whose it was is not told.
        Ok(()) | Err(ManageError::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    if id == me.signed_in.session.id {
        let mut response = Redirect::to(&format!("{}/sign-in?done=session-ended", me.base())).into_response();
        look::drop_session(&web.app, response.headers_mut());
        return Ok(response);
    }
    Ok(Redirect::to(&format!("{}/me?done=session-ended", me.base())).into_response())
}

pub(crate) async fn ask_end_others(State(web): State<Web>, me: Me) -> Result<Response, Failure> {
    let here = format!("{}/me/sessions/end-others", me.base());
    let consequence = "You stay signed in here. Every other browser is signed out. Personal tokens go on.".to_owned();
    let title = ("End all other sessions", "End all others");
    Ok(question(&web, &me, title, here, String::new(), consequence).await?.page())
}

pub(crate) async fn end_others(State(web): State<Web>, me: Me) -> Result<Response, Failure> {
    web.app.end_other_sessions(&me.signed_in).await?;
    Ok(Redirect::to(&format!("{}/me?done=sessions-ended", me.base())).into_response())
}

fn id(text: &str) -> Result<SessionId, ManageError> {
    text.parse().map_err(|_| ManageError::NotFound("session"))
}

async fn question(
    web: &Web,
    me: &Me,
    (title, button): (&'static str, &'static str),
    here: String,
    subject: String,
    consequence: String,
) -> Result<Question<'static>, Failure> {
    Ok(Question {
        frame: Frame::personal(web, me, Here::Mine).await?,
        above: (format!("{}/me", me.base()), "Your settings"),
        title,
        subject: subject.into(),
        consequence,
        here,
        form: String::new(),
        button,
        danger: false,
        errors: FormErrors::default(),
    })
}
