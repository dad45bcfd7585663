//! The members of an account, and the invitations that are open.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tollgate_core::Role;

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::InAccount;
use crate::http::dashboard::words::Moment;
use crate::http::rights::SeeMembers;
use crate::operations::{self, MemberPower};

const PAGE: i64 = 50;

struct Line {
    id: String,
    email: String,
    role: Role,
    has_factor: bool,
    since: Moment,
    is_me: bool,
    may_change: bool,
}

struct Open {
    id: String,
    email: String,
    role: &'static str,
    until: Moment,
}

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    frame: Frame,
    here: String,
    leave: String,
    lines: Vec<Line>,
    more: String,
    open: Vec<Open>,
    more_open: String,
    may_manage: bool,
    is_member: bool,
}

pub(crate) async fn show(State(web): State<Web>, at: InAccount<SeeMembers>) -> Result<Response, Failure> {
    let visitor = &at.me.visitor;
    let power = at.me.signed_in.person.member_power(&at.account).ok();
    let page = |name| operations::Page { size: Some(PAGE), token: visitor.query(name).to_owned() };
    let (members, next) = web.app.members(at.account.id, &page("page")).await?;
    let (links, next_link) = web.app.invitations(at.account.id, &page("invitations")).await?;
    let here = format!("{}/accounts/{}", at.me.base(), at.account.id);
    let may_touch = |role| match power {
        Some(MemberPower::All) => true,
        Some(MemberPower::AllButOwners) => role != Role::Owner,
        None => false,
    };
    let more = |name: &str, next: String| match &*next {
        "" => String::new(),
        next => format!("{here}/members?{name}={next}"),
    };
    let me = at.me.signed_in.person.user.id;
    let lines = members.into_iter().map(|member| Line {
        id: member.user.to_string(),
        email: member.email,
        role: member.role,
        has_factor: member.has_factor,
        since: member.since.into(),
        is_me: member.user == me,
        may_change: may_touch(member.role),
    });
    let open = links.into_iter().map(|link| Open {
        id: link.id.to_string(),
        role: link.role.map_or("", Role::word),
        until: link.ends_at.into(),
        email: link.email,
    });
    let page = MembersPage {
        frame: Frame::in_account(&web, &at.me, &at.account, Here::Members).await?,
        lines: lines.collect(),
        more: more("page", next),
        open: open.collect(),
        more_open: more("invitations", next_link),
        may_manage: power.is_some(),
        is_member: at.me.signed_in.person.role_in(at.account.id).is_some(),
        leave: format!("{here}/leave"),
        here: format!("{here}/members"),
    };
    Ok(Page(page).into_response())
}
