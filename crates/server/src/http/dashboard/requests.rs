//! Why a request was denied: paste its id, and read the reason and what to do.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tollgate_core::{CredentialId, PlanId, RequestId, Right};

use super::denial_words::{Advice, advice};
use super::failure::Failure;
use super::fields::FormErrors;
use super::frame::{Frame, Here};
use super::page::{Page, wrong};
use super::who::InAccount;
use super::words::Moment;
use crate::http::Web;
use crate::http::rights::SeeDenials;
use crate::operations::{DenialRow, ManageError};

/// A denial that is remembered.
struct Found {
    request: String,
    at: Moment,
    method: String,
    path: String,
    address: String,
    product: String,
    accepts: &'static str,
    scope: String,
    reason: String,
    message: String,
    project: Option<(String, String)>,
    credential: Option<(String, String)>,
    is_plan: bool,
    elsewhere: bool,
    advice: Advice,
}

#[derive(Template)]
#[template(path = "requests.html")]
struct RequestPage {
    frame: Frame,
    here: String,
    id: String,
    asked: bool,
    found: Option<Found>,
    operator: bool,
    may_see_keys: bool,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, at: InAccount<SeeDenials>) -> Result<Response, Failure> {
    let typed: String = at.me.visitor.query("id").trim().chars().take(100).collect();
    let operator = at.me.signed_in.person.user.operator;
    let mut page = RequestPage {
        frame: Frame::in_account(&web, &at.me, &at.account, Here::RequestId).await?,
        here: format!("{}/accounts/{}/requests", at.me.base(), at.account.id),
        asked: !typed.is_empty(),
        found: None,
        operator,
        may_see_keys: at.may(Right::SeeKeys),
        errors: FormErrors::default(),
        id: typed,
    };
    if !page.asked {
        return Ok(Page(page).into_response());
    }
    let Ok(id) = page.id.parse::<RequestId>() else {
        let message = "is not a request id: it looks like 01995a31-0000-7000-8000-000000000000 and stands in the \
                       header request-id of every answer";
        page.errors = FormErrors::one("id", message);
        return Ok(wrong(page));
    };
    match web.app.denial_in(at.account.id, id, operator).await {
        Ok(row) => page.found = Some(found(&web, &at, row).await?),
        Err(ManageError::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Page(page).into_response())
}

async fn found(web: &Web, at: &InAccount<SeeDenials>, row: DenialRow) -> Result<Found, Failure> {
    let product = web.app.products.iter().find(|product| *product.name == *row.product);
    let project = match row.project.parse() {
        Ok(id) => existing(web.app.project(id).await)?,
        Err(_) => None,
    };
    let credential = match (row.project.parse(), row.credential.parse()) {
        (Ok(project), Ok(CredentialId::Key(id))) => {
            existing(web.app.key(project, id).await)?.map(|view| view.key.display_name)
        }
        (Ok(project), Ok(CredentialId::Plan(id))) => {
            existing(web.app.plan(project, id).await)?.map(|view| view.plan.display_name)
        }
        _ => None,
    };
    Ok(Found {
        advice: advice(&row.reason),
        at: row.at.into(),
        accepts: product.map_or("", |product| product.accepted_words()),
        scope: product.and_then(|product| product.scope.as_deref()).unwrap_or_default().to_owned(),
        elsewhere: row.account != at.account.id.to_string(),
        project: named(row.project, project.map(|project| project.display_name)),
        is_plan: row.credential.parse::<PlanId>().is_ok(),
        credential: named(row.credential, credential),
        request: row.request,
        method: row.method,
        path: row.path,
        address: row.address,
        product: row.product,
        reason: row.reason,
        message: row.message,
    })
}

/// What was deleted since has no name any more.
fn existing<T>(read: Result<T, ManageError>) -> Result<Option<T>, ManageError> {
    match read {
        Ok(one) => Ok(Some(one)),
        Err(ManageError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn named(id: String, name: Option<String>) -> Option<(String, String)> {
    (!id.is_empty()).then(|| (id, name.unwrap_or_default()))
}
