//! Names of files, types and functions that are images, or that say nothing.

use std::path::Path;

use super::open;
use super::source::{root, sources, try_rule};

const FILES: &str = "remarks suspicion tally passes heard patience opened spare keeper pending stated jobs exposure reach \
    symptom matter inlet aftermath beside readers talk known ages";
const TYPES: &str = "Making Made Filling Book Early Manner Culprit";
/// Types of the operations, which bear their command's name.
const OPERATIONS: &str = "Kind Object Part Problem Since Verify Subset Scaled";
const FUNCTIONS: &str = "look of ask told stated named heal reap sow adorn go_back";

fn findings(root: &Path) -> Vec<String> {
    let is = |list: &str, name: &str| list.split_whitespace().any(|word| word == name);
    let mut found = Vec::new();
    for source in sources(root) {
        let stem =
            source.path.trim_end_matches("/mod.rs").trim_end_matches(".rs").rsplit('/').next().unwrap_or_default();
        if is(FILES, stem) {
            found.push(format!("{}: the file is called {stem}", source.path));
        }
        for (number, line) in source.code() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
            while let Some(word) = words.next() {
                let old = match word {
                    "fn" => is(FUNCTIONS, words.clone().next().unwrap_or_default()),
                    "struct" | "enum" | "trait" | "type" => {
                        let name = words.clone().next().unwrap_or_default();
                        is(TYPES, name) || source.path.contains("/src/ops/") && is(OPERATIONS, name)
                    }
                    _ => false,
                };
                if old {
                    found.push(format!("{}:{number}: {}", source.path, line.trim()));
                }
            }
        }
    }
    found
}

#[test]
fn no_name_is_an_old_one() {
    open::check("names", &findings(&root()));
    try_rule(
        findings,
        &[
            ("infra-lib/src/a/talk.rs", "", "the file is called talk"),
            ("infra-lib/src/matter/mod.rs", "", "the file is called matter"),
            ("infra-lib/src/a.rs", "pub(crate) fn of(x: u8) -> u8 {", "fn of"),
            ("infra-lib/src/a.rs", "struct Book<'a> {", "struct Book"),
            ("infra-lib/src/ops/a.rs", "pub enum Kind {", "enum Kind"),
            ("infra-lib/src/a.rs", "pub enum Kind {}\nfn offer() {}\n// fn of() is old\nlet of = told();", ""),
        ],
    );
}
