//! `tollgate account`: the customer organisations, which are billed.

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};
use serde_json::json;
use tollgate_core::AccountId;

use crate::ask;
use crate::failure::Failure;
use crate::output::{self, Column};
use crate::session::Session;

const COLUMNS: [Column; 5] = [
    Column::new("Account ID", "accountId"),
    Column::new("Display name", "displayName"),
    Column::new("Keys per project", "keyLimit"),
    Column::new("Suspended", "suspended"),
    Column::new("Created", "createTime"),
];

/// An account that was made with an invitation of its owner.
const WITH_INVITATION: [Column; 6] =
    [COLUMNS[0], COLUMNS[1], COLUMNS[2], COLUMNS[3], COLUMNS[4], Column::new("Invitation link", "invitationUrl")];

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountVerb {
    /// List all accounts.
    List(ListArgs),
    /// Create an account.
    Create(CreateArgs),
    /// Stop all keys of an account until it is resumed.
    Suspend(SuspendArgs),
    /// Let the keys of a suspended account work again.
    Resume(ResumeArgs),
}

/// Arguments of `account list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Stop after this many.
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
}

/// Arguments of `account create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The display name.
    name: String,
    /// How many access keys each of its projects may have; else the server's setting.
    #[arg(long, value_name = "N")]
    key_limit: Option<u32>,
    /// Invite this person to own it: prints a link that works once, within seven days.
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
}

/// Arguments of `account suspend`.
#[derive(Debug, Args)]
pub(crate) struct SuspendArgs {
    /// The account.
    #[arg(value_name = "ACCOUNT ID")]
    account: AccountId,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Arguments of `account resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The account.
    #[arg(value_name = "ACCOUNT ID")]
    account: AccountId,
}

impl AccountVerb {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List(args) => {
                let accounts = session.client.list("/v1/accounts", "accounts", &[], args.limit).await?;
                output::list(session.format(), "accounts", &accounts, &COLUMNS, "No accounts.")
            }
            Self::Create(args) => {
                let mut body = json!({ "displayName": args.name });
                if let Some(limit) = args.key_limit {
                    body["keyLimit"] = limit.into();
                }
                let Some(owner) = args.owner else {
                    let account = session.client.post("/v1/accounts", &body).await?;
                    return output::thing(session.format(), &account, &COLUMNS);
                };
                body["ownerEmail"] = owner.into();
                let account = session.client.post("/v1/accounts", &body).await?;
                output::thing(session.format(), &account, &WITH_INVITATION)
            }
            Self::Suspend(args) => suspend(session, args).await,
            Self::Resume(args) => {
                let account = session.client.post(&format!("/v1/accounts/{}/resume", args.account), &json!({})).await?;
                output::thing(session.format(), &account, &COLUMNS)
            }
        }
    }
}

async fn suspend(session: &Session, args: SuspendArgs) -> Result<(), Failure> {
    let path = format!("/v1/accounts/{}", args.account);
    if !args.yes {
        ask::possible()?;
        let account = session.client.get(&path, &[]).await?;
        let name = account["displayName"].as_str().unwrap_or_default();
        ask::confirm(&format!("Suspend account {name} ({})? All its keys stop at once.", args.account))?;
    }
    let account = session.client.post(&format!("{path}/suspend"), &json!({})).await?;
    output::thing(session.format(), &account, &COLUMNS)
}
