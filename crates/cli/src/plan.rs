//! `tollgate plan` and `tollgate api-token`: SERVICE PLAN ID and API token, of which the token is seen once.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tollgate_core::id::SecretId;
use tollgate_core::{PlanId, ProjectId};

use crate::args::Format;
use crate::ask;
use crate::failure::Failure;
use crate::instant::Span;
use crate::key::overlap;
use crate::once::{self, API_TOKEN};
use crate::output::{self, Column, print, table};
use crate::session::Session;

const BRIEF: [Column; 3] = [
    Column::new("Display name", "displayName"),
    Column::new("SERVICE PLAN ID", "servicePlanId"),
    Column::new("Created", "createTime"),
];

const ALL: [Column; 6] = [
    Column::new("Project ID", "projectId"),
    Column::new("SERVICE PLAN ID", "servicePlanId"),
    Column::new("Display name", "displayName"),
    Column::new("Created", "createTime"),
    Column::new("Created by", "createdBy"),
    Column::new("Updated", "updateTime"),
];

const TOKENS: [Column; 5] = [
    Column::new("API token", "hint"),
    Column::new("Token ID", "apiTokenId"),
    Column::new("Created", "createTime"),
    Column::new("Last used", "lastUseTime").or("never"),
    Column::new("Ends", "endTime").or("–"),
];

/// What to do with service plans.
#[derive(Debug, Subcommand)]
pub(crate) enum PlanVerb {
    /// List the service plans of a project.
    List(ListArgs),
    /// Create a service plan with its first API token, which is shown this once.
    Create(CreateArgs),
    /// Show a service plan and when its API tokens were last used.
    Get(OnePlan),
    /// Delete a service plan for good.
    Delete(DeleteArgs),
}

/// What to do with API tokens of a service plan.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiTokenVerb {
    /// List the API tokens of a service plan.
    List(OnePlan),
    /// Create a second API token, which is shown this once. The first one goes on until it is revoked.
    Create(NewTokenArgs),
    /// Create a new API token; the old one works on for the overlap.
    Rotate(RotateArgs),
    /// Revoke an API token: it is refused from the next call on.
    Revoke(RevokeArgs),
}

/// Whose plans.
#[derive(Debug, Args)]
struct OfProject {
    /// The project.
    #[arg(long, value_name = "PROJECT ID", env = "TOLLGATE_PROJECT_ID", hide_env_values = true)]
    project: ProjectId,
}

/// One service plan of a project.
#[derive(Debug, Args)]
pub(crate) struct OnePlan {
    #[command(flatten)]
    of: OfProject,
    /// The service plan.
    #[arg(value_name = "SERVICE PLAN ID")]
    plan: PlanId,
}

/// Arguments of `plan list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    of: OfProject,
    /// Stop after this many.
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
}

/// Where a new API token goes.
#[derive(Debug, Args)]
struct TokenTo {
    /// Write the API token to this new file, mode 0600, and print none.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// Arguments of `plan create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    of: OfProject,
    /// The display name, unique in the project.
    name: String,
    #[command(flatten)]
    to: TokenTo,
}

/// Arguments of `plan delete`.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    one: OnePlan,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Arguments of `api-token create`.
#[derive(Debug, Args)]
pub(crate) struct NewTokenArgs {
    #[command(flatten)]
    one: OnePlan,
    #[command(flatten)]
    to: TokenTo,
}

/// Arguments of `api-token rotate`.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    one: OnePlan,
    /// For how long the old token works on: 0, 1h, 24h, up to 30d.
    #[arg(long, value_name = "SPAN", value_parser = overlap, default_value = "24h")]
    overlap: Span,
    #[command(flatten)]
    to: TokenTo,
    /// Do not ask, even if the old token ends at once.
    #[arg(short, long)]
    yes: bool,
}

/// Arguments of `api-token revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    one: OnePlan,
    /// The API token, by its id as `api-token list` shows it.
    #[arg(value_name = "TOKEN ID")]
    token: SecretId,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl OfProject {
    fn path(&self) -> String {
        format!("/v1/projects/{}/servicePlans", self.project)
    }
}

impl OnePlan {
    fn path(&self) -> String {
        format!("{}/{}", self.of.path(), self.plan)
    }

    fn tokens(&self) -> String {
        format!("{}/apiTokens", self.path())
    }

    /// The question names the plan as people know it.
    async fn confirm(&self, session: &Session, what: &str, consequence: &str) -> Result<(), Failure> {
        ask::possible()?;
        let plan = session.client.get(&self.path(), &[]).await?;
        let name = plan["displayName"].as_str().unwrap_or_default();
        ask::confirm(&format!("{what} service plan {name} ({})? {consequence}", self.plan))
    }

    async fn new_token(&self, session: &Session, overlap: Option<Span>, to: TokenTo) -> Result<(), Failure> {
        let body = overlap.map_or(json!({}), |span| json!({ "overlapSeconds": span.0 }));
        let plan = json!({ "servicePlanId": self.plan, "projectId": self.of.project });
        let complete = |answer: &mut serde_json::Value| answer["servicePlan"] = plan;
        once::make(session, &API_TOKEN, (&self.tokens(), &body), to.secret_file, complete).await
    }
}

impl PlanVerb {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List(args) => {
                let plans = session.client.list(&args.of.path(), "servicePlans", &[], args.limit).await?;
                let columns = session.columns(&BRIEF, &ALL);
                output::list(session.format(), "servicePlans", &plans, columns, "No service plans.")
            }
            Self::Create(args) => {
                let body = json!({ "displayName": args.name });
                once::make(session, &API_TOKEN, (&args.of.path(), &body), args.to.secret_file, |_| {}).await
            }
            Self::Get(one) => show(session.format(), &session.client.get(&one.path(), &[]).await?),
            Self::Delete(args) => {
                if !args.yes {
                    args.one.confirm(session, "Delete", "Its API tokens stop working at once, for good.").await?;
                }
                let answer = session.client.delete(&args.one.path()).await?;
                output::done(session.format(), &answer, &format!("Service plan {} is deleted.", args.one.plan))
            }
        }
    }
}

impl ApiTokenVerb {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List(one) => {
                let mut answer = session.client.get(&one.tokens(), &[]).await?;
                let tokens = answer["apiTokens"].take();
                let tokens = tokens.as_array().map_or(&[][..], Vec::as_slice);
                output::list(session.format(), "apiTokens", tokens, &TOKENS, "No API tokens.")
            }
            Self::Create(args) => args.one.new_token(session, None, args.to).await,
            Self::Rotate(args) => {
                if args.overlap == Span(0) && !args.yes {
                    args.one.confirm(session, "Rotate the API token of", "Its old token ends at once.").await?;
                }
                args.one.new_token(session, Some(args.overlap), args.to).await
            }
            Self::Revoke(args) => {
                if !args.yes {
                    let consequence = format!("API token {} is refused from the next call on.", args.token);
                    args.one.confirm(session, "Revoke an API token of", &consequence).await?;
                }
                let path = format!("{}/{}", args.one.tokens(), args.token);
                let answer = session.client.delete(&path).await?;
                output::done(session.format(), &answer, &format!("API token {} is revoked.", args.token))
            }
        }
    }
}

/// Shows one plan with its tokens.
fn show(format: Format, plan: &serde_json::Value) -> Result<(), Failure> {
    match (format, plan["apiTokens"].as_array()) {
        (Format::Table, Some(tokens)) if !tokens.is_empty() => {
            print(&format!("{}\n{}", table::fields(&ALL, plan), table::rows(&TOKENS, tokens)))
        }
        _ => output::thing(format, plan, &ALL),
    }
}
