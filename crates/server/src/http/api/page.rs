//! `pageSize`, `pageToken` and the other query parameters of lists.

use axum::extract::FromRequestParts;
use http::request::Parts;
use tollgate_core::Timestamp;
use tollgate_core::form::Form;

use crate::http::Web;
use crate::http::extract::invalid;
use crate::http::problem::Problem;
use crate::operations::Page;

/// The query of a request: each parameter at most once; an empty one counts as absent.
pub(crate) struct Query(Form<'static>);

impl FromRequestParts<Web> for Query {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _web: &Web) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let form = Form::parse(text.as_bytes()).map_err(|_| invalid("query", "repeats a parameter"))?;
        Ok(Self(form.into_owned()))
    }
}

impl Query {
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.value(name)
    }

    pub(crate) fn page(&self) -> Result<Page, Problem> {
        let size = self.value("pageSize").map(str::parse).transpose();
        let size = size.map_err(|_| invalid("pageSize", "must be a number from 1 to 1000"))?;
        Ok(Page { size, token: self.value("pageToken").unwrap_or_default().to_owned() })
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.value(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(invalid(name, "must be true or false")),
        }
    }

    pub(crate) fn instant(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let wrong = |_| invalid(name, "must be an RFC 3339 instant such as 2026-11-23T00:00:00Z");
        self.value(name).map(Timestamp::parse).transpose().map_err(wrong)
    }
}
