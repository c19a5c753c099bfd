//! `docs/shims`: the old names, forwarded.

use crate::readme::markdown::root;
use crate::support::*;

/// What a shim runs, by an `XTASK` that says its words, each in brackets.
fn forwarded(project: &TestProject, words: &[&str]) -> (i32, String) {
    let output = command(project.path("infra").join(words[0]))
        .args(&words[1..])
        .env("XTASK", project.path("say"))
        .current_dir("/")
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn with_shims() -> TestProject {
    use std::os::unix::fs::PermissionsExt as _;
    let project = TestProject::new().file("say", "#!/bin/sh\nprintf '[%s]' \"$@\"\n").file("infra/docs/x", "");
    let mut entries = std::fs::read_dir(root().join("docs/shims")).unwrap().flatten();
    entries.by_ref().for_each(|entry| {
        std::fs::copy(entry.path(), project.path("infra").join(entry.file_name())).unwrap();
    });
    std::fs::set_permissions(project.path("say"), std::fs::Permissions::from_mode(0o755)).unwrap();
    project
}

#[test]
fn scripts_hand_their_old_arguments_on() {
    let project = with_shims();
    for (old, new) in [
        (&["start.sh"][..], "[start]"),
        (&["start.sh", "production"], "[-e][production][start]"),
        (&["stop.sh"], "[stop]"),
        (&["restart.sh", "backend"], "[restart][backend]"),
        (&["logs.sh"], "[logs]"),
        (&["logs.sh", "backend", "-f"], "[logs][backend][--follow]"),
        (&["logs.sh", "backend", "100"], "[logs][backend][--tail][100]"),
        (&["clean.sh", "--all", "--volumes", "--force"], "[clean][--all][--volumes][--yes]"),
        (&["backup-db.sh"], "[db-backup]"),
        (&["backup-db.sh", "a b"], "[db-backup][--name][a b]"),
        (&["restore-db.sh", "a b"], "[db-restore][a b]"),
        (&["backup.sh"], "[backup]"),
        (&["restore.sh", "2026-11-20"], "[restore][2026-11-20]"),
        (&["health-check.sh"], "[health]"),
        (&["dev-setup.sh"], "[setup]"),
    ] {
        assert_eq!(forwarded(&project, old), (0, new.to_owned()), "{old:?}");
    }
    for old in ["restore-db.sh", "restore.sh"] {
        assert_eq!(forwarded(&project, &[old]).0, 64, "{old}");
    }
}

#[test]
fn the_makefile_hands_every_target_on() {
    let Some(make) = tool("make") else { return };
    let project = with_shims();
    let run = |words: &[&str]| {
        let mut call = command(&make);
        call.args(["--no-print-directory"])
            .args(words)
            .env("XTASK", project.path("say"))
            .current_dir(project.path("infra"));
        let output = call.env_remove("MAKEFLAGS").output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    for target in super::names::TARGETS.split_whitespace().filter(|target| *target != "db-restore") {
        // A folder `docs` is there.
        assert_eq!(run(&[target]), (0, format!("[{target}]")), "{target}");
    }
    assert_eq!(run(&[]), (0, "[help]".to_owned()));
    assert_eq!(run(&["db-restore"]), (0, "[db-restore][latest]".to_owned()));
    assert_eq!(run(&["db-restore", "FILE=x"]), (0, "[db-restore][x]".to_owned()));
    assert_eq!(run(&["logs", "ARGS=backend --tail 20"]), (0, "[logs][backend][--tail][20]".to_owned()));
    assert_eq!(run(&["setup", "start"]), (0, "[setup][start]".to_owned()));
}

/// Through the shims to the program itself: the exit code is the program's.
#[test]
fn exit_codes_come_through() {
    let Some(make) = tool("make") else { return };
    let project = with_shims().compose("services: {}\n");
    let script = command(project.path("infra/restart.sh")).arg("nobody").env("XTASK", program()).output().unwrap();
    let ours = project.xtask(["restart", "nobody"]).end();
    assert_eq!(script.status.code(), Some(ours.exit), "{ours}");
    // Make has but one way to say no.
    let forwarded = command(make)
        .args(["restart", "ARGS=nobody"])
        .env("XTASK", program())
        .current_dir(project.path("infra"))
        .output();
    assert_eq!(forwarded.unwrap().status.code(), Some(2));
}
