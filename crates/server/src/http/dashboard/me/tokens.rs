//! Personal tokens: made with the secret shown once, and deleted.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::id::PersonalTokenId;

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::question::{Question, Sent, incomplete, unless_done};
use crate::http::dashboard::who::Me;
use crate::http::dashboard::words::Moment;
use crate::operations::ManageError;

const DAYS: [(i64, &str); 4] = [(7, "In a week"), (30, "In 30 days"), (90, "In 90 days"), (365, "In a year")];

#[derive(Template)]
#[template(path = "me-token-new.html")]
struct NewPage<'a> {
    frame: Frame,
    form: String,
    display_name: &'a str,
    days: i64,
    choices: [(i64, &'static str); 4],
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "me-token-secret.html")]
struct SecretPage<'a> {
    frame: Frame,
    name: &'a str,
    secret: &'a str,
    ends: Moment,
    url: &'a str,
}

pub(crate) async fn show(State(web): State<Web>, me: Me) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    Ok(Page(page(&web, &me, web.app.new_form(), ("", 90), FormErrors::default()).await?).into_response())
}

pub(crate) async fn create(State(web): State<Web>, me: Me, fields: Fields) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    let typed = (fields.text("display_name"), fields.text("days").parse().unwrap_or(0));
    let again = || Redirect::to(&format!("{}/me?done=token-created", me.base())).into_response();
    let form = match Sent::of(&web, &me, &fields).await? {
        Sent::First(form) => form,
        Sent::Again => return Ok(again()),
        Sent::Incomplete => return Ok(wrong(page(&web, &me, web.app.new_form(), typed, incomplete()).await?)),
    };
    match web.app.create_personal_token(&me.signed_in, Some(&form), typed.0, Some(typed.1)).await {
        Ok((token, secret)) => {
            let page = SecretPage {
                frame: Frame::personal(&web, &me, Here::Mine).await?,
                name: &token.display_name,
                secret: secret.expose(),
                ends: token.ends_at.into(),
                url: web.app.issuer().as_str(),
            };
            Ok(Page(page).into_response())
        }
        Err(error) => match unless_done(&web, &form, error).await? {
            Some(errors) => Ok(wrong(page(&web, &me, fields.text("form").to_owned(), typed, errors).await?)),
            None => Ok(again()),
        },
    }
}

async fn page<'a>(
    web: &Web,
    me: &Me,
    form: String,
    (display_name, days): (&'a str, i64),
    errors: FormErrors,
) -> Result<NewPage<'a>, Failure> {
    let frame = Frame::personal(web, me, Here::Mine).await?;
    Ok(NewPage { frame, form, display_name, days, choices: DAYS, errors })
}

pub(crate) async fn ask_delete(State(web): State<Web>, me: Me, Path(token): Path<String>) -> Result<Response, Failure> {
    Ok(question(&web, &me, id(&token)?, FormErrors::default()).await?.page())
}

pub(crate) async fn delete(
    State(web): State<Web>,
    me: Me,
    Path(token): Path<String>,
    fields: Fields,
) -> Result<Response, Failure> {
    let token = id(&token)?;
    let done = || Redirect::to(&format!("{}/me?done=token-deleted", me.base())).into_response();
    let form = match Sent::of(&web, &me, &fields).await? {
        Sent::First(form) => form,
        Sent::Again => return Ok(done()),
        Sent::Incomplete => return Ok(question(&web, &me, token, incomplete()).await?.page()),
    };
    match web.app.delete_personal_token(&me.signed_in, Some(&form), token).await {
        Ok(()) => Ok(done()),
        Err(error) => match unless_done(&web, &form, error).await? {
            Some(errors) => Ok(question(&web, &me, token, errors).await?.page()),
            None => Ok(done()),
        },
    }
}

fn id(text: &str) -> Result<PersonalTokenId, ManageError> {
    text.parse().map_err(|_| ManageError::NotFound("personal token"))
}

async fn question(web: &Web, me: &Me, id: PersonalTokenId, errors: FormErrors) -> Result<Question<'static>, Failure> {
    let all = web.app.personal_tokens(&me.signed_in).await?;
    let token = all.into_iter().find(|one| one.id == id).ok_or(ManageError::NotFound("personal token"))?;
    Ok(Question {
        frame: Frame::personal(web, me, Here::Mine).await?,
        above: (format!("{}/me", me.base()), "Your settings"),
        title: "Delete the personal token",
        subject: token.display_name.into(),
        consequence: format!("Whatever uses the token {} is refused from the next call on.", token.hint),
        here: format!("{}/me/tokens/{id}/delete", me.base()),
        form: web.app.new_form(),
        button: "Delete",
        danger: true,
        errors,
    })
}
