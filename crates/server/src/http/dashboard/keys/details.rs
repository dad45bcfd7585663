//! One access key: what it is, its secrets, what it may, and what it last did.

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tollgate_core::Right;

use super::InKey;
use super::list::Status;
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::words::{Moment, ago, until};
use crate::http::rights::SeeKeys;

struct SecretLine {
    hint: String,
    created: Moment,
    used: Option<(Moment, String)>,
    ends: Option<(Moment, String)>,
}

struct UseLine {
    what: String,
    at: Moment,
    ago: String,
    address: String,
    agent: String,
}

#[derive(Template)]
#[template(path = "key.html")]
struct KeyPage<'a> {
    frame: Frame,
    list: String,
    page: String,
    usage: String,
    project: String,
    project_name: &'a str,
    key: String,
    name: &'a str,
    status: Status,
    created: Moment,
    created_by: String,
    updated: Moment,
    expires: Option<(Moment, String)>,
    scopes: Vec<String>,
    addresses: Vec<String>,
    rate: String,
    secrets: Vec<SecretLine>,
    uses: Vec<UseLine>,
    disabled: bool,
    may_manage: bool,
}

pub(crate) async fn show(State(web): State<Web>, key: InKey<SeeKeys>) -> Result<Response, Failure> {
    let InKey { at, view } = &key;
    let now = web.app.now();
    let stored = &view.key;
    let hints = |id: &str| view.secrets.iter().find(|secret| secret.id.to_string() == id).map(|one| one.hint.clone());
    let used = |id: &str| {
        let found = view.activity.iter().find(|one| one.id == id);
        found.map(|one| (one.used_at.into(), ago(one.used_at, now)))
    };
    let secrets = view.secrets.iter().map(|secret| SecretLine {
        hint: secret.hint.clone(),
        created: secret.created_at.into(),
        used: used(&secret.id.to_string()),
        ends: secret.ends_at.map(|end| (end.into(), until(end, now))),
    });
    let uses = view.activity.iter().map(|one| UseLine {
        what: if one.id == stored.id.to_string() {
            "Calls with its tokens".to_owned()
        } else {
            hints(&one.id).map_or_else(|| "A secret that has ended".to_owned(), |hint| format!("Secret {hint}"))
        },
        at: one.used_at.into(),
        ago: ago(one.used_at, now),
        address: one.address.clone(),
        agent: one.agent.clone(),
    });
    let created_by = web.app.actor_name(&at.account, &stored.created_by).await?;
    let page = KeyPage {
        frame: Frame::in_project(&web, &at.me, &at.account, &at.project, Here::ProjectKeys).await?,
        list: key.list(),
        page: key.page(),
        usage: format!("{}/projects/{}/usage?group=key", at.me.base(), at.project.id),
        project: at.project.id.to_string(),
        project_name: &at.project.display_name,
        key: stored.id.to_string(),
        name: &stored.display_name,
        status: Status::of(view, now),
        created: stored.created_at.into(),
        created_by,
        updated: stored.updated_at.into(),
        expires: stored.expires_at.map(|end| (end.into(), until(end, now))),
        scopes: stored.scopes.iter().map(ToOwned::to_owned).collect(),
        addresses: stored.addresses.iter().map(ToString::to_string).collect(),
        rate: stored
            .token_rate
            .map(|rate| format!("{} at once, then {} a second", rate.burst, rate.per_second))
            .unwrap_or_default(),
        secrets: secrets.collect(),
        uses: uses.collect(),
        disabled: stored.disabled_at.is_some(),
        may_manage: at.may(Right::ManageKeys),
    };
    Ok(Page(page).into_response())
}

/// What the page of a new secret waits for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FirstUse {
    used_at: Option<String>,
    ago: String,
}

/// Whether the newest secret of a key was used.
pub(crate) async fn first_use(State(web): State<Web>, key: InKey<SeeKeys>) -> Result<Json<FirstUse>, Failure> {
    let newest = key.view.secrets.last().map(|secret| secret.id.to_string()).unwrap_or_default();
    let used = key.view.activity.iter().find(|one| one.id == newest);
    let now = web.app.now();
    Ok(Json(FirstUse {
        used_at: used.map(|one| one.used_at.to_string()),
        ago: used.map(|one| ago(one.used_at, now)).unwrap_or_default(),
    }))
}
