//! A new account, with an invitation for its owner.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::question::{LinkPage, incomplete};
use crate::http::dashboard::who::{Me, OperatorPerson};
use crate::operations::ManageError;

#[derive(Template)]
#[template(path = "operator-account-new.html")]
struct NewPage<'a> {
    frame: Frame,
    form: String,
    display_name: &'a str,
    owner: &'a str,
    key_limit: &'a str,
    usual: String,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, OperatorPerson(me): OperatorPerson) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    let frame = Frame::personal(&web, &me, Here::OperatorAccounts).await?;
    let usual = usual(&web);
    let (form, errors) = (web.app.new_form(), FormErrors::default());
    Ok(Page(NewPage { frame, form, display_name: "", owner: "", key_limit: "", usual, errors }).into_response())
}

pub(crate) async fn create(
    State(web): State<Web>,
    OperatorPerson(me): OperatorPerson,
    fields: Fields,
) -> Result<Response, Failure> {
    me.confirmed(&web)?;
    let form = me.form(fields.text("form"));
    let (name, owner, key_limit) = (fields.text("display_name"), fields.text("owner"), fields.text("key_limit").trim());
    let made = match (&form, limit(key_limit)) {
        (None, _) => Err(incomplete()),
        (_, Err(errors)) => Err(errors),
        (Some(form), Ok(limit)) => match web.app.create_account_for(&me.doing(Some(form)), name, limit, owner).await {
            Ok(made) => Ok(made),
            Err(ManageError::FormUsed) => return sent_before(&web, &me, form).await,
            Err(error) => Err(FormErrors::of(error)?),
        },
    };
    let frame = Frame::personal(&web, &me, Here::OperatorAccounts).await?;
    let errors = match made {
        Ok((account, link)) => {
            let above = (format!("{}/operator/accounts/{}", me.base(), account.id), &*account.display_name);
            let purpose = "Whoever opens it becomes owner of the account, and sets a password or signs in.";
            return Ok(Page(LinkPage::new(frame, above, "The account is made", purpose, &link)).into_response());
        }
        Err(errors) => errors,
    };
    let form = if form.is_some() { fields.text("form").to_owned() } else { web.app.new_form() };
    let usual = usual(&web);
    Ok(wrong(NewPage { frame, form, display_name: name, owner, key_limit, usual, errors }))
}

/// What an empty limit means.
fn usual(web: &Web) -> String {
    format!("Empty means {}.", web.app.config.limits.keys_per_project)
}

/// The link was shown when the form was sent the first time; a second account is not made.
async fn sent_before(web: &Web, me: &Me, form: &str) -> Result<Response, Failure> {
    let account = web.app.form_target(form).await?.unwrap_or_default();
    Ok(Redirect::to(&format!("{}/operator/accounts/{account}?done=account-created", me.base())).into_response())
}

/// A number, or nothing for the usual one. Whether it is in range the operation says.
pub(super) fn limit(text: &str) -> Result<Option<i64>, FormErrors> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| FormErrors::one("key_limit", "must be a number from 1 to 100000"))
}
