//! The test suite, by the README's own command, and what is reported of it.

use std::error::Error;
use std::num::NonZero;
use std::path::PathBuf;

use xshell::Shell;

use crate::lacking::Lacking;
use crate::record;
use crate::steps::Steps;

/// Most tests wait for containers and databases, so more of them run at the same time than there are cores. With three
/// for each core, health checks that allow five seconds time out.
const TESTS_PER_CORE: usize = 2;

/// The suite of this checkout.
pub(crate) struct Suite<'a> {
    shell: &'a Shell,
    words: Vec<String>,
}

impl<'a> Suite<'a> {
    /// # Errors
    ///
    /// Fails where the README names no test command.
    pub(crate) fn new(shell: &'a Shell) -> Result<Self, Box<dyn Error>> {
        let readme = shell.read_file("README.md")?;
        let line = test_command(&readme).ok_or("README.md has no line `cargo test` in a block of shell commands")?;
        Ok(Self { shell, words: line.split(' ').map(str::to_owned).collect() })
    }

    /// Runs it on this machine, or on one that lacks something, and prints where its time went.
    ///
    /// # Errors
    ///
    /// Fails when a test does.
    pub(crate) fn run(&self, steps: &mut Steps, lacking: Option<Lacking>) -> Result<(), Box<dyn Error>> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let (program, rest) = words.split_first().ok_or("no test command")?;
        let name = lacking.map_or_else(|| "tests".to_owned(), |lacking| format!("tests {}", lacking.name()));
        let command = match lacking {
            Some(lacking) => lacking.command(self.shell, &words)?,
            None => self.shell.cmd(program).args(rest),
        };
        let file = self.file(&name)?;
        let result = steps.run(&name, command.env(record::VARIABLE, &file).env("RUST_TEST_THREADS", threads()));
        let recorded = std::fs::read_to_string(&file).unwrap_or_default();
        eprintln!("\n{}", record::report(&recorded));
        result
    }

    /// An empty record.
    fn file(&self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let file = self.shell.current_dir().join("target/records").join(name.replace(' ', "-").to_lowercase());
        self.shell.write_file(&file, "")?;
        Ok(file)
    }
}

/// How many tests run at the same time.
fn threads() -> String {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::env::var("RUST_TEST_THREADS").unwrap_or_else(|_| (cores * TESTS_PER_CORE).to_string())
}

/// The README's test command: what CI runs is what a reader is asked to run.
fn test_command(readme: &str) -> Option<&str> {
    let mut in_shell = false;
    readme.lines().find(|line| {
        if line.starts_with("```") {
            in_shell = *line == "```sh";
        }
        in_shell && line.starts_with("cargo test")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_taken_from_a_shell_block_only() {
        assert_eq!(
            test_command("cargo test no\n```rust\ncargo test no\n```\n```sh\ncargo test\n```"),
            Some("cargo test")
        );
        assert_eq!(test_command("cargo test"), None);
    }
}
