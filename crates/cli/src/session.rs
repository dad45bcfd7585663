//! What a client command works with: a connection, and the form of its output.

use std::path::Path;

use crate::args::{Format, Global};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Column;
use crate::target::{self, Authority, Surroundings};

/// A connection and the form of the output.
pub(crate) struct Session {
    pub(crate) client: Client,
    /// The form that was asked for.
    pub(crate) asked: Option<Format>,
}

impl Session {
    /// Finds the server. Nothing is sent yet.
    pub(crate) fn open(global: &Global, authority: Authority) -> Result<Self, Failure> {
        let around = Surroundings { variable: &target::variable, directory: Path::new(".") };
        let target = target::find(global, authority, &around)?;
        Ok(Self { client: Client::new(target)?, asked: global.output })
    }

    /// The form of the output: a table, unless another was asked for.
    pub(crate) fn format(&self) -> Format {
        self.asked.unwrap_or(Format::Table)
    }

    /// A table has the columns that fit a terminal, CSV all of them.
    pub(crate) fn columns(&self, brief: &'static [Column], all: &'static [Column]) -> &'static [Column] {
        if self.format() == Format::Csv { all } else { brief }
    }

    /// Runs one command to its end.
    pub(crate) fn wait(self, command: impl AsyncFnOnce(&Self) -> Result<(), Failure>) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| Failure::file("cannot start", &cause))?;
        runtime.block_on(command(&self))
    }
}
