//! `tollgate usage`: the counted calls of an account.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tollgate_core::AccountId;

use crate::args::Format;
use crate::failure::Failure;
use crate::instant::Instant;
use crate::output::{self, Column, json, note, print, table, text};
use crate::session::Session;

/// What to do with usage.
#[derive(Debug, Subcommand)]
pub(crate) enum UsageVerb {
    /// Show the counted calls of an account, with their sum.
    Show(UsageArgs),
    /// Print the counted calls as CSV, or JSON with `-o json`.
    Export(UsageArgs),
}

/// Which calls, and how to group them.
#[derive(Debug, Args)]
pub(crate) struct UsageArgs {
    /// The account.
    #[arg(long, value_name = "ACCOUNT ID", env = "TOLLGATE_ACCOUNT_ID", hide_env_values = true)]
    account: AccountId,
    /// One line for each of these.
    #[arg(long, value_name = "GROUP", default_value = "project")]
    by: Group,
    /// The first instant: 2026-11-01 or 2026-11-01T12:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    from: Option<Instant>,
    /// The first instant that no longer belongs to it.
    #[arg(long, value_name = "INSTANT")]
    to: Option<Instant>,
}

/// What a line of usage stands for. Days and hours are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    Project,
    Key,
    Product,
    Day,
    Hour,
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Key => "key",
            Self::Product => "product",
            Self::Day => "day",
            Self::Hour => "hour",
        }
    }

    /// The first column, which holds the word Total in the last line.
    fn columns(self) -> Vec<Column> {
        let name = Column::new("Display name", "displayName");
        let first = match self {
            Self::Project => vec![Column::new("Project ID", "projectId"), name],
            Self::Key => {
                vec![Column::new("KEY ID", "accessKeyId"), Column::new("SERVICE PLAN ID", "servicePlanId"), name]
            }
            Self::Product => vec![Column::new("Product", "product")],
            Self::Day => vec![Column::new("Day", "day")],
            Self::Hour => vec![Column::new("Hour", "hour")],
        };
        [first, vec![Column::new("Calls", "calls"), Column::new("Denied", "denied"), Column::new("Units", "units")]]
            .concat()
    }
}

impl UsageVerb {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let (args, format) = match self {
            Self::Show(args) => (args, session.format()),
            Self::Export(args) => (args, session.asked.unwrap_or(Format::Csv)),
        };
        let mut answer = ask(session, &args).await?;
        let columns = args.by.columns();
        if format == Format::Json {
            return print(&json::pretty(&answer));
        }
        let Value::Array(mut lines) = answer["usage"].take() else {
            return Err(Failure::error("the server's answer has no list usage"));
        };
        if format != Format::Table {
            return output::list(format, "usage", &lines, &columns, "");
        }
        lines.push(json!({ columns[0].field: "Total", "displayName": " ", "calls": answer["totalCalls"], "denied": answer["totalDenied"], "units": answer["totalUnits"] }));
        print(&table::rows(&columns, &lines))?;
        note(&period(&answer));
        Ok(())
    }
}

async fn ask(session: &Session, args: &UsageArgs) -> Result<Value, Failure> {
    let path = format!("/v1/accounts/{}/usage", args.account);
    let [from, to] = [args.from, args.to].map(|instant| instant.map(Instant::rfc3339));
    let mut query = vec![("groupBy", args.by.name())];
    query.extend(from.as_deref().map(|from| ("from", from)));
    query.extend(to.as_deref().map(|to| ("to", to)));
    session.client.get(&path, &query).await
}

/// `From … to …, counted up to …`, of what the server said.
fn period(answer: &Value) -> String {
    let time = |field: &str| answer[field].as_str().map_or("–".to_owned(), text::whole_seconds);
    format!("From {} to {}, counted up to {}.", time("from"), time("to"), time("countedUpTo"))
}
