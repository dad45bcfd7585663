//! The audit log, fifty events a page.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::question::Question;
use super::words::{GROUPS, words};
use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::fields::FormErrors;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::InAccount;
use crate::http::dashboard::words::Moment;
use crate::http::rights::SeeAudit;
use crate::operations::{self, TrailEntry};

const PAGE: i64 = 50;

/// Somebody or something, by name where that is known, and by id.
pub(crate) struct Named {
    pub(crate) name: String,
    /// What else to say: an id, a kind; may be empty.
    pub(crate) id: String,
}

struct Line {
    at: Moment,
    actor: Named,
    action: &'static str,
    code: String,
    target: Named,
    address: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    here: String,
    asked: Question,
    groups: &'static [(&'static str, &'static str)],
    lines: Vec<Line>,
    export: String,
    more: String,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, at: InAccount<SeeAudit>) -> Result<Response, Failure> {
    let asked = Question::of(&at.me.visitor);
    let here = format!("{}/accounts/{}/audit", at.me.base(), at.account.id);
    let mut page = AuditPage {
        frame: Frame::in_account(&web, &at.me, &at.account, Here::Audit).await?,
        groups: GROUPS,
        lines: Vec::new(),
        export: with_query(&format!("{here}.ndjson"), &asked.query()),
        more: String::new(),
        errors: FormErrors::default(),
        here,
        asked,
    };
    match page.asked.filter() {
        Ok(filter) => {
            let wanted = operations::Page { size: Some(PAGE), token: at.me.visitor.query("page").to_owned() };
            let (entries, next) = web.app.trail(at.account.id, &filter, &wanted).await?;
            page.lines = entries.into_iter().map(line).collect();
            if !next.is_empty() {
                let query = page.asked.query();
                let and = if query.is_empty() { "" } else { "&" };
                page.more = format!("{}?{query}{and}page={next}", page.here);
            }
            Ok(Page(page).into_response())
        }
        Err(errors) => {
            page.errors = errors;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
        }
    }
}

fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn line(entry: TrailEntry) -> Line {
    let target = target(&entry);
    let TrailEntry { event, actor_name, .. } = entry;
    Line {
        at: event.at.into(),
        actor: actor(&event.actor, actor_name),
        action: words(&event.action),
        code: event.action,
        target,
        address: event.address,
    }
}

fn actor(actor: &str, name: Option<String>) -> Named {
    match (actor.split_once(':'), name) {
        (Some(("key", id)), name) => Named { name: name.unwrap_or_default(), id: id.to_owned() },
        (Some((_, _)), Some(name)) => Named { name, id: String::new() },
        (Some((_, id)), None) => Named { name: String::new(), id: id.to_owned() },
        (None, _) if actor == "tollgate" => Named { name: "Tollgate itself".to_owned(), id: String::new() },
        (None, _) => Named { name: actor.to_owned(), id: String::new() },
    }
}

/// The name that the target had then, or has now. Of a link only the address is worth showing.
fn target(entry: &TrailEntry) -> Named {
    let details: serde_json::Value = serde_json::from_str(&entry.event.details).unwrap_or_default();
    let then = ["displayName", "email"].into_iter().find_map(|name| details[name].as_str()).map(ToOwned::to_owned);
    let is_person = ["user.", "member.", "invitation."].iter().any(|group| entry.event.action.starts_with(group));
    let name = then.or_else(|| entry.target_name.clone()).unwrap_or_default();
    let id = if is_person && !name.is_empty() { String::new() } else { entry.event.target.clone() };
    Named { name, id }
}
