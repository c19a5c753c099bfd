//! The exceptions that are still open: how many findings each file has per rule, in `open.txt`. They only become fewer.
//!
//! After files were moved or corrected, `TIDY_WRITE=1 cargo test -p infra-lib --test it tidy` writes the list again. It
//! refuses if a rule has more findings in total than before; one that has none in the list is new.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;

/// One test at a time writes.
static WRITING: Mutex<()> = Mutex::new(());

/// Rule and file, and how many findings there are.
type Counts = BTreeMap<(String, String), usize>;

/// Holds the findings of a rule, `FILE:LINE: WHAT` each, to the list.
#[track_caller]
pub(super) fn check(rule: &str, findings: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tidy/open.txt");
    let _guard = WRITING.lock().unwrap();
    let known = read(&std::fs::read_to_string(&path).unwrap_or_default());
    let now = count(rule, findings);
    if std::env::var_os("TIDY_WRITE").is_none() {
        let new = beyond(&now, &known, findings);
        assert!(new.is_empty(), "{rule}: these files have more findings than open.txt allows:\n{}", new.join("\n"));
        return;
    }
    let total =
        |counts: &Counts| counts.iter().filter(|((of, _), _)| of == rule).map(|(_, count)| count).sum::<usize>();
    let (before, after) = (total(&known), total(&now));
    assert!(
        before == 0 || after <= before,
        "{rule}: {after} findings, and {before} before:\n{}",
        beyond(&now, &known, findings).join("\n")
    );
    let mut all: Counts = known.into_iter().filter(|((of, _), _)| of != rule).collect();
    all.extend(now);
    std::fs::write(path, write(&all)).unwrap();
}

fn count(rule: &str, findings: &[String]) -> Counts {
    let mut counts = Counts::new();
    for finding in findings {
        *counts.entry((rule.to_owned(), file(finding).to_owned())).or_default() += 1;
    }
    counts
}

fn file(finding: &str) -> &str {
    finding.split(':').next().unwrap_or_default()
}

/// The findings of files that have more than is known.
fn beyond(now: &Counts, known: &Counts, findings: &[String]) -> Vec<String> {
    let more =
        |path: &str| now.iter().any(|(key, count)| key.1 == path && known.get(key).is_none_or(|old| count > old));
    findings.iter().filter(|finding| more(file(finding))).cloned().collect()
}

/// Lines such as `prose infra-lib/src/a.rs 3`.
fn read(text: &str) -> Counts {
    let rows = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let key = (words.next()?.to_owned(), words.next()?.to_owned());
        Some((key, words.next()?.parse().ok()?))
    });
    rows.collect()
}

fn write(counts: &Counts) -> String {
    counts.iter().fold(String::new(), |mut out, ((rule, path), count)| {
        let _ = writeln!(out, "{rule} {path} {count}");
        out
    })
}

#[test]
fn a_file_with_more_findings_than_the_list_allows_is_reported() {
    let findings = ["a.rs:1: x", "a.rs:2: y", "b.rs:1: z"].map(str::to_owned);
    let now = count("prose", &findings);
    assert_eq!(read(&write(&now)), now);
    assert_eq!(beyond(&now, &now, &findings), [""; 0]);
    assert_eq!(beyond(&now, &read("prose a.rs 3\nprose b.rs 1\n"), &findings), [""; 0]);
    assert_eq!(beyond(&now, &read("prose a.rs 1\nprose b.rs 1\n"), &findings), findings[..2]);
    assert_eq!(beyond(&now, &read("prose a.rs 2\nnames b.rs 1\n"), &findings), findings[2..]);
}
