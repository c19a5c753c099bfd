//! The disk that the backups are on.

use super::*;

/// A project whose folder of backups is a small disk of its own.
fn on_disk(options: &str) -> (TestProject, Mount) {
    let project = local(10);
    let disk = Mount::tmpfs(project.path(DIR), options);
    (project, disk)
}

/// Much more than fits.
pub(super) const MORE: &str = "CREATE TABLE more AS SELECT i, (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 100) WHERE i > 0) \
                    FROM generate_series(1, 4000) i";

#[test]
fn a01_a_disk_that_fills_up_mid_dump_leaves_what_was_there() {
    let (Some(_postgres), Some(())) = (postgres(), mounts()) else { return };
    let (project, _disk) = on_disk("size=4m");
    let before = Before::of(&project);
    sql(&project, MORE);
    for words in [&["db-backup"][..], &["db-backup", "--format", "directory"], &["db-backup", "--format", "sql"]] {
        let full = project.xtask(words.iter().copied()).end();
        full.code(73).says("backups is full: ").says(" written, ").says(" free\nhint: ");
        before.unchanged(&full);
        before.tidy(&full);
    }
    sql(&project, "DROP TABLE more");
    before.recovers();
}

#[test]
fn a02_too_little_room_is_said_before_anything_is_written() {
    let (Some(_postgres), Some(())) = (postgres(), mounts()) else { return };
    let (project, disk) = on_disk("size=20m");
    sql(&project, MORE);
    let before = Before::of(&project);
    disk.change("size=10m");
    let refused = project.xtask(["db-backup"]).end();
    refused.code(73).says("has too little space: ").never_says("backing up");
    before.unchanged(&refused);
    before.tidy(&refused);
    disk.change("size=40m");
    before.recovers();
}

#[test]
fn a03_a_disk_without_inodes_is_not_called_full_of_bytes() {
    let (Some(_postgres), Some(())) = (postgres(), mounts()) else { return };
    // The folder itself, marker, lock, link, and a backup of three files; six are left.
    let (project, disk) = on_disk("size=20m,nr_inodes=13");
    disk.change("nr_inodes=100");
    let before = Before::of(&project);
    disk.change("nr_inodes=13");
    let refused = project.xtask(["db-backup"]).end();
    refused.code(73).says("6 inodes free").never_says("backing up");
    before.unchanged(&refused);
    // Nobody knew how many files it would take.
    disk.change("nr_inodes=20");
    let tables: Vec<String> = (0..20).map(|number| format!("CREATE TABLE t{number} AS SELECT 1;")).collect();
    sql(&project, &tables.concat());
    let full = project.xtask(["db-backup", "--format", "directory"]).end();
    full.code(73).says("no inodes free");
    before.unchanged(&full);
    before.tidy(&full);
    before.recovers();
}

#[test]
fn a39_a_folder_that_cannot_be_written_to_is_found_before_the_database_is_asked() {
    let (Some(_postgres), Some(())) = (postgres(), mounts()) else { return };
    let (project, disk) = on_disk("size=20m");
    let before = Before::of(&project);
    project.xtask(["stop"]).end().ok();
    disk.change("ro");
    let refused = project.xtask(["db-backup"]).end();
    refused.code(73).says("mounted read-only").never_says("backing up");
    before.unchanged(&refused);
    disk.change("rw");
    project.xtask(["db-backup"]).end().code(69);
    project.xtask(["start"]).end().ok();
    before.tidy(&refused);
    before.recovers();
}

#[test]
fn a39_somebody_elses_folder_is_refused_with_its_name() {
    let (Some(_postgres), Some(()), Some(())) = (postgres(), mounts(), cron()) else { return };
    let project = local(10);
    let before = Before::of(&project);
    let settings = format!("[database]\nurl = \"env:URL\"\n[backup]\ndir = {:?}\n", project.path(DIR));
    let other = TestProject::new().file("infra.toml", &format!("{MANIFEST}{settings}"));
    let other = other.file(".env", "URL=postgres://nobody:x@127.0.0.1:1/nothing\n").open_to_all();
    let somebody = Somebody::new();
    somebody.own(&other);
    for dir in [project.dir().parent().unwrap(), project.dir()] {
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    for mode in [0o700, 0o555] {
        std::fs::set_permissions(project.path(DIR), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let refused = somebody.calls(other.xtask(["db-backup"])).end();
        refused.code(73).says(&project.path(DIR).display().to_string());
    }
    std::fs::set_permissions(project.path(DIR), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    before.recovers();
}
