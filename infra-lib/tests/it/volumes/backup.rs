//! Backups of volumes.

use super::*;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn an_archive_is_listed_private_and_what_others_read() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["volume-backup"]).end().code(64).says("`[backup] volumes`");
    fill(&project);
    let made = project.xtask(["volume-backup", "media", "--name", "first", "--json"]).end().ok().outcome();
    let made = &made["volumes"][0];
    assert_eq!((made["volume"].as_str(), made["label"].as_str()), (Some("media"), Some("first")));
    let path = archive(&project);
    assert_eq!(made["path"], path.to_str().unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let sum = sha256(&std::fs::read(&path).unwrap());
    assert_eq!(made["sha256"], sum);

    // GNU's tar reads it, and finds all that is in the volume.
    let files: usize = within(&project, "find . -print0 | tr -dc '\\0' | wc -c").trim().parse().unwrap();
    let listed = docker([
        "run",
        "--rm",
        "--network",
        "none",
        "-v",
        &format!("{}:/x.tar.gz:ro", path.display()),
        "--entrypoint",
        "tar",
        IMAGE,
        "tzf",
        "/x.tar.gz",
    ]);
    assert_eq!(listed.lines().count(), files);

    // By the engine's name it is the same volume; and the list says so.
    project.xtask(["volume-backup", &format!("{}_media", project.name())]).end().ok().shows("verified: ");
    let list = project.xtask(["volume-backup", "--list", "--json"]).end().ok().outcome();
    assert_eq!(list["backups"].as_array().unwrap().len(), 2);
    assert!(
        list["backups"]
            .as_array()
            .unwrap()
            .iter()
            .all(|backup| backup["volume"] == "media" && backup["is_there"] == true)
    );
    project.xtask(["db-backup", "--list", "--json"]).end().ok().shows("\"backups\":[]");
    project.xtask(["db-verify", path.file_name().unwrap().to_str().unwrap()]).end().ok().shows("verified");

    no_one_offs(&project);
    project.xtask(["volume-backup", "medai"]).end().code(66).says("did you mean `media`?");
    project.xtask(["volume-backup", "media", "--name", "../x"]).end().code(64);
}

#[test]
fn what_a_database_keeps_in_files_is_refused() {
    let Some(_engine) = images(&[IMAGE, "redis:7-alpine"]) else { return };
    let project = TestProject::new().compose(&format!(
        "services:{DATABASE}    volumes: ['pg:/var/lib/postgresql/data', 'dumps:/dumps']\n  \
         cache: {{image: 'redis:7-alpine', volumes: ['cache:/data']}}\nvolumes: {{pg: {{}}, dumps: {{}}, cache: {{}}}}\n"
    ));
    project.xtask(["start"]).end().ok();
    project.xtask(["volume-backup", "pg"]).end().code(77).says("`db`").says("cargo xtask db-backup");
    project.xtask(["volume-restore", "pg", "latest", "--yes"]).end().code(77).says("cargo xtask db-restore");
    project.xtask(["volume-backup", "cache"]).end().code(77).says("Redis").says("cargo xtask stop cache");
    assert!(kept(&project).is_empty());
    // Beside its data, a database may keep what is plain files; and one that is stopped changes nothing.
    project.xtask(["volume-backup", "dumps"]).end().ok();
    project.xtask(["stop", "cache"]).end().ok();
    project.xtask(["volume-backup", "cache"]).end().ok();
}

#[test]
fn a_volume_that_changes_meanwhile_is_backed_up_with_a_warning() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(&project, "dd if=/dev/zero of=zeros bs=1M count=300 2>/dev/null");
    let id = project.container("web");
    docker([
        "exec",
        "-d",
        "-w",
        "/data",
        &id,
        "sh",
        "-c",
        "while [ ! -e stop ]; do echo line >>log; date >file-$(date +%N); done",
    ]);
    let made = project.xtask(["volume-backup", "media", "--json"]).end().ok().outcome();
    within(&project, "touch stop");
    let warnings = made["volumes"][0]["warnings"].to_string();
    assert!(warnings.contains("changed"), "{warnings}");
    project.xtask(["volume-backup", "--list"]).end().ok().shows("verified");
}

#[test]
fn declared_volumes_are_backed_up_together_and_a_dry_run_makes_nothing() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!("services:\n  web: {{{SLEEPS}, volumes: ['media:/data', 'more:/more']}}\nvolumes: {{media: {{}}, more: {{}}}}\n"))
        .file("infra.toml", "[backup]\nvolumes = [\"media\", \"more\"]\n");
    project.xtask(["volume-backup"]).end().code(66).says("`cargo xtask start` creates it");
    project.xtask(["start"]).end().ok();
    project.xtask(["volume-backup", "--dry-run"]).end().ok().shows("media");
    assert!(!project.path("backups").exists());
    project.xtask(["volume-backup"]).end().ok();
    assert_eq!(kept(&project).len(), 4);
    // While one is made, another one waits for nobody.
    within(&project, "dd if=/dev/urandom of=big bs=1M count=200 2>/dev/null");
    let first = project.xtask(["volume-backup", "media"]).spawn();
    first.until("backing up");
    let second = project.xtask(["volume-backup", "media"]).limit(Duration::from_secs(60)).end();
    assert!([0, 75].contains(&second.exit), "{second}");
    first.wait().ok();
}

#[test]
fn an_image_that_lacks_what_it_takes_gives_way_to_another() {
    let Some(_engine) = images(&[IMAGE, "busybox:stable"]) else { return };
    let bare = format!("it-bare-{}", std::process::id());
    let project = TestProject::new().compose(&format!(
        "services:\n  web: {{build: {{dockerfile_inline: \"FROM busybox:stable\\nRUN rm /bin/tar\"}}, entrypoint: [sleep, infinity], init: true, volumes: ['media:/data']}}\n  \
         other: {{{SLEEPS}}}\nvolumes: {{media: {{}}}}\n"
    ));
    project.xtask(["start"]).end().ok();
    within(&project, "echo one >file");
    project.xtask(["volume-backup", "media"]).end().ok().shows("1 file of").never_says(&bare);
}
