//! The published schemas: of `infra.toml`, and of a backup's manifest.
//!
//! What generates them is built for tests only, so that a first `cargo xtask` does not wait for it.

use std::error::Error;

use xshell::{Shell, cmd};

/// Asks the test to write the schemas instead of comparing them.
const WRITE: &str = "XTASK_WRITE_SCHEMA";

/// Writes them.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let shell = Shell::new()?;
    shell.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    Ok(cmd!(shell, "cargo test --quiet --package xtask schema::").env(WRITE, "1").quiet().run()?)
}

#[cfg(test)]
mod tests {
    use infra_lib::{backup_json_schema, config};

    #[test]
    fn the_published_schemas_are_what_the_code_reads() {
        for (name, schema) in [("infra", config::json_schema()), ("backup", backup_json_schema())] {
            let path = format!("{}/../docs/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os(super::WRITE).is_some() {
                std::fs::write(&path, &schema).unwrap();
            }
            let published = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(published == schema, "docs/{name}.schema.json is out of date: run `cargo xtask schema`");
        }
    }
}
