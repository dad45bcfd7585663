//! The service plans of a project, with what may be shown of their API tokens.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tollgate_core::{Right, Timestamp};

use super::{endpoints, frame, list_of};
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::Frame;
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::InProject;
use crate::http::dashboard::words::{Moment, ago, until};
use crate::http::rights::SeeKeys;
use crate::operations::{self, PlanView, TokenFacts};

/// Service plans on a page.
const PAGE: i64 = 50;

struct Plan {
    id: String,
    name: String,
    created: Moment,
    created_by: String,
    tokens: Vec<Token>,
}

struct Token {
    id: String,
    hint: String,
    created: Moment,
    used: Option<(Moment, String)>,
    ends: Option<(Moment, String)>,
}

#[derive(Template)]
#[template(path = "sms.html")]
struct SmsPage {
    frame: Frame,
    list: String,
    project: String,
    project_name: String,
    plans: Vec<Plan>,
    endpoints: Vec<String>,
    more: String,
    may_manage: bool,
    archived: bool,
}

pub(crate) async fn show(State(web): State<Web>, at: InProject<SeeKeys>) -> Result<Response, Failure> {
    let page = operations::Page { size: Some(PAGE), token: at.me.visitor.query("page").to_owned() };
    let (views, next) = web.app.plans(at.project.id, &page).await?;
    let now = web.app.now();
    let mut plans = Vec::new();
    for view in &views {
        let created_by = web.app.actor_name(&at.account, &view.plan.created_by).await?;
        plans.push(plan(view, created_by, now));
    }
    let list = list_of(&at);
    let page = SmsPage {
        frame: frame(&web, &at).await?,
        project: at.project.id.to_string(),
        project_name: at.project.display_name.clone(),
        plans,
        endpoints: endpoints(&web.app.config, "$TOLLGATE_SERVICE_PLAN_ID"),
        more: if next.is_empty() { String::new() } else { format!("{list}?page={next}") },
        may_manage: at.me.signed_in.person.may(&at.account, Right::ManageKeys),
        archived: at.project.archived_at.is_some(),
        list,
    };
    Ok(Page(page).into_response())
}

fn plan(view: &PlanView, created_by: String, now: Timestamp) -> Plan {
    Plan {
        id: view.plan.id.to_string(),
        name: view.plan.display_name.clone(),
        created: view.plan.created_at.into(),
        created_by,
        tokens: view.tokens.iter().map(|facts| token(facts, now)).collect(),
    }
}

fn token(facts: &TokenFacts, now: Timestamp) -> Token {
    Token {
        id: facts.id.to_string(),
        hint: facts.hint.clone(),
        created: facts.created_at.into(),
        used: facts.used_at.map(|at| (at.into(), ago(at, now))),
        ends: facts.ends_at.map(|at| (at.into(), until(at, now))),
    }
}
