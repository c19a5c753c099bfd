//! Backups and clocks that are not trusted.

use super::*;

/// Makes a newest backup that is not good, and tells its name.
type Spoil = fn(&TestProject) -> String;

#[test]
fn a30_a32_a33_a34_a_bad_newest_backup_stops_all_removal() {
    let spoil: [(&str, Spoil); 6] = [
        ("is suspect", |project| backup(project, 9, 0, |manifest| manifest["suspect"] = json!(["half is gone"]))),
        ("is not verified", |project| backup(project, 9, 0, |manifest| manifest["verified"] = json!([]))),
        ("is not verified", |project| {
            let name = backup(project, 9, 0, |_| {});
            fs::remove_file(project.path(&format!("backups/{name}.dump"))).unwrap();
            name
        }),
        ("is not verified", |project| {
            let name = backup(project, 9, 0, |_| {});
            project.write(&format!("backups/{name}.dump"), "cut");
            name
        }),
        ("is suspect", |project| {
            let name = backup(project, 9, 0, |_| {});
            project.xtask(["db-verify", &name]).no_tty().end().code(65).shows("its SHA-256 is");
            name
        }),
        ("was changed after it was written", |project| {
            let name = backup(project, 9, 0, |_| {});
            let path = format!("backups/{name}.json");
            project.write(&path, &project.read(&path).replace("\"bytes\":65536", "\"bytes\":65537"));
            name
        }),
    ];
    for (why, spoil) in spoil {
        let project = project();
        nightly(&project, 8);
        prune(&project, &[]).ok().shows("5 can be deleted");
        let bad = spoil(&project);
        let before = content(&project);
        prune(&project, &["--yes"])
            .code(2)
            .shows("nothing is removed: ")
            .shows(why)
            .shows(&bad)
            .never_says("can be deleted");
        assert_eq!(content(&project), before, "{why}");
    }
}

#[test]
fn a35_a_clock_that_jumps_removes_nothing_and_no_file_time_counts() {
    for (change, why) in
        [(-10 * 365 * 24, "is dated in the future"), (50, "a clock has jumped"), (10 * 365 * 24, "a clock has jumped")]
    {
        let project = project();
        nightly(&project, 8);
        backup(&project, 9, change, |_| {});
        let before = content(&project);
        prune(&project, &["--yes"]).code(2).shows("nothing is removed: ").shows(why);
        assert_eq!(content(&project), before, "{change}");
    }
    // Whoever copies a folder changes the times of its files, and not what its backups are.
    let project = project();
    let made = nightly(&project, 8);
    for name in &made {
        let file = fs::File::options().write(true).open(project.path(&format!("backups/{name}.dump"))).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
    prune(&project, &["--yes"]).ok();
    assert!(whole(&project) == 3 && project.path(&format!("backups/{}.dump", made[7])).exists());
}
