//! The command line of this repository: the library's, and the repository's own chores.

#![expect(clippy::print_stderr, reason = "chores talk to whoever runs them")]

mod bench;
mod ci;
mod portable;
mod schema;
mod standins;

use std::error::Error;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
enum Xtask {
    Bench(bench::Bench),
    /// Check formatting, lints and documentation, and run the README's own test command
    Ci,
    /// Write docs/*.schema.json anew, from the types that read infra.toml and the manifests of backups
    Schema,
    Standins(standins::Standins),
    Static(portable::Static),
    #[command(flatten)]
    Infra(infra_lib::cli::Command),
}

fn main() -> ExitCode {
    let cli = infra_lib::cli::parse::<Xtask>();
    match cli.command {
        Xtask::Bench(chore) => finish(chore.run()),
        Xtask::Ci => finish(ci::run()),
        Xtask::Schema => finish(schema::run()),
        Xtask::Standins(chore) => finish(chore.run()),
        Xtask::Static(chore) => finish(chore.run(std::path::Path::new("."))),
        Xtask::Infra(command) => cli.context.run(command),
    }
}

fn finish(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
