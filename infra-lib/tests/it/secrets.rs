//! Secrets stay secret, and nothing of a project runs or redirects our programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::*;

/// Secrets in the forms in which people have them: plain, to be encoded in a URL, Base64, with a dollar sign, of several lines.
const CANARIES: [(&str, &str); 5] = [
    ("DB_PASSWORD", "canary1-database-pw"),
    ("JWT_SECRET", "canary2/jwt+sec:ret@x"),
    ("API_TOKEN", "Y2FuYXJ5My1iYXNlNjQtdG9rZW4="),
    ("SESSION_KEY", "canary4-with-quotes'and space"),
    ("PRIVATE_KEY", "-----BEGIN KEY-----\ncanary5-line-one\ncanary5-line-two\n-----END KEY-----"),
];

/// What must be seen nowhere: each canary, as it is, line by line, and as a URL has it.
fn forms() -> Vec<String> {
    let mut forms = BTreeSet::new();
    for (_, value) in CANARIES {
        forms.extend(value.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned));
        let encoded = value.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        });
        forms.insert(encoded);
    }
    forms.into_iter().collect()
}

#[track_caller]
fn holds_no_secret(what: &str, text: &str) {
    for form in forms() {
        assert!(!text.contains(&form), "{form:?} is in {what}:\n{text}");
    }
}

#[track_caller]
fn says_no_secret(ended: &Ended) {
    holds_no_secret(&format!("the output of `{}`", ended.line), &(ended.stdout.clone() + &ended.stderr));
}

/// A stack that is given all canaries, and the files that hold them.
fn laden(services: &str) -> TestProject {
    let env_file = CANARIES.iter().fold(String::new(), |mut text, (key, value)| {
        let value = value.replace('\n', "\\n");
        let _ = writeln!(text, "{key}=\"{value}\"");
        text
    });
    TestProject::new().compose(services).file(".env", &env_file)
}

const ENVIRONMENT: &str = "environment: {JWT_SECRET: '${JWT_SECRET}', API_TOKEN: '${API_TOKEN}', \
    SESSION_KEY: '${SESSION_KEY}', PRIVATE_KEY: '${PRIVATE_KEY}', DB: 'postgres://me:${DB_PASSWORD}@db/x'}";

fn whole_stack() -> String {
    let database = DATABASE.replace("fixture-password", "'${DB_PASSWORD}'");
    format!("services:\n  web: {{{SLEEPS}, {ENVIRONMENT}}}{database}")
}

/// Everything that can be called, in an order that makes sense.
const LIFE: [&[&str]; 28] = [
    &["setup", "--yes"],
    &["describe"],
    &["describe", "--json"],
    &["ps"],
    &["ps", "--json"],
    &["health"],
    &["health", "--json"],
    &["doctor"],
    &["doctor", "--json"],
    &["env"],
    &["env", "print", "--json"],
    &["env", "explain"],
    &["env", "check"],
    &["env", "check", "--json"],
    &["env", "fill"],
    &["db-shell", "-c", "select 1"],
    &["exec", "web", "--", "true"],
    &["logs"],
    &["logs", "--json"],
    &["stats"],
    &["df"],
    &["restart"],
    &["scale", "web=2"],
    &["start", "--dry-run"],
    &["history"],
    &["stop"],
    &["history", "--json"],
    &["clean", "--all", "--yes"],
];

#[test]
fn s01_s02_s04_no_secret_is_seen_in_a_whole_life() {
    let Some(_engine) = engine() else { return };
    let project = laden(&whole_stack());
    let wanted = forms();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let sampler = Sampler::watch(&wanted);
    for words in LIFE {
        let ended = project.xtask(words).arg("-v").end();
        assert!([0, 2].contains(&ended.exit), "{ended}");
        says_no_secret(&ended);
    }
    let seen = sampler.finish();
    assert!(seen.rounds > 100, "{} rounds", seen.rounds);
    assert_eq!(seen.hits, BTreeSet::new(), "command lines that hold a secret");
    for file in files_below(&project.path(".infra")) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        holds_no_secret(&file.display().to_string(), &text);
    }
}

pub(crate) fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn s02_what_containers_print_is_shown_without_secrets() {
    let Some(_engine) = engine() else { return };
    let checked = "healthcheck: {test: [CMD-SHELL, 'env; exit 1'], interval: 200ms, retries: 1}";
    let project = laden(&format!(
        "services:\n  dies: {{image: @image@, entrypoint: [sh, -c, 'env; exit 3'], {ENVIRONMENT}}}\n\
         \x20 ill: {{image: @image@, entrypoint: [sh, -c, 'env; sleep 99'], init: true, {ENVIRONMENT}, {checked}}}\n"
    ));
    for words in
        [&["start"][..], &["start", "--json"], &["logs"], &["logs", "--json"], &["health"], &["health", "--json"]]
    {
        let ended = project.xtask(words).arg("-v").end();
        assert!([0, 2].contains(&ended.exit), "{ended}");
        says_no_secret(&ended);
        if words[0] == "logs" {
            ended.shows("JWT_SECRET=***");
        }
    }
}

/// What is wrong, the files that say it, with which command, and the exit code.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], i32);

#[test]
fn s02_s03_errors_are_told_without_secrets() {
    let Some(_engine) = engine() else { return };
    let web = |more: &str| format!("services:\n  web: {{{SLEEPS}, {more}}}\n");
    let cases: [Case<'_>; 9] = [
        ("a port", &[("compose.yml", &web("ports: ['${JWT_SECRET}:80']"))], &["start"], 78),
        ("an image", &[("compose.yml", "services: {web: {image: 'x ${SESSION_KEY}'}}")], &["start"], 1),
        ("a volume", &[("compose.yml", &web("volumes: ['${DB_PASSWORD}:x']"))], &["start"], 78),
        ("a number", &[("compose.yml", &web("mem_limit: '${API_TOKEN}'"))], &["ps"], 78),
        ("a line of the env file", &[(".env", "DB_PASSWORD 'canary1-database-pw\n")], &["ps"], 78),
        ("a value of the manifest", &[("infra.toml", "[database]\npassword = \"canary1-database-pw\"\n")], &["ps"], 78),
        ("a number of the manifest", &[("infra.toml", "[backup]\njobs = \"canary1-database-pw\"\n")], &["ps"], 78),
        (
            "a URL's port",
            &[
                ("infra.toml", "[database]\nurl = \"env:URL\"\n"),
                (".env", "URL=postgres://me:canary1-database-pw@h:99999/x\n"),
            ],
            &["db-shell", "-c", "select 1"],
            78,
        ),
        (
            "a URL's host",
            &[
                ("infra.toml", "[database]\nurl = \"env:URL\"\n"),
                (".env", "URL=postgres://me:canary1-database-pw@127.0.0.1:1/x\n"),
            ],
            &["db-shell", "-c", "select 1"],
            69,
        ),
    ];
    for (what, files, words, code) in cases {
        let project = laden(&whole_stack());
        for (path, text) in files {
            project.write(path, text);
        }
        for flag in ["-v", "--json"] {
            if flag == "--json" && words[0] == "db-shell" {
                continue;
            }
            let ended = project.xtask(words).arg(flag).end();
            assert!([code, 1, 69, 78].contains(&ended.exit) && ended.exit != 0, "{what}: {ended}");
            says_no_secret(&ended);
        }
        let journal = std::fs::read_to_string(project.path(".infra/journal.jsonl")).unwrap_or_default();
        holds_no_secret("the journal", &journal);
    }
}

#[test]
fn s05_children_are_given_what_they_need() {
    let Some(_engine) = engine() else { return };
    let project = laden(&whole_stack());
    let fakes = Fakes::new().recorder("docker");
    let evil = |words: &[&str]| {
        let call = project.xtask(words).env("PATH", fakes.path()).env("LD_PRELOAD", "/nowhere/evil.so");
        let call = call.env("COMPOSE_PROJECT_NAME", "evil").env("PGPASSWORD", "evil").env("BASH_ENV", "/nowhere/evil");
        call.env("TAG", "mine").end()
    };
    evil(&["start"]).ok();
    evil(&["db-shell", "-c", "select 1"]).ok();
    evil(&["stop"]).ok();
    let calls = fakes.calls();
    assert!(calls.len() > 5);
    for call in &calls {
        for key in ["LD_PRELOAD", "COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "BASH_ENV", "IFS", "ENV"] {
            assert_eq!(call.var(key), None, "{key} reached {:?}", call.argv);
        }
        assert_eq!(call.var("TAG"), Some("mine"), "files may use the caller's variables");
        assert_ne!(call.var("PGPASSWORD"), Some("evil"));
        holds_no_secret("a command line", &call.argv.join(" "));
        let is_psql = call.argv.iter().any(|word| word == "psql");
        assert_eq!(call.var("PGPASSWORD").is_some(), is_psql, "{:?}", call.argv);
    }
    assert!(calls.iter().any(|call| call.has(&["-e", "PGPASSWORD"])), "S04: by name only");
}

#[test]
fn s08_s11_a_protected_environment_does_not_start_with_exposed_secrets() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!("services:\n  web: {{{SLEEPS}, environment: {{A: '${{JWT_SECRET}}'}}}}\n"))
        .file(".env.production", "JWT_SECRET=q8Zr2vLx0WmT5kYb7NcD3fHs6JgPaQeU\n");
    let start = || project.xtask(["-e", "production", "start"]).end();
    let set_mode =
        |mode| std::fs::set_permissions(project.path(".env.production"), PermissionsExt::from_mode(mode)).unwrap();
    set_mode(0o644);
    start().code(78).says(".env.production").says("hint: ").never_says("q8Zr2");
    set_mode(0o600);
    start().ok();
    for (value, shown) in [("change_this_in_production", false), ("password123", false), ("abc", true)] {
        project.write(".env.production", &format!("JWT_SECRET={value}\n"));
        let ended = start();
        ended.code(77).says("JWT_SECRET");
        assert!(shown || !ended.stderr.contains(value), "{ended}");
    }
    // On a laptop all that is tolerable.
    project.write(".env", "JWT_SECRET=password123\n");
    std::fs::set_permissions(project.path(".env"), PermissionsExt::from_mode(0o644)).unwrap();
    project.xtask(["start"]).end().ok();
}

#[test]
fn s12_a_database_name_is_no_connection_string() {
    let Some(_engine) = engine() else { return };
    let names = [
        "dbname=postgres",
        "postgres://other/x",
        "a b",
        "it's",
        "say \"hi\"",
        "-x",
        "semi;colon",
        "$(id)",
        "ü日本",
        "a\\b",
    ];
    let project = TestProject::new()
        .compose(&format!("services:{DATABASE}"))
        .file("infra.toml", "[database]\nname = \"env:APP_DB\"\n")
        .file(".env", "APP_DB=postgres\n");
    project.xtask(["start"]).end().ok();
    let container = project.container("db");
    for name in names {
        let quoted = name.replace('"', "\"\"");
        let create = format!("CREATE DATABASE \"{quoted}\"");
        docker(["exec", &container, "psql", "-U", "postgres", "-qc", &create]);
        // The shell's variable wins over the file's, and takes any byte.
        let ended =
            project.xtask(["db-shell", "-c", "select current_database()", "--", "-At"]).env("APP_DB", name).end();
        assert_eq!(ended.ok().stdout, format!("{name}\n"));
    }
}

#[test]
fn s32_programs_of_the_project_and_of_here_are_not_run() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!("services:\n  web: {{{SLEEPS}}}\n"))
        .file("docker", "#!/bin/sh\ntouch @dir@/was-run\n")
        .file("bin/docker", "#!/bin/sh\ntouch @dir@/was-run\n");
    for program in ["docker", "bin/docker"] {
        std::fs::set_permissions(project.path(program), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let own = path().into_string().unwrap();
    let bin = project.path("bin");
    for path in [format!(".:{own}"), format!(":{own}"), format!("bin:{own}"), format!("{}:{own}", bin.display())] {
        project.xtask(["ps"]).env("PATH", &path).end().ok();
        assert!(!project.path("was-run").exists(), "PATH={path}");
    }
}

#[test]
fn s34_a_database_far_away_is_asked_for_its_certificate() {
    let project = TestProject::new()
        .file("infra.toml", "[database]\nurl = \"env:DATABASE_URL\"\n")
        .file("compose.yml", "services: {}\n");
    let mode = |url: &str| {
        let ended = project.xtask(["-v", "db-shell", "-c", "select 1"]).env("DATABASE_URL", url).end();
        let at = ended.stderr.find("PGSSLMODE=").map(|at| &ended.stderr[at + 10..]);
        at.and_then(|rest| rest.split(' ').next()).map(str::to_owned)
    };
    if postgres().is_none() {
        return;
    }
    assert_eq!(mode("postgres://u:p@db.invalid/x").as_deref(), Some("verify-full"));
    assert_eq!(mode("postgres://u:p@192.0.2.1/x").as_deref(), Some("verify-full"));
    assert_ne!(mode("postgres://u:p@127.0.0.1:1/x").as_deref(), Some("verify-full"));
}

#[test]
fn s37_no_core_dump_and_no_look_into_memory() {
    if !rustix::process::getuid().is_root() || tool("setpriv").is_none() {
        return;
    }
    let project = TestProject::new().compose(&format!("services:\n  web: {{{SLEEPS}}}\n")).open_to_all();
    let fakes = Fakes::new().program("docker", "sleep 5");
    let running = project.xtask(["ps"]).env("PATH", fakes.path()).env("HOME", "/nonexistent").user(65534).spawn();
    // In `/proc`, a process that may not be dumped belongs to root, whoever runs it; one that has just begun does not yet.
    wait_until("its memory is its own", Duration::from_secs(4), || {
        let proc = format!("/proc/{}", running.pid());
        let status = std::fs::read_to_string(format!("{proc}/status")).unwrap_or_default();
        let owner = std::fs::metadata(format!("{proc}/mem")).map_or(1, |about| about.uid());
        let is_users = status.lines().any(|line| line.starts_with("Uid:\t65534"));
        // `setpriv` is in such a state itself for a moment.
        let is_ours = std::fs::read_to_string(format!("{proc}/comm")).is_ok_and(|name| name.trim() == "xtask");
        if is_ours && is_users && owner == 0 { Ok(()) } else { Err(format!("{owner} owns {status}")) }
    });
}

#[test]
fn s38_what_others_print_cannot_move_the_cursor() {
    let Some(_engine) = engine() else { return };
    let escape = "printf '\\\\033[2J\\\\033]0;title\\\\007gone\\\\n'";
    let project = TestProject::new().compose(&format!(
        "services:\n  web:\n    image: @image@\n    init: true\n    entrypoint: [sh, -c, \"{escape}; exit 3\"]\n\
         \x20 ill:\n    image: @image@\n    init: true\n    entrypoint: [sh, -c, \"{escape}; sleep 99\"]\n\
         \x20   healthcheck: {{test: [CMD-SHELL, \"{escape}; exit 1\"], interval: 200ms, retries: 1}}\n"
    ));
    for words in [&["start"][..], &["start", "-v"], &["health"], &["health", "-v"], &["logs"], &["ps"]] {
        let ended = project.xtask(words).end();
        for control in ['\u{1b}', '\u{7}'] {
            assert!(!(ended.stdout.clone() + &ended.stderr).contains(control), "{words:?}: {:?}", ended.stdout);
        }
    }
    let ended = project.xtask(["start", "--json"]).end();
    assert!(ended.outcome().to_string().contains("gone"), "{ended}");
    // A name of the caller's own is no better.
    let ended = project.xtask(["logs", "a\u{1b}[2Jb"]).end();
    assert!(!ended.stderr.contains('\u{1b}'), "{:?}", ended.stderr);
}

#[test]
fn s43_no_option_takes_a_secret() {
    let project = TestProject::new();
    let help = project.xtask(["help"]).end().ok().stdout.clone();
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Lifecycle"))
        .filter(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| !word.starts_with('-'))
        .collect();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        let text = project.xtask(["help", command]).end().ok().stdout.clone();
        let options = text.lines().filter(|line| line.trim_start().starts_with('-'));
        for option in options {
            let words = option.to_lowercase();
            let name = words.split("--").nth(1).unwrap_or_default();
            let name = name.split([' ', '=', '[']).next().unwrap_or_default();
            let secret = ["password", "passwd", "secret", "token", "apikey", "credential"]
                .iter()
                .any(|word| name.contains(word));
            assert!(!secret || name.ends_with("-file"), "`{command}` has {option}");
        }
    }
}
