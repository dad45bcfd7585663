//! One project: the quick start with its steps, its facts and subprojects, rename and archive.

use std::net::SocketAddr;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use tollgate_core::Right;

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::frame::{Frame, Here};
use super::page::{Page, wrong};
use super::who::InProject;
use super::words::Moment;
use crate::config::Config;
use crate::gateways::{Gateway, Places, print};
use crate::http::Web;
use crate::http::rights::{ManageProjects, SeeProjects};
use crate::operations::{self, ProjectChange};

/// The most subprojects and keys that the overview looks at.
const LOOK: i64 = 50;

/// A gateway's configuration, filled in.
struct Printed {
    name: &'static str,
    text: String,
}

struct Below {
    id: String,
    name: String,
}

#[derive(Template)]
#[template(path = "project.html")]
struct ProjectPage<'a> {
    frame: Frame,
    account: String,
    project: String,
    name: &'a str,
    created: Moment,
    parent: Option<Below>,
    archived: bool,
    below: Vec<Below>,
    has_key: bool,
    has_token: bool,
    has_call: bool,
    path: String,
    url: &'a str,
    gateways: [Printed; 7],
    may_manage_keys: bool,
    may_see_keys: bool,
}

pub(crate) async fn show(State(web): State<Web>, at: InProject<SeeProjects>) -> Result<Response, Failure> {
    let page = operations::Page { size: Some(LOOK), token: String::new() };
    let (keys, _) = web.app.keys(at.project.id, &page).await?;
    let uses = || keys.iter().flat_map(|view| view.activity.iter());
    let below = match at.project.parent {
        None => web.app.subprojects(at.project.id, false, &page).await?.0,
        Some(_) => Vec::new(),
    };
    let parent = match at.project.parent {
        Some(id) => Some(web.app.project(id).await?),
        None => None,
    };
    let name = |project: &operations::Project| Below { id: project.id.to_string(), name: project.display_name.clone() };
    let url = web.app.issuer().as_str();
    let page = ProjectPage {
        frame: Frame::in_project(&web, &at.me, &at.account, &at.project, Here::Overview).await?,
        account: at.account.id.to_string(),
        project: at.project.id.to_string(),
        name: &at.project.display_name,
        created: at.project.created_at.into(),
        parent: parent.as_ref().map(name),
        archived: at.project.archived_at.is_some(),
        below: below.iter().map(name).collect(),
        has_key: at.project.live_keys > 0,
        // A use under the KEY ID is a call with a token, one under a secret's id a token request.
        has_token: uses().any(|one| one.id != one.key.to_string()),
        has_call: uses().any(|one| one.id == one.key.to_string()),
        path: example_path(&web, &at.project.id.to_string()),
        url,
        gateways: gateways(&web.app.config),
        may_manage_keys: at.may(Right::ManageKeys),
        may_see_keys: at.may(Right::SeeKeys),
    };
    Ok(Page(page).into_response())
}

/// The gateways' configurations. Where the server listens is nothing for customers: they read of its port alone.
fn gateways(config: &Config) -> [Printed; 7] {
    let tollgate = SocketAddr::from(([127, 0, 0, 1], config.listen.port())).into();
    let places = Places { tollgate: Some(tollgate), ..Places::default() };
    Gateway::ALL.map(|gateway| Printed { name: gateway.name(), text: print(gateway, config, &places) })
}

/// A path that the first product serves in this project.
fn example_path(web: &Web, project: &str) -> String {
    let routes = web.app.config.product.iter().flat_map(|product| &product.routes);
    let route = routes.into_iter().find(|route| route.contains("{project_id}")).map_or("/", String::as_str);
    route.replace("{project_id}", project).replace("**", "…")
}

#[derive(Template)]
#[template(path = "project-settings.html")]
struct SettingsPage<'a> {
    frame: Frame,
    account: String,
    project: String,
    name: &'a str,
    display_name: &'a str,
    kind: &'static str,
    keys: i64,
    archived: bool,
    errors: FormErrors,
    may_manage: bool,
    may_see_keys: bool,
}

pub(crate) async fn settings(State(web): State<Web>, at: InProject<SeeProjects>) -> Result<Response, Failure> {
    Ok(Page(settings_page(&web, &at, &at.project.display_name, FormErrors::default()).await?).into_response())
}

pub(crate) async fn rename(
    State(web): State<Web>,
    at: InProject<ManageProjects>,
    fields: Fields,
) -> Result<Response, Failure> {
    let name = fields.text("display_name");
    let change = ProjectChange { display_name: Some(name.to_owned()), ..ProjectChange::default() };
    match web.app.change_project(&at.me.doing(None), at.project.id, change).await {
        Ok(_) => {
            let to = format!("{}/projects/{}/settings?done=project-renamed", at.me.base(), at.project.id);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => Ok(wrong(settings_page(&web, &at, name, FormErrors::of(error)?).await?)),
    }
}

async fn settings_page<'a, R>(
    web: &Web,
    at: &'a InProject<R>,
    display_name: &'a str,
    errors: FormErrors,
) -> Result<SettingsPage<'a>, Failure> {
    Ok(SettingsPage {
        frame: Frame::in_project(web, &at.me, &at.account, &at.project, Here::ProjectSettings).await?,
        account: at.account.id.to_string(),
        project: at.project.id.to_string(),
        name: &at.project.display_name,
        display_name,
        kind: if at.project.parent.is_some() { "subproject" } else { "project" },
        keys: at.project.live_keys,
        archived: at.project.archived_at.is_some(),
        errors,
        may_manage: at.may(Right::ManageProjects) && at.project.archived_at.is_none(),
        may_see_keys: at.may(Right::SeeKeys),
    })
}

#[derive(Template)]
#[template(path = "project-archive.html")]
struct ArchivePage<'a> {
    frame: Frame,
    project: String,
    name: &'a str,
    kind: &'static str,
    keys: i64,
    errors: FormErrors,
}

pub(crate) async fn ask_archive(State(web): State<Web>, at: InProject<ManageProjects>) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    Ok(Page(archive_page(&web, &at, FormErrors::default()).await?).into_response())
}

pub(crate) async fn archive(
    State(web): State<Web>,
    at: InProject<ManageProjects>,
    fields: Fields,
) -> Result<Response, Failure> {
    at.me.confirmed(&web)?;
    if fields.text("name").trim() != at.project.display_name {
        let errors = FormErrors::one("name", "is not the name; type it as it stands above");
        return Ok(wrong(archive_page(&web, &at, errors).await?));
    }
    let change = ProjectChange { archive: true, ..ProjectChange::default() };
    match web.app.change_project(&at.me.doing(None), at.project.id, change).await {
        Ok(_) => {
            let to = format!("{}/accounts/{}/projects?done=project-archived", at.me.base(), at.account.id);
            Ok(Redirect::to(&to).into_response())
        }
        Err(error) => Ok(wrong(archive_page(&web, &at, FormErrors::of(error)?).await?)),
    }
}

async fn archive_page<'a>(
    web: &Web,
    at: &'a InProject<ManageProjects>,
    errors: FormErrors,
) -> Result<ArchivePage<'a>, Failure> {
    Ok(ArchivePage {
        frame: Frame::in_project(web, &at.me, &at.account, &at.project, Here::ProjectSettings).await?,
        project: at.project.id.to_string(),
        name: &at.project.display_name,
        kind: if at.project.parent.is_some() { "subproject" } else { "project" },
        keys: at.project.live_keys,
        errors,
    })
}
