//! Words that no line of code has.

use std::fs;
use std::path::Path;

use super::source::{files, root, sources, try_rule};

/// The words, what they would mean, and where they may appear all the same.
const FORBIDDEN: [(&[&str], &str, Option<&str>); 4] = [
    (&["todo!(", "unimplemented!(", "dbg!("], "is unfinished", None),
    (
        &["process::Command::new", "use std::process::Command", "process::{Command", "duct::"],
        "starts a process outside of `exec/`",
        Some("src/exec/"),
    ),
    (&["println!(", "print!("], "prints", Some("xtask/src/")),
    // An exact literal, since `db-prune` is a command of ours.
    (
        &[
            "\"prune\"",
            "system prune",
            "volume prune",
            "image prune",
            "container prune",
            "network prune",
            "builder prune",
        ],
        "would prune what is not ours",
        // Other people's Makefiles are searched for it.
        Some("src/ops/makefile/"),
    ),
];

/// The library knows no product.
const PRODUCTS: [&str; 5] = ["vrss", "thrifting", "isntgram", "pagodirecto", "rxdx"];

/// Folders of one machine; `/srv` and `/home/deploy` belong to no one.
const MACHINES: [&str; 4] = ["/root/", "/work/", "/Users/", "/home/"];

fn findings(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(root) {
        for (number, line) in source.code() {
            for (words, what, except) in FORBIDDEN {
                let may = except.is_some_and(|place| source.path.contains(place));
                if !may && words.iter().any(|word| line.contains(word)) {
                    found.push(format!("{}:{number}: {what}: {}", source.path, line.trim()));
                }
            }
        }
        // The benchmark measures one of them.
        if source.path.starts_with("infra-lib/src/") {
            let text = source.text.to_lowercase();
            let named = PRODUCTS.iter().filter(|product| text.contains(*product));
            found.extend(named.map(|product| format!("{}: names {product}", source.path)));
        }
    }
    for path in files(root, "md") {
        let text = fs::read_to_string(&path).unwrap().replace("/home/deploy/", "");
        let named = MACHINES.iter().filter(|machine| text.contains(*machine));
        found.extend(named.map(|machine| format!("{}: names a folder below {machine}", path.display())));
    }
    found
}

#[test]
fn s13_s29_no_source_has_forbidden_words() {
    let found = findings(&root());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn forbidden_words_are_found() {
    try_rule(
        findings,
        &[
            (
                "infra-lib/src/lib.rs",
                "//! Says `println!(\"x\")`, and never `docker system prune`.\nfn db_prune() {}\n",
                "",
            ),
            ("infra-lib/src/exec/mod.rs", "//! Starts processes.\nuse std::process::Command;\n", ""),
            ("infra-lib/src/ops.rs", "#[cfg(test)]\nmod tests {\n    fn f() { println!(); }\n}\n", ""),
            ("docs/a.md", "PATH=/home/deploy/bin, /srv/shop\n", ""),
            ("infra-lib/src/a.rs", "fn f() { todo!() }", "is unfinished"),
            ("infra-lib/src/a.rs", "use std::process::Command;", "starts a process"),
            ("infra-lib/src/a.rs", "let x = duct::cmd(\"a\", &[]);", "starts a process"),
            ("infra-lib/src/a.rs", "    eprintln!(\"x\");", "prints"),
            ("tools/bench/src/a.rs", "    eprintln!(\"x\");", "prints"),
            ("xtask/src/a.rs", "docker([\"system\", \"prune\"])", "would prune"),
            ("infra-lib/src/a.rs", "let hint = \"run docker system prune\";", "would prune"),
            ("infra-lib/src/a.rs", "//! As in VRSS.", "names vrss"),
            ("docs/b.md", "see /home/me/notes", "names a folder below /home/"),
        ],
    );
}
