//! `/v1/accounts/{account}/auditEvents`.

use axum::Json as Answer;
use axum::extract::State;

use super::caller::InAccount;
use super::page::Query;
use super::views::AuditEventList;
use crate::http::Web;
use crate::http::problem::Problem;
use crate::http::rights::SeeAudit;

#[utoipa::path(get, path = "/v1/accounts/{account}/auditEvents", tag = "audit", params(("account" = String, Path), ("pageSize" = Option<i64>, Query), ("pageToken" = Option<String>, Query)),
    responses((status = 200, body = AuditEventList)))]
pub(crate) async fn list(
    State(web): State<Web>,
    account: InAccount<SeeAudit>,
    query: Query,
) -> Result<Answer<AuditEventList>, Problem> {
    let (events, next_page_token) = web.app.audit_events(account.account.id, &query.page()?).await?;
    Ok(Answer(AuditEventList { audit_events: events.into_iter().map(Into::into).collect(), next_page_token }))
}
