//! The command line: options that all commands share, and the nouns.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::account::AccountVerb;
use crate::audit::AuditVerb;
use crate::backup::{BackupArgs, RestoreArgs};
use crate::check::CheckArgs;
use crate::completion::CompletionArgs;
use crate::config::ConfigVerb;
use crate::dev::DevArgs;
use crate::gateway::GatewayVerb;
use crate::key::KeyVerb;
use crate::login::LoginArgs;
use crate::member::MemberVerb;
use crate::plan::{ApiTokenVerb, PlanVerb};
use crate::project::ProjectVerb;
use crate::serve::ServeArgs;
use crate::signing_key::SigningKeyVerb;
use crate::token::TokenVerb;
use crate::usage::UsageVerb;

const AFTER_HELP: &str = "\
Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 error, 2 usage, 3 not signed in, \
4 not found, 5 conflict, 6 forbidden, 7 rate limited, 8 no answer, 9 check failed.";

/// Access keys, tokens and counted calls for an API platform.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) noun: Noun,
}

/// Options that all client commands share.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Server and output")]
pub(crate) struct Global {
    /// A server and key from the file ~/.config/tollgate/config.toml.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The server, signed in with a key or a personal token; else TOLLGATE_URL.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The operator's socket of a running server.
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// A running server's data directory, for the socket in it [default: ./tollgate-data, if it has a socket].
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "socket")]
    pub(crate) data: Option<PathBuf>,
    /// The KEY ID to sign in with; else TOLLGATE_KEY_ID.
    #[arg(long, global = true, value_name = "KEY ID")]
    pub(crate) key_id: Option<String>,
    /// A file with the KEY SECRET (`-`: standard input); else TOLLGATE_KEY_SECRET.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_secret_file: Option<PathBuf>,
    /// The form of the output; a table, unless another is named. env is for create and get of one thing.
    #[arg(short, long, global = true, value_name = "FORM")]
    pub(crate) output: Option<Format>,
}

/// The form of the output: a table for people, the server's JSON, environment lines for what a client is configured with,
/// and CSV for spreadsheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Env,
    Csv,
}

/// What a command is about.
#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    /// Run the server.
    Serve(ServeArgs),
    /// Run a server to try things on: no configuration file, a first account, project and key.
    Dev(DevArgs),
    /// Check, show and explain configuration files.
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Configurations of gateways: nginx, Caddy, Traefik, Envoy, Kubernetes.
    #[command(subcommand)]
    Gateway(GatewayVerb),
    /// Copy the SQLite database to a file, also while the server serves.
    Backup(BackupArgs),
    /// Put a backup in the place of the database. The server must not run.
    Restore(RestoreArgs),
    /// Ask whether the server is ready: exit code 8 if it does not answer, 9 if it is not ready.
    Health,
    /// Sign in to a server with a personal token, which is kept for the commands that manage. A key comes first, where one is
    /// given by option, profile or environment; beside the data, the operator's socket comes before both.
    Login(LoginArgs),
    /// Forget the personal token that is kept for the server or profile.
    Logout,
    /// Print the link that sets up the dashboard, as long as nobody can sign in.
    SetupLink,
    /// The keys that sign access tokens.
    #[command(subcommand)]
    SigningKey(SigningKeyVerb),
    /// Accounts: customer organisations, which are billed.
    #[command(subcommand)]
    Account(AccountVerb),
    /// Members: people who sign in to an account.
    #[command(subcommand)]
    Member(MemberVerb),
    /// Projects: workspaces of an account, in which access keys and service plans live.
    #[command(subcommand)]
    Project(ProjectVerb),
    /// Access keys: KEY ID and KEY SECRET.
    #[command(subcommand)]
    Key(KeyVerb),
    /// SMS service plans: SERVICE PLAN ID and API token.
    #[command(subcommand)]
    Plan(PlanVerb),
    /// API tokens of a service plan.
    #[command(subcommand)]
    ApiToken(ApiTokenVerb),
    /// Access tokens of the key that is signed in.
    #[command(subcommand)]
    Token(TokenVerb),
    /// Counted calls.
    #[command(subcommand)]
    Usage(UsageVerb),
    /// The audit trail.
    #[command(subcommand)]
    Audit(AuditVerb),
    /// Explain why a call was denied.
    Check(CheckArgs),
    /// Print a completion script for a shell.
    Completion(CompletionArgs),
    /// Print this reference in Markdown.
    #[command(hide = true)]
    HelpMarkdown,
}

impl Noun {
    /// Whether the command makes or shows one thing that a client is configured with.
    pub(crate) fn has_env_form(&self) -> bool {
        match self {
            Self::Account(verb) => matches!(verb, AccountVerb::Create(_)),
            Self::Project(verb) => matches!(verb, ProjectVerb::Create(_)),
            Self::Key(verb) => matches!(verb, KeyVerb::Create(_) | KeyVerb::Get(_) | KeyVerb::Rotate(_)),
            Self::Plan(verb) => matches!(verb, PlanVerb::Create(_) | PlanVerb::Get(_)),
            Self::ApiToken(verb) => matches!(verb, ApiTokenVerb::Create(_) | ApiTokenVerb::Rotate(_)),
            Self::Token(verb) => matches!(verb, TokenVerb::Get(_)),
            Self::Serve(_)
            | Self::Backup(_)
            | Self::Restore(_)
            | Self::Dev(_)
            | Self::Config(_)
            | Self::Gateway(_)
            | Self::Health
            | Self::SigningKey(_) => false,
            Self::Login(_) | Self::Logout | Self::SetupLink | Self::Member(_) => false,
            Self::Usage(_) | Self::Audit(_) | Self::Check(_) | Self::Completion(_) | Self::HelpMarkdown => false,
        }
    }
}

/// Nouns that speak to no server, and so do not show the shared options in their help.
const LOCAL: [&str; 6] = ["serve", "dev", "config", "gateway", "completion", "help-markdown"];
/// Nouns that work on a data directory: of the shared options they take the one that names it.
const ON_DATA: [&str; 2] = ["backup", "restore"];

/// The command tree as help, completion and reference show it.
pub(crate) fn command() -> Command {
    let mut root = Cli::command();
    root.build();
    for noun in root.get_subcommands_mut() {
        if LOCAL.contains(&noun.get_name()) {
            hide_shared(noun, "");
        } else if ON_DATA.contains(&noun.get_name()) {
            hide_shared(noun, "data");
        }
    }
    root
}

/// Hides the shared options but one.
fn hide_shared(command: &mut Command, but: &str) {
    let hidden = |arg: &clap::Arg| arg.is_global_set() && arg.get_id() != but;
    *command = std::mem::take(command).mut_args(|arg| if hidden(&arg) { arg.hide(true) } else { arg });
    command.get_subcommands_mut().for_each(|command| hide_shared(command, but));
}

/// Reads the command line; prints help or a usage error, and ends, when there is no command to run.
pub(crate) fn parse() -> Cli {
    Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::from_arg_matches(&command().try_get_matches_from(line.split(' '))?)
    }

    #[test]
    fn the_tree_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn shared_options_stand_before_or_after_the_noun() {
        for line in ["tollgate -o json --data d account list", "tollgate account list --data d -o json"] {
            let cli = parse(line).expect(line);
            assert_eq!((cli.global.output, cli.global.data), (Some(Format::Json), Some("d".into())));
        }
    }

    #[test]
    fn shared_options_are_hidden_where_no_server_is_asked() {
        let mut root = command();
        let mut help = |path: &[&str]| {
            let mut at = &mut root;
            for name in path {
                at = at.find_subcommand_mut(name).expect("a command");
            }
            at.render_help().to_string()
        };
        assert!(help(&["key", "list"]).contains("--key-secret-file"));
        assert!(!help(&["config", "check"]).contains("--key-secret-file"));
        assert!(!help(&["dev"]).contains("--server") && help(&["dev"]).contains("--data"));
    }

    #[test]
    fn only_ids_are_ids_and_secrets_are_no_arguments() {
        let id = "01995a31-0000-7000-8000-000000000000";
        assert!(parse(&format!("tollgate key get --project {id} {id}")).is_ok());
        for wrong in [
            "tollgate key get --project ../x y",
            "tollgate check x",
            "tollgate token inspect eyJ",
            "tollgate --key-secret x health",
            "tollgate login",
            "tollgate login tgp_x",
            "tollgate member invite --account x a@b",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
