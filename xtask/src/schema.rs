//! The published schema of `infra.toml`.

use std::error::Error;
use std::path::Path;

use infra_lib::manifest::json_schema;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/infra.schema.json");

/// Writes it anew.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    Ok(std::fs::write(Path::new(PATH), json_schema())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_what_the_code_reads() {
        let published = std::fs::read_to_string(PATH).unwrap_or_default();
        assert!(published == json_schema(), "docs/infra.schema.json is out of date: run `cargo xtask schema`");
    }
}
