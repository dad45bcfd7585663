//! One account, as the operator sees it: suspend, resume, key limit, reset links for its members.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::UserId;

use super::AnyAccount;
use super::new::limit;
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::question::{LinkPage, Question, incomplete};
use crate::http::dashboard::words::Moment;
use crate::operations::{self, AccountChange, ManageError, Member};

/// Members that are listed; the rest stands on the account's own page of members.
const MEMBERS: i64 = 50;

#[derive(Template)]
#[template(path = "operator-account.html")]
struct AccountPage<'a> {
    frame: Frame,
    here: String,
    account: String,
    name: &'a str,
    key_limit: i64,
    created: Moment,
    suspended: Option<Moment>,
    members: Vec<(String, Member)>,
    has_more: bool,
}

pub(crate) async fn show(State(web): State<Web>, at: AnyAccount) -> Result<Response, Failure> {
    let wanted = operations::Page { size: Some(MEMBERS), token: String::new() };
    let (members, next) = web.app.members(at.account.id, &wanted).await?;
    let page = AccountPage {
        frame: frame(&web, &at).await?,
        here: at.page(),
        account: at.account.id.to_string(),
        name: &at.account.display_name,
        key_limit: at.account.key_limit,
        created: at.account.created_at.into(),
        suspended: at.account.suspended_at.map(Into::into),
        members: members.into_iter().map(|member| (member.user.to_string(), member)).collect(),
        has_more: !next.is_empty(),
    };
    Ok(Page(page).into_response())
}

async fn frame(web: &Web, at: &AnyAccount) -> Result<Frame, Failure> {
    Frame::personal(web, &at.me, Here::OperatorAccounts).await
}

pub(crate) async fn ask_suspend(State(web): State<Web>, at: AnyAccount) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let consequence = "All its access keys and tokens are refused from the next call on, and its members can only read. \
                       Nothing is deleted; you can resume it at any time.";
    let question = asked(&web, &at, ("Suspend the account", "Suspend", "suspend"), consequence).await?;
    Ok(Question { danger: true, ..question }.page())
}

pub(crate) async fn ask_resume(State(web): State<Web>, at: AnyAccount) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let consequence = "Its access keys work again from the next call on, and its members can change things again.";
    Ok(asked(&web, &at, ("Resume the account", "Resume", "resume"), consequence).await?.page())
}

async fn asked<'a>(
    web: &Web,
    at: &'a AnyAccount,
    (title, button, verb): (&'a str, &'a str, &str),
    consequence: &str,
) -> Result<Question<'a>, Failure> {
    Ok(Question {
        frame: frame(web, at).await?,
        above: (at.page(), &at.account.display_name),
        title,
        subject: "".into(),
        consequence: consequence.to_owned(),
        here: format!("{}/{verb}", at.page()),
        form: String::new(),
        button,
        danger: false,
        errors: FormErrors::default(),
    })
}

pub(crate) async fn suspend(State(web): State<Web>, at: AnyAccount) -> Result<Response, Failure> {
    set_suspended(&web, &at, true, "account-suspended").await
}

pub(crate) async fn resume(State(web): State<Web>, at: AnyAccount) -> Result<Response, Failure> {
    set_suspended(&web, &at, false, "account-resumed").await
}

async fn set_suspended(web: &Web, at: &AnyAccount, suspended: bool, done: &str) -> Result<Response, Failure> {
    at.me.confirmed(web)?;
    let change = AccountChange { suspended: Some(suspended), ..AccountChange::default() };
    web.app.change_account(&at.me.doing(None), at.account.id, change).await?;
    Ok(back(at, done))
}

fn back(at: &AnyAccount, done: &str) -> Response {
    Redirect::to(&format!("{}?done={done}", at.page())).into_response()
}

#[derive(Template)]
#[template(path = "operator-limit.html")]
struct LimitPage<'a> {
    frame: Frame,
    here: String,
    name: &'a str,
    key_limit: String,
    errors: FormErrors,
}

pub(crate) async fn ask_limit(State(web): State<Web>, at: AnyAccount) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let key_limit = at.account.key_limit.to_string();
    Ok(Page(limit_page(&web, &at, key_limit, FormErrors::default()).await?).into_response())
}

pub(crate) async fn set_limit(State(web): State<Web>, at: AnyAccount, fields: Fields) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let typed = fields.text("key_limit").trim();
    let errors = match limit(typed) {
        Ok(None) => FormErrors::one("key_limit", "must be a number from 1 to 100000"),
        Ok(key_limit) => {
            let change = AccountChange { key_limit, ..AccountChange::default() };
            match web.app.change_account(&at.me.doing(None), at.account.id, change).await {
                Ok(_) => return Ok(back(&at, "account-changed")),
                Err(error) => FormErrors::of(error)?,
            }
        }
        Err(errors) => errors,
    };
    Ok(wrong(limit_page(&web, &at, typed.to_owned(), errors).await?))
}

async fn limit_page<'a>(
    web: &Web,
    at: &'a AnyAccount,
    key_limit: String,
    errors: FormErrors,
) -> Result<LimitPage<'a>, Failure> {
    Ok(LimitPage { frame: frame(web, at).await?, here: at.page(), name: &at.account.display_name, key_limit, errors })
}

pub(crate) async fn ask_reset(
    State(web): State<Web>,
    at: AnyAccount,
    Path((_, user)): Path<(String, String)>,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let member = member(&web, &at, &user).await?;
    Ok(reset_question(&web, &at, &member, FormErrors::default()).await?.page())
}

pub(crate) async fn reset(
    State(web): State<Web>,
    at: AnyAccount,
    Path((_, user)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let member = member(&web, &at, &user).await?;
    let Some(form) = at.me.form(fields.text("form")) else {
        let errors = incomplete();
        return Ok(reset_question(&web, &at, &member, errors).await?.page());
    };
    let made = match web.app.reset_link(&at.me.doing(Some(&form)), &member.email).await {
        Ok(made) => made,
        Err(ManageError::FormUsed) => {
            let message = "This form was sent before, and its link was shown then. To make a new link, send it again";
            return Ok(reset_question(&web, &at, &member, FormErrors::one("", message)).await?.page());
        }
        Err(error) => return Err(error.into()),
    };
    let purpose = "Whoever opens it sets a new password for this person; all sessions of the person end then.";
    let above = (at.page(), &*at.account.display_name);
    Ok(Page(LinkPage::new(frame(&web, &at).await?, above, "Reset link", purpose, &made)).into_response())
}

async fn member(web: &Web, at: &AnyAccount, user: &str) -> Result<Member, Failure> {
    let missing = || ManageError::NotFound("member");
    let user: UserId = user.parse().map_err(|_| missing())?;
    Ok(web.app.member_of(at.account.id, user).await?)
}

async fn reset_question<'a>(
    web: &Web,
    at: &'a AnyAccount,
    member: &'a Member,
    errors: FormErrors,
) -> Result<Question<'a>, Failure> {
    Ok(Question {
        frame: frame(web, at).await?,
        above: (at.page(), &at.account.display_name),
        title: "Reset link for a member",
        subject: (&*member.email).into(),
        consequence:
            "Makes a link with which this person sets a new password within an hour. An earlier reset link is \
                      dead then. The second factor stays. Hand the link over only to somebody whom you know."
                .to_owned(),
        here: format!("{}/members/{}/reset", at.page(), member.user),
        form: web.app.new_form(),
        button: "Make reset link",
        danger: false,
        errors,
    })
}
