//! Asking before something is lost.

use std::io::{self, IsTerminal as _, Write as _};

use crate::failure::Failure;
use crate::output::text;

/// Refuses to go on where nobody sits at a terminal and sees what stands on standard error.
pub(crate) fn possible() -> Result<(), Failure> {
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage("this asks before it goes on, and there is no terminal to ask on; repeat it with --yes"))
}

/// Asks whether to go on. Anything but yes is no.
pub(crate) fn confirm(question: &str) -> Result<(), Failure> {
    possible()?;
    let broken = |cause: io::Error| Failure::file("the terminal", &cause);
    let mut out = io::stderr().lock();
    write!(out, "{} [y/N] ", text::clean(question)).and_then(|()| out.flush()).map_err(broken)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(broken)?;
    if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        return Ok(());
    }
    Err(Failure::error("nothing was changed"))
}
