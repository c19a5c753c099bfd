//! What the sources must and must not say, where no compiler looks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file, without its tests.
const LONGEST: usize = 400;

/// The last row of each table of faults and of the security checklist.
const ROWS: [(char, u32); 10] =
    [('a', 44), ('b', 12), ('c', 25), ('d', 19), ('e', 13), ('f', 21), ('g', 10), ('h', 13), ('i', 12), ('s', 43)];

/// Words that stand in no line of code, what they would mean, and where they may stand all the same.
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
        Some("src/makefile/"),
    ),
];

/// The library knows no product.
const PRODUCTS: [&str; 5] = ["vrss", "thrifting", "isntgram", "pagodirecto", "rxdx"];

/// Folders of one machine; `/srv` and `/home/deploy` are nobody's.
const MACHINES: [&str; 4] = ["/root/", "/work/", "/Users/", "/home/"];

/// Everything that is untidy in this repository.
fn findings(root: &Path) -> Vec<String> {
    let sources: Vec<Source> = ["infra-lib/src", "xtask/src"]
        .iter()
        .flat_map(|dir| files(&root.join(dir), "rs"))
        .map(|path| Source::read(root, &path))
        .collect();
    let mut found: Vec<String> = sources.iter().flat_map(Source::findings).collect();
    found.extend(folders_without_a_word(&sources));
    let tests = files(&root.join("infra-lib/tests"), "rs").into_iter().map(|path| Source::read(root, &path));
    found.extend(names_of_tests(sources.iter().cloned().chain(tests)));
    for path in files(root, "md") {
        let text = fs::read_to_string(&path).unwrap().replace("/home/deploy/", "");
        let named = MACHINES.iter().filter(|machine| text.contains(*machine));
        found.extend(named.map(|machine| format!("{}: names a folder below {machine}", path.display())));
    }
    if !fs::read_to_string(root.join("CHANGELOG.md")).unwrap_or_default().contains("\n## Unreleased\n") {
        found.push("CHANGELOG.md has no section `Unreleased`".to_owned());
    }
    found
}

/// All files with this extension, without what is built or fetched.
fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "node_modules"].contains(&name.as_str()) {
            found.extend(files(&path, extension));
        } else if path.is_file() && path.extension().is_some_and(|is| is == extension) {
            found.push(path);
        }
    }
    found
}

/// A file of Rust.
#[derive(Debug, Clone)]
struct Source {
    /// Below the repository.
    path: String,
    text: String,
    /// How many lines come before its tests.
    length: usize,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let lines: Vec<&str> = text.lines().collect();
        let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].contains("mod tests {"));
        let length = if path.ends_with("/tests.rs") { 0 } else { tests.unwrap_or(lines.len()) };
        Self { path, text, length }
    }

    /// Its code, with line numbers from 1: no tests and no comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().take(self.length).enumerate().map(|(number, line)| (number + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn findings(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.length > LONGEST {
            found.push(format!("{}: has {} lines", self.path, self.length));
        }
        for (number, line) in self.code() {
            for (words, what, except) in FORBIDDEN {
                let may = except.is_some_and(|place| self.path.contains(place));
                if !may && words.iter().any(|word| line.contains(word)) {
                    found.push(format!("{}:{number}: {what}: {}", self.path, line.trim()));
                }
            }
        }
        let text = self.text.to_lowercase();
        if self.path.starts_with("infra-lib/src/") {
            let named = PRODUCTS.iter().filter(|product| text.contains(*product));
            found.extend(named.map(|product| format!("{}: names {product}", self.path)));
        }
        found
    }
}

/// A module that is a folder says what it is about.
fn folders_without_a_word(sources: &[Source]) -> Vec<String> {
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
        .map(|folder| format!("{folder}: says nothing of itself"))
        .collect()
}

/// A test that is named after a row claims it: the row exists, and no other test has the name.
fn names_of_tests(sources: impl Iterator<Item = Source>) -> Vec<String> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut found = Vec::new();
    for source in sources {
        for line in source.text.lines() {
            let line = line.trim_start();
            let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split(['(', '<']).next()) else { continue };
            let mut rows = name.split('_').map_while(row).peekable();
            if rows.peek().is_none() {
                continue;
            }
            let unknown =
                rows.filter(|row| !ROWS.iter().any(|known| known.0 == row.0 && (1..=known.1).contains(&row.1)));
            found.extend(unknown.map(|row| format!("{}: {name}: there is no row {row:?}", source.path)));
            if let Some(other) = seen.insert(name.to_owned(), source.path.clone()) {
                found.push(format!("{}: {name} is the name of a test in {other} as well", source.path));
            }
        }
    }
    found
}

/// `a05` is a row.
fn row(word: &str) -> Option<(char, u32)> {
    let mut chars = word.chars();
    let table = chars.next().filter(char::is_ascii_lowercase)?;
    let number = chars.as_str();
    (number.len() == 2).then(|| Some((table, number.parse().ok()?)))?
}

#[test]
fn s13_s29_the_sources_are_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    assert!(files(&root.join("infra-lib/src"), "rs").len() > 150, "the sources were not found");
    let found = findings(root);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Each rule, on the sin that it is for; and what only looks like it.
#[test]
fn what_is_untidy_is_found() {
    let holder = tempfile::tempdir().unwrap();
    let root = holder.path();
    let write = |path: &str, text: &str| {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    };
    write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n");
    write("infra-lib/src/lib.rs", "//! Says `println!(\"x\")`, and never `docker system prune`.\nfn db_prune() {}\n");
    write("infra-lib/src/exec/mod.rs", "//! Starts processes.\nuse std::process::Command;\n");
    write("infra-lib/src/ops/mod.rs", "//! Operations.\n#[cfg(test)]\nmod tests {\n    fn f() { println!(); }\n}\n");
    write("docs/a.md", "PATH=/home/deploy/bin, /srv/shop\n");
    assert_eq!(findings(root), [""; 0]);
    let many = "\n".repeat(LONGEST + 1);
    for (path, text, says) in [
        ("infra-lib/src/a.rs", many.as_str(), "has 401 lines"),
        ("infra-lib/src/a.rs", "fn f() { todo!() }", "is unfinished"),
        ("infra-lib/src/a.rs", "use std::process::Command;", "starts a process"),
        ("infra-lib/src/a.rs", "let x = duct::cmd(\"a\", &[]);", "starts a process"),
        ("infra-lib/src/a.rs", "    eprintln!(\"x\");", "prints"),
        ("xtask/src/a.rs", "docker([\"system\", \"prune\"])", "would prune"),
        ("infra-lib/src/a.rs", "let hint = \"run docker system prune\";", "would prune"),
        ("infra-lib/src/a.rs", "//! As in VRSS.", "names vrss"),
        ("infra-lib/src/a/b.rs", "//! B.", "infra-lib/src/a: says nothing of itself"),
        ("infra-lib/src/a.rs", "fn f13_one() {}\nfn f13_one() {}", "is the name of a test"),
        ("infra-lib/tests/it/a.rs", "fn a45_none() {}", "there is no row"),
        ("infra-lib/tests/it/a.rs", "fn g01_x00_none() {}", "there is no row"),
        ("docs/b.md", "see /home/me/notes", "names a folder below /home/"),
        ("CHANGELOG.md", "# Changelog\n", "no section `Unreleased`"),
    ] {
        let before = fs::read_to_string(root.join(path)).ok();
        write(path, text);
        let found = findings(root);
        assert!(found.len() == 1 && found[0].contains(says), "{path}: {text:.40}: {found:?}");
        match before {
            Some(before) => write(path, &before),
            None => fs::remove_file(root.join(path)).unwrap(),
        }
    }
}
