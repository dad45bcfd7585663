//! `tollgate config`: checking, showing and explaining configuration files. Nothing here asks a server.

mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tollgate_server::config::{self, Config};

use crate::failure::Failure;
use crate::output::{note, print};

/// What to do with configuration files.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Check a configuration file: exit code 1 with a sentence if something is wrong in it.
    Check(ConfigArgs),
    /// Show the whole configuration that a file makes, with its defaults and without passwords.
    Show(ConfigArgs),
    /// Print a commented configuration file with every field at its default.
    Template,
    /// Print the reference of the configuration in Markdown.
    Reference,
}

/// Which file.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl ConfigVerb {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Check(ConfigArgs { file }) => {
                let config = Config::load(&file).map_err(anyhow::Error::new)?;
                let products = match config.product.len() {
                    0 => "no products yet".to_owned(),
                    1 => "1 product".to_owned(),
                    more => format!("{more} products"),
                };
                note(&format!("{} is in order: {products}.", file.display()));
                Ok(())
            }
            Self::Show(ConfigArgs { file }) => print(&show::effective(&file)?),
            Self::Template => print(&config::template()),
            Self::Reference => print(&config::markdown()),
        }
    }
}
