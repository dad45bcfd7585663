//! Usage & billing: of an account, or of a project and its subprojects.

mod chart;
pub(crate) mod download;
pub(crate) mod page;
mod period;
pub(crate) mod statement;

use super::failure::Failure;
use super::frame::{Frame, Here};
use super::who::{InAccount, InProject, Me};
use crate::http::Web;
use crate::http::rights::SeeUsage;
use crate::operations::{Account, Project};

/// Whose usage is shown.
struct Place<'a> {
    me: &'a Me,
    account: &'a Account,
    project: Option<&'a Project>,
}

impl<'a> Place<'a> {
    fn account(at: &'a InAccount<SeeUsage>) -> Self {
        Self { me: &at.me, account: &at.account, project: None }
    }

    fn project(at: &'a InProject<SeeUsage>) -> Self {
        Self { me: &at.me, account: &at.account, project: Some(&at.project) }
    }

    /// The path of its page.
    fn path(&self) -> String {
        let base = self.me.base();
        match self.project {
            Some(project) => format!("{base}/projects/{}/usage", project.id),
            None => format!("{base}/accounts/{}/usage", self.account.id),
        }
    }

    /// What is grouped by when nothing is chosen.
    fn group(&self) -> &'static str {
        if self.project.is_some() { "key" } else { "project" }
    }

    async fn frame(&self, web: &Web) -> Result<Frame, Failure> {
        match self.project {
            Some(project) => Frame::in_project(web, self.me, self.account, project, Here::ProjectUsage).await,
            None => Frame::in_account(web, self.me, self.account, Here::Usage).await,
        }
    }
}
