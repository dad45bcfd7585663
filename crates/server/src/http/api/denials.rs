//! `/v1/denials/{request}`: why a request was denied.

use axum::Json as Answer;
use serde::Serialize;
use tollgate_core::PlanId;
use utoipa::ToSchema;

use super::caller::SeenDenial;
use crate::operations::DenialRow;

/// A denial that is remembered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DenialView {
    request_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    account_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    project_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    access_key_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    service_plan_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    product: String,
    time: String,
    method: String,
    path: String,
    address: String,
    /// The reason in a word.
    reason: String,
    /// What the client was told.
    message: String,
}

impl From<DenialRow> for DenialView {
    fn from(row: DenialRow) -> Self {
        let (access_key_id, service_plan_id) = match row.credential.parse::<PlanId>() {
            Ok(_) => (String::new(), row.credential),
            Err(_) => (row.credential, String::new()),
        };
        Self {
            request_id: row.request,
            account_id: row.account,
            project_id: row.project,
            access_key_id,
            service_plan_id,
            product: row.product,
            time: row.at.to_string(),
            method: row.method,
            path: row.path,
            address: row.address,
            reason: row.reason,
            message: row.message,
        }
    }
}

#[utoipa::path(get, path = "/v1/denials/{request}", tag = "denials", params(("request" = String, Path)),
    responses((status = 200, body = DenialView)))]
pub(crate) async fn show(denial: SeenDenial) -> Answer<DenialView> {
    Answer(denial.0.into())
}
