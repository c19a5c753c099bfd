//! Modes, links and contents of the files that we write and read.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::*;

use super::secrets::files_below;

#[test]
fn s06_what_we_write_is_its_owners_alone() {
    let Some(_engine) = engine() else { return };
    for mask in ["000", "077", "022"] {
        let project = TestProject::new()
            .compose(&format!("services:\n  web: {{{SLEEPS}, environment: {{A: '${{APP_SECRET}}'}}}}\n"))
            .file("infra.toml", "[env.APP_SECRET]\ngenerate = \"hex:32\"\n")
            .file(".env.example", "APP_SECRET=\n");
        std::fs::remove_file(project.path(".env")).ok();
        for words in [
            &["setup", "--yes"][..],
            &["stop"],
            &["start"],
            &["env", "fill"],
            &["env", "rotate", "APP_SECRET", "--yes"],
        ] {
            project.xtask(words).umask(mask).end().ok();
        }
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&project.path(".env")), 0o600, "umask {mask}");
        assert_eq!(mode(&project.path(".infra")), 0o700, "umask {mask}");
        let files = files_below(&project.path(".infra"));
        assert!(files.len() >= 3, "{files:?}");
        for file in files {
            assert_eq!(mode(&file) & 0o077, 0, "umask {mask}: {}", file.display());
        }
    }
}

#[test]
fn s07_s36_modes_are_given_at_birth_and_nothing_goes_elsewhere() {
    let Some(_engine) = engine() else { return };
    let Some(_strace) = tool("strace") else { return };
    let project = TestProject::new()
        .compose(&format!("services:\n  web: {{{SLEEPS}}}\n"))
        .file("infra.toml", "[env.APP_SECRET]\ngenerate = \"hex:32\"\n")
        .file(".env.example", "APP_SECRET=\n");
    let log = project.path("strace.log");
    for words in
        [&["setup", "--yes"][..], &["health"], &["describe"], &["env", "rotate", "APP_SECRET", "--yes"], &["stop"]]
    {
        let calls = "trace=openat,open,creat,chmod,fchmod,fchmodat,execve,mkdir,mkdirat";
        project.xtask(words).umask("000").strace(calls, &log).end().ok();
        let text = std::fs::read_to_string(&log).unwrap();
        let ours = our_lines(&text);
        let writes = !matches!(words[0], "health" | "describe");
        assert_eq!(ours.iter().any(|line| line.contains("O_CREAT")), writes, "{words:?} writes");
        for line in ours {
            assert!(!line.contains("chmod"), "{words:?}: a mode was changed afterwards: {line}");
            if line.contains("O_CREAT") {
                let inside = line.contains(project.dir().to_str().unwrap());
                assert!(inside, "{words:?}: written outside the project: {line}");
                assert!(line.contains(", 0600)"), "{words:?}: not born private: {line}");
            }
            if line.contains("mkdir") && line.contains(".infra") {
                assert!(line.contains("0700"), "{words:?}: {line}");
            }
        }
    }
}

/// The lines of our own process and its threads: a process of its own has begun with `execve`, and the first one is us.
fn our_lines(log: &str) -> Vec<&str> {
    let pid = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    let mut others: BTreeSet<String> = BTreeSet::new();
    // `sh -c umask`, then the binary itself, in one process.
    let first = log.lines().next().map(pid).unwrap_or_default();
    others.extend(log.lines().filter(|line| line.contains("execve(") && pid(line) != first).map(pid));
    let lines: Vec<&str> = log.lines().collect();
    let binary = lines.iter().rposition(|line| line.contains("execve(") && pid(line) == first).unwrap_or(0);
    lines.into_iter().skip(binary + 1).filter(|line| !others.contains(&pid(line))).collect()
}

#[test]
fn s16_links_and_public_folders_are_refused() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:\n  web: {{{SLEEPS}}}\n"));
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), project.path(".infra")).unwrap();
    project.xtask(["start"]).end().code(77).says("is a symbolic link").says("hint: ");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing was written there");
    std::fs::remove_file(project.path(".infra")).unwrap();
    std::fs::create_dir(project.path(".infra")).unwrap();
    std::fs::set_permissions(project.path(".infra"), PermissionsExt::from_mode(0o777)).unwrap();
    project.xtask(["start"]).end().code(77).says("is writable by group or others").says("chmod 700");
    std::fs::set_permissions(project.path(".infra"), PermissionsExt::from_mode(0o700)).unwrap();
    // A file of ours that has become a link is neither followed nor truncated.
    let precious = elsewhere.path().join("precious");
    for name in ["stack.lock", "journal.jsonl", "volumes.json", "setup.json"] {
        std::fs::write(&precious, "precious\n").unwrap();
        let _ = std::fs::remove_file(project.path(&format!(".infra/{name}")));
        std::os::unix::fs::symlink(&precious, project.path(&format!(".infra/{name}"))).unwrap();
        let ended = project.xtask(["start"]).end();
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious\n", "{name}: {ended}");
        std::fs::remove_file(project.path(&format!(".infra/{name}"))).ok();
    }
    project.xtask(["start"]).end().ok();
}

#[test]
fn s39_what_stands_in_our_files_is_not_trusted() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!("services:\n  web: {{{SLEEPS}, volumes: ['data:/data']}}\nvolumes: {{data: {{}}}}\n"));
    project.xtask(["setup", "--yes"]).end().ok();
    let huge = "[".repeat(3 << 20);
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let names = ["setup.json", "volumes.json", "nameless-volumes.json", "stack.lock", "journal.jsonl", "setup.lock"];
    let garbage = ["", "{", "null", "[]", "{\"services\": 7}", "\u{0}\u{0}", &deep, &huge];
    let cases: Vec<_> = garbage.iter().flat_map(|garbage| names.map(|name| (*garbage, name))).collect();
    for (garbage, name) in sample(&cases, 10) {
        let path = project.path(&format!(".infra/{name}"));
        let before = std::fs::read(&path).unwrap_or_default();
        std::fs::write(&path, garbage).unwrap();
        for words in [&["ps", "-q"][..], &["history", "-q"], &["start", "-q"]] {
            let ended = project.xtask(words).end();
            assert!([0, 78].contains(&ended.exit), "{name} is {:?}: {ended}", &garbage[..garbage.len().min(20)]);
        }
        std::fs::write(&path, before).unwrap();
    }
}
