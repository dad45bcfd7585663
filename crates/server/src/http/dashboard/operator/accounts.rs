//! All accounts of the platform, searched by name or id.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::http::Web;
use crate::http::dashboard::failure::Failure;
use crate::http::dashboard::frame::{Frame, Here};
use crate::http::dashboard::page::Page;
use crate::http::dashboard::who::OperatorPerson;
use crate::http::dashboard::words::Moment;
use crate::operations;

const PAGE: i64 = 50;

struct Line {
    id: String,
    name: String,
    projects: i64,
    created: Moment,
    suspended: bool,
}

#[derive(Template)]
#[template(path = "operator-accounts.html")]
struct AccountsPage {
    frame: Frame,
    search: String,
    lines: Vec<Line>,
    more: String,
}

pub(crate) async fn list(State(web): State<Web>, OperatorPerson(me): OperatorPerson) -> Result<Response, Failure> {
    let search: String = me.visitor.query("search").trim().chars().take(255).collect();
    let wanted = operations::Page { size: Some(PAGE), token: me.visitor.query("page").to_owned() };
    let (found, next) = web.app.find_accounts(&search, &wanted).await?;
    let line = |(account, projects): operations::CountedAccount| Line {
        id: account.id.to_string(),
        name: account.display_name,
        projects,
        created: account.created_at.into(),
        suspended: account.suspended_at.is_some(),
    };
    let mut more = String::new();
    if !next.is_empty() {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("search", &search).append_pair("page", &next);
        more = format!("{}/operator/accounts?{}", me.base(), query.finish());
    }
    let frame = Frame::personal(&web, &me, Here::OperatorAccounts).await?;
    Ok(Page(AccountsPage { frame, search, lines: found.into_iter().map(line).collect(), more }).into_response())
}
