//! SMS service plans and their API tokens.

use axum::Json as Answer;
use axum::extract::State;
use http::HeaderName;
use http::header::CACHE_CONTROL;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{ManagedProject, PathApiToken, PathPlan};
use super::page::Query;
use crate::http::Web;
use crate::http::extract::{Json, MaybeJson};
use crate::http::problem::Problem;
use crate::http::rights::{ManageKeys, SeeKeys};
use crate::operations::{NewToken, PlanView, TokenFacts};

/// A service plan. Its API tokens are not in it, only what may be shown of them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServicePlan {
    /// The SERVICE PLAN ID: 32 lower-case hex digits.
    service_plan_id: String,
    display_name: String,
    project_id: String,
    create_time: String,
    update_time: String,
    /// `operator`, `user:ID` or `key:KEY ID`.
    created_by: String,
    /// The live ones, oldest first.
    api_tokens: Vec<ApiTokenInfo>,
}

/// What may be shown of an API token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiTokenInfo {
    api_token_id: String,
    /// Its first characters.
    hint: String,
    create_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_use_time: Option<String>,
}

/// The answer to a new plan: beside the next one, the only one that ever holds the API token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServicePlanWithSecret {
    service_plan: ServicePlan,
    api_token: ApiTokenInfo,
    /// The API token.
    secret: String,
}

/// The answer to a new API token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiTokenWithSecret {
    api_token: ApiTokenInfo,
    /// The API token.
    secret: String,
}

/// A page of service plans.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServicePlanList {
    service_plans: Vec<ServicePlan>,
    /// Empty on the last page.
    next_page_token: String,
}

/// The live API tokens of a plan, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiTokenList {
    api_tokens: Vec<ApiTokenInfo>,
}

/// A new service plan, or a new name of one.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ServicePlanName {
    /// 1 to 64 characters, unique in the project.
    #[schema(min_length = 1, max_length = 64)]
    display_name: String,
}

/// A new API token. The body may be left out.
#[derive(Deserialize, ToSchema, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewApiToken {
    /// When given, the old token ends after so many seconds: 0 to 2592000. Absent, it goes on until it is revoked.
    #[schema(minimum = 0, maximum = 2_592_000)]
    overlap_seconds: Option<i64>,
}

impl From<PlanView> for ServicePlan {
    fn from(view: PlanView) -> Self {
        Self {
            service_plan_id: view.plan.id.to_string(),
            display_name: view.plan.display_name,
            project_id: view.plan.project.to_string(),
            create_time: view.plan.created_at.to_string(),
            update_time: view.plan.updated_at.to_string(),
            created_by: view.plan.created_by,
            api_tokens: view.tokens.iter().map(ApiTokenInfo::from).collect(),
        }
    }
}

impl From<&TokenFacts> for ApiTokenInfo {
    fn from(facts: &TokenFacts) -> Self {
        Self {
            api_token_id: facts.id.to_string(),
            hint: facts.hint.clone(),
            create_time: facts.created_at.to_string(),
            end_time: facts.ends_at.map(|at| at.to_string()),
            last_use_time: facts.used_at.map(|at| at.to_string()),
        }
    }
}

/// An answer with a secret: nobody may store it.
type SecretAnswer<T> = ([(HeaderName, &'static str); 1], Answer<T>);

fn once<T>(body: T) -> SecretAnswer<T> {
    ([(CACHE_CONTROL, "no-store")], Answer(body))
}

#[utoipa::path(get, path = "/v1/projects/{project}/servicePlans", tag = "servicePlans", params(("project" = String, Path), ("pageSize" = Option<i64>, Query), ("pageToken" = Option<String>, Query)),
    responses((status = 200, body = ServicePlanList)))]
pub(crate) async fn list(
    State(web): State<Web>,
    managed: ManagedProject<SeeKeys>,
    query: Query,
) -> Result<Answer<ServicePlanList>, Problem> {
    let (views, next_page_token) = web.app.plans(managed.project.id, &query.page()?).await?;
    Ok(Answer(ServicePlanList { service_plans: views.into_iter().map(Into::into).collect(), next_page_token }))
}

#[utoipa::path(post, path = "/v1/projects/{project}/servicePlans", tag = "servicePlans", params(("project" = String, Path)), request_body = ServicePlanName,
    responses((status = 200, body = ServicePlanWithSecret)))]
pub(crate) async fn create(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    Json(new): Json<ServicePlanName>,
) -> Result<SecretAnswer<ServicePlanWithSecret>, Problem> {
    let made = web.app.create_plan(&managed.doing(), &managed.project, &new.display_name).await?;
    let ApiTokenWithSecret { api_token, secret } = shown(&made)?;
    Ok(once(ServicePlanWithSecret { service_plan: made.view.into(), api_token, secret }))
}

#[utoipa::path(get, path = "/v1/projects/{project}/servicePlans/{plan}", tag = "servicePlans", params(("project" = String, Path), ("plan" = String, Path)),
    responses((status = 200, body = ServicePlan)))]
pub(crate) async fn show(
    State(web): State<Web>,
    managed: ManagedProject<SeeKeys>,
    plan: PathPlan,
) -> Result<Answer<ServicePlan>, Problem> {
    Ok(Answer(web.app.plan(managed.project.id, plan.0).await?.into()))
}

#[utoipa::path(patch, path = "/v1/projects/{project}/servicePlans/{plan}", tag = "servicePlans", params(("project" = String, Path), ("plan" = String, Path)), request_body = ServicePlanName,
    responses((status = 200, body = ServicePlan)))]
pub(crate) async fn update(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    plan: PathPlan,
    Json(new): Json<ServicePlanName>,
) -> Result<Answer<ServicePlan>, Problem> {
    let view = web.app.rename_plan(&managed.doing(), &managed.project, plan.0, &new.display_name).await?;
    Ok(Answer(view.into()))
}

#[utoipa::path(delete, path = "/v1/projects/{project}/servicePlans/{plan}", tag = "servicePlans", params(("project" = String, Path), ("plan" = String, Path)),
    responses((status = 200, body = Object, description = "An empty object")))]
pub(crate) async fn delete(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    plan: PathPlan,
) -> Result<Answer<serde_json::Value>, Problem> {
    web.app.delete_plan(&managed.doing(), &managed.project, plan.0).await?;
    Ok(Answer(serde_json::json!({})))
}

#[utoipa::path(get, path = "/v1/projects/{project}/servicePlans/{plan}/apiTokens", tag = "servicePlans", params(("project" = String, Path), ("plan" = String, Path)),
    responses((status = 200, body = ApiTokenList)))]
pub(crate) async fn list_tokens(
    State(web): State<Web>,
    managed: ManagedProject<SeeKeys>,
    plan: PathPlan,
) -> Result<Answer<ApiTokenList>, Problem> {
    let view = web.app.plan(managed.project.id, plan.0).await?;
    Ok(Answer(ApiTokenList { api_tokens: view.tokens.iter().map(Into::into).collect() }))
}

#[utoipa::path(post, path = "/v1/projects/{project}/servicePlans/{plan}/apiTokens", tag = "servicePlans", params(("project" = String, Path), ("plan" = String, Path)), request_body = Option<NewApiToken>,
    responses((status = 200, body = ApiTokenWithSecret)))]
pub(crate) async fn create_token(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    plan: PathPlan,
    MaybeJson(new): MaybeJson<NewApiToken>,
) -> Result<SecretAnswer<ApiTokenWithSecret>, Problem> {
    let doing = managed.doing();
    let made = web.app.create_api_token(&doing, &managed.project, plan.0, new.overlap_seconds).await?;
    Ok(once(shown(&made)?))
}

#[utoipa::path(delete, path = "/v1/projects/{project}/servicePlans/{plan}/apiTokens/{token}", tag = "servicePlans", params(("project" = String, Path), ("plan" = String, Path), ("token" = String, Path)),
    responses((status = 200, body = Object, description = "An empty object")))]
pub(crate) async fn revoke_token(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    plan: PathPlan,
    token: PathApiToken,
) -> Result<Answer<serde_json::Value>, Problem> {
    web.app.revoke_api_token(&managed.doing(), &managed.project, plan.0, token.0).await?;
    Ok(Answer(serde_json::json!({})))
}

/// The new token among the plan's. Somebody may have revoked it in the meantime: then nobody may use it.
fn shown(made: &NewToken) -> Result<ApiTokenWithSecret, Problem> {
    let facts = made.view.tokens.iter().find(|facts| facts.id == made.id);
    let facts = facts.ok_or(crate::operations::ManageError::NotFound("API token"))?;
    Ok(ApiTokenWithSecret { api_token: facts.into(), secret: made.secret.expose().to_owned() })
}
