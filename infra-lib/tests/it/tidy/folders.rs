//! A module that is a folder says what it is about.

use std::path::Path;

use super::source::{root, sources, try_rule};

fn findings(root: &Path) -> Vec<String> {
    let sources = sources(root);
    let folders = sources.iter().filter_map(|source| source.path.rsplit_once('/').map(|(folder, _)| folder));
    let mut folders: Vec<&str> = folders.filter(|folder| !folder.ends_with("/src")).collect();
    folders.dedup();
    let says = |folder: &&str| {
        let heads = [format!("{folder}/mod.rs"), format!("{folder}.rs")];
        sources.iter().any(|source| heads.contains(&source.path) && source.text.starts_with("//! "))
    };
    folders
        .into_iter()
        .filter(|folder| !says(folder))
        .map(|folder| format!("{folder}: has no module comment"))
        .collect()
}

#[test]
fn every_folder_has_a_module_comment() {
    let found = findings(&root());
    assert!(found.is_empty(), "{}", found.join("\n"));
    try_rule(
        findings,
        &[
            ("infra-lib/src/a/mod.rs", "//! A.", ""),
            ("infra-lib/src/a/b.rs", "//! B.", "infra-lib/src/a: has no module comment"),
        ],
    );
}
