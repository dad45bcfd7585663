//! Another role for a member, and taking a membership away.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::Role;

use super::invite::{givable, list};
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::question::{Question, Sent, incomplete, unless_done};
use crate::http::dashboard::who::InAccount;
use crate::http::rights::ManageMembers;
use crate::operations::{ManageError, Member};

#[derive(Template)]
#[template(path = "member-role.html")]
struct RolePage<'a> {
    frame: Frame,
    list: String,
    here: String,
    email: &'a str,
    role: &'a str,
    roles: &'static [Role],
    is_me: bool,
    errors: FormErrors,
}

async fn member(web: &Web, at: &InAccount<ManageMembers>, user: &str) -> Result<Member, Failure> {
    let user = user.parse().map_err(|_| ManageError::NotFound("member"))?;
    Ok(web.app.member_of(at.account.id, user).await?)
}

pub(crate) async fn show_role(
    State(web): State<Web>,
    at: InAccount<ManageMembers>,
    Path((_, user)): Path<(String, String)>,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let member = member(&web, &at, &user).await?;
    Ok(Page(role_page(&web, &at, &member, member.role.word(), FormErrors::default()).await?).into_response())
}

pub(crate) async fn set_role(
    State(web): State<Web>,
    at: InAccount<ManageMembers>,
    Path((_, user)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let member = member(&web, &at, &user).await?;
    let typed = fields.text("role");
    let power = at.me.signed_in.person.member_power(&at.account)?;
    let changed = match typed.parse::<Role>() {
        Ok(role) => web.app.change_role(&at.me.doing(None), power, at.account.id, member.user, role).await,
        Err(error) => Err(ManageError::Invalid { field: "role", message: error.to_string() }),
    };
    match changed {
        Ok(_) => Ok(Redirect::to(&after(&at, &member, "role-changed")).into_response()),
        Err(error) => Ok(wrong(role_page(&web, &at, &member, typed, FormErrors::of(error)?).await?)),
    }
}

/// Whoever changes its own role may no longer see the list.
fn after(at: &InAccount<ManageMembers>, member: &Member, done: &str) -> String {
    let is_me = member.user == at.me.signed_in.person.user.id;
    if is_me { format!("{}/me?done={done}", at.me.base()) } else { format!("{}?done={done}", list(at)) }
}

async fn role_page<'a>(
    web: &Web,
    at: &InAccount<ManageMembers>,
    member: &'a Member,
    role: &'a str,
    errors: FormErrors,
) -> Result<RolePage<'a>, Failure> {
    Ok(RolePage {
        frame: Frame::in_account(web, &at.me, &at.account, Here::Members).await?,
        here: format!("{}/{}/role", list(at), member.user),
        list: list(at),
        email: &member.email,
        role,
        roles: givable(at.me.signed_in.person.member_power(&at.account)?),
        is_me: member.user == at.me.signed_in.person.user.id,
        errors,
    })
}

pub(crate) async fn ask_remove(
    State(web): State<Web>,
    at: InAccount<ManageMembers>,
    Path((_, user)): Path<(String, String)>,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let member = member(&web, &at, &user).await?;
    Ok(question(&web, &at, &member, FormErrors::default()).await?.page())
}

pub(crate) async fn remove(
    State(web): State<Web>,
    at: InAccount<ManageMembers>,
    Path((_, user)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let done = || Redirect::to(&format!("{}?done=member-removed", list(&at))).into_response();
    let sent = Sent::of(&web, &at.me, &fields).await?;
    if matches!(sent, Sent::Again) {
        return Ok(done());
    }
    let member = member(&web, &at, &user).await?;
    let Sent::First(form) = sent else { return Ok(question(&web, &at, &member, incomplete()).await?.page()) };
    let power = at.me.signed_in.person.member_power(&at.account)?;
    match web.app.remove_member(&at.me.doing(Some(&form)), power, at.account.id, member.user).await {
        Ok(()) => Ok(Redirect::to(&after(&at, &member, "member-removed")).into_response()),
        Err(error) => match unless_done(&web, &form, error).await? {
            Some(errors) => Ok(question(&web, &at, &member, errors).await?.page()),
            None => Ok(done()),
        },
    }
}

async fn question<'a>(
    web: &Web,
    at: &InAccount<ManageMembers>,
    member: &'a Member,
    errors: FormErrors,
) -> Result<Question<'a>, Failure> {
    Ok(Question {
        frame: Frame::in_account(web, &at.me, &at.account, Here::Members).await?,
        above: (list(at), "Members"),
        title: "Remove the member",
        subject: (&*member.email).into(),
        consequence:
            "From the next request on this person sees nothing of the account, and the invitations that it has \
                      made are dead. Access keys that it has made go on: rotate those whose secret it knows."
                .to_owned(),
        here: format!("{}/{}/remove", list(at), member.user),
        form: web.app.new_form(),
        button: "Remove",
        danger: true,
        errors,
    })
}
