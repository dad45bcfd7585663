//! Access keys: the list, a new one, its secret that is shown once, and what can be done with it.

pub(crate) mod actions;
pub(crate) mod delete;
pub(crate) mod details;
pub(crate) mod list;
pub(crate) mod new;
mod reveal;
pub(crate) mod rotate;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::failure::Failure;
use super::who::{InProject, parameter};
use crate::http::Web;
use crate::http::rights::Needs;
use crate::operations::{KeyView, ManageError};

/// An access key in the path, in a project where the person has the right that is named.
pub(crate) struct InKey<R> {
    pub(crate) at: InProject<R>,
    pub(crate) view: KeyView,
}

impl<R: Needs> FromRequestParts<Web> for InKey<R> {
    type Rejection = Failure;
    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let at = InProject::from_request_parts(parts, web).await?;
        let id = parameter(parts, "key").await.parse();
        let id = id.map_err(|_| ManageError::NotFound("access key"))?;
        let view = web.app.key(at.project.id, id).await?;
        Ok(Self { at, view })
    }
}

impl<R> InKey<R> {
    /// The page of this key.
    fn page(&self) -> String {
        format!("{}/projects/{}/keys/{}", self.at.me.base(), self.at.project.id, self.view.key.id)
    }

    /// The list that this key stands in.
    fn list(&self) -> String {
        format!("{}/accounts/{}/keys?project={}", self.at.me.base(), self.at.account.id, self.at.project.id)
    }
}
