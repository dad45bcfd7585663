//! `tollgate audit`: who changed what, and when.

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};
use tollgate_core::AccountId;

use crate::args::Format;
use crate::failure::Failure;
use crate::output::{self, Column, csv, json, print};
use crate::session::Session;

const BRIEF: [Column; 5] = [
    Column::new("Time", "time"),
    Column::new("Actor", "actor"),
    Column::new("Action", "action"),
    Column::new("Target", "target"),
    Column::new("Details", "details"),
];

const ALL: [Column; 8] = [
    Column::new("Event ID", "eventId"),
    Column::new("Time", "time"),
    Column::new("Account ID", "accountId"),
    Column::new("Project ID", "projectId"),
    Column::new("Actor", "actor"),
    Column::new("Action", "action"),
    Column::new("Target", "target"),
    Column::new("Details", "details"),
];

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// List the events of an account, the newest first.
    List(AuditArgs),
    /// Print the events of an account as one JSON object a line, or CSV with `-o csv`.
    Export(AuditArgs),
}

/// Which events.
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The account.
    #[arg(long, value_name = "ACCOUNT ID", env = "TOLLGATE_ACCOUNT_ID", hide_env_values = true)]
    account: AccountId,
    /// Stop after this many.
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
}

impl AuditVerb {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List(args) => {
                let events = session.client.list(&args.path(), "auditEvents", &[], args.limit).await?;
                output::list(session.format(), "auditEvents", &events, session.columns(&BRIEF, &ALL), "No events.")
            }
            Self::Export(args) => export(session, &args).await,
        }
    }
}

impl AuditArgs {
    fn path(&self) -> String {
        format!("/v1/accounts/{}/auditEvents", self.account)
    }
}

/// Page by page, since a trail may be longer than memory.
async fn export(session: &Session, args: &AuditArgs) -> Result<(), Failure> {
    let line = match session.asked {
        None | Some(Format::Json) => json::line,
        Some(Format::Csv) => {
            print(&csv::header(&ALL))?;
            |event: &_| csv::row(&ALL, event)
        }
        Some(Format::Table | Format::Env) => {
            return Err(Failure::usage("audit export prints json (one object a line) or csv"));
        }
    };
    let take = |events: Vec<_>| print(&events.iter().map(line).collect::<String>());
    session.client.each_page(&args.path(), "auditEvents", &[], args.limit, take).await
}
