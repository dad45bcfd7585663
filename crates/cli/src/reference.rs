//! The reference of the command line in Markdown, made from the command tree.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command};

use crate::args;

/// The whole reference. It depends on the command tree alone: not on the terminal, nor on the environment.
pub(crate) fn markdown() -> String {
    let root = args::command();
    let mut page = "# Command line\n\nMade by `tollgate help-markdown`; do not edit.\n\n".to_owned();
    writeln!(page, "{}\n", about(&root)).expect("a String takes everything");
    writeln!(page, "```\n{}\n```\n", root.clone().render_usage()).expect("a String takes everything");
    if let Some(more) = root.get_after_help() {
        writeln!(page, "{more}\n").expect("a String takes everything");
    }
    page.push_str("## Options of all commands that speak to a server\n\n");
    options(&mut page, root.get_arguments().filter(|arg| arg.is_global_set()));
    for noun in root.get_subcommands().filter(|noun| !noun.is_hide_set() && noun.get_name() != "help") {
        section(&mut page, noun, "tollgate", 2);
    }
    page
}

fn section(page: &mut String, command: &Command, parent: &str, depth: usize) {
    let name = format!("{parent} {}", command.get_name());
    writeln!(page, "{} `{name}`\n\n{}\n", "#".repeat(depth), about(command)).expect("a String takes everything");
    let verbs: Vec<_> = command.get_subcommands().filter(|verb| verb.get_name() != "help").collect();
    if verbs.is_empty() {
        writeln!(page, "```\n{}\n```\n", usage(command, &name)).expect("a String takes everything");
        let shown = |arg: &&Arg| !arg.is_global_set() && arg.get_id() != "help" && !arg.is_hide_set();
        options(page, command.get_arguments().filter(shown));
    }
    for verb in verbs {
        section(page, verb, &name, depth + 1);
    }
}

/// `tollgate key get --project <PROJECT ID> <KEY ID>`: what must be given, and that there may be more.
fn usage(command: &Command, name: &str) -> String {
    let mut usage = name.to_owned();
    let own =
        || command.get_arguments().filter(|arg| !arg.is_global_set() && !arg.is_hide_set() && arg.get_id() != "help");
    if own().any(|arg| !arg.is_required_set()) {
        usage.push_str(" [OPTIONS]");
    }
    for arg in own().filter(|arg| arg.is_required_set()) {
        write!(usage, " {arg}").expect("a String takes everything");
    }
    usage
}

fn options<'a>(page: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let lines: Vec<String> = arguments.map(|arg| format!("| `{}` | {} |\n", spelled(arg), meaning(arg))).collect();
    if !lines.is_empty() {
        writeln!(page, "| argument | meaning |\n|---|---|\n{}", lines.concat()).expect("a String takes everything");
    }
}

/// `-o, --output <FORM>`
fn spelled(arg: &Arg) -> String {
    let short =
        arg.get_short().filter(|_| arg.get_long().is_some()).map(|short| format!("-{short}, ")).unwrap_or_default();
    format!("{short}{arg}")
}

fn meaning(arg: &Arg) -> String {
    let mut text = sentence(arg.get_help());
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if arg.get_action().takes_values() && !values.is_empty() {
        write!(text, " One of {}.", values.join(", ")).expect("a String takes everything");
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        write!(text, " Default: `{}`.", defaults.join(" ")).expect("a String takes everything");
    }
    if let Some(variable) = arg.get_env() {
        write!(text, " Else `{}`.", variable.to_string_lossy()).expect("a String takes everything");
    }
    text.replace('|', "\\|")
}

fn about(command: &Command) -> String {
    sentence(command.get_about())
}

/// Help has no full stop at its end, prose has.
fn sentence(text: Option<&StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    if text.is_empty() || text.ends_with(['.', ']']) { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_reference_is_current() {
        let committed = include_str!("../../../docs/cli.md");
        assert_eq!(committed, markdown(), "run: cargo run -- help-markdown > docs/cli.md");
    }

    #[test]
    fn every_command_and_argument_is_in_the_reference_with_its_meaning() {
        let page = markdown();
        for part in
            ["## `tollgate dev`", "### `tollgate key end-overlap`", "| `--overlap <SPAN>` |", "`TOLLGATE_PROJECT_ID`"]
        {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("|  |"), "an argument without a meaning");
        assert!(!page.contains("help-markdown`\n"), "a hidden command");
        assert_eq!(page, markdown());
    }
}
