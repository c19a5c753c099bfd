//! `db-prune`, on folders of backups that were written for it; no database is needed to remove a backup.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::*;

mod suspicion;
mod untouched;

fn project() -> TestProject {
    TestProject::new()
        .compose("services: {db: {image: 'postgres:16-alpine'}}\n")
        .file("infra.toml", "[backup]\nkeep = { daily = 2 }\n[environments.production]\nprotected = true\n")
}

/// What the dump of each backup has.
const BYTES: usize = 1 << 16;

/// Writes a backup of the default environment that was made so many hours ago, and returns its name. Its manifest can be
/// changed first; none is written where it becomes null.
pub(crate) fn backup(project: &TestProject, sequence: u64, hours_ago: i64, change: impl FnOnce(&mut Value)) -> String {
    let created = Timestamp::now() - SignedDuration::from_hours(hours_ago);
    let name = format!("{}-shop-{}", project.name(), created.strftime("%Y%m%dT%H%M%SZ"));
    let mut manifest = json!({
        "schema": 1, "id": format!("{name}-{sequence}"), "sequence": sequence, "project": project.name(),
        "environment": "development", "created": created.to_string(), "duration_ms": 5, "file": format!("{name}.dump"),
        "format": "custom", "bytes": BYTES, "sha256": "00", "database": {"name": "shop"},
        "globals": {"file": format!("{name}.globals.sql"), "bytes": 1024, "sha256": "00"},
        "verified": [{"kind": "decode", "at": created.to_string(), "took_ms": 1}],
        "durability": "full", "tool": "0.1.0",
    });
    change(&mut manifest);
    project.write(&format!("backups/{name}.dump"), &"x".repeat(BYTES));
    project.write(&format!("backups/{name}.globals.sql"), "roles");
    seal(project, &name, manifest);
    name
}

/// Writes the manifest with its checksum.
fn seal(project: &TestProject, name: &str, mut manifest: Value) {
    let sum = Sha256::digest(serde_json::to_vec(&manifest).unwrap());
    let digits: Vec<String> = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    manifest["checksum"] = digits.concat().into();
    project.write(&format!("backups/{name}.json"), &manifest.to_string());
}

/// One a day, the last one an hour ago; oldest first.
fn nightly(project: &TestProject, days: u64) -> Vec<String> {
    (1..=days).map(|day| backup(project, day, i64::try_from(days - day).unwrap() * 24 + 1, |_| {})).collect()
}

/// Everything in the folder of backups, without the lock, with what is in it.
fn content(project: &TestProject) -> BTreeMap<PathBuf, Vec<u8>> {
    fn read(dir: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.is_symlink() {
                read(&path, into);
            } else if path.file_name().unwrap() != "backup.lock" {
                let content = fs::read_link(&path).map(|to| to.into_os_string().into_encoded_bytes());
                into.insert(path.clone(), content.unwrap_or_else(|_| fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = BTreeMap::new();
    read(&project.path("backups"), &mut found);
    found
}

/// How many backups are listed, each with its files.
fn whole(project: &TestProject) -> usize {
    let names = content(project);
    // The folder's own marker has no stem.
    let manifests = names.keys().filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    let manifests = manifests.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    let files = |path: &Path| [path.with_extension("dump"), path.with_extension("globals.sql")];
    for path in manifests.clone() {
        assert!(files(path).iter().all(|file| file.exists()), "{} lacks a file", path.display());
    }
    manifests.count()
}

fn prune(project: &TestProject, words: &[&str]) -> Ended {
    project.xtask(["db-prune"].iter().chain(words)).no_tty().end()
}

/// The environment, the words, what is typed at a terminal, the exit code, and whether the old ones go.
type Row<'a> = (&'a str, &'a [&'a str], Option<&'a [(&'a str, &'a str)]>, i32, bool);

#[test]
fn a36_it_only_shows_until_somebody_says_so() {
    let Some(_script) = tool("script") else { return };
    let project = project();
    let name = project.name().to_owned();
    let protected = format!("{name}-production");
    let production = |manifest: &mut Value| {
        manifest["project"] = protected.as_str().into();
        manifest["environment"] = "production".into();
    };
    let typed = format!("{protected}\n");
    let rows: [Row<'_>; 17] = [
        ("development", &[], None, 0, false),
        ("development", &[], Some(&[]), 0, false),
        ("development", &["--dry-run", "--yes"], None, 0, false),
        ("development", &["--confirm", "other"], None, 64, false),
        ("development", &["--yes"], None, 0, true),
        ("development", &["--yes"], Some(&[]), 0, true),
        ("development", &["--confirm", &name], None, 0, true),
        ("production", &[], None, 0, false),
        ("production", &[], Some(&[]), 0, false),
        ("production", &["--yes"], None, 77, false),
        ("production", &["--yes", "--json"], None, 77, false),
        ("production", &["--confirm", &name], None, 64, false),
        ("production", &["--yes"], Some(&[("Type `", "y\n")]), 64, false),
        ("production", &["--yes"], Some(&[("Type `", "\n")]), 64, false),
        ("production", &["--dry-run", "--confirm", &protected], None, 0, false),
        ("production", &["--yes"], Some(&[("Type `", &typed)]), 0, true),
        ("production", &["--confirm", &protected], None, 0, true),
    ];
    for (environment, words, terminal, code, goes) in rows {
        let _ = fs::remove_dir_all(project.path("backups"));
        let made: Vec<String> = (1..=6)
            .map(|day| match environment {
                "production" => backup(&project, day, (6 - i64::try_from(day).unwrap()) * 24 + 1, production),
                _ => backup(&project, day, (6 - i64::try_from(day).unwrap()) * 24 + 1, |_| {}),
            })
            .collect();
        let before = content(&project);
        let call = project.xtask(["db-prune", "-e", environment].iter().chain(words));
        let call = call.env("INFRA_YES", "1").env("YES", "1").env("INFRA_CONFIRM", &protected);
        let ended = match terminal {
            None => call.no_tty().end(),
            Some([]) => call.pty([]).end(),
            Some(talk) => call.pty([talk[0]]).end(),
        };
        let told = format!("-e {environment} {words:?} at {terminal:?}: {ended}");
        assert_eq!(ended.exit, code, "{told}");
        if goes {
            assert!(whole(&project) == 3 && content(&project).len() == 9, "{told}");
            assert!(made[3..].iter().all(|name| project.path(&format!("backups/{name}.json")).exists()), "{told}");
            assert!(ended.stdout.contains("removed 3: 195.0 KiB freed"), "{told}");
        } else {
            assert_eq!(content(&project), before, "{told}");
            assert!(!ended.stdout.contains("freed"), "{told}");
        }
    }
}

#[test]
fn a34_what_is_kept_is_shown_with_its_reasons() {
    let project = project();
    let made = nightly(&project, 5);
    let report = prune(&project, &["--json"]).ok().json()["outcome"].clone();
    let states: Vec<String> =
        report["backups"].as_array().unwrap().iter().map(|backup| backup["state"].to_string()).collect();
    assert_eq!(states, [["\"kept\""; 3].as_slice(), &["\"removable\""; 2]].concat());
    let newest = &report["backups"][0];
    let day = Timestamp::now() - SignedDuration::from_hours(1);
    let day = format!("daily {}", day.strftime("%Y-%m-%d"));
    assert_eq!(newest["reasons"], json!([day, "floor"]));
    assert_eq!(
        (&newest["file"], newest["bytes"].as_u64()),
        (&json!(format!("{}.dump", made[4])), Some(BYTES as u64 + 1024))
    );
    assert_eq!((&report["removable_bytes"], &report["freed_bytes"]), (&json!(2 * (BYTES + 1024)), &json!(0)));
    prune(&project, &[]).ok().shows("2 can be deleted to free 130.0 KiB; `cargo xtask db-prune --yes` deletes them");

    // Each option takes the place of its number in infra.toml, and the others stay.
    let left = |words: &[&str]| {
        let report = prune(&project, &[words, &["--json"]].concat()).ok().json()["outcome"].clone();
        report["backups"].as_array().unwrap().iter().filter(|backup| backup["state"] == "kept").count()
    };
    assert_eq!(left(&["--keep-daily", "4"]), 4);
    assert_eq!(left(&["--keep-last", "4"]), 4);
    assert_eq!(left(&["--keep-within", "97h"]), 5);
    assert_eq!(left(&["--keep-daily", "0", "--keep-weekly", "1", "--keep-monthly", "1", "--keep-yearly", "1"]), 3);
    let removed = prune(&project, &["--yes", "--json"]).ok().json()["outcome"].clone();
    assert_eq!((&removed["freed_bytes"], &removed["removable_bytes"]), (&report["removable_bytes"], &json!(0)));
    assert_eq!(removed["backups"][4]["state"], "removed");
    assert_eq!(whole(&project), 3);
    let again = prune(&project, &["--yes"]);
    again.ok().never_says("removed").never_says("can be deleted");
}

#[test]
fn a36_no_policy_takes_the_last_good_ones() {
    let project = project();
    nightly(&project, 7);
    // In the directory format it is a folder.
    let name = backup(&project, 0, 24 * 7 + 1, |manifest| manifest["format"] = "directory".into());
    let folder = project.path(&format!("backups/{name}.dump"));
    fs::remove_file(&folder).unwrap();
    project.write(&format!("backups/{name}.dump/toc.dat"), "data");
    let zeros = ["--keep-daily", "0", "--keep-last", "0", "--keep-within", "0s", "--yes"];
    prune(&project, &zeros).code(64).says("would keep no backup at all").says("--keep-daily 30");
    assert_eq!(whole(&project), 8);
    prune(&project, &["--keep-daily", "0", "--keep-last", "1", "--yes"]).ok();
    assert!(whole(&project) == 3 && !folder.exists(), "the floor");
    project.xtask(["db-prune", "--keep-last", "many"]).no_tty().end().code(64);
}

/// Killed before any call that changes something, and then run again: what is listed is whole, and what is not is gone.
#[test]
fn a43_killed_anywhere_it_leaves_whole_backups_and_the_next_run_ends_it() {
    let Some(_strace) = tool("strace") else { return };
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut killed = 0;
    for call in ["renameat2", "unlinkat", "fsync"] {
        for at in 1..40 {
            let project = project();
            let made = nightly(&project, 5);
            let expression = format!("inject={call}:signal=KILL:when={at}");
            let ended = project.xtask(["db-prune", "--yes"]).no_tty().strace(&expression, log.path()).end();
            if ended.exit == 0 {
                assert!(at > 2, "{call} was never called");
                break;
            }
            assert_eq!(ended.exit, 137, "{expression}: {ended}");
            killed += 1;
            assert!(whole(&project) >= 3, "{expression}");
            prune(&project, &["--yes"]).ok();
            assert_eq!((whole(&project), content(&project).len()), (3, 9), "{expression}");
            assert!(made[2..].iter().all(|name| project.path(&format!("backups/{name}.dump")).exists()));
        }
    }
    assert!(killed >= 10, "only {killed} were killed");
}

#[test]
fn a30_a34_a_good_backup_removes_what_is_no_longer_kept_where_infra_toml_says_so() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    project.xtask(["start"]).end().ok();
    let of_it = |manifest: &mut Value| manifest["database"] = json!({"name": "postgres"});
    for day in 1..=5 {
        backup(&project, day, (6 - i64::try_from(day).unwrap()) * 24, of_it);
    }
    let make = |settings: &str| {
        project.write("infra.toml", &format!("[backup]\nkeep = {{ last = 1 }}\n{settings}\n"));
        project.xtask(["db-backup"]).no_tty().end()
    };
    make("").ok().never_says("removed");
    make("prune = true\nmin-size = \"1GB\"").code(2).never_says("past its retention");
    assert_eq!(whole(&project), 7, "nothing goes after a suspect one");
    let ended = make("prune = true");
    ended.ok().says("which is past its retention").shows("verified: ");
    // Three good ones, and the suspect one, which is for somebody to look at.
    assert_eq!(whole(&project), 4);
    project.xtask(["db-backup", "--list"]).end().ok();

    // Once damage was found it counts, until the file is what it was.
    let file = ended.stdout.split("verified: ").nth(1).unwrap().lines().next().unwrap();
    let good = fs::read(file).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    fs::write(file, bad).unwrap();
    let verify = || project.xtask(["db-verify", file]).no_tty().end();
    prune(&project, &[]).ok();
    verify().code(65);
    prune(&project, &[]).code(2).shows("is suspect");
    fs::write(file, good).unwrap();
    verify().ok();
    prune(&project, &[]).ok();
}
