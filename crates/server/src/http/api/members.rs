//! `/v1/accounts/{account}/members`.

use axum::Json as Answer;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tollgate_core::Role;
use tollgate_core::role::BadRole;
use utoipa::ToSchema;

use super::caller::{InAccount, PathUser};
use super::page::Query;
use crate::http::Web;
use crate::http::answer::Unstored;
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::rights::{ManageMembers, SeeMembers};
use crate::operations::{Link, ManageError, Member};

/// A member of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberView {
    user_id: String,
    email: String,
    /// owner, admin, developer, billing or auditor.
    role: &'static str,
    /// Since when it is a member.
    join_time: String,
    /// Whether it signs in with a second factor.
    second_factor: bool,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            user_id: member.user.to_string(),
            email: member.email,
            role: member.role.word(),
            join_time: member.since.to_string(),
            second_factor: member.has_factor,
        }
    }
}

/// A page of members.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberList {
    members: Vec<MemberView>,
    /// Empty on the last page.
    next_page_token: String,
}

/// An invitation that was not taken up yet.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvitationView {
    invitation_id: String,
    email: String,
    role: &'static str,
    create_time: String,
    /// When it ends.
    expire_time: String,
}

impl From<Link> for InvitationView {
    fn from(link: Link) -> Self {
        Self {
            invitation_id: link.id.to_string(),
            role: link.role.map_or("", Role::word),
            create_time: link.created_at.to_string(),
            expire_time: link.ends_at.to_string(),
            email: link.email,
        }
    }
}

/// An invitation that was just made: the only answer that ever holds its link.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeInvitation {
    invitation: InvitationView,
    /// The link, which works once.
    url: String,
    /// Whether it is on its way by mail too.
    mailed: bool,
}

/// Somebody to invite.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewMember {
    email: String,
    /// owner, admin, developer, billing or auditor.
    #[schema(pattern = "^(owner|admin|developer|billing|auditor)$")]
    role: String,
}

/// A member's new role.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MemberUpdate {
    #[schema(pattern = "^(owner|admin|developer|billing|auditor)$")]
    role: String,
}

#[utoipa::path(get, path = "/v1/accounts/{account}/members", tag = "members", params(("account" = String, Path), ("pageSize" = Option<i64>, Query), ("pageToken" = Option<String>, Query)),
    responses((status = 200, body = MemberList)))]
pub(crate) async fn list(
    State(web): State<Web>,
    account: InAccount<SeeMembers>,
    query: Query,
) -> Result<Answer<MemberList>, Problem> {
    let (members, next_page_token) = web.app.members(account.account.id, &query.page()?).await?;
    Ok(Answer(MemberList { members: members.into_iter().map(Into::into).collect(), next_page_token }))
}

#[utoipa::path(post, path = "/v1/accounts/{account}/members", tag = "members", params(("account" = String, Path)), request_body = NewMember,
    responses((status = 200, body = MadeInvitation)))]
pub(crate) async fn invite(
    State(web): State<Web>,
    managed: InAccount<ManageMembers>,
    Json(new): Json<NewMember>,
) -> Result<Unstored<MadeInvitation>, Problem> {
    let power = managed.member_power()?;
    let made = web.app.invite(&managed.doing(), power, &managed.account, &new.email, role(&new.role)?).await?;
    Ok(Unstored(MadeInvitation { invitation: made.link.into(), url: made.url, mailed: made.is_mailed }))
}

#[utoipa::path(patch, path = "/v1/accounts/{account}/members/{user}", tag = "members", params(("account" = String, Path), ("user" = String, Path)), request_body = MemberUpdate,
    responses((status = 200, body = MemberView)))]
pub(crate) async fn update(
    State(web): State<Web>,
    managed: InAccount<ManageMembers>,
    user: PathUser,
    Json(update): Json<MemberUpdate>,
) -> Result<Answer<MemberView>, Problem> {
    let (power, role) = (managed.member_power()?, role(&update.role)?);
    Ok(Answer(web.app.change_role(&managed.doing(), power, managed.account.id, user.0, role).await?.into()))
}

#[utoipa::path(delete, path = "/v1/accounts/{account}/members/{user}", tag = "members", params(("account" = String, Path), ("user" = String, Path)),
    responses((status = 200, body = Object, description = "The person is a member no longer: an empty object")))]
pub(crate) async fn remove(
    State(web): State<Web>,
    managed: InAccount<ManageMembers>,
    user: PathUser,
) -> Result<Answer<serde_json::Value>, Problem> {
    web.app.remove_member(&managed.doing(), managed.member_power()?, managed.account.id, user.0).await?;
    Ok(Answer(serde_json::json!({})))
}

fn role(word: &str) -> Result<Role, ManageError> {
    word.parse().map_err(|error: BadRole| ManageError::Invalid { field: "role", message: error.to_string() })
}
