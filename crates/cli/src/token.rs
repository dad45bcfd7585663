//! `tollgate token`: access tokens of the key that is signed in.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::args::{Format, Global};
use crate::failure::{Exit, Failure};
use crate::hidden::Hidden;
use crate::instant;
use crate::output::{self, Column, print, table};
use crate::session::Session;
use crate::target;

const TOKEN: [Column; 4] = [
    Column::new("Token", "access_token"),
    Column::new("Type", "token_type"),
    Column::new("Seconds", "expires_in"),
    Column::new("Scopes", "scope").or("none"),
];

const CLAIMS: [Column; 11] = [
    Column::new("Active", "active"),
    Column::new("Account ID", "account_id"),
    Column::new("Project ID", "project_id"),
    Column::new("KEY ID", "client_id"),
    Column::new("Scopes", "scope").or("none"),
    Column::new("Audience", "aud"),
    Column::new("Issuer", "iss"),
    Column::new("Issued", "iat"),
    Column::new("Expires", "exp"),
    Column::new("Type", "token_type"),
    Column::new("Token ID", "jti"),
];

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    /// Get an access token and print it, alone on its line.
    Get(GetArgs),
    /// Ask the server about a token: exit code 9 if it is not active. The key needs the scope `introspect`.
    Inspect(TokenFrom),
    /// Revoke a token of the key.
    Revoke(TokenFrom),
}

/// Arguments of `token get`.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// What the token may do; once for each scope. Without any, all that the key may.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The audience of a product, to which the token is then narrowed.
    #[arg(long, value_name = "URL")]
    resource: Option<String>,
}

/// Which token.
#[derive(Debug, Args)]
pub(crate) struct TokenFrom {
    /// A file with the token (`-`: standard input); else TOLLGATE_TOKEN, else standard input.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl TokenVerb {
    /// The secret and the token cannot both come from standard input.
    pub(crate) fn refuse_two_readers(&self, global: &Global) -> Result<(), Failure> {
        let (Self::Inspect(from) | Self::Revoke(from)) = self else { return Ok(()) };
        let secret_is = global.key_secret_file.as_deref() == Some(Path::new("-"));
        if secret_is && from.source()?.as_deref() == Some(Path::new("-")) {
            return Err(Failure::usage(
                "the KEY SECRET and the token cannot both come from standard input; give --token-file FILE",
            ));
        }
        Ok(())
    }

    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Get(args) => get(session, args).await,
            Self::Inspect(from) => inspect(session, &from.read()?).await,
            Self::Revoke(from) => {
                let token = from.read()?;
                let answer = session.client.form("/oauth2/revoke", &[("token", token.expose())]).await?;
                output::done(session.format(), &answer, "The token is revoked, if it was one of this key.")
            }
        }
    }
}

impl TokenFrom {
    /// The file to read; none when the token stands in the environment.
    fn source(&self) -> Result<Option<PathBuf>, Failure> {
        if let Some(file) = &self.token_file {
            return Ok(Some(file.clone()));
        }
        if target::variable("TOLLGATE_TOKEN").is_some() {
            return Ok(None);
        }
        if io::stdin().is_terminal() {
            return Err(Failure::usage(
                "no token: give it on standard input, with --token-file FILE or in TOLLGATE_TOKEN",
            ));
        }
        Ok(Some(PathBuf::from("-")))
    }

    fn read(&self) -> Result<Hidden, Failure> {
        match self.source()? {
            Some(file) => Hidden::read(&file, "token"),
            None => Ok(Hidden::new(target::variable("TOLLGATE_TOKEN").unwrap_or_default())),
        }
    }
}

async fn get(session: &Session, args: GetArgs) -> Result<(), Failure> {
    let scope = args.scopes.join(" ");
    let mut fields = vec![("grant_type", "client_credentials")];
    if !args.scopes.is_empty() {
        fields.push(("scope", &scope));
    }
    if let Some(resource) = &args.resource {
        fields.push(("resource", resource));
    }
    let answer = session.client.form("/oauth2/token", &fields).await?;
    let Some(token) = answer["access_token"].as_str() else {
        return Err(Failure::error("the server's answer holds no token"));
    };
    match session.format() {
        Format::Table => print(&format!("{}\n", output::text::clean(token))),
        other => output::thing(other, &answer, &TOKEN),
    }
}

async fn inspect(session: &Session, token: &Hidden) -> Result<(), Failure> {
    let mut answer = session.client.form("/oauth2/introspect", &[("token", token.expose())]).await?;
    let active = answer["active"] == Value::Bool(true);
    match session.format() {
        Format::Table if !active => {}
        Format::Table => {
            in_words(&mut answer);
            let known: Vec<Column> = CLAIMS.into_iter().filter(|column| !answer[column.field].is_null()).collect();
            print(&table::fields(&known, &answer))?;
        }
        other => output::thing(other, &answer, &CLAIMS)?,
    }
    if active {
        Ok(())
    } else {
        Err(Failure::new(
            Exit::CheckFailed,
            "the token is not active: it has ended, was revoked, or is not one of this account",
        ))
    }
}

/// Seconds since 1970 are for machines.
fn in_words(answer: &mut Value) {
    for field in ["iat", "exp"] {
        if let Some(time) = answer[field].as_i64().and_then(instant::of_seconds) {
            answer[field] = time.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_read_times_not_seconds() {
        let mut answer = json!({"active": true, "exp": 1_700_000_000, "client_id": "k"});
        in_words(&mut answer);
        assert_eq!(answer["exp"], "2023-11-14T22:13:20Z");
        assert_eq!(answer["iat"], Value::Null);
    }
}
