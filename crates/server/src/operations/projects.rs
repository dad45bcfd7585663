//! Projects of an account.

use std::collections::BTreeMap;

use serde_json::json;
use tollgate_core::{AccountId, ProjectId};

use super::App;
use super::directory::Changed;
use super::manage::{Doing, ManageError, Page, display_name};
use crate::store::projects::{Above, Project};

/// What to change of a project or subproject; `None` leaves a field as it is.
#[derive(Debug, Default, Clone)]
pub struct ProjectChange {
    /// A new name.
    pub display_name: Option<String>,
    /// New labels, all of them.
    pub labels: Option<BTreeMap<String, String>>,
    /// Archive it (delete it, for a subproject). There is no way back.
    pub archive: bool,
}

impl App {
    /// Creates a project of an account.
    ///
    /// # Errors
    /// The account does not exist, a bad name, or an outage.
    pub async fn create_project(
        &self,
        doing: &Doing<'_>,
        account: AccountId,
        name: &str,
    ) -> Result<Project, ManageError> {
        self.account(account).await?;
        let project = self.new_project(account, None, name, BTreeMap::new())?;
        self.insert_project(doing, project, "project.create").await
    }

    /// One project, archived or not.
    ///
    /// # Errors
    /// It does not exist, or an outage.
    pub async fn project(&self, id: ProjectId) -> Result<Project, ManageError> {
        self.store.project(id).await?.ok_or(ManageError::NotFound("project"))
    }

    /// The projects of an account, oldest first.
    ///
    /// # Errors
    /// The account does not exist, a bad page, or an outage.
    pub async fn projects(
        &self,
        account: AccountId,
        archived_too: bool,
        page: &Page,
    ) -> Result<(Vec<Project>, String), ManageError> {
        self.account(account).await?;
        self.list_projects(Above::Account(account), format!("projects/{account}/{archived_too}"), archived_too, page)
            .await
    }

    /// Changes or archives a project or subproject. Archiving is in force at the next request.
    ///
    /// # Errors
    /// It does not exist or is archived, a bad value, or an outage.
    pub async fn change_project(
        &self,
        doing: &Doing<'_>,
        id: ProjectId,
        change: ProjectChange,
    ) -> Result<Project, ManageError> {
        // Again when somebody else changed the project in between: no change undoes another.
        loop {
            let mut project = self.project(id).await?;
            let kind = if project.parent.is_some() { "subproject" } else { "project" };
            if project.archived_at.is_some() {
                return Err(ManageError::Precondition(format!("The {kind} is archived")));
            }
            let seen = project.updated_at;
            if let Some(name) = &change.display_name {
                project.display_name = display_name(name, 255)?;
            }
            if let Some(labels) = &change.labels {
                project.labels = checked_labels(labels.clone())?;
            }
            project.updated_at = self.now().after(seen);
            project.archived_at = change.archive.then_some(project.updated_at);
            let verb = match (change.archive, project.parent) {
                (false, _) => "update",
                (true, None) => "archive",
                (true, Some(_)) => "delete",
            };
            let details = json!({ "displayName": project.display_name });
            let event = doing.event(self, Some(project.account), Some(id), &format!("{kind}.{verb}"), id, &details);
            if self.store.set_project(&project, seen, &event).await? {
                self.directory.changed(Changed::Project(id));
                return Ok(project);
            }
        }
    }

    pub(super) fn new_project(
        &self,
        account: AccountId,
        parent: Option<ProjectId>,
        name: &str,
        labels: BTreeMap<String, String>,
    ) -> Result<Project, ManageError> {
        let now = self.now();
        Ok(Project {
            id: ProjectId::new(now, &*self.random),
            account,
            parent,
            display_name: display_name(name, 255)?,
            labels: checked_labels(labels)?,
            live_keys: 0,
            archived_at: None,
            created_at: now,
            updated_at: now,
        })
    }

    pub(super) async fn insert_project(
        &self,
        doing: &Doing<'_>,
        project: Project,
        action: &str,
    ) -> Result<Project, ManageError> {
        let details = json!({ "displayName": project.display_name, "parentProjectId": project.parent });
        let event = doing.event(self, Some(project.account), Some(project.id), action, project.id, &details);
        self.store.insert_project(&project, &event).await?;
        self.directory.changed(Changed::Project(project.id));
        Ok(project)
    }

    pub(super) async fn list_projects(
        &self,
        above: Above,
        list: String,
        archived_too: bool,
        page: &Page,
    ) -> Result<(Vec<Project>, String), ManageError> {
        let limit = page.limit()?;
        let after = page.cursor(self, &list, "")?;
        let entries = self.store.projects(above, &after, archived_too, limit + 1).await?;
        Ok(Page::cut(self, &list, limit, entries, |project| project.id.to_string()))
    }
}

fn checked_labels(labels: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, ManageError> {
    if labels.len() > 255 {
        return Err(ManageError::invalid("labels", "must have at most 255 pairs"));
    }
    let fits = |text: &String| text.chars().count() <= 255 && !text.chars().any(char::is_control);
    if labels.iter().all(|(name, value)| !name.is_empty() && fits(name) && fits(value)) {
        Ok(labels)
    } else {
        Err(ManageError::invalid("labels", "names and values have at most 255 characters and no control characters"))
    }
}
