//! `tollgate project`: the workspaces of an account, in which access keys live.

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};
use serde_json::json;
use tollgate_core::{AccountId, ProjectId};

use crate::ask;
use crate::failure::Failure;
use crate::output::{self, Column};
use crate::session::Session;

const COLUMNS: [Column; 6] = [
    Column::new("Project ID", "projectId"),
    Column::new("Display name", "displayName"),
    Column::new("Account ID", "accountId"),
    Column::new("Access keys", "accessKeys"),
    Column::new("Archived", "archived"),
    Column::new("Created", "createTime"),
];

/// What to do with projects.
#[derive(Debug, Subcommand)]
pub(crate) enum ProjectVerb {
    /// List the projects of an account.
    List(ListArgs),
    /// Create a project.
    Create(CreateArgs),
    /// Give a project another display name.
    Rename(RenameArgs),
    /// End a project: all its keys stop for good.
    Archive(ArchiveArgs),
}

/// Whose projects.
#[derive(Debug, Args)]
struct OfAccount {
    /// The account.
    #[arg(long, value_name = "ACCOUNT ID", env = "TOLLGATE_ACCOUNT_ID", hide_env_values = true)]
    account: AccountId,
}

/// Arguments of `project list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    of: OfAccount,
    /// Show archived projects too.
    #[arg(long)]
    archived: bool,
    /// Stop after this many.
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
}

/// Arguments of `project create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    of: OfAccount,
    /// The display name.
    name: String,
}

/// Arguments of `project rename`.
#[derive(Debug, Args)]
pub(crate) struct RenameArgs {
    /// The project.
    #[arg(value_name = "PROJECT ID")]
    project: ProjectId,
    /// The new display name.
    name: String,
}

/// Arguments of `project archive`.
#[derive(Debug, Args)]
pub(crate) struct ArchiveArgs {
    /// The project.
    #[arg(value_name = "PROJECT ID")]
    project: ProjectId,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl ProjectVerb {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let project = match self {
            Self::List(args) => return list(session, args).await,
            Self::Create(args) => {
                let path = format!("/v1/accounts/{}/projects", args.of.account);
                session.client.post(&path, &json!({ "displayName": args.name })).await?
            }
            Self::Rename(args) => {
                let path = format!("/v1/projects/{}", args.project);
                session.client.patch(&path, &json!({ "displayName": args.name })).await?
            }
            Self::Archive(args) => {
                let path = format!("/v1/projects/{}", args.project);
                if !args.yes {
                    ask::possible()?;
                    let project = session.client.get(&path, &[]).await?;
                    let name = project["displayName"].as_str().unwrap_or_default();
                    ask::confirm(&format!("Archive project {name} ({})? All its keys stop for good.", args.project))?;
                }
                session.client.post(&format!("{path}/archive"), &json!({})).await?
            }
        };
        output::thing(session.format(), &project, &COLUMNS)
    }
}

async fn list(session: &Session, args: ListArgs) -> Result<(), Failure> {
    let path = format!("/v1/accounts/{}/projects", args.of.account);
    let query: &[_] = if args.archived { &[("showArchived", "true")] } else { &[] };
    let projects = session.client.list(&path, "projects", query, args.limit).await?;
    output::list(session.format(), "projects", &projects, &COLUMNS, "No projects.")
}
