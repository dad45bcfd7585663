//! `tollgate completion`: completion scripts, made from the command tree.

use clap::Args;
use clap_complete::Shell;

use crate::args;
use crate::failure::Failure;
use crate::output::print;

/// Arguments of `completion`.
#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl CompletionArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut args::command(), "tollgate", &mut script);
        print(&String::from_utf8_lossy(&script))
    }
}
