//! Leaving an account.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::question::{Question, Sent, incomplete, unless_done};
use crate::http::dashboard::who::{InAccount, Me};
use crate::http::rights::SeeProjects;
use crate::operations::ManageError;

/// Every member sees the projects, whatever its role.
pub(crate) async fn ask(State(web): State<Web>, at: InAccount<SeeProjects>) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    if at.me.signed_in.person.role_in(at.account.id).is_none() {
        return Err(ManageError::NotFound("membership of yours").into());
    }
    Ok(question(&web, &at, FormErrors::default()).await?.page())
}

/// Not [`InAccount`]: whoever sends the form twice is no member any more.
pub(crate) async fn leave(
    State(web): State<Web>,
    me: Me,
    at: Result<InAccount<SeeProjects>, Failure>,
    fields: Fields,
) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    let done = || Redirect::to(&format!("{}/me?done=left", me.base())).into_response();
    let sent = Sent::of(&web, &me, &fields).await?;
    if matches!(sent, Sent::Again) {
        return Ok(done());
    }
    let at = at?;
    let Sent::First(form) = sent else { return Ok(question(&web, &at, incomplete()).await?.page()) };
    match web.app.leave(&me.signed_in, Some(&form), at.account.id).await {
        Ok(()) => Ok(done()),
        Err(error) => match unless_done(&web, &form, error).await? {
            Some(errors) => Ok(question(&web, &at, errors).await?.page()),
            None => Ok(done()),
        },
    }
}

async fn question<'a>(web: &Web, at: &'a InAccount<SeeProjects>, errors: FormErrors) -> Result<Question<'a>, Failure> {
    Ok(Question {
        frame: Frame::in_account(web, &at.me, &at.account, Here::Members).await?,
        above: (format!("{}/me", at.me.base()), "Your settings"),
        title: "Leave the account",
        subject: (&*at.account.display_name).into(),
        consequence:
            "You see nothing of it any more, and the invitations that you have made are dead. Only an invitation \
                      brings you back. Access keys that you have made go on."
                .to_owned(),
        here: format!("{}/accounts/{}/leave", at.me.base(), at.account.id),
        form: web.app.new_form(),
        button: "Leave",
        danger: true,
        errors,
    })
}
