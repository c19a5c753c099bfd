//! What must hold before a change lands.

use std::error::Error;
use std::time::Instant;

use xshell::{Cmd, Shell, cmd};

/// Runs the checks one after the other and stops at the first that fails.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let shell = Shell::new()?;
    shell.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let readme = shell.read_file("README.md")?;
    let test = test_command(&readme).ok_or("README.md has no line `cargo test` in a block of shell commands")?;
    let mut test_words = test.split(' ');
    let program = test_words.next().unwrap_or_default();

    step("formatting", cmd!(shell, "cargo fmt --all --check"))?;
    step("lints", cmd!(shell, "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings"))?;
    let docs =
        cmd!(shell, "cargo doc --workspace --no-deps --all-features --locked").env("RUSTDOCFLAGS", "-D warnings");
    step("documentation", docs)?;
    step("tests", cmd!(shell, "{program} {test_words...}"))
}

/// The README's test command: what CI runs is what a reader is told to run.
fn test_command(readme: &str) -> Option<&str> {
    let mut in_shell = false;
    readme.lines().find(|line| {
        if line.starts_with("```") {
            in_shell = *line == "```sh";
        }
        in_shell && line.starts_with("cargo test")
    })
}

fn step(name: &str, command: Cmd<'_>) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    eprintln!("\n== {name}: {command}");
    command.quiet().run()?;
    eprintln!("== {name}: {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
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
