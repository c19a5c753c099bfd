//! The command line of this repository: the library's, and the repository's own chores.

#![expect(clippy::print_stderr, reason = "chores print to the terminal")]

mod ci;
mod lacking;
mod portable;
mod record;
mod schema;
mod steps;
mod suite;
mod sweep;
mod tool;

use std::error::Error;
use std::process::ExitCode;

#[derive(clap::Subcommand)]
enum Xtask {
    /// Measure this command line against the `docker compose` calls and shell scripts that it replaces
    Bench(tool::Tool),
    /// Check the code, its documentation and its dependencies, and run the README's own test command
    Ci,
    /// Rewrite docs/*.schema.json from the types that read infra.toml and the manifests of backups
    Schema,
    /// Build the images that the stacks name, where no registry can be reached
    Standins(tool::Tool),
    Static(portable::Static),
    /// Run the tests as on a machine without Docker, without PostgreSQL, and without both
    Sweep,
    #[command(flatten)]
    Infra(infra_lib::cli::Command),
}

fn main() -> ExitCode {
    let cli = infra_lib::cli::parse::<Xtask>();
    match cli.command {
        Xtask::Bench(tool) => finish(tool.run("bench")),
        Xtask::Ci => finish(ci::run()),
        Xtask::Schema => finish(schema::run()),
        Xtask::Standins(tool) => finish(tool.run("standins")),
        Xtask::Static(chore) => finish(chore.run(std::path::Path::new("."))),
        Xtask::Sweep => finish(sweep::run()),
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

#[cfg(test)]
mod tests {
    use clap::{Command, Subcommand as _};
    use xshell::{Shell, cmd};

    use super::Xtask;

    #[test]
    fn every_chore_that_a_document_names_can_be_typed() {
        let sh = Shell::new().unwrap();
        sh.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let parser = Xtask::augment_subcommands(Command::new("xtask"));
        let mut seen = 0;
        for document in cmd!(sh, "git ls-files *.md").quiet().read().unwrap().lines() {
            let text = sh.read_file(document).unwrap();
            for rest in text.lines().flat_map(|line| line.split("cargo xtask ").skip(1)) {
                let words: Vec<&str> =
                    rest.split(['`', '#', '>']).next().unwrap_or_default().split_whitespace().collect();
                if words
                    .first()
                    .is_some_and(|word| ["bench", "ci", "schema", "standins", "static", "sweep"].contains(word))
                {
                    let parsed = parser.clone().no_binary_name(true).try_get_matches_from(&words);
                    assert!(parsed.is_ok(), "{document}: cargo xtask {}: {}", words.join(" "), parsed.unwrap_err());
                    seen += 1;
                }
            }
        }
        assert!(seen >= 2, "{seen}");
    }
}
