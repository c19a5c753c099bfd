//! Database, volumes and files as one set.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn stack() -> TestProject {
    let project = TestProject::new()
        .compose(&format!(
            "services:{}  web: {{{SLEEPS}, environment: {{COLOUR: '${{COLOUR:-none}}'}}, volumes: ['media:/data']}}\nvolumes: {{media: {{}}}}\n",
            DATABASE.replace("fixture-password", "'${DB_PASSWORD:?}'")
        ))
        .file(".env", "DB_PASSWORD=a-secret-canary\nCOLOUR=blue\n")
        .file("nginx/conf.d/site.conf", "listen 80;\n")
        .file("infra.toml", "[backup]\nvolumes = [\"media\"]\nfiles = [\"nginx/conf.d\", \".env\"]\n");
    project.xtask(["start"]).end().ok();
    project
}

fn sql(project: &TestProject, sql: &str) -> String {
    project.xtask(["db-shell", "-c", sql]).end().ok().stdout.clone()
}

#[test]
fn a_set_comes_back_whole() {
    let Some(_engine) = engine() else { return };
    let project = stack();
    sql(&project, "create table t as select 1 as n");
    within(&project, "echo one >file");
    let made = project.xtask(["backup", "--json"]).end().ok().never_says("canary").outcome();
    assert_eq!(made["parts"].as_array().unwrap().len(), 3);
    let id = made["id"].as_str().unwrap().to_owned();
    let files = made["parts"][2].as_str().unwrap();
    assert!(files.contains("-files-"), "{files}");
    assert_eq!(std::fs::metadata(files).unwrap().permissions().mode() & 0o777, 0o600);
    let list = project.xtask(["backup", "--list", "--json"]).end().ok().outcome();
    assert_eq!((list["sets"][0]["id"].as_str(), list["sets"][0]["is_whole"].as_bool()), (Some(&*id), Some(true)));
    project.xtask(["db-backup", "--list", "--json"]).end().ok().shows("\"backups\":[{");

    sql(&project, "update t set n = 2");
    within(&project, "echo two >file");
    project.write(".env", "DB_PASSWORD=a-secret-canary\nCOLOUR=red\n");
    project.write("nginx/conf.d/site.conf", "listen 81;\n");
    project.write("nginx/conf.d/own.conf", "mine\n");
    project.xtask(["restore", "latest"]).no_tty().end().code(64).says("--yes");
    project.xtask(["restore", "1999-01-01", "--yes"]).end().code(66).says(&id);
    let day = &made["created"].as_str().unwrap()[..10];
    let report = project.xtask(["restore", day, "--yes", "--json"]).end().ok().never_says("canary").outcome();
    assert_eq!(report["not_ready"].to_string(), "[]");
    assert!(sql(&project, "select n from t").contains(" 1\n"));
    assert_eq!(within(&project, "cat file; echo $COLOUR"), "one\nblue");
    assert_eq!(project.read(".env"), "DB_PASSWORD=a-secret-canary\nCOLOUR=blue\n");
    assert_eq!(
        (project.read("nginx/conf.d/site.conf").as_str(), project.read("nginx/conf.d/own.conf").as_str()),
        ("listen 80;\n", "mine\n")
    );

    // What gave way is kept, for its owner alone.
    let kept = std::fs::read_dir(project.path(".infra/restored")).unwrap().flatten().next().unwrap().path();
    assert_eq!(std::fs::read_to_string(kept.join(".env")).unwrap(), "DB_PASSWORD=a-secret-canary\nCOLOUR=red\n");
    assert_eq!(std::fs::read_to_string(kept.join("nginx/conf.d/site.conf")).unwrap(), "listen 81;\n");
    assert_eq!(std::fs::metadata(kept.join(".env")).unwrap().permissions().mode() & 0o777, 0o600);

    // One damaged part, and nothing is touched.
    let mut bytes = std::fs::read(files).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(files, bytes).unwrap();
    within(&project, "echo three >file");
    project.xtask(["restore", &id, "--yes"]).end().code(65);
    assert_eq!(within(&project, "cat file"), "three");
    std::fs::remove_file(files).unwrap();
    project.xtask(["backup", "--list"]).end().code(2).shows("a part is missing");
}

#[test]
fn a_set_that_was_not_finished_is_none() {
    let Some(_engine) = engine() else { return };
    let project = stack();
    within(&project, "dd if=/dev/urandom of=big bs=1M count=200 2>/dev/null");
    let running = project.xtask(["backup"]).spawn();
    running.until("backing up the volume");
    running.signal(rustix::process::Signal::KILL);
    running.wait();
    let list = project.xtask(["backup", "--list", "--json"]).end().ok().outcome();
    assert_eq!(list["sets"].to_string(), "[]");
    // The database's part is whole, and stays a backup.
    project.xtask(["db-verify", "latest"]).end().ok();
    project.xtask(["backup"]).end().ok();
    let list = project.xtask(["backup", "--list", "--json"]).end().ok().outcome();
    assert_eq!(list["sets"].as_array().unwrap().len(), 1);

    project.write("infra.toml", "[backup]\nfiles = [\"../outside\"]\n");
    project.xtask(["backup"]).end().code(78);
    project.write("infra.toml", "[backup]\nfiles = [\"missing\"]\n");
    project.xtask(["backup"]).end().code(66).says("missing");
}
