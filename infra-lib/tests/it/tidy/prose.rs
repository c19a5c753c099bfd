//! Words that a technical writer would not use: in doc comments, messages, help and documents.

use std::fs;
use std::path::Path;

use super::open;
use super::source::{files, root, sources, try_rule};

const WORDS: &str =
    "told stands somebody nobody whoever culprit remarks exchange exchanges exchanged prove proves proved proven";

/// The unwanted word of a line of prose.
fn unwanted(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let pair = |first, second| words.windows(2).any(|pair| pair == [first, second]);
    let negated = words.windows(3).any(|three| three[..2] == ["is", "no"] && !["longer", "more"].contains(&three[2]));
    let single = words.iter().find(|word| WORDS.split(' ').any(|unwanted| unwanted == **word));
    match single {
        Some(word) => Some((*word).to_owned()),
        None if negated => Some("is no".to_owned()),
        None if pair("so", "many") => Some("so many".to_owned()),
        None if words.contains(&"beside") && text.contains("database") => Some("beside".to_owned()),
        None => None,
    }
}

/// What a line of Rust says to people: its doc comment, or its strings.
fn prose(line: &str) -> String {
    let line = line.trim_start();
    match line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) {
        Some(text) => text.to_owned(),
        None if line.starts_with("//") => String::new(),
        None => line.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" | "),
    }
}

fn findings(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(root) {
        let lines = source.lines().filter_map(|(number, line)| Some((number, unwanted(&prose(line))?)));
        found.extend(lines.map(|(number, word)| format!("{}:{number}: `{word}`", source.path)));
    }
    for path in files(&root.join("docs"), "md").into_iter().chain([root.join("README.md")]) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let lines = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, unwanted(line)?)));
        found.extend(lines.map(|(number, word)| format!("{name}:{number}: `{word}`")));
    }
    found
}

#[test]
fn prose_has_no_unwanted_words() {
    open::check("prose", &findings(&root()));
    try_rule(
        findings,
        &[
            ("docs/a.md", "One.\nNobody knows.\n", "docs/a.md:2: `nobody`"),
            ("docs/a.md", "It is no service.", "`is no`"),
            ("docs/a.md", "It is no longer there, and behind the database.", ""),
            ("README.md", "so\tmany", "`so many`"),
            ("infra-lib/src/a.rs", "/// Whoever asks.", "a.rs:1: `whoever`"),
            ("infra-lib/src/a.rs", "let hint = \"a database beside\";", "`beside`"),
            ("infra-lib/src/a.rs", "let beside = told(\"x\"); // nobody", ""),
        ],
    );
}
