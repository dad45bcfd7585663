//! Rotation of an access key's secret, and revocation of its tokens.

use axum::Json as Answer;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::{ManagedProject, PathKey};
use super::keys::{SecretAnswer, secret_answer};
use super::views::{AccessKey, AccessKeyWithSecret};
use crate::http::Web;
use crate::http::extract::MaybeJson;
use crate::http::problem::Problem;
use crate::http::rights::ManageKeys;
use crate::operations::RotateRequest;

/// How to rotate. The body may be left out.
#[derive(Deserialize, ToSchema, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RotateBody {
    /// For how many seconds the old secret stays valid: 0 to 2592000; absent means 86400.
    #[schema(minimum = 0, maximum = 2_592_000)]
    overlap_seconds: Option<i64>,
    /// Whether all tokens of the key are revoked.
    revoke_tokens: Option<bool>,
}

#[utoipa::path(post, path = "/v1/projects/{project}/accessKeys/{key}/rotateSecret", tag = "accessKeys", params(("project" = String, Path), ("key" = String, Path)), request_body = Option<RotateBody>,
    responses((status = 200, body = AccessKeyWithSecret)))]
pub(crate) async fn rotate(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    key: PathKey,
    MaybeJson(body): MaybeJson<RotateBody>,
) -> Result<SecretAnswer, Problem> {
    let request = RotateRequest {
        overlap_seconds: body.overlap_seconds.unwrap_or(86_400),
        revoke_tokens: body.revoke_tokens.unwrap_or(false),
    };
    let doing = managed.doing();
    let (view, secret) = web.app.rotate_secret(&doing, &managed.project, key.0, request).await?;
    Ok(secret_answer(AccessKey::new(view, web.app.now()), &secret))
}

#[utoipa::path(post, path = "/v1/projects/{project}/accessKeys/{key}/endOverlap", tag = "accessKeys", params(("project" = String, Path), ("key" = String, Path)),
    responses((status = 200, body = AccessKey)))]
pub(crate) async fn end_overlap(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    key: PathKey,
) -> Result<Answer<AccessKey>, Problem> {
    let doing = managed.doing();
    let view = web.app.end_overlap(&doing, &managed.project, key.0).await?;
    Ok(Answer(AccessKey::new(view, web.app.now())))
}

#[utoipa::path(post, path = "/v1/projects/{project}/accessKeys/{key}/revokeTokens", tag = "accessKeys", params(("project" = String, Path), ("key" = String, Path)),
    responses((status = 200, body = AccessKey)))]
pub(crate) async fn revoke_tokens(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    key: PathKey,
) -> Result<Answer<AccessKey>, Problem> {
    let doing = managed.doing();
    let view = web.app.revoke_key_tokens(&doing, &managed.project, key.0).await?;
    Ok(Answer(AccessKey::new(view, web.app.now())))
}
