//! `tollgate check`: why a call was denied.

use clap::Args;
use serde_json::Value;
use tollgate_core::RequestId;

use crate::args::Format;
use crate::failure::{Exit, Failure};
use crate::output::{self, Column, print, table, text};
use crate::session::Session;

const COLUMNS: [Column; 12] = [
    Column::new("Request ID", "requestId"),
    Column::new("Time", "time"),
    Column::new("Reason", "reason"),
    Column::new("Message", "message"),
    Column::new("Method", "method"),
    Column::new("Path", "path"),
    Column::new("Product", "product").or("none has this route"),
    Column::new("Address", "address"),
    Column::new("Account ID", "accountId").or("unknown"),
    Column::new("Project ID", "projectId").or("unknown"),
    Column::new("KEY ID", "accessKeyId").or("unknown"),
    Column::new("SERVICE PLAN ID", "servicePlanId").or("none"),
];

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The request id, from the header `request-id` or the body of the denial.
    #[arg(value_name = "REQUEST-ID")]
    request: RequestId,
}

impl CheckArgs {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let found = session.client.get(&format!("/v1/denials/{}", self.request), &[]).await;
        let denial = found.map_err(|failure| match failure.exit {
            Exit::NotFound => {
                let message = "no denial is remembered under this request id: the call was let through, it is too long ago, or it belongs to another account";
                Failure::new(Exit::NotFound, message)
            }
            _ => failure,
        })?;
        match session.format() {
            Format::Table => {
                let more: Vec<Column> = COLUMNS.into_iter().filter(|column| column.field != "message").collect();
                print(&format!("{}\n\n{}", sentence(&denial), table::fields(&more, &denial)))
            }
            other => output::thing(other, &denial, &COLUMNS),
        }
    }
}

/// `GET /v1/… was denied: …`
fn sentence(denial: &Value) -> String {
    let field = |name: &str| denial[name].as_str().unwrap_or("–");
    let message = field("message").trim_end_matches('.');
    text::clean(&format!("{} {} was denied: {message}.", field("method"), field("path"))).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_denial_is_one_sentence() {
        let denial = json!({"method": "GET", "path": "/v1/\u{1b}x", "message": "The key is disabled."});
        assert_eq!(sentence(&denial), "GET /v1/\\u{1b}x was denied: The key is disabled.");
    }
}
