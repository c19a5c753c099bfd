//! The lines in the user's crontab.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::time::Duration;

use super::*;

const FOREIGN: &str = "# m h dom mon dow command\nMAILTO=\"me@example.org\"\n\n0 1 * * * date +\\%F >>log # \u{e4}\n";

#[test]
fn f13_installed_again_and_removed() {
    let Some(()) = cron() else { return };
    let owned = owned();
    // A database that does not answer is one.
    owned.project.write("infra.toml", "[database]\nurl = \"env:DATABASE_URL\"\n");
    let foreign = [FOREIGN.as_bytes(), b"# \xff\xfe\n"].concat();
    owned.user.write_crontab(&foreign);
    let printed = owned.xtask("schedule print").end().ok().stdout.clone();

    let dry = owned.xtask("schedule install --dry-run").end();
    dry.ok().shows("# copy this program to ").shows("#   30 2 * * * /usr/bin/env ");
    assert_eq!(owned.user.crontab(), foreign);
    assert!(!owned.project.path(".infra").exists());

    let installed = owned.xtask("schedule install --json").end().ok().outcome();
    assert_eq!((&installed["changed"], &installed["copied"]), (&true.into(), &true.into()));
    assert_eq!(installed["user"], owned.user.name.as_str());
    assert_eq!(owned.user.crontab(), [&foreign[..], printed.as_bytes()].concat());
    let mode = |path: &str| owned.project.path(path).metadata().unwrap().mode() & 0o7777;
    assert_eq!((mode(".infra/bin"), mode(".infra/bin/xtask")), (0o700, 0o700));

    let inode = owned.project.path(".infra/bin/xtask").metadata().unwrap().ino();
    let again = owned.xtask("schedule install --json").end().ok().outcome();
    assert_eq!((&again["changed"], &again["copied"]), (&false.into(), &false.into()));
    owned.xtask("schedule install -q").end().ok();
    assert_eq!(owned.project.path(".infra/bin/xtask").metadata().unwrap().ino(), inode);
    assert_eq!(owned.user.crontab(), [&foreign[..], printed.as_bytes()].concat());

    owned.xtask("schedule remove --dry-run").end().ok().shows("# remove this project's lines");
    assert_ne!(owned.user.crontab(), foreign);
    owned.xtask("schedule remove").end().ok().shows("removed health, */5 * * * *");
    assert_eq!(owned.user.crontab(), foreign);
    owned.xtask("schedule remove").end().ok().shows("nothing was scheduled");
    assert!(owned.project.read(".infra/journal.jsonl").contains("\"schedule\""));
}

#[test]
fn one_job_after_the_other() {
    let Some(()) = cron() else { return };
    let owned = owned();
    let jobs = || owned.lines().iter().map(|line| line.split_once(" -q ").unwrap().1.to_owned()).collect::<Vec<_>>();
    owned.xtask("schedule install --at 'daily 03:00' -- describe --addresses").end().ok();
    assert_eq!(jobs(), ["describe --addresses"], "the usual jobs come only where nothing is asked for");
    owned.xtask("schedule install --at hourly ps").end().ok();
    owned.xtask("schedule install --at 'every 10m' -- describe --addresses").end().ok();
    owned.xtask("schedule install").end().ok();
    assert_eq!(jobs(), ["describe --addresses", "ps"]);
    assert!(owned.lines()[0].starts_with("*/10 * * * * "), "another time takes the place of the first");
    owned.xtask("schedule remove -- describe").end().code(66).says("`describe` is not scheduled");
    owned.xtask("schedule remove -- describe --addresses").end().ok().shows("removed describe --addresses");
    assert_eq!(jobs(), ["ps"]);
    owned.xtask("schedule remove ps").end().ok();
    assert_eq!(owned.crontab(), "", "where there was no crontab, there is none again");
}

#[test]
fn projects_and_environments_get_along() {
    let Some(()) = cron() else { return };
    let first = owned();
    let second = own(TestProject::new(), Somebody::new());
    // The second checkout is the first user's too.
    first.user.own(&second.project);
    let second = |line: &str| first.user.calls(second.project.xtask(shlex::split(line).unwrap())).end();
    first.user.write_crontab(FOREIGN);
    first.xtask("schedule install --at hourly ps").end().ok();
    let one = first.crontab();
    second("schedule install --at hourly ps").ok();
    let two = first.crontab();
    first.project.write(".env.production", "A=1\n");
    first.user.own(&first.project);
    first.xtask("-e production schedule install --at 'daily 02:00' ps").end().ok();
    let three = first.crontab();
    assert!(three.starts_with(&two) && two.starts_with(&one) && one.starts_with(FOREIGN), "{three}");
    assert!(
        three.lines().any(|line| line.starts_with("0 2 * * * ") && line.contains(" -e production -q ps")),
        "{three}"
    );

    first.xtask("schedule remove").end().ok();
    assert_eq!(first.crontab(), three.replace(one.strip_prefix(FOREIGN).unwrap(), ""));
    first.xtask("-e production schedule remove").end().ok();
    second("schedule remove").ok();
    assert_eq!(first.crontab(), FOREIGN);
}

#[test]
fn e12_several_at_once_lose_nobodys_lines() {
    let Some(()) = cron() else { return };
    let user = Somebody::new();
    let projects: Vec<TestProject> = (0..4).map(|_| TestProject::new().compose("services: {}\n")).collect();
    for project in &projects {
        user.own(project);
    }
    let calls = projects.iter().map(|project| user.calls(project.xtask(["schedule", "install"])).spawn());
    for running in calls.collect::<Vec<_>>() {
        running.wait().ok();
    }
    let crontab = String::from_utf8(user.crontab()).unwrap();
    for project in &projects {
        let dir = project.dir().to_str().unwrap();
        assert_eq!(crontab.lines().filter(|line| line.ends_with(&format!(" in {dir}"))).count(), 2, "{crontab}");
    }
}

#[test]
fn b09_i02_hostile_paths_come_through_cron_and_shell() {
    let Some(()) = cron() else { return };
    for folder in ["a b 100% $(touch x) it's \"@name@\" `y`", "-e ü;&@name@ > x"] {
        let owned = own(TestProject::in_folder(folder, "x-@name@"), Somebody::new());
        owned.xtask("--project-dir . schedule install --at hourly -- tasks").end().ok();
        let lines = owned.lines();
        assert_eq!(lines.len(), 1);
        owned.as_cron(&lines[0]).ok().silent();
        let noted = std::fs::read_dir(owned.project.path(".infra")).unwrap().flatten();
        let noted = noted.filter(|entry| entry.file_name().to_string_lossy().starts_with("job-")).count();
        assert_eq!(noted, 1, "it has run, and where it should");
        owned.xtask("schedule remove").end().ok();
        assert_eq!(owned.crontab(), "");
    }
}

#[test]
fn f13_a_program_that_is_gone_or_broken_stops_no_job() {
    let Some(()) = cron() else { return };
    let owned = owned();
    // Stands for what `cargo run` builds, which the next build may break.
    let folder = tempfile::Builder::new().prefix("it-built-").tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = folder.path().join("xtask");
    let build = |more: &str| {
        // Another thread's child may hold a file open that we write, and then nobody can run it.
        let script = "rm -f \"$2\"; cp \"$1\" \"$2\" && chmod 755 \"$2\" && printf %s \"$3\" >>\"$2\"";
        let source = owned.project.xtask(["unused"]).program().to_owned();
        let mut make = command("sh");
        assert!(make.args(["-c", script, "sh"]).args([&source, &program]).arg(more).status().unwrap().success());
    };
    build("");
    let install = "schedule install --at hourly tasks";
    owned.xtask(install).of(&program).end().ok();
    std::fs::write(&program, "#!/bin/sh\nexit 101\n").unwrap();
    let lines = owned.lines();
    owned.as_cron(&lines[0]).ok().silent();
    std::fs::remove_file(&program).unwrap();
    owned.as_cron(&lines[0]).ok().silent();

    // While the copy runs, another takes its place, and it goes on.
    let copy = owned.project.path(".infra/bin/xtask");
    let mut running = owned.xtask("health --watch --interval 1s").of(&copy).spawn();
    running.until("healthy");
    build("newer");
    owned.xtask(install).of(&program).end().ok();
    assert!(!running.has_ended());
    assert!(std::fs::read(&copy).unwrap() == std::fs::read(&program).unwrap());
    running.signal(rustix::process::Signal::INT);
    running.wait().code(130);
    assert_eq!(std::fs::read_dir(copy.parent().unwrap()).unwrap().count(), 1, "no draft is left");

    // A copy of itself changes nothing.
    owned.xtask(install).of(&copy).end().ok().shows("which is up to date");
}

#[test]
fn s16_a_link_in_the_place_of_the_copy_is_refused() {
    let Some(()) = cron() else { return };
    let owned = owned();
    owned.xtask("schedule install").end().ok();
    let copy = owned.project.path(".infra/bin/xtask");
    std::fs::remove_file(&copy).unwrap();
    symlink("/bin/true", &copy).unwrap();
    owned.xtask("schedule install").end().code(74).says("cannot write through the link");
}

#[test]
fn a_mark_that_lost_the_other_changes_nothing() {
    let Some(()) = cron() else { return };
    let owned = owned();
    owned.xtask("schedule install").end().ok();
    let broken = owned
        .crontab()
        .lines()
        .filter(|line| !line.starts_with("# END "))
        .fold(String::new(), |text, line| text + line + "\n");
    owned.user.write_crontab(&broken);
    for line in ["schedule install", "schedule remove"] {
        owned.xtask(line).end().code(65).says("# BEGIN infra schedule: development of ").says("crontab -e");
    }
    owned.xtask("schedule check").end().code(2).shows("FAIL  crontab ");
    assert_eq!(owned.crontab(), broken);
}

#[test]
fn i08_a_crontab_that_somebody_holds_is_75() {
    let Some(()) = cron() else { return };
    let owned = owned();
    let home = std::fs::File::open(format!("/tmp/{}", owned.user.name)).unwrap();
    home.lock().unwrap();
    let ended = owned.xtask("schedule install").limit(Duration::from_secs(30)).end();
    ended.code(75);
    assert_eq!(owned.crontab(), "");
}
