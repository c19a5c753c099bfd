//! The changelog has a place for what is new.

use std::fs;
use std::path::Path;

use super::source::{root, try_rule};

fn findings(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join("CHANGELOG.md")).unwrap_or_default();
    let missing = !text.contains("\n## Unreleased\n");
    missing.then(|| "CHANGELOG.md has no section `Unreleased`".to_owned()).into_iter().collect()
}

#[test]
fn the_changelog_has_a_section_for_what_is_new() {
    assert_eq!(findings(&root()), [""; 0]);
    try_rule(
        findings,
        &[
            ("CHANGELOG.md", "# Changelog\n\n## Unreleased\n", ""),
            ("CHANGELOG.md", "# Changelog\n", "no section `Unreleased`"),
        ],
    );
}
