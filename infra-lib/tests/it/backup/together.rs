//! Several at once.

use super::*;

#[test]
fn a14_i01_of_ten_at_once_one_works_and_the_others_name_it() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let mut running: Vec<Running> = (0..10).map(|_| project.xtask(["db-backup", "--quiet"]).spawn()).collect();
    until_somebody_waits(&project);
    wait_until("nine have given up", Duration::from_secs(20), || {
        let ended = running.iter_mut().filter_map(|one| one.has_ended().then_some(())).count();
        if ended == 9 { Ok(()) } else { Err(ended.to_string()) }
    });
    let at = running.iter_mut().position(|one| !one.has_ended()).unwrap();
    let holder = running.remove(at);
    let name = format!("`db-backup`, process {}, since ", holder.pid());
    for other in running {
        other.wait().code(75).says(&name);
    }
    drop(held);
    holder.wait().ok().silent();
    assert_eq!(listed(&project).len(), before.listed.len() + 1);
}

#[test]
fn a15_backups_of_the_same_second_have_names_of_their_own() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    // Whatever the second is, its name is taken, and so are the next ones.
    let before = Before::of(&project);
    let made: Vec<_> = (0..4).map(|_| project.xtask(["db-backup", "--json"]).end().outcome()).collect();
    let ids: BTreeSet<_> = made.iter().map(|made| made["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(listed(&project).len(), before.listed.len() + 4);
    project.xtask(["db-verify", "--all"]).end().ok();
}

#[test]
fn a16_a_backup_and_what_would_replace_or_remove_its_database_exclude_each_other() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let backup = project.xtask(["db-backup"]).spawn();
    until_somebody_waits(&project);
    let others = [&["db-restore", "latest", "--yes"][..], &["clean", "--all", "--yes"]];
    let others = others.map(|words| project.xtask(words.iter().copied()).spawn());
    for other in others {
        other.wait().code(75).says(&format!("`db-backup`, process {}, since ", backup.pid()));
    }
    drop(held);
    backup.wait().ok();
    assert_eq!(sql(&project, "SELECT count(*) FROM plain"), "1000");
    assert_eq!(listed(&project).len(), before.listed.len() + 1);
}

#[test]
fn a16_a_backup_does_not_begin_while_the_database_is_being_replaced() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let before = Before::of(&project);
    let lock = std::fs::OpenOptions::new().write(true).open(project.path(".infra/database.lock")).unwrap();
    lock.lock().unwrap();
    std::fs::write(
        project.path(".infra/database.lock"),
        r#"{"pid":4711,"operation":"db-restore","since":"2026-01-01T00:00:00Z"}"#,
    )
    .unwrap();
    let ended = project.xtask(["db-backup"]).end();
    ended.code(75).says("`db-restore`, process 4711, since 2026-01-01T00:00:00Z");
    drop(lock);
    before.holds(&ended);
}
