//! What is not removed.

use super::*;

#[test]
fn a37_what_is_not_ours_stays_to_the_last_byte() {
    let project = project();
    let made = nightly(&project, 8);
    let foreign = TestProject::new();
    let stem = |at: i64| (Timestamp::now() - SignedDuration::from_hours(at)).strftime("%Y%m%dT%H%M%SZ").to_string();
    // Another project's and another environment's, in the same folder; and one with a name.
    backup(&project, 20, 2400, |manifest| manifest["project"] = "somebody".into());
    backup(&project, 21, 2401, |manifest| manifest["environment"] = "staging".into());
    let named = backup(&project, 0, 2402, |manifest| manifest["label"] = "before-the-move".into());
    for (path, text) in [
        ("notes.txt", "mine"),
        ("old.tar.gz", "mine"),
        ("shop_2020-01-01.sql.gz", "mine"),
        ("report.json", "{\"sequence\": 1}"),
        ("broken.json", "{"),
        ("deeper/x.dump", "mine"),
        (&format!("{}-shop-{}.dump", project.name(), stem(5000)), "no manifest: no backup"),
    ] {
        project.write(&format!("backups/{path}"), text);
    }
    foreign.write("precious", "not to be followed");
    std::os::unix::fs::symlink(foreign.path("precious"), project.path("backups/link.dump")).unwrap();
    // A copy of a manifest names the same files; the one with a name keeps them.
    let text: Value = serde_json::from_str(&project.read(&format!("backups/{}.json", made[1]))).unwrap();
    let mut copy = text;
    copy.as_object_mut().unwrap().shift_remove("checksum");
    copy["label"] = "copied".into();
    seal(&project, "copied", copy);

    let before = content(&project);
    prune(&project, &["--yes"]).ok();
    let after = content(&project);
    let gone: Vec<String> = before
        .keys()
        .filter(|path| !after.contains_key(*path))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let files = |name: &String, kinds: &[&str]| kinds.iter().map(|kind| format!("{name}.{kind}")).collect::<Vec<_>>();
    let mut expected: Vec<String> =
        [0, 2, 3, 4].iter().flat_map(|&at| files(&made[at], &["dump", "globals.sql", "json"])).collect();
    expected.extend(files(&made[1], &["json"]));
    expected.sort();
    assert_eq!(gone, expected);
    assert!(after.iter().all(|(path, content)| before[path] == *content), "nothing was changed or added");
    assert!(project.path(&format!("backups/{named}.json")).exists());
    assert_eq!(foreign.read("precious"), "not to be followed");
}

#[test]
fn a37_volumes_are_judged_by_themselves_and_a_set_stays_whole() {
    let project = project();
    nightly(&project, 4);
    let volume = |manifest: &mut Value| {
        manifest.as_object_mut().unwrap().shift_remove("database");
        manifest["volume"] = "media".into();
    };
    let set = |of: fn(&mut Value)| {
        move |manifest: &mut Value| {
            of(manifest);
            manifest["set"] = "s1".into();
        }
    };
    // Three old backups of a volume, the floor; the first of them was made with one of the database.
    backup(&project, 10, 24 * 20, set(volume));
    let with = backup(&project, 0, 24 * 20 + 1, set(|_| {}));
    backup(&project, 11, 24 * 19, volume);
    backup(&project, 12, 24 * 18, volume);
    prune(&project, &["--yes"]).ok().shows("removed 1").shows("set");
    assert!(whole(&project) == 7 && project.path(&format!("backups/{with}.json")).exists());
}

#[test]
fn a14_a_folder_in_which_a_backup_is_made_is_left_alone() {
    let project = project();
    nightly(&project, 8);
    let lock = fs::File::create(project.path("backups/backup.lock")).unwrap();
    lock.lock().unwrap();
    prune(&project, &["--yes"]).code(75).says("another operation is running");
    prune(&project, &[]).ok();
    assert_eq!(whole(&project), 8);
    drop(lock);
    prune(&project, &["--yes"]).ok();
    assert_eq!(whole(&project), 3);
}

#[test]
fn a39_what_cannot_be_removed_is_told() {
    let Some(_strace) = tool("strace") else { return };
    let project = project();
    nightly(&project, 5);
    let log = tempfile::NamedTempFile::new().unwrap();
    let call = project.xtask(["db-prune", "--yes"]).no_tty();
    // The first rename takes away the first manifest.
    let ended = call.strace("inject=renameat2:error=EROFS:when=1", log.path()).end();
    ended.code(3).shows("NOT DELETED").shows("removed 1");
    assert_eq!(whole(&project), 4);
    let call = project.xtask(["db-prune", "--yes"]).no_tty();
    call.strace("inject=renameat2:error=EROFS", log.path()).end().code(1).shows("NOT DELETED");
    prune(&project, &["--yes"]).ok();
    assert!(whole(&project) == 3 && content(&project).len() == 9);
}

#[test]
fn b09_a_manifest_cannot_talk_to_the_terminal() {
    let project = project();
    nightly(&project, 3);
    backup(&project, 9, 0, |manifest| {
        manifest["id"] = "\u{1b}[2Jx".into();
        manifest["label"] = "\u{1b}[2Jx".into();
    });
    prune(&project, &[]).ok().never_says("\u{1b}");
}

#[test]
fn where_there_is_nothing_there_is_nothing_to_do() {
    let project = project();
    prune(&project, &["--yes"]).ok().shows("there are no backups in");
    assert!(!project.path("backups").exists());
}
