//! The Access Keys API.

use axum::Json as Answer;
use axum::extract::State;
use serde::{Deserialize, Deserializer};
use tollgate_core::Timestamp;
use utoipa::ToSchema;

use super::caller::{ManagedProject, PathKey};
use super::page::Query;
use super::views::{AccessKey, AccessKeyList, AccessKeyWithSecret, TokenRate};
use crate::http::Web;
use crate::http::extract::{Json, invalid};
use crate::http::problem::Problem;
use crate::http::rights::{ManageKeys, SeeKeys};
use crate::operations::{Addresses, KeyChange, KeyRequest};

/// A new access key. Only the name is required.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewAccessKey {
    /// 1 to 64 characters, unique in the project.
    #[schema(min_length = 1, max_length = 64)]
    display_name: String,
    /// Absent means every product's scope that the maker holds.
    scopes: Option<Vec<String>>,
    /// RFC 3339, in the future.
    expire_time: Option<String>,
    /// Addresses and networks such as 203.0.113.0/24; absent or empty means all.
    #[schema(max_items = 100)]
    allowed_addresses: Option<Vec<String>>,
    token_rate: Option<TokenRate>,
}

/// What to change; absent fields stay. `null` takes an expireTime or a tokenRate away.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AccessKeyUpdate {
    #[schema(min_length = 1, max_length = 64)]
    display_name: Option<String>,
    scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    expire_time: Option<Option<String>>,
    #[schema(max_items = 100)]
    allowed_addresses: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<TokenRate>)]
    token_rate: Option<Option<TokenRate>>,
}

/// Tells an absent field from one that is `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(reader: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(reader).map(Some)
}

#[utoipa::path(get, path = "/v1/projects/{project}/accessKeys", tag = "accessKeys", params(("project" = String, Path), ("pageSize" = Option<i64>, Query), ("pageToken" = Option<String>, Query)),
    responses((status = 200, body = AccessKeyList)))]
pub(crate) async fn list(
    State(web): State<Web>,
    managed: ManagedProject<SeeKeys>,
    query: Query,
) -> Result<Answer<AccessKeyList>, Problem> {
    let (views, next_page_token) = web.app.keys(managed.project.id, &query.page()?).await?;
    let now = web.app.now();
    Ok(Answer(AccessKeyList {
        access_keys: views.into_iter().map(|view| AccessKey::new(view, now)).collect(),
        next_page_token,
    }))
}

#[utoipa::path(post, path = "/v1/projects/{project}/accessKeys", tag = "accessKeys", params(("project" = String, Path)), request_body = NewAccessKey,
    responses((status = 200, body = AccessKeyWithSecret)))]
pub(crate) async fn create(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    Json(new): Json<NewAccessKey>,
) -> Result<SecretAnswer, Problem> {
    let request = KeyRequest {
        display_name: new.display_name,
        scopes: new.scopes,
        expires_at: new.expire_time.as_deref().map(instant).transpose()?,
        addresses: networks(&new.allowed_addresses.unwrap_or_default())?,
        token_rate: new.token_rate.map(Into::into),
    };
    let doing = managed.doing();
    let (view, secret) = web.app.create_key(&doing, &managed.project, request).await?;
    Ok(secret_answer(AccessKey::new(view, web.app.now()), &secret))
}

#[utoipa::path(get, path = "/v1/projects/{project}/accessKeys/{key}", tag = "accessKeys", params(("project" = String, Path), ("key" = String, Path)),
    responses((status = 200, body = AccessKey)))]
pub(crate) async fn show(
    State(web): State<Web>,
    managed: ManagedProject<SeeKeys>,
    key: PathKey,
) -> Result<Answer<AccessKey>, Problem> {
    let view = web.app.key(managed.project.id, key.0).await?;
    Ok(Answer(AccessKey::new(view, web.app.now())))
}

#[utoipa::path(patch, path = "/v1/projects/{project}/accessKeys/{key}", tag = "accessKeys", params(("project" = String, Path), ("key" = String, Path)), request_body = AccessKeyUpdate,
    responses((status = 200, body = AccessKey)))]
pub(crate) async fn update(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    key: PathKey,
    Json(update): Json<AccessKeyUpdate>,
) -> Result<Answer<AccessKey>, Problem> {
    let expires_at = update.expire_time.map(|end| end.as_deref().map(instant).transpose()).transpose()?;
    let change = KeyChange {
        display_name: update.display_name,
        scopes: update.scopes,
        expires_at,
        addresses: update.allowed_addresses.as_deref().map(networks).transpose()?,
        token_rate: update.token_rate.map(|rate| rate.map(Into::into)),
        disabled: None,
    };
    changed(&web, &managed, &key, change).await
}

#[utoipa::path(delete, path = "/v1/projects/{project}/accessKeys/{key}", tag = "accessKeys", params(("project" = String, Path), ("key" = String, Path)),
    responses((status = 200, body = Object, description = "An empty object")))]
pub(crate) async fn delete(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    key: PathKey,
) -> Result<Answer<serde_json::Value>, Problem> {
    let doing = managed.doing();
    web.app.delete_key(&doing, &managed.project, key.0).await?;
    Ok(Answer(serde_json::json!({})))
}

#[utoipa::path(post, path = "/v1/projects/{project}/accessKeys/{key}/disable", tag = "accessKeys", params(("project" = String, Path), ("key" = String, Path)),
    responses((status = 200, body = AccessKey)))]
pub(crate) async fn disable(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    key: PathKey,
) -> Result<Answer<AccessKey>, Problem> {
    changed(&web, &managed, &key, KeyChange { disabled: Some(true), ..KeyChange::default() }).await
}

#[utoipa::path(post, path = "/v1/projects/{project}/accessKeys/{key}/enable", tag = "accessKeys", params(("project" = String, Path), ("key" = String, Path)),
    responses((status = 200, body = AccessKey)))]
pub(crate) async fn enable(
    State(web): State<Web>,
    managed: ManagedProject<ManageKeys>,
    key: PathKey,
) -> Result<Answer<AccessKey>, Problem> {
    changed(&web, &managed, &key, KeyChange { disabled: Some(false), ..KeyChange::default() }).await
}

async fn changed(
    web: &Web,
    managed: &ManagedProject<ManageKeys>,
    key: &PathKey,
    change: KeyChange,
) -> Result<Answer<AccessKey>, Problem> {
    let doing = managed.doing();
    let view = web.app.change_key(&doing, &managed.project, key.0, change).await?;
    Ok(Answer(AccessKey::new(view, web.app.now())))
}

/// An answer with a secret: nobody may store it.
pub(crate) type SecretAnswer = ([(http::HeaderName, &'static str); 1], Answer<AccessKeyWithSecret>);

pub(crate) fn secret_answer(access_key: AccessKey, secret: &tollgate_core::Secret) -> SecretAnswer {
    let body = AccessKeyWithSecret { access_key, secret: secret.expose().to_owned() };
    ([(http::header::CACHE_CONTROL, "no-store")], Answer(body))
}

fn instant(text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text)
        .map_err(|_| invalid("expireTime", "must be an RFC 3339 instant such as 2027-01-31T00:00:00Z"))
}

/// Networks, or single addresses.
fn networks(texts: &[String]) -> Result<Addresses, Problem> {
    let wrong = || invalid("allowedAddresses", "must be addresses or networks such as 203.0.113.0/24, at most 100");
    if texts.len() > 100 {
        return Err(wrong());
    }
    let network = |text: &String| text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(Into::into));
    texts.iter().map(network).collect::<Result<_, _>>().map_err(|_| wrong())
}
