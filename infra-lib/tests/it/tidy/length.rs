//! How long files and lines may be.

use std::path::Path;

use super::open;
use super::source::{root, sources, try_rule};

/// The longest file, without its tests.
const FILE: usize = 400;
/// The longest line, as in `rustfmt.toml`, which leaves comments and strings alone.
const LINE: usize = 120;

fn files(root: &Path) -> Vec<String> {
    let long = |length: usize| length > FILE;
    sources(root)
        .iter()
        .filter(|source| long(source.length))
        .map(|source| format!("{}: has {} lines", source.path, source.length))
        .collect()
}

fn lines(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(root) {
        let long = source.lines().filter(|(_, line)| line.chars().count() > LINE);
        found.extend(
            long.map(|(number, line)| format!("{}:{number}: has {} characters", source.path, line.chars().count())),
        );
    }
    found
}

#[test]
fn files_are_short() {
    let found = files(&root());
    assert!(found.is_empty(), "{}", found.join("\n"));
    let many = "\n".repeat(FILE + 1);
    try_rule(files, &[("infra-lib/src/a.rs", &many, "has 401 lines"), ("infra-lib/src/a.rs", &many[1..], "")]);
}

#[test]
fn lines_are_short() {
    open::check("line-length", &lines(&root()));
    let long = format!("//{}", "x".repeat(LINE - 1));
    try_rule(lines, &[("infra-lib/src/a.rs", &long, "a.rs:1: has 121"), ("infra-lib/src/a.rs", &long[1..], "")]);
}
