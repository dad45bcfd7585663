//! `/v1/accounts/{account}/projects` and `/v1/projects/{project}`.

use axum::Json as Answer;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::caller::{InAccount, InProject, ManagedProject};
use super::page::Query;
use super::views::{ProjectList, ProjectView};
use crate::http::Web;
use crate::http::extract::Json;
use crate::http::problem::Problem;
use crate::http::rights::{ManageProjects, SeeProjects};
use crate::operations::ProjectChange;

/// A name of 1 to 255 characters.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProjectName {
    #[schema(min_length = 1, max_length = 255)]
    display_name: String,
}

#[utoipa::path(get, path = "/v1/accounts/{account}/projects", tag = "projects", params(("account" = String, Path), ("showArchived" = Option<bool>, Query), ("pageSize" = Option<i64>, Query), ("pageToken" = Option<String>, Query)),
    responses((status = 200, body = ProjectList)))]
pub(crate) async fn list(
    State(web): State<Web>,
    account: InAccount<SeeProjects>,
    query: Query,
) -> Result<Answer<ProjectList>, Problem> {
    let archived_too = query.flag("showArchived")?;
    let (projects, next_page_token) = web.app.projects(account.account.id, archived_too, &query.page()?).await?;
    Ok(Answer(ProjectList { projects: projects.into_iter().map(Into::into).collect(), next_page_token }))
}

#[utoipa::path(post, path = "/v1/accounts/{account}/projects", tag = "projects", params(("account" = String, Path)), request_body = ProjectName,
    responses((status = 200, body = ProjectView)))]
pub(crate) async fn create(
    State(web): State<Web>,
    account: InAccount<ManageProjects>,
    Json(new): Json<ProjectName>,
) -> Result<Answer<ProjectView>, Problem> {
    let doing = account.doing();
    Ok(Answer(web.app.create_project(&doing, account.account.id, &new.display_name).await?.into()))
}

#[utoipa::path(get, path = "/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = ProjectView)))]
pub(crate) async fn show(managed: ManagedProject<SeeProjects>) -> Answer<ProjectView> {
    Answer(managed.project.into())
}

#[utoipa::path(patch, path = "/v1/projects/{project}", tag = "projects", params(("project" = String, Path)), request_body = ProjectName,
    responses((status = 200, body = ProjectView)))]
pub(crate) async fn update(
    State(web): State<Web>,
    managed: InProject<ManageProjects>,
    Json(name): Json<ProjectName>,
) -> Result<Answer<ProjectView>, Problem> {
    let change = ProjectChange { display_name: Some(name.display_name), ..ProjectChange::default() };
    let doing = managed.doing();
    Ok(Answer(web.app.change_project(&doing, managed.project.id, change).await?.into()))
}

#[utoipa::path(post, path = "/v1/projects/{project}/archive", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = ProjectView)))]
pub(crate) async fn archive(
    State(web): State<Web>,
    managed: InProject<ManageProjects>,
) -> Result<Answer<ProjectView>, Problem> {
    let change = ProjectChange { archive: true, ..ProjectChange::default() };
    let doing = managed.doing();
    Ok(Answer(web.app.change_project(&doing, managed.project.id, change).await?.into()))
}
