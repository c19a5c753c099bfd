//! The published schema of `infra.toml`.
//!
//! What generates it is built for tests only: whoever runs `cargo xtask` for the first time does not wait for it.

use std::error::Error;

use xshell::{Shell, cmd};

/// Asks the test to write the schema instead of comparing it.
const WRITE: &str = "XTASK_WRITE_SCHEMA";

/// Writes it.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let shell = Shell::new()?;
    shell.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    Ok(cmd!(shell, "cargo test --quiet --package xtask schema::").env(WRITE, "1").quiet().run()?)
}

#[cfg(test)]
mod tests {
    use infra_lib::manifest::json_schema;

    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/infra.schema.json");

    #[test]
    fn the_published_schema_is_what_the_code_reads() {
        if std::env::var_os(super::WRITE).is_some() {
            std::fs::write(PATH, json_schema()).unwrap();
        }
        let published = std::fs::read_to_string(PATH).unwrap_or_default();
        assert!(published == json_schema(), "docs/infra.schema.json is out of date: run `cargo xtask schema`");
    }
}
