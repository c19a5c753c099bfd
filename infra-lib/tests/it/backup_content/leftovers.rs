//! What lies in the folder of backups and is not ours, and what a killed run has left there.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::time::Duration;

use super::*;

#[test]
fn d37_only_what_a_run_of_ours_recorded_is_removed() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, "CREATE TABLE held AS SELECT 1 AS a;");
    back_up(&project);
    let backups = project.path("backups");
    let theirs = [
        ".my.pipe",
        ".mine.infra-part",
        ".mine.json.infra-part",
        ".mine.infra-draft",
        ".0123456789abcdef.pipe",
        ".infra-run-mine.json",
        "mine.dump",
    ];
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    for name in theirs {
        std::fs::write(backups.join(name), "mine").unwrap();
        std::fs::File::options().write(true).open(backups.join(name)).unwrap().set_modified(old).unwrap();
    }
    std::fs::create_dir(backups.join(".keep.pipe")).unwrap();
    std::fs::write(backups.join(".keep.pipe/mine"), "mine").unwrap();

    // A run that is killed leaves what it was writing and its record.
    let before = files(&project);
    for format in ["custom", "directory"] {
        let held = cluster.hold(&name, "held");
        let killed = project.xtask(["db-backup", "--format", format]).spawn();
        cluster.until_somebody_waits();
        killed.signal(rustix::process::Signal::KILL);
        killed.wait();
        assert!(files(&project).len() > before.len(), "{format}: it left something");
        drop(held);
        let (made, _) = back_up(&project);
        assert!(made["path"].is_string());
        let now = files(&project);
        let is_new = |name: &&String| !before.contains(name) && name.starts_with('.');
        assert_eq!(now.iter().filter(is_new).collect::<Vec<_>>(), [""; 0], "{format}");
    }
    project.xtask(["db-prune", "--keep-last", "1", "--yes"]).end();
    for name in theirs.into_iter().chain([".keep.pipe/mine"]) {
        assert_eq!(std::fs::read_to_string(backups.join(name)).unwrap(), "mine", "{name}");
    }
    assert!(!std::fs::metadata(backups.join(".my.pipe")).unwrap().file_type().is_fifo());
}

#[test]
fn d38_a_folder_that_a_group_may_write_to_is_refused() {
    let Some(_postgres) = postgres() else { return };
    let (project, _, _) = set_up();
    let (_, file) = back_up(&project);
    let set_mode = |mode| std::fs::set_permissions(project.path("backups"), PermissionsExt::from_mode(mode)).unwrap();
    set_mode(0o770);
    for words in [&["db-backup"][..], &["db-verify"], &["db-restore", "latest", "--yes"]] {
        project.xtask(words).end().code(77).says("is writable by its group").says("0700");
    }
    // A file from elsewhere is not trusted anyway.
    let received = project.path("received");
    std::fs::create_dir(&received).unwrap();
    std::fs::set_permissions(&received, PermissionsExt::from_mode(0o775)).unwrap();
    let copy = received.join(file.file_name().unwrap());
    std::fs::copy(&file, &copy).unwrap();
    set_mode(0o750);
    let restored = project.xtask(["db-restore", copy.to_str().unwrap(), "--unverified", "--into", "received"]).end();
    restored.ok();
    back_up(&project);
    set_mode(0o700);
    let made = std::fs::metadata(&file).unwrap();
    assert_eq!((made.mode() & 0o777, made.is_file()), (0o600, true));
}
