//! What must hold before a change lands.

use std::error::Error;

use xshell::{Shell, cmd};

use crate::lacking::Lacking;
use crate::steps::Steps;
use crate::suite::Suite;

/// Runs the checks one after the other and stops at the first that fails.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let shell = Shell::new()?;
    shell.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let suite = Suite::new(&shell)?;
    let mut steps = Steps::default();
    let result = checks(&shell, &mut steps)
        .and_then(|()| suite.run(&mut steps, Some(Lacking::Both)))
        .and_then(|()| suite.run(&mut steps, None));
    steps.report();
    result
}

fn checks(shell: &Shell, steps: &mut Steps) -> Result<(), Box<dyn Error>> {
    steps.run("formatting", cmd!(shell, "cargo fmt --all --check"))?;
    steps.run("lints", cmd!(shell, "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings"))?;
    // Of what is no dependency of a test, so that the compiler sees each one alone.
    for target in
        [&["-p", "infra-lib", "--lib"][..], &["-p", "infra-lib", "--lib", "--no-default-features"], &["-p", "xtask"]]
    {
        let unused = cmd!(shell, "cargo clippy {target...} --locked -- -D warnings -D unused_crate_dependencies");
        steps.run(&format!("unused dependencies: {}", target.join(" ")), unused)?;
    }
    let lean = cmd!(shell, "cargo test --quiet -p infra-lib --lib --no-default-features --locked");
    steps.run("tests without the command line", lean)?;
    let docs =
        cmd!(shell, "cargo doc --workspace --no-deps --all-features --locked").env("RUSTDOCFLAGS", "-D warnings");
    steps.run("documentation", docs)?;
    // Outside of the workspace's default members.
    steps.run("tools", cmd!(shell, "cargo test --quiet --locked --package bench --package standins"))?;
    minimum_version(shell, steps)?;
    if cmd!(shell, "cargo deny --version").quiet().ignore_stdout().ignore_stderr().run().is_ok() {
        steps.run("dependencies", cmd!(shell, "cargo deny --locked check"))?;
    } else {
        steps.skip("dependencies", "`cargo deny` is not installed");
    }
    Ok(())
}

/// Builds with the oldest compiler that `Cargo.toml` promises, where rustup has it.
fn minimum_version(shell: &Shell, steps: &mut Steps) -> Result<(), Box<dyn Error>> {
    let metadata = cmd!(shell, "cargo metadata --no-deps --format-version 1 --locked").quiet().read()?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let version = metadata["packages"][0]["rust_version"].as_str().ok_or("Cargo.toml has no rust-version")?;
    let name = format!("minimum Rust version {version}");
    let installed = cmd!(shell, "rustup toolchain list --quiet").quiet().ignore_stderr().read().unwrap_or_default();
    let Some(toolchain) = installed
        .lines()
        .find(|line| line.starts_with(&format!("{version}-")) || line.starts_with(&format!("{version}.")))
    else {
        steps.skip(&name, "the toolchain is not installed");
        return Ok(());
    };
    let check = cmd!(shell, "rustup run {toolchain} cargo check --workspace --locked --target-dir target/minimum");
    steps.run(&name, check.env_remove("RUSTC").env_remove("CARGO"))
}
