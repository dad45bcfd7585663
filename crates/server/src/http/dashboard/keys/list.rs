//! The access keys of an account: a section per project, the chosen one first and unfolded.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tollgate_core::{Right, Timestamp};

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::spark::Spark;
use crate::http::dashboard::who::InAccount;
use crate::http::dashboard::words::{Moment, ago, until};
use crate::http::rights::SeeKeys;
use crate::operations::{self, CallsByDay, CallsOf, KeyView, ManageError, Project};

/// Keys of the chosen project on one page.
const PAGE: i64 = 50;
/// Other projects that are shown folded.
const OTHERS: i64 = 50;
const DAY: i64 = 86_400;

/// Other projects whose keys are listed in their folded sections, and how many of each.
const OTHERS_WITH_KEYS: usize = 10;
const FEW: i64 = 10;

/// A project's section.
struct Section {
    id: String,
    name: String,
    used: i64,
    limit: i64,
    /// The first keys of a folded section.
    few: Vec<Short>,
}

impl Section {
    fn of(project: &Project, limit: i64, few: Vec<Short>) -> Self {
        Self { id: project.id.to_string(), name: project.display_name.clone(), used: project.live_keys, limit, few }
    }
}

/// A key in a folded section.
struct Short {
    id: String,
    name: String,
    status: Status,
}

/// How a key stands, in a word and its colour.
pub(crate) struct Status {
    pub(crate) word: &'static str,
    pub(crate) kind: &'static str,
}

impl Status {
    pub(crate) fn of(view: &KeyView, now: Timestamp) -> Self {
        let (word, kind) = if view.key.expires_at.is_some_and(|end| end <= now) {
            ("Expired", "off")
        } else if view.key.disabled_at.is_some() {
            ("Disabled", "off")
        } else if view.secrets.len() > 1 {
            ("Rotating", "warn")
        } else {
            ("Active", "ok")
        };
        Self { word, kind }
    }
}

struct Line {
    id: String,
    name: String,
    status: Status,
    used: Option<(Moment, String)>,
    expires: Option<(Moment, String, &'static str)>,
    calls: Spark,
    created: Moment,
    created_by: String,
    disabled: bool,
}

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    frame: Frame,
    account: String,
    chosen: Option<Section>,
    lines: Vec<Line>,
    soon: Vec<(String, String, String)>,
    others: Vec<Section>,
    more: String,
    may_manage: bool,
    may_manage_projects: bool,
}

pub(crate) async fn show(State(web): State<Web>, at: InAccount<SeeKeys>) -> Result<Response, Failure> {
    let page = operations::Page { size: Some(OTHERS), token: String::new() };
    let (projects, _) = web.app.projects(at.account.id, false, &page).await?;
    let chosen = chosen(&web, &at, &projects).await?;
    let mut lines = Vec::new();
    let mut more = String::new();
    let here = if at.me.visitor.query("project").is_empty() { Here::AccountKeys } else { Here::ProjectKeys };
    let frame = match &chosen {
        Some(project) => {
            let page = operations::Page { size: Some(PAGE), token: at.me.visitor.query("page").to_owned() };
            let (views, next) = web.app.keys(project.id, &page).await?;
            let now = web.app.now();
            let calls = calls(&web, &at, project, &views).await?;
            let makers = makers(&web, &at, &views).await?;
            lines = views.iter().map(|view| line(view, now, calls.get(&view.key.id.to_string()), &makers)).collect();
            if !next.is_empty() {
                more = format!("{}/accounts/{}/keys?project={}&page={next}", at.me.base(), at.account.id, project.id);
            }
            Frame::in_project(&web, &at.me, &at.account, project, here).await?
        }
        None => Frame::in_account(&web, &at.me, &at.account, here).await?,
    };
    let soon = lines.iter().filter_map(|line| {
        let (_, when, kind) = line.expires.as_ref()?;
        (!kind.is_empty() && *kind != "off").then(|| (line.id.clone(), line.name.clone(), when.clone()))
    });
    let page = KeysPage {
        soon: soon.collect(),
        frame,
        account: at.account.id.to_string(),
        lines,
        others: others(&web, &at, &projects, chosen.as_ref()).await?,
        chosen: chosen.as_ref().map(|project| Section::of(project, at.account.key_limit, Vec::new())),
        more,
        may_manage: at.may(Right::ManageKeys),
        may_manage_projects: at.may(Right::ManageProjects),
    };
    Ok(Page(page).into_response())
}

/// The project that the URL names, or the first one.
async fn chosen(web: &Web, at: &InAccount<SeeKeys>, projects: &[Project]) -> Result<Option<Project>, Failure> {
    let asked = at.me.visitor.query("project");
    if asked.is_empty() {
        return Ok(projects.first().cloned());
    }
    let id = asked.parse().map_err(|_| ManageError::NotFound("project"))?;
    let project = web.app.project(id).await?;
    if project.account == at.account.id { Ok(Some(project)) } else { Err(ManageError::NotFound("project").into()) }
}

/// The folded sections. The first ones hold their keys; the others lead to them, so that the page stays light.
async fn others(
    web: &Web,
    at: &InAccount<SeeKeys>,
    projects: &[Project],
    chosen: Option<&Project>,
) -> Result<Vec<Section>, Failure> {
    let now = web.app.now();
    let mut sections = Vec::new();
    for project in projects.iter().filter(|one| chosen.is_none_or(|it| it.id != one.id)) {
        let mut few = Vec::new();
        if sections.len() < OTHERS_WITH_KEYS && project.live_keys > 0 {
            let page = operations::Page { size: Some(FEW), token: String::new() };
            let (views, _) = web.app.keys(project.id, &page).await?;
            let short = |view: &KeyView| Short {
                id: view.key.id.to_string(),
                name: view.key.display_name.clone(),
                status: Status::of(view, now),
            };
            few = views.iter().map(short).collect();
        }
        sections.push(Section::of(project, at.account.key_limit, few));
    }
    Ok(sections)
}

/// Who made the keys that are shown, by the word of the audit trail.
async fn makers(web: &Web, at: &InAccount<SeeKeys>, views: &[KeyView]) -> Result<HashMap<String, String>, Failure> {
    let mut makers = HashMap::new();
    for view in views {
        let actor = &view.key.created_by;
        if !makers.contains_key(actor) {
            makers.insert(actor.clone(), web.app.actor_name(&at.account, actor).await?);
        }
    }
    Ok(makers)
}

/// The calls of the keys that are shown, by KEY ID.
async fn calls(
    web: &Web,
    at: &InAccount<SeeKeys>,
    project: &Project,
    views: &[KeyView],
) -> Result<HashMap<String, CallsByDay>, Failure> {
    let (Some(first), Some(last)) = (views.first(), views.last()) else { return Ok(HashMap::new()) };
    Ok(web.app.calls_by_day(CallsOf::Keys(at.account.id, project.id, first.key.id, last.key.id)).await?)
}

fn line(view: &KeyView, now: Timestamp, calls: Option<&CallsByDay>, makers: &HashMap<String, String>) -> Line {
    let key = &view.key;
    let used = view.activity.first().map(|use_| (use_.used_at.into(), ago(use_.used_at, now)));
    let expires = key.expires_at.map(|end| {
        let left = end.seconds() - now.seconds();
        let kind = match left {
            ..=0 => "off",
            1..=259_200 => "bad",
            left if left <= 14 * DAY => "warn",
            _ => "",
        };
        (end.into(), if left <= 0 { "expired".to_owned() } else { until(end, now) }, kind)
    });
    Line {
        id: key.id.to_string(),
        name: key.display_name.clone(),
        status: Status::of(view, now),
        used,
        expires,
        calls: Spark::of(calls),
        created: key.created_at.into(),
        created_by: makers.get(&key.created_by).cloned().unwrap_or_default(),
        disabled: key.disabled_at.is_some(),
    }
}
