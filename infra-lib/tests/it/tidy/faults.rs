//! `docs/faults.md` and the names of the tests say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::source::{below, root, sources};

/// From here on, the page lists rows without a test of their own.
const WITHOUT: &str = "## Rows without a test of their own";

/// The rows of the page: those that have tests, and those that say why they have none. Twice the same is a finding.
fn published(root: &Path, found: &mut Vec<String>) -> (BTreeSet<String>, BTreeSet<String>) {
    let text = fs::read_to_string(root.join("docs/faults.md")).unwrap_or_default();
    let mut rows = [BTreeSet::new(), BTreeSet::new()];
    let (mut commented, mut without) = (false, false);
    for line in text.lines() {
        commented = (commented || line.starts_with("<!--")) && line != "-->";
        without |= line == WITHOUT;
        let cell = line.strip_prefix("| ").and_then(|line| line.split(' ').next()).map(str::to_lowercase);
        let Some(name) = cell.filter(|cell| !commented && is_row(cell)) else { continue };
        if rows.iter().any(|rows| rows.contains(&name)) {
            found.push(format!("docs/faults.md: there are two rows {name}"));
        }
        rows[usize::from(without)].insert(name);
    }
    rows.into()
}

/// `a05` is the name of a row.
fn is_row(word: &str) -> bool {
    matches!(word.as_bytes(), [b'a'..=b'z', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit())
}

fn findings(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let (rows, without) = published(root, &mut found);
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut tested: BTreeSet<String> = BTreeSet::new();
    for source in sources(root).into_iter().chain(below(root, "infra-lib/tests")) {
        let lines = source.text.lines().filter_map(|line| line.trim_start().strip_prefix("fn "));
        for name in lines.filter_map(|line| line.split(['(', '<']).next()) {
            let claimed: Vec<&str> = name.split('_').take_while(|word| is_row(word)).collect();
            if claimed.is_empty() {
                continue;
            }
            let unknown = claimed.iter().filter(|row| !rows.contains(**row));
            found.extend(
                unknown.map(|row| format!("{}: {name}: docs/faults.md has no row {row} with a test", source.path)),
            );
            tested.extend(claimed.into_iter().map(str::to_owned));
            if let Some(other) = seen.insert(name.to_owned(), source.path.clone()) {
                found.push(format!("{}: {name} is the name of a test in {other} as well", source.path));
            }
        }
    }
    found.extend(rows.difference(&tested).map(|row| format!("docs/faults.md: row {row} has no test")));
    found.extend(without.intersection(&tested).map(|row| format!("docs/faults.md: row {row} has a test")));
    found
}

#[test]
fn the_page_of_faults_and_the_names_of_the_tests_agree() {
    let root = root();
    assert!(published(&root, &mut Vec::new()).0.len() > 150, "the rows were not found");
    let found = findings(&root);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_row_without_a_test_and_a_test_without_a_row_are_found() {
    let page = |rows: &str| {
        format!("| row | fault |\n|---|---|\n{rows}<!-- later\n| C01 | c |\n-->\n{WITHOUT}\n| B01 | b |\n")
    };
    let a = "| A01 | a |\n";
    for (rows, tests, finding) in [
        (a, "fn a01_one() {}", ""),
        (a, "fn one_a02() {}\n    fn a01_one() {}", ""),
        ("", "fn one() {}", ""),
        (a, "fn one() {}", "row a01 has no test"),
        (a, "fn a01_a02_one() {}", "no row a02"),
        (a, "fn a01_one() {}\nfn c01_one() {}", "no row c01"),
        (a, "fn a01_one() {}\nfn a01_one() {}", "is the name of a test"),
        ("| A01 | a |\n| A01 | b |\n", "fn a01_one() {}", "two rows a01"),
    ] {
        let holder = tempfile::tempdir().unwrap();
        for (path, text) in [("docs/faults.md", page(rows).as_str()), ("infra-lib/tests/it/a.rs", tests)] {
            fs::create_dir_all(holder.path().join(path).parent().unwrap()).unwrap();
            fs::write(holder.path().join(path), text).unwrap();
        }
        let found = findings(holder.path());
        let expected =
            if finding.is_empty() { found.is_empty() } else { found.len() == 1 && found[0].contains(finding) };
        assert!(expected, "{rows:?}, {tests:?}: expected `{finding}`, found {found:?}");
    }
}
