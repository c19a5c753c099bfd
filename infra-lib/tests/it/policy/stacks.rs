//! The systems in `docker/`: each one's production passes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{PRODUCTION, errors};
use crate::support::*;

/// The folders with an `infra.toml`.
fn systems() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker");
    let mut found: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.join("infra.toml").is_file());
    found.sort();
    found
}

#[test]
fn every_systems_production_passes() {
    let systems = systems();
    assert!(!systems.is_empty());
    for system in systems {
        let project = TestProject::copy_of(&system);
        let ended = project.xtask(PRODUCTION).args(["policy", "--json"]).end();
        assert_eq!(errors(&ended), BTreeSet::new(), "{}: {ended}", system.display());
        assert_eq!(ended.ok().outcome()["production"], true, "{}", system.display());
    }
}
