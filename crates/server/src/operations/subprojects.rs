//! Subprojects: leaves below a project, measured separately, paid by the same account.

use std::collections::BTreeMap;

use tollgate_core::ProjectId;

use super::App;
use super::manage::{Doing, ManageError, Page};
use crate::store::projects::{Above, Project};

impl App {
    /// Creates a subproject.
    ///
    /// # Errors
    /// The parent does not exist, is archived or is itself a subproject; a bad value; or an outage.
    pub async fn create_subproject(
        &self,
        doing: &Doing<'_>,
        parent: ProjectId,
        name: &str,
        labels: BTreeMap<String, String>,
    ) -> Result<Project, ManageError> {
        let above = self.project(parent).await?;
        if above.parent.is_some() {
            return Err(ManageError::Precondition("A subproject cannot have subprojects".to_owned()));
        }
        if above.archived_at.is_some() {
            return Err(ManageError::Precondition("The project is archived".to_owned()));
        }
        let project = self.new_project(above.account, Some(parent), name, labels)?;
        self.insert_project(doing, project, "subproject.create").await
    }

    /// The subprojects of a project, oldest first.
    ///
    /// # Errors
    /// The project does not exist, a bad page, or an outage.
    pub async fn subprojects(
        &self,
        parent: ProjectId,
        deleted_too: bool,
        page: &Page,
    ) -> Result<(Vec<Project>, String), ManageError> {
        self.list_projects(Above::Project(parent), format!("subprojects/{parent}/{deleted_too}"), deleted_too, page)
            .await
    }

    /// One subproject, deleted or not.
    ///
    /// # Errors
    /// There is no subproject of this id, or an outage.
    pub async fn subproject(&self, id: ProjectId) -> Result<Project, ManageError> {
        let project = self.store.project(id).await?;
        project.filter(|project| project.parent.is_some()).ok_or(ManageError::NotFound("subproject"))
    }
}
