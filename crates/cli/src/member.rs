//! `tollgate member` and `tollgate setup-link`: who signs in, and what they may.

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tollgate_core::{AccountId, Role, UserId};

use crate::args::Format;
use crate::ask;
use crate::failure::{Exit, Failure};
use crate::output::{self, Column, json as pretty, note, print_once};
use crate::session::Session;

const COLUMNS: [Column; 5] = [
    Column::new("User ID", "userId"),
    Column::new("E-mail", "email"),
    Column::new("Role", "role"),
    Column::new("Second factor", "secondFactor"),
    Column::new("Since", "joinTime"),
];

/// What to do with members.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberVerb {
    /// List the members of an account.
    List(ListArgs),
    /// Invite somebody: prints a link that works once, within seven days.
    Invite(InviteArgs),
    /// Give a member another role.
    Role(RoleArgs),
    /// Remove a member.
    Remove(RemoveArgs),
    /// Print a link that sets a person's password, once, within an hour. For the operator.
    ResetLink(ResetArgs),
}

/// Whose members.
#[derive(Debug, Args)]
struct OfAccount {
    /// The account.
    #[arg(long, value_name = "ACCOUNT ID", env = "TOLLGATE_ACCOUNT_ID", hide_env_values = true)]
    account: AccountId,
}

/// Arguments of `member list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    of: OfAccount,
    /// Stop after this many.
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
}

/// Arguments of `member invite`.
#[derive(Debug, Args)]
pub(crate) struct InviteArgs {
    #[command(flatten)]
    of: OfAccount,
    /// The e-mail address.
    email: String,
    /// owner, admin, developer, billing or auditor.
    #[arg(long, value_name = "ROLE")]
    role: Role,
}

/// Arguments of `member role`.
#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    #[command(flatten)]
    of: OfAccount,
    /// The member, by User ID or e-mail address.
    #[arg(value_name = "MEMBER")]
    who: String,
    /// owner, admin, developer, billing or auditor.
    role: Role,
}

/// Arguments of `member remove`.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    of: OfAccount,
    /// The member, by User ID or e-mail address.
    #[arg(value_name = "MEMBER")]
    who: String,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// Arguments of `member reset-link`.
#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    /// The person's e-mail address.
    email: String,
}

impl OfAccount {
    fn path(&self) -> String {
        format!("/v1/accounts/{}/members", self.account)
    }

    /// The path of a member, and its e-mail address where that was given.
    async fn member(&self, session: &Session, who: &str) -> Result<String, Failure> {
        if let Ok(id) = who.parse::<UserId>() {
            return Ok(format!("{}/{id}", self.path()));
        }
        let who = who.to_lowercase();
        let members = session.client.list(&self.path(), "members", &[], None).await?;
        let found = members.iter().find(|member| member["email"] == who.as_str());
        // It comes from the server: only an id goes into a path.
        let id: Option<UserId> = found.and_then(|member| member["userId"].as_str()?.parse().ok());
        let id = id.ok_or_else(|| Failure::new(Exit::NotFound, format!("{who} is not a member of the account")))?;
        Ok(format!("{}/{id}", self.path()))
    }
}

impl MemberVerb {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List(args) => {
                let members = session.client.list(&args.of.path(), "members", &[], args.limit).await?;
                output::list(session.format(), "members", &members, &COLUMNS, "No members.")
            }
            Self::Invite(args) => {
                let body = json!({ "email": args.email, "role": args.role.word() });
                let made = session.client.post(&args.of.path(), &body).await?;
                let mailed = if made["mailed"] == true { "It is on its way by mail too. " } else { "" };
                note(&format!("{mailed}The link works once, until {}.", text(&made["invitation"], "expireTime")));
                link(session, &made)
            }
            Self::Role(args) => {
                let path = args.of.member(session, &args.who).await?;
                let member = session.client.patch(&path, &json!({ "role": args.role.word() })).await?;
                output::thing(session.format(), &member, &COLUMNS)
            }
            Self::Remove(args) => {
                let path = args.of.member(session, &args.who).await?;
                if !args.yes {
                    ask::confirm(&format!("Remove {} from account {}?", args.who, args.of.account))?;
                }
                let answer = session.client.delete(&path).await?;
                output::done(session.format(), &answer, &format!("{} is a member no longer.", args.who))
            }
            Self::ResetLink(args) => {
                let made = session.client.post("/v1/resetLinks", &json!({ "email": args.email })).await?;
                note(&format!("The link works once, until {}.", text(&made, "expireTime")));
                link(session, &made)
            }
        }
    }
}

/// `tollgate setup-link`.
pub(crate) async fn setup_link(session: &Session) -> Result<(), Failure> {
    let made = session.client.post("/v1/setupLinks", &json!({})).await?;
    note(&format!("The link works once, until {}.", text(&made, "expireTime")));
    link(session, &made)
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_default()
}

/// A link that is shown this once: alone on its line, or in the server's JSON.
fn link(session: &Session, made: &Value) -> Result<(), Failure> {
    if session.format() == Format::Json {
        return print_once(&pretty::pretty(made));
    }
    let url = made["url"].as_str().ok_or_else(|| Failure::error("the server's answer holds no link"))?;
    print_once(&format!("{}\n", output::text::clean(url)))
}
