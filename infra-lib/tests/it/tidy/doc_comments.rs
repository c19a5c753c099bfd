//! A doc comment of a public item says more than its name.

use std::path::Path;

use super::open;
use super::source::{root, sources, try_rule};

/// The fewest words that can say something.
const FEWEST: usize = 4;

fn findings(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(root) {
        let (mut words, mut documented) = (0, false);
        for (number, line) in source.lines() {
            let line = line.trim_start();
            if let Some(text) = line.strip_prefix("///") {
                words += text.split_whitespace().count();
                documented = true;
            } else if !line.starts_with("#[") {
                if documented && words < FEWEST && line.starts_with("pub ") {
                    found.push(format!("{}:{number}: its doc comment has {words} words: {line}", source.path));
                }
                (words, documented) = (0, false);
            }
        }
    }
    found
}

#[test]
fn public_items_have_doc_comments_that_say_something() {
    open::check("doc-comments", &findings(&root()));
    try_rule(
        findings,
        &[
            ("infra-lib/src/a.rs", "/// Its name.\npub name: String,", "a.rs:2: its doc comment has 2 words"),
            ("infra-lib/src/a.rs", "/// Its name.\n#[x]\npub fn f() {}", "a.rs:3: its doc comment has 2 words"),
            ("infra-lib/src/a.rs", "/// Its name.\npub(crate) name: String,\npub fn f() {}", ""),
            ("infra-lib/src/a.rs", "/// The file's name in UTF-8.\npub name: String,", ""),
        ],
    );
}
