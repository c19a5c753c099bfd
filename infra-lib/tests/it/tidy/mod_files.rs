//! A `mod.rs` declares modules, says what they are about, and exports names again: no logic.

use std::path::Path;

use super::source::{root, sources, try_rule};

fn findings(root: &Path) -> Vec<String> {
    let sources = sources(root).into_iter().filter(|source| source.path.ends_with("/mod.rs"));
    let first_with_logic = sources.filter_map(|source| {
        // A `use` over several lines goes on until its semicolon.
        let mut unfinished = false;
        let (number, line) = source.text.lines().enumerate().find(|(_, line)| {
            let code = line.trim();
            let item = code.strip_prefix("pub").map_or(code, |rest| rest.trim_start_matches("(crate)"));
            let item = item.trim_start_matches("(super)").trim_start();
            let is_use = unfinished || item.starts_with("use ");
            let is_declaration = item.starts_with("mod ") && code.ends_with(';');
            unfinished = is_use && !code.ends_with(';');
            let is_other = code.is_empty() || code.starts_with("//") || code.starts_with("#[");
            !is_use && !is_declaration && !is_other
        })?;
        Some(format!("{}:{}: `{}` belongs into a file of its own", source.path, number + 1, line.trim()))
    });
    first_with_logic.collect()
}

#[test]
fn a_mod_file_has_no_logic() {
    let found = findings(&root());
    assert!(found.is_empty(), "{}", found.join("\n"));
    let declarations =
        "//! A.\n\nmod b;\n#[cfg(test)]\nmod tests;\n\npub use b::{\n    C, D,\n};\npub(crate) use b::E;\n";
    try_rule(
        findings,
        &[
            ("infra-lib/src/a/mod.rs", declarations, ""),
            ("infra-lib/src/a/mod.rs", "//! A.\n\nmod b;\n\nconst C: u8 = 1;\n", "mod.rs:5: `const C"),
            (
                "infra-lib/src/a/mod.rs",
                "//! A.\n\nuse b::{\n    C,\n};\n\npub(crate) fn d() {}\n",
                "mod.rs:7: `pub(crate) fn d",
            ),
            ("infra-lib/src/a/mod.rs", "//! A.\n\nmod b {\n}\n", "mod.rs:3: `mod b {"),
            ("infra-lib/src/a/b.rs", "fn c() {}\n", ""),
        ],
    );
}
