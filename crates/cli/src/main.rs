//! Placeholder until the command tree lands.
mod dev;
mod serve;
use clap::Parser;
#[derive(Parser)]
enum Cli { Serve(serve::ServeArgs), Dev(dev::DevArgs) }
fn main() -> anyhow::Result<()> { match Cli::parse() { Cli::Serve(a) => serve::run(a), Cli::Dev(a) => dev::run(a) } }
