//! Inviting somebody, and taking an invitation back.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::Role;
use tollgate_core::id::LinkId;

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::{Fields, FormErrors};
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::{Page, wrong};
use crate::http::dashboard::question::{LinkPage, Question, Sent, incomplete, unless_done};
use crate::http::dashboard::who::InAccount;
use crate::http::rights::ManageMembers;
use crate::operations::{ManageError, MemberPower};

#[derive(Template)]
#[template(path = "member-invite.html")]
struct InvitePage<'a> {
    frame: Frame,
    list: String,
    form: String,
    email: &'a str,
    role: &'a str,
    roles: &'static [Role],
    mails: bool,
    errors: FormErrors,
}

/// The roles that somebody may give, the least powerful first: what is chosen by mistake does the least harm.
pub(super) fn givable(power: MemberPower) -> &'static [Role] {
    const ALL: [Role; 5] = [Role::Auditor, Role::Billing, Role::Developer, Role::Admin, Role::Owner];
    match power {
        MemberPower::All => &ALL,
        MemberPower::AllButOwners => &ALL[..4],
    }
}

pub(crate) async fn show(State(web): State<Web>, at: InAccount<ManageMembers>) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    Ok(Page(page(&web, &at, web.app.new_form(), ("", "developer"), FormErrors::default()).await?).into_response())
}

pub(crate) async fn invite(
    State(web): State<Web>,
    at: InAccount<ManageMembers>,
    fields: Fields,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let typed = (fields.text("email"), fields.text("role"));
    let form = match Sent::of(&web, &at.me, &fields).await? {
        Sent::First(form) => form,
        Sent::Again => return Ok(Redirect::to(&format!("{}?done=invited", list(&at))).into_response()),
        Sent::Incomplete => return Ok(wrong(page(&web, &at, web.app.new_form(), typed, incomplete()).await?)),
    };
    let power = at.me.signed_in.person.member_power(&at.account)?;
    let made = match typed.1.parse::<Role>() {
        Ok(role) => web.app.invite(&at.me.doing(Some(&form)), power, &at.account, typed.0, role).await,
        Err(error) => Err(ManageError::Invalid { field: "role", message: error.to_string() }),
    };
    match made {
        Ok(made) => {
            let frame = Frame::in_account(&web, &at.me, &at.account, Here::Members).await?;
            let purpose = "Whoever opens it becomes a member of the account, and sets a password or signs in.";
            Ok(Page(LinkPage::new(frame, (list(&at), "Members"), "Invitation", purpose, &made)).into_response())
        }
        Err(error) => match unless_done(&web, &form, error).await? {
            Some(errors) => Ok(wrong(page(&web, &at, fields.text("form").to_owned(), typed, errors).await?)),
            None => Ok(Redirect::to(&format!("{}?done=invited", list(&at))).into_response()),
        },
    }
}

pub(super) fn list<R>(at: &InAccount<R>) -> String {
    format!("{}/accounts/{}/members", at.me.base(), at.account.id)
}

async fn page<'a>(
    web: &Web,
    at: &InAccount<ManageMembers>,
    form: String,
    (email, role): (&'a str, &'a str),
    errors: FormErrors,
) -> Result<InvitePage<'a>, Failure> {
    Ok(InvitePage {
        frame: Frame::in_account(web, &at.me, &at.account, Here::Members).await?,
        list: list(at),
        form,
        email,
        role,
        roles: givable(at.me.signed_in.person.member_power(&at.account)?),
        mails: web.app.sends_mail(),
        errors,
    })
}

pub(crate) async fn ask_withdraw(
    State(web): State<Web>,
    at: InAccount<ManageMembers>,
    Path((_, link)): Path<(String, String)>,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let link = id(&link)?;
    Ok(question(&web, &at, link, FormErrors::default()).await?.page())
}

pub(crate) async fn withdraw(
    State(web): State<Web>,
    at: InAccount<ManageMembers>,
    Path((_, link)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    let link = id(&link)?;
    let done = || Redirect::to(&format!("{}?done=invitation-withdrawn", list(&at))).into_response();
    let form = match Sent::of(&web, &at.me, &fields).await? {
        Sent::First(form) => form,
        Sent::Again => return Ok(done()),
        Sent::Incomplete => return Ok(question(&web, &at, link, incomplete()).await?.page()),
    };
    match web.app.withdraw_invitation(&at.me.doing(Some(&form)), at.account.id, link).await {
        Ok(()) => Ok(done()),
        Err(error) => match unless_done(&web, &form, error).await? {
            Some(errors) => Ok(question(&web, &at, link, errors).await?.page()),
            None => Ok(done()),
        },
    }
}

fn id(text: &str) -> Result<LinkId, ManageError> {
    text.parse().map_err(|_| ManageError::NotFound("invitation"))
}

async fn question<'a>(
    web: &Web,
    at: &InAccount<ManageMembers>,
    link: LinkId,
    errors: FormErrors,
) -> Result<Question<'a>, Failure> {
    let found = web.app.open_invitation(at.account.id, link).await?;
    Ok(Question {
        frame: Frame::in_account(web, &at.me, &at.account, Here::Members).await?,
        above: (list(at), "Members"),
        title: "Withdraw the invitation",
        subject: found.email.into(),
        consequence: "Its link is dead then. You can invite the address again at any time.".to_owned(),
        here: format!("{}/invitations/{link}/withdraw", list(at)),
        form: web.app.new_form(),
        button: "Withdraw",
        danger: true,
        errors,
    })
}
