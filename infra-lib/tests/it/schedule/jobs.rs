//! What can be scheduled, and when.

use super::*;

#[test]
fn what_cannot_run_unattended_is_refused_today() {
    let project = TestProject::new()
        .compose("services: {}\n")
        .file("infra.toml", "[tasks.greet]\nhost = true\nrun = [\"echo\", \"hello\"]\n");
    let add = |at: &str, line: &str| {
        let words = ["schedule", "print", "--at", at, "--"].map(str::to_owned);
        project.xtask(words.into_iter().chain(shlex::split(line).unwrap())).end()
    };
    for (line, why) in [
        ("pss", "hint: did you mean `ps`?"),
        ("gret", "hint: did you mean `greet`?"),
        ("-e production ps", "put the command first"),
        ("shell db", "it is interactive"),
        ("db-shell", "it is interactive"),
        ("completions bash", "unknown command or task"),
        ("ps --no-such-option", "`ps --no-such-option` cannot be scheduled: unexpected argument '--no-such-option'"),
        ("logs", "cannot be scheduled"),
        ("clean --help", "it only prints help"),
        ("ps -v", "every job runs with --quiet"),
        ("ps --dry-run", "a dry run changes nothing"),
        ("ps -e production", "go before `schedule`"),
        ("ps -C /tmp", "go before `schedule`"),
        ("'a\nb'", "cannot be scheduled"),
    ] {
        // Without an argument that says how much, `logs` is fine.
        if line == "logs" {
            add("hourly", line).ok();
            continue;
        }
        let ended = add("hourly", line);
        ended.code(64).says(why);
        assert!(ended.stdout.is_empty(), "{ended}");
    }
    for line in ["ps", "greet", "greet --anything goes", "clean --volumes --yes --confirm x", "health --only postgres"]
    {
        add("daily 02:30", line).ok().shows("30 2 * * * /usr/bin/env ");
    }
    for (at, why) in
        [("60 * * * *", "0-59"), ("0 0 31 2 *", "no such day"), ("every 7m", "divide 60"), ("* * * *", "five")]
    {
        add(at, "ps").code(64).says(why);
    }
    project.xtask(["schedule", "print", "--at", "hourly"]).end().code(64).says("<COMMAND>");
    project.xtask(["schedule", "print", "ps"]).end().code(64).says("--at");
}

#[test]
fn the_usual_jobs_are_printed_and_nothing_is_written() {
    let Some(()) = compose() else { return };
    let project = TestProject::new().compose("services: {db: {image: 'postgres:17'}}\n");
    let printed = project.xtask(["schedule"]).end();
    let jobs: Vec<(String, String)> =
        printed.ok().stdout.lines().filter(|line| !line.starts_with('#')).map(job).collect();
    let expected = [("30 2 * * *", "db-backup"), ("0 4 * * 0", "db-verify --drill latest"), ("*/5 * * * *", "health")];
    assert_eq!(jobs, expected.map(|(at, command)| (at.to_owned(), command.to_owned())));
    let outcome = project.xtask(["schedule", "print", "--json"]).end().ok().outcome();
    assert_eq!(outcome["crontab"], printed.stdout);
    assert_eq!(outcome["jobs"][1]["command"], serde_json::json!(["db-verify", "--drill", "latest"]));
    assert!(!project.path(".infra").exists());
    project.write("compose.yml", "services: {}\n");
    let without = project.xtask(["schedule", "print"]).end();
    assert_eq!(
        without.ok().stdout.lines().filter(|line| !line.starts_with('#')).map(job).collect::<Vec<_>>(),
        jobs[2..]
    );
}

/// When a line runs, and what.
fn job(line: &str) -> (String, String) {
    let at: Vec<&str> = line.split(' ').take(5).collect();
    (at.join(" "), line.split_once(" -q ").unwrap().1.to_owned())
}

#[test]
fn b09_a_path_that_no_crontab_can_hold_is_refused() {
    for folder in ["a\nb-@name@", "a\\b-@name@"] {
        let project = TestProject::in_folder(folder, "ab-@name@").compose("services: {}\n");
        project.xtask(["schedule", "print"]).end().code(64).says("a crontab cannot hold").says("hint: ");
    }
}

#[test]
fn a_machine_without_crontab_is_69_and_names_the_package() {
    let project = TestProject::new().compose("services: {}\n");
    let path = Fakes::new().path_without(&["crontab"]);
    for line in ["schedule install", "schedule remove", "schedule check"] {
        let ended = project.xtask(line.split(' ')).env("PATH", &path).end();
        ended.code(69).says("`crontab` is not installed").says("package `cron`");
    }
    assert!(!project.path(".infra/bin").exists());
    let fakes =
        Fakes::new().program("crontab", "echo 'You (me) are not allowed to use this program (crontab)' >&2; exit 1");
    project.xtask(["schedule", "install"]).env("PATH", fakes.path()).end().code(77).says("cron.allow");
}

/// Debian's cron reads so far and no further.
#[test]
fn b09_a_line_that_is_too_long_is_refused_before_anything_is_written() {
    let Some(()) = cron() else { return };
    let owned = owned();
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let rest = |length: usize| {
        // No name may have more than 255 bytes.
        let parts = (0..length).map(|at| if at % 100 == 50 { '/' } else { 'x' });
        let dir = folder.path().join(parts.collect::<String>());
        std::fs::create_dir_all(&dir).unwrap();
        std::env::join_paths([dir, "/usr/bin".into(), "/bin".into()]).unwrap()
    };
    let install = |length| owned.xtask("schedule install --at hourly tasks").env("PATH", rest(length)).end();
    let plain = install(10);
    plain.ok();
    let left = 998 - (owned.lines()[0].len() - "0 * * * * ".len()) + 10;
    install(left).ok();
    assert_eq!(owned.lines()[0].len(), 998 + "0 * * * * ".len());
    let before = owned.crontab();
    install(left + 1).code(64).says("longer than cron's 998 bytes");
    assert_eq!(owned.crontab(), before);
}
