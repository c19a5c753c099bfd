//! `schedule check`: what was installed is there and runs.

use serde_json::Value;

use super::*;

/// The exit code, and how everything of a kind looks.
fn check(owned: &Owned) -> (i32, impl Fn(&str) -> Vec<(String, String)>) {
    let ended = owned.xtask("schedule check --json").end();
    let checks = ended.outcome()["checks"].as_array().unwrap().clone();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let of_kind = move |kind: &str| {
        let found = checks.iter().filter(|check| check["kind"] == kind);
        found.map(|check| (text(check, "status"), text(check, "detail"))).collect()
    };
    (ended.exit, of_kind)
}

fn one(found: Vec<(String, String)>) -> (String, String) {
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[track_caller]
fn looks(found: (String, String), status: &str, detail: &str) {
    assert!(found.0 == status && found.1.contains(detail), "{found:?}");
}

#[test]
fn i10_lines_that_are_gone_or_changed_are_2() {
    let Some(()) = cron() else { return };
    let owned = owned();
    let (exit, kinds) = check(&owned);
    assert_eq!(exit, 2);
    looks(one(kinds("crontab")), "fail", "nothing is scheduled");

    owned.xtask("schedule install --at hourly tasks").end().ok();
    let (_, kinds) = check(&owned);
    looks(one(kinds("crontab")), "ok", "1 job, as installed");
    looks(one(kinds("program")), "ok", "the same as the running program");
    looks(one(kinds("job")), "ok", "has not run yet");

    let good = owned.crontab();
    owned.user.write_crontab(good.replace("0 * * * * ", "1 * * * * "));
    looks(one(check(&owned).1("crontab")), "fail", "differ from those that were installed");
    owned.user.write_crontab("# empty\n");
    let (exit, kinds) = check(&owned);
    assert_eq!(exit, 2);
    looks(one(kinds("crontab")), "fail", "are missing");
    owned.user.write_crontab(&good);

    // From cron's own environment the answer is the same: what counts is what was installed.
    let cron = owned.user.calls(owned.project.xtask(["schedule", "check"])).env("PATH", "/usr/bin:/bin").end();
    cron.shows("ok    crontab ");
}

#[test]
fn i10_the_copy_is_looked_at() {
    let Some(()) = cron() else { return };
    let owned = owned();
    owned.xtask("schedule install --at hourly tasks").end().ok();
    let copy = owned.project.path(".infra/bin/xtask");
    let whole = std::fs::read(&copy).unwrap();
    std::fs::write(&copy, "#!/bin/sh\necho xtask 0.0.1\n").unwrap();
    looks(one(check(&owned).1("program")), "warn", "xtask 0.0.1, newer than the running program");
    std::fs::File::open(&copy).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    looks(one(check(&owned).1("program")), "warn", "xtask 0.0.1, older than the running program");
    std::fs::write(&copy, &whole[..1000]).unwrap();
    looks(one(check(&owned).1("program")), "fail", "--version");
    std::fs::remove_file(&copy).unwrap();
    let (exit, kinds) = check(&owned);
    assert_eq!(exit, 2);
    looks(one(kinds("program")), "fail", "is missing");
    owned.xtask("schedule install").end().ok();
    looks(one(check(&owned).1("program")), "ok", "the same");
}

#[test]
fn i10_a_run_that_was_missed_or_failed_is_2() {
    let Some(_engine) = engine() else { return };
    let Some(()) = cron() else { return };
    let owned = owned();
    owned.project.write("infra.toml", "[tasks.night]\nhost = true\nrun = [\"sh\", \"-c\", \"exit $(cat code)\"]\n");
    owned.project.write("code", "0");
    owned.user.own(&owned.project);
    owned.xtask("schedule install --at 'every 1m' night").end().ok();
    let lines = owned.lines();
    let run = |code: &str| {
        owned.project.write("code", code);
        owned.as_cron(&lines[0])
    };

    // As if it had been installed the day before yesterday.
    let state = ".infra/schedule-development.json";
    let mut record: Value = serde_json::from_str(&owned.project.read(state)).unwrap();
    record["jobs"][0]["since"] = "2020-01-01T00:00:00Z".into();
    owned.project.write(state, &record.to_string());
    let (exit, kinds) = check(&owned);
    assert_eq!(exit, 2);
    looks(one(kinds("job")), "fail", "has not run yet");
    looks(one(kinds("job")), "fail", "was due at ");

    // A missed job turns health red, one that has run does not.
    let health = || owned.project.xtask(["health", "--only", "job"]).end();
    health().code(2).shows("was due at ");
    run("0").ok().silent();
    looks(one(check(&owned).1("job")), "ok", "s ago: ok");
    health().ok();
    let failed = run("3");
    assert!(failed.exit == 3 && failed.stderr.lines().count() <= 20, "{failed}");
    let (exit, kinds) = check(&owned);
    assert_eq!(exit, 2);
    looks(one(kinds("job")), "fail", "s ago: ");
    health().code(2);
    run("0").ok().silent();

    // Nothing has happened since then.
    let outcome = owned.xtask("schedule check --json").end().outcome();
    let id = &lines[0].split_once("INFRA_JOB=").unwrap().1[..8];
    let noted = format!(".infra/job-{id}.json");
    let mut entry: Value = serde_json::from_str(&owned.project.read(&noted)).unwrap();
    assert_eq!((&outcome["jobs"][0]["last"], &outcome["jobs"][0]["missed"]), (&entry, &Value::Null));
    entry["at"] = "2020-01-02T00:00:00Z".into();
    owned.project.write(&noted, &entry.to_string());
    // What the journal has of the same task counts too, so it must have nothing.
    std::fs::remove_file(owned.project.path(".infra/journal.jsonl")).unwrap();
    let (exit, kinds) = check(&owned);
    assert_eq!(exit, 2);
    looks(one(kinds("job")), "fail", "d ago: ok");
}

/// An operation that finds something unwell has run all the same, and leaves no entry in the journal.
#[test]
fn i10_what_only_looks_is_known_to_have_run() {
    let Some(_engine) = engine() else { return };
    let Some(()) = cron() else { return };
    let owned = owned();
    owned.project.write("infra.toml", "[health.web]\ntcp = \"127.0.0.1:@port:closed@\"\n");
    owned.user.own(&owned.project);
    owned.xtask("schedule install --at 'every 5m' -- health --only tcp").end().ok();
    let ended = owned.as_cron(&owned.lines()[0]);
    ended.code(2).shows("FAIL  tcp web");
    assert!(ended.stdout.lines().count() + ended.stderr.lines().count() <= 20, "{ended}");
    looks(one(check(&owned).1("job")), "warn", "s ago: check-failed");
    let journal = std::fs::read_to_string(owned.project.path(".infra/journal.jsonl")).unwrap();
    assert!(!journal.contains("health"), "{journal}");
}
