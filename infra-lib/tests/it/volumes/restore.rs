//! Restores of volumes.

use super::*;

fn round_trip(image: &str) {
    let project = shop_on(image);
    project.xtask(["start"]).end().ok();
    fill(&project);
    let before = portrait(&project);
    project.xtask(["volume-backup", "media"]).end().ok();

    within(&project, "rm -rf a 'odd name' deep big; echo other >other; echo changed >empty; chmod 700 .; chown 0:0 .");
    let changed = portrait(&project);
    assert_ne!(before, changed);
    let report = project.xtask(["volume-restore", "media", "latest", "--yes", "--json"]).end().ok().outcome();
    assert_eq!(portrait(&project), before);
    assert_eq!((project.state("web"), report["restarted"].to_string()), ("running".to_owned(), "[\"web\"]".to_owned()));
    assert_eq!(within(&project, "ls -A | grep -c infra-restore || true"), "0");

    // What was there before the restore can be had back too.
    assert!(report["safety_backup"].as_str().unwrap().contains("before-restore"));
    project.xtask(["volume-restore", "media", "before-restore", "--yes"]).end().ok();
    assert_eq!(portrait(&project), changed);
    no_one_offs(&project);
    assert!(!project.path(".infra/volume-restore.json").exists());
}

#[test]
fn everything_comes_back_with_gnus_tar() {
    let Some(_engine) = engine() else { return };
    round_trip(IMAGE);
}

#[test]
fn everything_comes_back_with_busyboxs_tar() {
    let Some(_engine) = images(&[IMAGE, "busybox:stable"]) else { return };
    round_trip("busybox:stable");
}

#[test]
fn extended_attributes_and_fractions_of_seconds_come_back() {
    let Some(_engine) = images(&[IMAGE, "python:3.13-slim"]) else { return };
    let project = shop_on("python:3.13-slim");
    project.xtask(["start"]).end().ok();
    within(
        &project,
        "echo x >file; touch -d '2020-01-02 03:04:05.678901234' file; python3 -c \"import os; os.setxattr('file', 'user.colour', b'blue\\n\\0')\"",
    );
    let look =
        || within(&project, "stat -c %y file; python3 -c \"import os; print(os.getxattr('file', 'user.colour'))\"");
    let before = look();
    project.xtask(["volume-backup", "media"]).end().ok();
    within(&project, "rm file");
    project.xtask(["volume-restore", "media", "latest", "--yes"]).end().ok();
    assert_eq!(look(), before);
}

#[test]
fn d34_the_copy_that_a_restore_makes_is_never_the_latest_backup() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(&project, "echo good >file");
    project.xtask(["volume-backup", "media"]).end().ok();
    within(&project, "echo bad >file");
    // The second attempt restores what the first one did.
    for _ in 0..2 {
        let report = project.xtask(["volume-restore", "media", "latest", "--yes", "--json"]).end().ok().outcome();
        assert!(!report["backup"].as_str().unwrap().contains("before-restore"), "{report}");
        assert_eq!(within(&project, "cat file"), "good");
    }
    for command in
        [&["volume-backup", "media", "--name", "before-restore"][..], &["db-backup", "--name", "before-restore"]]
    {
        project.xtask(command).end().code(64).says("names what a restore replaced");
    }
}

#[test]
fn g05_who_may_restore_a_volume() {
    let Some(_script) = tool("script") else { return };
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(&project, "echo one >file");
    project.xtask(["volume-backup", "media"]).end().ok();
    within(&project, "echo two >file");
    project.xtask(["volume-restore", "media", "latest"]).no_tty().end().code(64).says("--yes");
    project.xtask(["volume-restore", "media", "latest"]).pty([("media", "n\n")]).end().code(64);
    project.xtask(["volume-restore", "media", "latest", "--dry-run"]).end().ok();
    project.xtask(["volume-restore", "media", "nightly", "--yes"]).end().code(66).says("has no backup `nightly`");
    project.write("infra.toml", "[environments.development]\nprotected = true\n");
    project.xtask(["volume-restore", "media", "latest", "--yes"]).no_tty().end().code(77).says("--confirm");
    assert_eq!(within(&project, "cat file"), "two");
    assert_eq!(kept(&project).len(), 2);
    project.xtask(["volume-restore", "media", "latest", "--confirm", project.name()]).no_tty().end().ok();
    assert_eq!(within(&project, "cat file"), "one");
}

#[test]
fn c10_a_backup_of_something_else_is_refused() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:\n  web: {{{SLEEPS}, volumes: ['media:/data', 'more:/more']}}\nvolumes: {{media: {{}}, more: {{}}}}\n"
    ));
    project.xtask(["start"]).end().ok();
    within(&project, "echo one >file");
    project.xtask(["volume-backup", "media", "--name", "mine"]).end().ok();
    let file = archive(&project).file_name().unwrap().to_str().unwrap().to_owned();
    project.xtask(["volume-restore", "more", "mine", "--yes"]).end().code(66);
    project.xtask(["volume-restore", "more", &file, "--yes"]).end().code(77).says("--allow-foreign");
    assert_eq!(docker(["exec", &project.container("web"), "ls", "/more"]), "");
    project.xtask(["volume-restore", "more", &file, "--yes", "--allow-foreign"]).end().ok();
    assert_eq!(docker(["exec", &project.container("web"), "cat", "/more/file"]), "one");

    // Somebody else's container would see the exchange.
    let mut bystanders = Bystanders::new();
    let stranger = bystanders.container(&[]);
    let volume = format!("{}_media", project.name());
    let guest = docker([
        "run",
        "-d",
        "--init",
        "--network",
        "none",
        "-v",
        &format!("{volume}:/x"),
        "--entrypoint",
        "sleep",
        IMAGE,
        "infinity",
    ]);
    let ended = project.xtask(["volume-restore", "media", "mine", "--yes"]).end();
    docker(["rm", "-f", &guest]);
    ended.code(77).says("is not a service of this project");
    assert!(!stranger.is_empty());
    bystanders.unchanged();
}

#[test]
fn c17_a_restore_that_is_told_to_end_leaves_all_as_it_was() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(&project, "dd if=/dev/urandom of=big bs=1M count=200 2>/dev/null; echo one >file");
    project.xtask(["volume-backup", "media"]).end().ok();
    within(&project, "echo two >file; rm big");
    let before = portrait(&project);
    for moment in ["backing up the volume", "restoring the volume"] {
        let running = project.xtask(["volume-restore", "media", "latest", "--yes"]).spawn();
        running.until(moment);
        running.signal(rustix::process::Signal::INT);
        let ended = running.wait();
        ended.code(130);
        assert_eq!(project.state("web"), "running", "{ended}");
        assert_eq!(portrait(&project), before, "{ended}");
        no_one_offs(&project);
    }
    project.xtask(["start"]).end().ok().never_says("interrupted");
}
