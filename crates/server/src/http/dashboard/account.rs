//! The settings of an account.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::Right;

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::frame::{Frame, Here};
use super::page::{Page, wrong};
use super::who::InAccount;
use super::words::Moment;
use crate::http::Web;
use crate::http::rights::{ManageAccount, SeeProjects};
use crate::operations::AccountChange;

#[derive(Template)]
#[template(path = "account-settings.html")]
struct SettingsPage<'a> {
    frame: Frame,
    account: String,
    name: &'a str,
    display_name: &'a str,
    key_limit: i64,
    created: Moment,
    role: &'static str,
    errors: FormErrors,
    may_manage: bool,
}

pub(crate) async fn settings(State(web): State<Web>, at: InAccount<SeeProjects>) -> Result<Response, Failure> {
    Ok(Page(page(&web, &at, &at.account.display_name, FormErrors::default()).await?).into_response())
}

pub(crate) async fn rename(
    State(web): State<Web>,
    at: InAccount<ManageAccount>,
    fields: Fields,
) -> Result<Response, Failure> {
    let name = fields.text("display_name");
    let change = AccountChange { display_name: Some(name.to_owned()), ..AccountChange::default() };
    match web.app.change_account(&at.me.doing(None), at.account.id, change).await {
        Ok(_) => {
            let to = format!("{}/accounts/{}/settings?done=account-renamed", at.me.base(), at.account.id);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => Ok(wrong(page(&web, &at, name, FormErrors::of(error)?).await?)),
    }
}

async fn page<'a, R>(
    web: &Web,
    at: &'a InAccount<R>,
    display_name: &'a str,
    errors: FormErrors,
) -> Result<SettingsPage<'a>, Failure> {
    let role = at.me.signed_in.person.role_in(at.account.id);
    Ok(SettingsPage {
        frame: Frame::in_account(web, &at.me, &at.account, Here::AccountSettings).await?,
        account: at.account.id.to_string(),
        name: &at.account.display_name,
        display_name,
        key_limit: at.account.key_limit,
        created: at.account.created_at.into(),
        role: role.map_or("operator of the platform", tollgate_core::Role::word),
        errors,
        may_manage: at.may(Right::ManageAccount),
    })
}
