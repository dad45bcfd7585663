//! The Subprojects API.

use std::collections::BTreeMap;

use axum::Json as Answer;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::{ManagedProject, ManagedSubproject};
use super::page::Query;
use super::views::{SubprojectList, SubprojectView};
use crate::http::Web;
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::rights::{ManageProjects, SeeProjects};
use crate::operations::ProjectChange;

/// A new subproject.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewSubproject {
    /// 1 to 255 characters; need not be unique.
    #[schema(min_length = 1, max_length = 255)]
    display_name: String,
    /// Up to 255 pairs.
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// What to change; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SubprojectUpdate {
    #[schema(min_length = 1, max_length = 255)]
    display_name: Option<String>,
    /// All labels anew.
    labels: Option<BTreeMap<String, String>>,
}

#[utoipa::path(get, path = "/v1/projects/{project}/subprojects", tag = "subprojects", params(("project" = String, Path), ("showDeleted" = Option<bool>, Query), ("pageSize" = Option<i64>, Query), ("pageToken" = Option<String>, Query)),
    responses((status = 200, body = SubprojectList)))]
pub(crate) async fn list(
    State(web): State<Web>,
    managed: ManagedProject<SeeProjects>,
    query: Query,
) -> Result<Answer<SubprojectList>, Problem> {
    let deleted_too = query.flag("showDeleted")?;
    let (found, next_page_token) = web.app.subprojects(managed.project.id, deleted_too, &query.page()?).await?;
    Ok(Answer(SubprojectList { subprojects: found.into_iter().map(Into::into).collect(), next_page_token }))
}

#[utoipa::path(post, path = "/v1/projects/{project}/subprojects", tag = "subprojects", params(("project" = String, Path)), request_body = NewSubproject,
    responses((status = 200, body = SubprojectView)))]
pub(crate) async fn create(
    State(web): State<Web>,
    managed: ManagedProject<ManageProjects>,
    Json(new): Json<NewSubproject>,
) -> Result<Answer<SubprojectView>, Problem> {
    let doing = managed.doing();
    Ok(Answer(web.app.create_subproject(&doing, managed.project.id, &new.display_name, new.labels).await?.into()))
}

#[utoipa::path(get, path = "/v1/subprojects/{subproject}", tag = "subprojects", params(("subproject" = String, Path)),
    responses((status = 200, body = SubprojectView)))]
pub(crate) async fn show(
    State(web): State<Web>,
    managed: ManagedSubproject<SeeProjects>,
) -> Result<Answer<SubprojectView>, Problem> {
    Ok(Answer(web.app.subproject(managed.id).await?.into()))
}

#[utoipa::path(patch, path = "/v1/subprojects/{subproject}", tag = "subprojects", params(("subproject" = String, Path)), request_body = SubprojectUpdate,
    responses((status = 200, body = SubprojectView)))]
pub(crate) async fn update(
    State(web): State<Web>,
    managed: ManagedSubproject<ManageProjects>,
    Json(update): Json<SubprojectUpdate>,
) -> Result<Answer<SubprojectView>, Problem> {
    changed(&web, &managed, ProjectChange { display_name: update.display_name, labels: update.labels, archive: false })
        .await
}

#[utoipa::path(delete, path = "/v1/subprojects/{subproject}", tag = "subprojects", params(("subproject" = String, Path)),
    responses((status = 200, body = SubprojectView)))]
pub(crate) async fn delete(
    State(web): State<Web>,
    managed: ManagedSubproject<ManageProjects>,
) -> Result<Answer<SubprojectView>, Problem> {
    changed(&web, &managed, ProjectChange { archive: true, ..ProjectChange::default() }).await
}

async fn changed(
    web: &Web,
    managed: &ManagedSubproject<ManageProjects>,
    change: ProjectChange,
) -> Result<Answer<SubprojectView>, Problem> {
    let subproject = web.app.subproject(managed.id).await?;
    let doing = managed.doing();
    Ok(Answer(web.app.change_project(&doing, subproject.id, change).await?.into()))
}
