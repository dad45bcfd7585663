//! `tollgate key`: KEY ID and KEY SECRET, of which the secret is seen once.

mod show;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use tollgate_core::{KeyId, ProjectId};

use crate::ask;
use crate::failure::Failure;
use crate::instant::{Instant, Span};
use crate::once::{self, KEY_SECRET};
use crate::output::{self, Column};
use crate::session::Session;

const BRIEF: [Column; 6] = [
    Column::new("Display name", "displayName"),
    Column::new("KEY ID", "accessKeyId"),
    Column::new("Status", "status"),
    Column::new("Last used", "lastUseTime").or("never"),
    Column::new("Expires", "expireTime").or("never"),
    Column::new("Created", "createTime"),
];

/// What to do with access keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyVerb {
    /// List the access keys of a project.
    List(ListArgs),
    /// Create an access key. Its KEY SECRET is shown this once.
    Create(CreateArgs),
    /// Show an access key and when its secrets were last used.
    Get(OneKey),
    /// Give an access key a new KEY SECRET; the KEY ID stays, and the old secret works on for the overlap.
    Rotate(RotateArgs),
    /// End the old secret of a rotated key now.
    EndOverlap(OneKey),
    /// Stop an access key until it is enabled.
    Disable(OneKey),
    /// Let a disabled access key work again.
    Enable(OneKey),
    /// Delete an access key for good.
    Delete(DeleteArgs),
}

/// Whose keys.
#[derive(Debug, Args)]
struct OfProject {
    /// The project.
    #[arg(long, value_name = "PROJECT ID", env = "TOLLGATE_PROJECT_ID", hide_env_values = true)]
    project: ProjectId,
}

/// One key of a project.
#[derive(Debug, Args)]
pub(crate) struct OneKey {
    #[command(flatten)]
    of: OfProject,
    /// The access key.
    #[arg(value_name = "KEY ID")]
    key: KeyId,
}

/// Arguments of `key list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    of: OfProject,
    /// Stop after this many.
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
}

/// Arguments of `key create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    of: OfProject,
    /// The display name, unique in the project.
    name: String,
    /// What the key may do; once for each scope.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// When the key ends: 2026-11-01 or 2026-11-01T12:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    expires: Option<Instant>,
    /// Addresses that may use the key, such as 192.0.2.0/24; once for each. Without any, all may.
    #[arg(long = "address", value_name = "CIDR")]
    addresses: Vec<String>,
    #[command(flatten)]
    to: SecretTo,
}

/// Where a new secret goes.
#[derive(Debug, Args)]
struct SecretTo {
    /// Write the KEY SECRET to this new file, mode 0600, and print none.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

/// Arguments of `key rotate`.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    one: OneKey,
    /// For how long the old secret works on: 0, 1h, 24h, up to 30d [default: 24h].
    #[arg(long, value_name = "SPAN", value_parser = overlap)]
    overlap: Option<Span>,
    /// Revoke the tokens that the key has now.
    #[arg(long)]
    revoke_tokens: bool,
    #[command(flatten)]
    to: SecretTo,
    /// Do not ask, even if the old secret or the tokens end at once.
    #[arg(short, long)]
    yes: bool,
}

/// Arguments of `key delete`.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    one: OneKey,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl OfProject {
    fn path(&self) -> String {
        format!("/v1/projects/{}/accessKeys", self.project)
    }
}

impl OneKey {
    fn path(&self) -> String {
        format!("{}/{}", self.of.path(), self.key)
    }

    async fn verb(&self, session: &Session, verb: &str) -> Result<(), Failure> {
        let key = session.client.post(&format!("{}/{verb}", self.path()), &json!({})).await?;
        show::key(session.format(), &key)
    }

    /// The question names the key as people know it.
    async fn confirm(&self, session: &Session, what: &str, consequence: &str) -> Result<(), Failure> {
        ask::possible()?;
        let key = session.client.get(&self.path(), &[]).await?;
        let name = key["displayName"].as_str().unwrap_or_default();
        let used = key["lastUseTime"]
            .as_str()
            .map_or("It was never used.".to_owned(), |time| format!("It was last used at {time}."));
        ask::confirm(&format!("{what} access key {name} ({})? {used} {consequence}", self.key))
    }
}

impl KeyVerb {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::List(args) => {
                let keys = session.client.list(&args.of.path(), "accessKeys", &[], args.limit).await?;
                let columns = session.columns(&BRIEF, &show::ALL);
                output::list(session.format(), "accessKeys", &keys, columns, "No access keys.")
            }
            Self::Create(args) => create(session, args).await,
            Self::Get(one) => show::key(session.format(), &session.client.get(&one.path(), &[]).await?),
            Self::Rotate(args) => rotate(session, args).await,
            Self::EndOverlap(one) => one.verb(session, "endOverlap").await,
            Self::Disable(one) => one.verb(session, "disable").await,
            Self::Enable(one) => one.verb(session, "enable").await,
            Self::Delete(args) => delete(session, args).await,
        }
    }
}

async fn create(session: &Session, args: CreateArgs) -> Result<(), Failure> {
    let mut body = json!({ "displayName": args.name });
    if !args.scopes.is_empty() {
        body["scopes"] = args.scopes.into();
    }
    if let Some(end) = args.expires {
        body["expireTime"] = end.rfc3339().into();
    }
    if !args.addresses.is_empty() {
        body["allowedAddresses"] = args.addresses.into();
    }
    once::make(session, &KEY_SECRET, (&args.of.path(), &body), args.to.secret_file, |_| {}).await
}

/// The server has nothing with two secrets for longer than 30 days.
pub(crate) fn overlap(text: &str) -> Result<Span, &'static str> {
    let span: Span = text.parse()?;
    if span.0 <= 30 * 86_400 { Ok(span) } else { Err("an overlap is at most 30d") }
}

async fn rotate(session: &Session, args: RotateArgs) -> Result<(), Failure> {
    let ends_at_once = args.overlap == Some(Span(0));
    if (ends_at_once || args.revoke_tokens) && !args.yes {
        let consequence = match (ends_at_once, args.revoke_tokens) {
            (true, true) => "Its old secret and its tokens end at once.",
            (true, false) => "Its old secret ends at once.",
            (false, _) => "Its tokens end at once.",
        };
        args.one.confirm(session, "Rotate the secret of", consequence).await?;
    }
    let mut body = json!({});
    if let Some(overlap) = args.overlap {
        body["overlapSeconds"] = overlap.0.into();
    }
    if args.revoke_tokens {
        body["revokeTokens"] = true.into();
    }
    let path = format!("{}/rotateSecret", args.one.path());
    once::make(session, &KEY_SECRET, (&path, &body), args.to.secret_file, |_| {}).await
}

async fn delete(session: &Session, args: DeleteArgs) -> Result<(), Failure> {
    if !args.yes {
        args.one.confirm(session, "Delete", "Its secrets and tokens stop working at once, for good.").await?;
    }
    let answer = session.client.delete(&args.one.path()).await?;
    output::done(session.format(), &answer, &format!("Access key {} is deleted.", args.one.key))
}
