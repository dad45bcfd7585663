//! Set-up: the first user, account and project, by the link that the first start prints.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use super::failure::Failure;
use super::fields::{Fields, FormErrors};
use super::page::{Bare, Page, wrong};
use super::sign_in::entered;
use super::who::Visitor;
use crate::http::Web;
use crate::operations::{FirstSetUp, ManageError};

/// One thing that was looked at before anything is made.
struct Check {
    name: &'static str,
    good: bool,
    says: String,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetUpPage<'a> {
    frame: Bare<'a>,
    token: &'a str,
    email: &'a str,
    account: &'a str,
    project: &'a str,
    checks: Vec<Check>,
    errors: FormErrors,
}

pub(crate) async fn show(State(web): State<Web>, visitor: Visitor) -> Result<Response, Failure> {
    let token = visitor.query("token");
    if !web.app.can_set_up(token).await? {
        return Err(dead());
    }
    let page = SetUpPage {
        frame: Bare::new(&visitor.base, &visitor.look),
        token,
        email: "",
        account: "",
        project: "",
        checks: checks(&web).await,
        errors: FormErrors::default(),
    };
    Ok(Page(page).into_response())
}

pub(crate) async fn set_up(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Result<Response, Failure> {
    let token = fields.text("token");
    let first = FirstSetUp {
        email: fields.text("email"),
        password: fields.text("password"),
        account: fields.text("account"),
        project: fields.text("project"),
    };
    let errors = match web.app.set_up(token, &first, visitor.client(&web)).await {
        Ok((step, _, project)) => {
            let to = format!("{}/projects/{project}/keys/new", visitor.base);
            return Ok(entered(&web, Redirect::to(&to).into_response(), &step));
        }
        Err(ManageError::NotFound(_)) => return Err(dead()),
        Err(error) => {
            let mut errors = FormErrors::default();
            for error in web.app.wrong_set_up(&first) {
                errors = errors.and(FormErrors::of(error)?);
            }
            if errors.is_empty() {
                errors = FormErrors::of(error)?;
            }
            errors
        }
    };
    Ok(wrong(SetUpPage {
        frame: Bare::new(&visitor.base, &visitor.look),
        token,
        email: first.email,
        account: first.account,
        project: first.project,
        checks: checks(&web).await,
        errors,
    }))
}

fn dead() -> Failure {
    let message = "This set-up link was used before or has ended. If Tollgate is set up, sign in; \
                   otherwise make a new link with `tollgate setup-link` beside the data";
    Failure::Refused(StatusCode::NOT_FOUND, message.to_owned())
}

async fn checks(web: &Web) -> Vec<Check> {
    let ready = web.app.is_ready().await;
    let url = web.app.issuer().as_str();
    let is_https = url.starts_with("https://");
    let engine = if web.app.config.database.url.is_some() || web.app.config.database.url_file.is_some() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    vec![
        Check {
            name: "Database",
            good: ready,
            says: if ready { format!("{engine} answers and takes calls") } else { format!("{engine} does not answer") },
        },
        Check {
            name: "Clock",
            good: true,
            says: format!(
                "The server's clock says {}. Compare it with yours",
                super::words::Moment::from(web.app.now()).text
            ),
        },
        Check {
            name: "Public URL",
            good: true,
            says: format!("{url} is the issuer of tokens, and stands in every link"),
        },
        Check {
            name: "TLS",
            good: is_https,
            says: if is_https {
                "The public URL is https".to_owned()
            } else {
                "Plain http is served on loopback only; set public_url to https://… before others sign in".to_owned()
            },
        },
    ]
}
