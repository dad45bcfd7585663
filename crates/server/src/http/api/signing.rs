//! `/v1/signingKeys`: the operator's.

use axum::Json as Answer;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Operator;
use crate::http::Web;
use crate::http::problem::Problem;
use crate::operations::SigningFacts;

/// A signing key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SigningKeyView {
    kid: String,
    algorithm: String,
    /// next, active, retired or removed.
    state: &'static str,
    publish_time: String,
    /// From when it signs; absent while no rotation is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    active_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retire_time: Option<String>,
}

/// All signing keys, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SigningKeyList {
    signing_keys: Vec<SigningKeyView>,
}

impl From<Vec<SigningFacts>> for SigningKeyList {
    fn from(keys: Vec<SigningFacts>) -> Self {
        let view = |key: SigningFacts| SigningKeyView {
            kid: key.kid,
            algorithm: key.algorithm,
            state: key.state.as_str(),
            publish_time: key.lifetime.published_at.to_string(),
            active_time: (key.lifetime.active_from.0 < i64::MAX).then(|| key.lifetime.active_from.to_string()),
            retire_time: key.lifetime.retired_at.map(|at| at.to_string()),
        };
        Self { signing_keys: keys.into_iter().map(view).collect() }
    }
}

#[utoipa::path(get, path = "/v1/signingKeys", tag = "signingKeys",
    responses((status = 200, body = SigningKeyList)))]
pub(crate) async fn list(State(web): State<Web>, _operator: Operator) -> Answer<SigningKeyList> {
    Answer(web.app.signing_keys().into())
}

#[utoipa::path(post, path = "/v1/signingKeys/rotate", tag = "signingKeys",
    responses((status = 200, body = SigningKeyList)))]
pub(crate) async fn rotate(State(web): State<Web>, operator: Operator) -> Result<Answer<SigningKeyList>, Problem> {
    Ok(Answer(web.app.rotate_signing_key(&operator.doing()).await?.into()))
}
