//! A writer that is killed, or whose system calls fail, at each point of its work.

use std::path::Path;
use std::time::{Duration, SystemTime};

use camino::Utf8Path;
use infra_lib::internals::atomic;
use xshell::{Shell, cmd};

use crate::support::{scale, tool};

const OLD: &[u8] = b"OLD=1\n";
const NEW: &[u8] = b"NEW=1\n";
const CALLS: [&str; 6] = ["openat", "write", "fsync", "renameat", "renameat2", "flock"];

/// What the other tests run under strace, in a process of its own; by itself it does nothing.
#[test]
fn the_writer_under_strace() {
    let Ok(work) = std::env::var("INFRA_TEST_WRITER") else { return };
    let path = Utf8Path::new("file");
    match work.as_str() {
        "replace" => atomic::replace(path, NEW).unwrap(),
        _ => atomic::create_new(path, NEW).unwrap(),
    }
}

/// Whether the writer, in `folder`, came to a good end under these strace options.
fn run(folder: &Path, work: &str, options: &[&str]) -> bool {
    let sh = Shell::new().unwrap();
    sh.change_dir(folder);
    let program = std::env::current_exe().unwrap();
    let test = "dotenv::crash::the_writer_under_strace";
    let command = cmd!(sh, "strace -f -qq -o trace {options...} {program} --exact {test} --test-threads=1");
    command
        .quiet()
        .env("INFRA_TEST_WRITER", work)
        .env("RUST_BACKTRACE", "0")
        .ignore_status()
        .output()
        .unwrap()
        .status
        .success()
}

fn drafts(folder: &Path) -> Vec<std::path::PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.to_string_lossy().contains(".infra-draft")).collect()
}

/// Injects `what` into each call in turn, those of the process's own start included; tells how many runs failed.
fn sweep(work: &str, what: &str, look: impl Fn(&Path, bool)) -> usize {
    let fresh = || {
        let folder = tempfile::tempdir().unwrap();
        if work == "replace" {
            std::fs::write(folder.path().join("file"), OLD).unwrap();
        }
        folder
    };
    let mut failed = 0;
    for call in CALLS {
        let folder = fresh();
        assert!(run(folder.path(), work, &["-e", &format!("trace={call}")]));
        let trace = std::fs::read_to_string(folder.path().join("trace")).unwrap();
        for at in 1..=trace.matches(&format!("{call}(")).count() {
            let folder = fresh();
            let done = run(folder.path(), work, &["-e", &format!("inject={call}:{what}:when={at}")]);
            look(folder.path(), done);
            failed += usize::from(!done);
        }
    }
    failed
}

#[test]
fn e12_killed_at_any_call_the_file_is_old_or_new_and_the_draft_is_swept() {
    let Some(_strace) = tool("strace") else { return };
    for (work, before) in [("replace", Some(OLD)), ("create", None)] {
        let killed = sweep(work, "signal=KILL", |folder, done| {
            let file = folder.join("file");
            let text = std::fs::read(&file).ok();
            assert!(text.as_deref() == Some(NEW) || !done && text.as_deref() == before, "{work}: {text:?}");
            for draft in drafts(folder) {
                let draft = std::fs::File::open(draft).unwrap();
                draft.set_modified(SystemTime::now() - Duration::from_secs(100)).unwrap();
            }
            atomic::replace(Utf8Path::from_path(&file).unwrap(), NEW).unwrap();
            assert_eq!((drafts(folder).len(), std::fs::read(&file).unwrap()), (0, NEW.to_vec()));
        });
        assert!(killed >= 6, "{work}: only {killed} places were met");
    }
}

#[test]
fn e12_whatever_fails_the_old_file_stays_and_no_draft() {
    let Some(_strace) = tool("strace") else { return };
    for error in ["ENOSPC", "EIO", "EDQUOT", "EACCES"].into_iter().take(scale()) {
        let met = sweep("replace", &format!("error={error}"), |folder, done| {
            let text = std::fs::read(folder.join("file")).unwrap();
            // The folder's own sync comes last, when the new file is in place.
            assert!(text == NEW || !done && text == OLD, "{error}");
            assert_eq!(drafts(folder).len(), 0, "{error}");
        });
        assert!(met >= 6, "{error}: only {met} places were met");
    }
}

#[test]
fn s07_the_mode_is_given_at_birth_and_never_changed() {
    let Some(_strace) = tool("strace") else { return };
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), "create", &["-e", "trace=file,desc"]));
    let trace = std::fs::read_to_string(folder.path().join("trace")).unwrap();
    let birth = trace.lines().find(|line| line.contains(".infra-draft") && line.contains("O_CREAT")).unwrap();
    for part in ["O_EXCL", "O_NOFOLLOW", "O_CLOEXEC", ", 0600)"] {
        assert!(birth.contains(part), "{birth}");
    }
    assert!(!trace.contains("chmod"));
    let order: Vec<usize> = ["O_EXCL", "fsync(", "renameat2(", "fsync("]
        .iter()
        .scan(0, |from, call| {
            *from += trace[*from..].find(call)? + 1;
            Some(*from)
        })
        .collect();
    assert_eq!(order.len(), 4, "written, synced, renamed, folder synced: {trace}");
}
