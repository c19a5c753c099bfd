//! The whole of a project's `xtask`. Start a crate `xtask` with this `main`, add
//! `xtask = "run --quiet --package xtask --"` to the aliases in `.cargo/config.toml`, and `cargo xtask help` works.

fn main() -> std::process::ExitCode {
    infra_lib::cli::main()
}
