//! `/v1/me`, `/v1/setupLinks` and `/v1/resetLinks`: people beyond their accounts.

use axum::Json as Answer;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Human, Operator};
use crate::http::Web;
use crate::http::answer::Unstored;
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::operations::{MadeLink, Seat};

/// Who asks.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MeView {
    /// Absent for the operator at the socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Whether it sees and manages all accounts.
    operator: bool,
    /// The accounts that it is a member of, oldest first.
    accounts: Vec<SeatView>,
}

/// An account and the role in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SeatView {
    account_id: String,
    display_name: String,
    /// owner, admin, developer, billing or auditor.
    role: &'static str,
    suspended: bool,
}

impl From<&Seat> for SeatView {
    fn from(seat: &Seat) -> Self {
        Self {
            account_id: seat.account.id.to_string(),
            display_name: seat.account.display_name.clone(),
            role: seat.role.word(),
            suspended: seat.account.suspended_at.is_some(),
        }
    }
}

/// A link that works once: the only answer that ever holds it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkView {
    /// The link.
    url: String,
    /// When it ends.
    expire_time: String,
}

impl From<MadeLink> for LinkView {
    fn from(made: MadeLink) -> Self {
        Self { url: made.url, expire_time: made.link.ends_at.to_string() }
    }
}

/// Whose password shall be set anew.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResetRequest {
    email: String,
}

#[utoipa::path(get, path = "/v1/me", tag = "people",
    responses((status = 200, body = MeView)))]
pub(crate) async fn me(human: Human) -> Answer<MeView> {
    let operator = human.is_operator();
    let person = human.person.as_ref();
    Answer(MeView {
        user_id: person.map(|person| person.user.id.to_string()),
        email: person.map(|person| person.user.email.clone()),
        operator,
        accounts: person.map(|person| person.seats.iter().map(Into::into).collect()).unwrap_or_default(),
    })
}

#[utoipa::path(post, path = "/v1/setupLinks", tag = "people",
    responses((status = 200, body = LinkView)))]
pub(crate) async fn set_up(State(web): State<Web>, operator: Operator) -> Result<Unstored<LinkView>, Problem> {
    Ok(Unstored(web.app.setup_link(&operator.doing()).await?.into()))
}

#[utoipa::path(post, path = "/v1/resetLinks", tag = "people", request_body = ResetRequest,
    responses((status = 200, body = LinkView)))]
pub(crate) async fn reset(
    State(web): State<Web>,
    operator: Operator,
    Json(request): Json<ResetRequest>,
) -> Result<Unstored<LinkView>, Problem> {
    Ok(Unstored(web.app.reset_link(&operator.doing(), &request.email).await?.into()))
}
