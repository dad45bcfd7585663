//! Projects and subprojects: a subproject is a project with a parent.

use std::collections::BTreeMap;

use tollgate_core::credential::ProjectEntry;
use tollgate_core::{AccountId, ProjectId, Timestamp};

use super::audit::Event;
use super::engine::{Row, Sql, Tx, Writer, statements};
use super::value::args;
use super::{Store, StoreError};

statements! {
    INSERT_PROJECT = Sql::both(
        "INSERT INTO projects (id, account_id, parent_id, display_name, labels, live_keys, archived_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 0, NULL, $6, $6)");
    PROJECT = Sql::both(
        "SELECT id, account_id, parent_id, display_name, labels, live_keys, archived_at, created_at, updated_at
         FROM projects WHERE id = $1");
    PROJECTS = Sql::both(
        "SELECT id, account_id, parent_id, display_name, labels, live_keys, archived_at, created_at, updated_at
         FROM projects WHERE account_id = $1 AND parent_id IS NULL AND id > $2 AND (archived_at IS NULL OR $3 = 1)
         ORDER BY id LIMIT $4");
    SUBPROJECTS = Sql::both(
        "SELECT id, account_id, parent_id, display_name, labels, live_keys, archived_at, created_at, updated_at
         FROM projects WHERE parent_id = $1 AND id > $2 AND (archived_at IS NULL OR $3 = 1) ORDER BY id LIMIT $4");
    SET_PROJECT = Sql::both(
        "UPDATE projects SET display_name = $2, labels = $3, archived_at = $4, updated_at = $5
         WHERE id = $1 AND updated_at = $6 AND archived_at IS NULL");
}

/// A project or subproject as it is stored.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its Project ID.
    pub id: ProjectId,
    /// Who pays.
    pub account: AccountId,
    /// The project above, for a subproject.
    pub parent: Option<ProjectId>,
    /// Its name, up to 255 characters; need not be unique.
    pub display_name: String,
    /// Up to 255 pairs.
    pub labels: BTreeMap<String, String>,
    /// How many access keys it has.
    pub live_keys: i64,
    /// Since when it is archived, or deleted for a subproject.
    pub archived_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Which projects to list: those of an account, or those below a project.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Above {
    Account(AccountId),
    Project(ProjectId),
}

impl Store {
    pub(crate) async fn insert_project(&self, project: &Project, event: &Event) -> Result<(), StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        tx.insert_project(project).await?;
        tx.write_event(event).await?;
        tx.commit().await
    }

    pub(crate) async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        self.engine.row(PROJECT, args![id]).await?.as_ref().map(read_project).transpose()
    }

    /// Projects after an id, oldest first, with or without archived ones.
    pub(crate) async fn projects(
        &self,
        above: Above,
        after: &str,
        archived_too: bool,
        limit: i64,
    ) -> Result<Vec<Project>, StoreError> {
        let (sql, id) = match above {
            Above::Account(id) => (PROJECTS, id.to_string()),
            Above::Project(id) => (SUBPROJECTS, id.to_string()),
        };
        let rows = self.engine.rows(sql, args![id, after, i64::from(archived_too), limit]).await?;
        rows.iter().map(read_project).collect()
    }

    /// Stores a changed project; `false` when it does not exist, is archived, or was changed since `seen`: then it must be
    /// read again.
    pub(crate) async fn set_project(
        &self,
        project: &Project,
        seen: Timestamp,
        event: &Event,
    ) -> Result<bool, StoreError> {
        let mut tx = self.engine.begin(Writer::Identity).await?;
        let labels = labels_text(&project.labels);
        let values = args![project.id, &*project.display_name, labels, project.archived_at, project.updated_at, seen];
        if tx.execute(SET_PROJECT, values).await? == 0 {
            return Ok(false);
        }
        tx.write_event(event).await?;
        tx.commit().await.map(|()| true)
    }

    /// The directory's view of a project.
    pub(crate) async fn project_entry(&self, id: ProjectId) -> Result<Option<ProjectEntry>, StoreError> {
        let project = self.project(id).await?;
        Ok(project.map(|project| ProjectEntry {
            id,
            account: project.account,
            parent: project.parent,
            archived: project.archived_at.is_some(),
        }))
    }
}

impl Tx<'_> {
    pub(super) async fn insert_project(&mut self, project: &Project) -> Result<(), StoreError> {
        let parent = project.parent.map(|id| id.to_string());
        let labels = labels_text(&project.labels);
        let values = args![project.id, project.account, parent, &*project.display_name, labels, project.created_at];
        self.execute(INSERT_PROJECT, values).await.map(|_| ())
    }
}

fn labels_text(labels: &BTreeMap<String, String>) -> String {
    serde_json::to_string(labels).expect("a map of texts is JSON")
}

fn read_project(row: &Row) -> Result<Project, StoreError> {
    Ok(Project {
        id: row.parsed(0)?,
        account: row.parsed(1)?,
        parent: row.maybe_parsed(2)?,
        display_name: row.text(3)?,
        labels: serde_json::from_str(&row.text(4)?).map_err(|_| StoreError::Corrupt("labels are not JSON"))?,
        live_keys: row.int(5)?,
        archived_at: row.maybe_time(6)?,
        created_at: row.time(7)?,
        updated_at: row.time(8)?,
    })
}
